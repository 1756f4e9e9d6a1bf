"""Which terms a model knows, and messages as TF-IDF over them (Salton, Buckley 1988; sublinear, as `score.text` weighs it).

In: a `Reading` of the training messages and who wrote them. Out: columns of it, and rows of unit length a family.
A term that fewer than `FEWEST_PEOPLE` different people used never gets in: names, addresses and slips of one person stay out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from nudge.learn.intent.messages import FAMILIES, Reading

FEWEST_PEOPLE = 3
MOST_TERMS = 80_000
MOST_WEIGHTS = 4_500_000
"""Terms times intents: a byte each, for each of the two linear models. Those terms that most people used stay."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Of each family: the columns of the reading that are known (in order of their terms), and by how many people each was
    used; `people` is how many there are."""

    columns: dict[str, np.ndarray]
    seen: dict[str, np.ndarray]
    people: int

    @classmethod
    def of(cls, reading: Reading, people: np.ndarray, intents: int) -> Vocabulary:
        """The terms of training messages that enough people used, at most as many as an artefact may hold."""
        writers = np.unique(people, return_inverse=True)[1]
        count = int(writers.max()) + 1
        by_person = sp.csr_matrix(
            (np.ones(len(writers)), (writers, np.arange(len(writers)))), shape=(count, len(writers))
        )
        used = {name: _people(by_person, reading.counts[name]) for name in FAMILIES}
        fewest = _fewest(np.concatenate(list(used.values())), min(MOST_TERMS, MOST_WEIGHTS // intents))
        columns = {}
        for name, seen in used.items():
            chosen = np.flatnonzero(seen >= fewest)
            columns[name] = chosen[np.argsort([reading.names[name][one] for one in chosen], kind="stable")]
        return cls(columns, {name: used[name][chosen] for name, chosen in columns.items()}, count)

    def table(self, reading: Reading) -> sp.csr_matrix:
        """Messages as rows: (1 + log tf) · idf, each family scaled to its weight; the columns family by family."""
        parts = []
        for name, weight in FAMILIES.items():
            held: Any = reading.counts[name][:, self.columns[name]].copy()
            if not held.shape[1]:  # messages of one word have no pairs
                continue
            held.data = 1.0 + np.log(held.data)
            held = held.multiply(self.rare(name)).tocsr()
            parts.append(normalize(held, copy=False) * weight)
        made: sp.csr_matrix = sp.hstack(parts, format="csr")
        made.sort_indices()
        return made

    def rare(self, family: str) -> np.ndarray:
        """log((1 + people) / (1 + people who used it)) + 1."""
        made: np.ndarray = np.log((1 + self.people) / (1 + self.seen[family])) + 1.0
        return made

    def unread(self, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
        """Of each message: the share of its words and neighbours that are not known, and how many it has."""
        words = reading.counts["word"]
        total = np.asarray(words.sum(axis=1)).ravel()
        known = np.asarray(words[:, self.columns["word"]].sum(axis=1)).ravel()
        return np.where(total > 0, 1.0 - known / np.maximum(total, 1.0), 1.0), total

    def place(self, family: str) -> slice:
        """Which columns of `table` are of that family."""
        names = list(FAMILIES)
        first = sum(len(self.columns[name]) for name in names[: names.index(family)])
        return slice(first, first + len(self.columns[family]))


def _people(by_person: sp.csr_matrix, counts: sp.csr_matrix) -> np.ndarray:
    """How many people used each term."""
    used: Any = by_person @ counts
    return np.bincount(used.indices, minlength=used.shape[1]).astype(np.int64)


def _fewest(used: np.ndarray, most: int) -> int:
    """The least number of people that leaves at most `most` terms."""
    if int((used >= FEWEST_PEOPLE).sum()) <= most:
        return FEWEST_PEOPLE
    return max(FEWEST_PEOPLE, int(np.sort(used)[-most - 1]) + 1)
