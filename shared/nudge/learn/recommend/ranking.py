"""Scores → places: the best items of each case, NDCG, and the pool of items that a blend is fitted on.

In: `Cases`, matrices. Out: NDCG@k a case (binary relevance, Järvelin & Kekäläinen 2002). Knows no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from nudge.learn.recommend.cases import Cases
from nudge.learn.recommend.interactions import Numbers

BLOCK = 256


@dataclass(frozen=True, slots=True)
class Part:
    """A model that may enter the blend. `matrix` has a row an item (dense ones: the first items alone) or, with `rows`, a row
    a category; None is popularity, the same for everybody: then `prior` says it."""

    name: str
    matrix: Numbers | sp.csr_matrix | None
    decay: float
    options: dict[str, float]
    rows: Numbers | None = None
    prior: Numbers | None = None

    def scores(self, cases: Cases, items: int) -> Iterator[Numbers]:
        """Scores of all items, block of cases by block."""
        met = None if self.matrix is None else self._met(cases)
        for first in range(0, cases.count, BLOCK):
            number = min(BLOCK, cases.count - first)
            if met is None:
                yield np.broadcast_to(np.asarray(self.prior), (number, items))
            else:
                yield self._product(met[first : first + number], items)

    def _met(self, cases: Cases) -> sp.csr_matrix:
        history = cases.history(self.decay)
        if self.rows is None or self.matrix is None:
            return history
        known = np.flatnonzero(self.rows >= 0)
        shape = (history.shape[1], self.matrix.shape[0])
        return history @ sp.csr_matrix((np.ones(len(known)), (known, self.rows[known])), shape=shape)

    def _product(self, met: sp.csr_matrix, items: int) -> Numbers:
        matrix = self.matrix
        if isinstance(matrix, np.ndarray):
            out = np.zeros((met.shape[0], items))
            out[:, : matrix.shape[1]] = met[:, : matrix.shape[0]].toarray() @ matrix
            return out
        return np.asarray((met @ matrix).toarray())


def ndcg(parts: Sequence[Part], cases: Cases, k: int) -> Numbers:
    """NDCG@k of each case, by the sum of some parts."""
    found = []
    for number, scores in enumerate(totals(parts, cases)):
        first = number * BLOCK
        best = top(masked(scores, cases, first), k)
        gain = (cases.hit(first, best) / np.log2(np.arange(best.shape[1]) + 2)).sum(axis=1)
        found.append(gain / cases.ideal[first : first + len(best)])
    return np.concatenate(found) if found else np.zeros(0)


def totals(parts: Sequence[Part], cases: Cases) -> Iterator[Numbers]:
    """The sum of the scores of some parts, block of cases by block."""
    items = cases.items
    for blocks in zip(*(part.scores(cases, items) for part in parts), strict=True):
        yield np.sum(blocks, axis=0)


def masked(scores: Numbers, cases: Cases, first: int) -> Numbers:
    """A copy in which what may not be named is last."""
    scores = np.array(scores, dtype=float)
    known = cases.known[first : first + len(scores)].tocoo()
    scores[known.row, known.col] = -np.inf
    return scores


def top(scores: Numbers, k: int) -> Numbers:
    """The columns of the k largest of each row, best first; of equals the first."""
    k = min(k, scores.shape[1])
    if scores.shape[1] > 4 * k:
        best = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
    else:
        best = np.tile(np.arange(scores.shape[1]), (len(scores), 1))
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")[:, :k]
    return np.asarray(np.take_along_axis(best, order, axis=1))


@dataclass(frozen=True, slots=True)
class Pool:
    """For each case the items that any part puts far up: `scores` [case, item, part], and which are answers."""

    scores: Numbers
    answer: Numbers
    ideal: Numbers

    @classmethod
    def of(cls, parts: Sequence[Part], cases: Cases, most: int) -> Pool:
        """The union of the `most` best of each part."""
        items = cases.items
        width = min(most * len(parts), items)
        scores = np.zeros((cases.count, width, len(parts)), dtype=np.float32)
        answer = np.zeros((cases.count, width), dtype=bool)
        empty = np.ones((cases.count, width), dtype=bool)
        for number, blocks in enumerate(zip(*(part.scores(cases, items) for part in parts), strict=True)):
            first = number * BLOCK
            hidden = masked(np.zeros(blocks[0].shape), cases, first)
            bests = np.concatenate([top(block + hidden, most) for block in blocks], axis=1)
            for row, best in enumerate(bests):
                place = np.unique(best)
                place = place[hidden[row, place] == 0]
                scores[first + row, : len(place)] = np.stack([block[row, place] for block in blocks], axis=1)
                answer[first + row, : len(place)] = cases.hit(first + row, place[None, :])[0]
                empty[first + row, : len(place)] = False
        scores[empty] = -np.inf
        return cls(scores, answer, cases.ideal)

    def ndcg(self, weights: Numbers, k: int) -> Numbers:
        """NDCG@k of each case by Σ weight · part, among the pool."""
        held = np.flatnonzero(weights)
        with np.errstate(invalid="ignore"):
            total = self.scores[:, :, held] @ weights[held].astype(np.float32)
        best = top(np.where(np.isfinite(total), total, -np.inf), k)
        hits = np.take_along_axis(self.answer, best, axis=1)
        return np.asarray((hits / np.log2(np.arange(best.shape[1]) + 2)).sum(axis=1) / self.ideal)
