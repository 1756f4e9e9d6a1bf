"""Messages, and their terms counted once: what all folds of a training share.

In: texts, and a function text → terms by family (`score.text.reads`). Out: sparse counts. Knows no labels and no weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

type Terms = Callable[[str], Mapping[str, Mapping[str, int]]]
type Reads = Callable[[Sequence[str]], Terms]
"""The names of pieces → a function that gives a text's terms and, as the family `piece`, its pieces."""
READING = 3
"""The way in which the terms that are handed in read a text; who reads in another refuses the model."""
FAMILIES = {"word": 1.0, "letter": 1.0, "pair": 0.7, "length": 0.5}
"""Families of terms, and how much each weighs: each is scaled to that length in every message."""
PIECE = "piece"
"""The family of which all terms are known beforehand: those with a vector (`meaning`)."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Texts, their intents, who wrote them (0 … n-1) and when (µs), oldest first."""

    texts: list[str]
    intents: np.ndarray
    people: np.ndarray
    at: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, which: np.ndarray) -> Messages:
        """Some of them, by a mask or by places."""
        places = np.flatnonzero(which) if which.dtype == bool else which
        texts = [self.texts[place] for place in places]
        return Messages(texts, self.intents[places], self.people[places], self.at[places])


@dataclass(frozen=True, slots=True)
class Reading:
    """Of each family: its terms in order, and how often each stands in each message. `terms` reads other messages."""

    names: dict[str, list[str]]
    counts: dict[str, sp.csr_matrix]
    terms: Terms

    @classmethod
    def of(cls, texts: Sequence[str], reads: Reads, pieces: Sequence[str]) -> Reading:
        """All terms of some texts. Raises BadInput for what is no text."""
        terms = reads(pieces)
        known: dict[str, dict[str, int]] = {name: {} for name in FAMILIES}
        known[PIECE] = {name: place for place, name in enumerate(pieces)}
        held: dict[str, tuple[list[int], list[int], list[int]]] = {name: ([0], [], []) for name in known}
        for text in texts:
            for name, found in terms(text).items():
                ends, columns, counts = held[name]
                ids = known[name]
                columns.extend([ids.setdefault(term, len(ids)) for term in found])
                counts.extend(found.values())
                ends.append(len(columns))
        return cls(
            {name: list(ids) for name, ids in known.items()},
            {name: _matrix(*parts, len(known[name])) for name, parts in held.items()},
            terms,
        )

    def others(self, texts: Sequence[str]) -> Reading:
        """Other messages over the same terms. What is not among them counts for `unread` alone: one column more at the end of
        `word`."""
        counts = {}
        found = [self.terms(text) for text in texts]
        for name, names in self.names.items():
            ids, other = {term: place for place, term in enumerate(names)}, len(names)
            parts: tuple[list[int], list[int], list[int]] = ([0], [], [])
            for one in found:
                parts[1].extend([ids.get(term, other) for term in one[name]])
                parts[2].extend(one[name].values())
                parts[0].append(len(parts[1]))
            made = _matrix(*parts, other + 1)
            made.sum_duplicates()
            counts[name] = made
        return Reading(self.names, counts, self.terms)

    def rows(self, which: np.ndarray) -> Reading:
        """The same terms in some of the messages."""
        return Reading(self.names, {name: counts[which] for name, counts in self.counts.items()}, self.terms)

    def pieces(self) -> sp.csr_matrix:
        """Messages as rows over the pieces: the share of each among the message's pieces."""
        counts = self.counts[PIECE][:, : len(self.names[PIECE])]
        whole = np.asarray(counts.sum(axis=1)).ravel()
        made: sp.csr_matrix = sp.diags_array(1.0 / np.maximum(whole, 1.0)).tocsr() @ counts
        made.sort_indices()
        return made


def _matrix(ends: list[int], columns: list[int], counts: list[int], width: int) -> sp.csr_matrix:
    data = (np.asarray(counts, float), np.asarray(columns, np.int32), np.asarray(ends, np.int64))
    made: Any = sp.csr_matrix(data, shape=(len(ends) - 1, width))
    made.sort_indices()
    return made
