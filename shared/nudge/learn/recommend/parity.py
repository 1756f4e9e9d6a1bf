"""The stored form, scored in plain Python as online, against numpy: on held-back and on strange histories.

In: an artefact, `score.neighbours.load`, cases. Out: the largest difference, or NotReady.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from nudge.errors import NotReady
from nudge.learn.export import TOLERANCE, canonical
from nudge.learn.recommend.cases import Cases
from nudge.learn.recommend.interactions import Numbers
from nudge.learn.recommend.ranking import Part
from nudge.learn.recommend.tables import parts_of

ROWS = 40


class Recommends(Protocol):
    """What `score.neighbours.load` gives."""

    def scores(
        self, recent: Mapping[str, int], basket: Any = (), strength: Mapping[str, float] | None = None
    ) -> list[float]: ...


type Load = Callable[[Mapping[str, Any]], Recommends]


def parity(artefact: Mapping[str, Any], load: Load, items: Sequence[str], cases: Cases, seed: int) -> float:
    """The largest difference, relative to the largest score. `items` are those of the cases, by place. Raises NotReady when it
    exceeds 1e-9."""
    scorer = load(json.loads(canonical(artefact)))
    parts = parts_of(artefact)
    worst = 0.0
    for recent, strength in _histories(artefact, items, cases, seed):
        ours = np.array(scorer.scores(recent, (), strength))
        theirs = reference(artefact, parts, recent, strength)
        worst = max(worst, float(np.max(np.abs(ours - theirs)) / max(1.0, float(np.max(np.abs(theirs))))))
    if not worst <= TOLERANCE:
        raise NotReady(
            f"the stored recommender differs from numpy's by {worst:.3g}; it is not published",
            missing={"parity": worst, "allowed": TOLERANCE},
        )
    return worst


def reference(
    artefact: Mapping[str, Any], parts: list[Part], recent: Mapping[str, int], strength: Mapping[str, float]
) -> Numbers:
    """Scores of all items for one history, by matrices."""
    place = {item: number for number, item in enumerate(artefact["items"])}
    later = sorted(recent.values(), reverse=True)
    total = np.asarray(parts[0].prior, dtype=float).copy()
    known = [(place[item], strength.get(item, 1.0), later.index(at)) for item, at in recent.items() if item in place]
    columns = np.array([one for one, _, _ in known], dtype=int)
    for part in parts[1:]:
        weight = np.array([max(times, 0.0) * part.decay**rank for _, times, rank in known])
        rows = columns if part.rows is None else part.rows[columns]
        weight = np.where(rows >= 0, weight, 0.0)
        shape = (1, part.matrix.shape[0])  # type: ignore[union-attr]
        history = sp.csr_matrix((weight, (np.zeros(len(rows), dtype=int), np.maximum(rows, 0))), shape=shape)
        total += np.asarray((history @ part.matrix).toarray()).ravel()
    return total


def _histories(
    artefact: Mapping[str, Any], names: Sequence[str], cases: Cases, seed: int
) -> list[tuple[Mapping[str, int], Mapping[str, float]]]:
    """Histories of cases, and ones that nobody has: empty, unknown items, everything at once, extreme times and strengths."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(cases.count, min(ROWS, cases.count), replace=False)
    found: list[tuple[Mapping[str, int], Mapping[str, float]]] = []
    for one in chosen.tolist():
        met, times = cases.recent(one)
        found.append(({names[item]: at for item, at in zip(met.tolist(), times.tolist(), strict=True)}, {}))
    items = artefact["items"]
    every = {item: int(at) for item, at in zip(items[:500], rng.integers(-(2**62), 2**62, 500), strict=False)}
    twins = dict.fromkeys(items[:50], 7)
    odd = {item: float(value) for item, value in zip(items, (0.0, 1e-300, 1e6, 0.5), strict=False)}
    return [
        *found,
        ({}, {}),
        ({"never seen": 1, "": 2}, {}),
        (every, {}),
        (every | {"never seen": 0}, odd),
        (twins, odd),
    ]
