"""Which options a part has, and how much of each part is blended: found on held-back cases, by NDCG.

In: folds (who makes parts, and the cases that ask). Out: options, decays and weights. Knows no later cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nudge.learn.recommend.cases import Cases
from nudge.learn.recommend.interactions import Numbers
from nudge.learn.recommend.ranking import Part, Pool, ndcg
from nudge.learn.recommend.recipe import Settings

STEPS = (0.0, 0.25, 0.5, 0.7, 0.85, 1.2, 1.5, 2.0, 4.0)
FRESH = (0.03, 0.1, 0.3, 1.0)
PASSES = 2


class Makes(Protocol):
    """What `workshop.Workshop` gives."""

    def make(self, name: str, options: Mapping[str, float]) -> Part: ...


@dataclass(frozen=True, slots=True)
class Fold:
    """One way to hold back: who makes parts from what is left, and the cases that are asked."""

    shop: Makes
    cases: Cases


@dataclass(frozen=True, slots=True)
class Found:
    """The best options of a part, its decay, and its NDCG on the cases that chose them."""

    name: str
    options: Mapping[str, float]
    decay: float
    score: float


class Search:
    """Finds options and weights on some folds. Scores are means over folds."""

    def __init__(self, folds: Sequence[Fold], settings: Settings) -> None:
        self.folds, self.settings = folds, settings
        self._few = [fold.cases.some(settings.search_cases) for fold in folds]

    def climb(self, name: str, grid: Mapping[str, Sequence[float]], decays: Sequence[float]) -> Found:
        """Coordinate search: from the first value of each option, one option at a time, each fit at the best decay so far; once more
        where something changed."""
        options = {option: values[0] for option, values in grid.items()}
        best = self._decayed(name, options, decays)
        tried = {tuple(options.items())}
        for _ in range(PASSES):
            before = best.options
            for option, values in grid.items():
                for value in values:
                    options = {**best.options, option: value}
                    if tuple(options.items()) not in tried:
                        tried.add(tuple(options.items()))
                        found = self._decayed(name, options, (best.decay,))
                        best = found if found.score > best.score * (1 + self.settings.least_gain) else best
            best = self._decayed(name, best.options, decays)
            if best.options == before:
                break
        return best

    def _decayed(self, name: str, options: Mapping[str, float], decays: Sequence[float]) -> Found:
        """The best of some decays. The fits are not kept: they are large."""
        scores = np.zeros(len(decays))
        for fold, few in zip(self.folds, self._few, strict=True):
            part = fold.shop.make(name, options)
            scores += [_mean(ndcg([replace(part, decay=decay)], few, self.settings.k)) for decay in decays]
        best = int(np.argmax(scores))
        return Found(name, options, decays[best], float(scores[best]) / len(self.folds))

    def blend(self, found: Sequence[Found]) -> tuple[Numbers, float]:
        """Non-negative weights of the parts by coordinate ascent on NDCG, from the best single part and from all of them alike; and
        that NDCG."""
        said = self.settings
        pools = [
            Pool.of(
                [replace(fold.shop.make(one.name, one.options), decay=one.decay) for one in found],
                fold.cases,
                said.pool,
            )
            for fold in self.folds
        ]
        size = _sizes(pools)
        singles = [self._total(pools, one) for one in np.eye(len(found))]
        starts = [np.eye(len(found))[int(np.argmax(singles))] / size, 1 / size]
        climbed = [self._ascended(pools, start, size) for start in starts]
        return max(climbed, key=lambda one: one[1])

    def _ascended(self, pools: Sequence[Pool], weights: Numbers, size: Numbers) -> tuple[Numbers, float]:
        """Coordinate ascent from a start."""
        best = self._total(pools, weights)
        for _ in range(self.settings.rounds):
            before = best
            for place in range(len(weights)):
                for value in _values(weights, place, size):
                    tried = weights.copy()
                    tried[place] = value
                    score = self._total(pools, tried) if tried.any() else 0.0
                    if self._is_better(score, best):
                        weights, best = tried, score
            if not self._is_better(best, before):
                break
        return weights, best

    def _total(self, pools: Sequence[Pool], weights: Numbers) -> float:
        return float(np.mean([_mean(pool.ndcg(weights, self.settings.k)) for pool in pools]))

    def _is_better(self, score: float, best: float) -> bool:
        return score > best * (1 + self.settings.blend_gain)


def _sizes(pools: Sequence[Pool]) -> Numbers:
    """How far the scores of each part spread, so that weights are of one size."""
    spread = []
    for place in range(pools[0].scores.shape[2]):
        values = pools[0].scores[:, :, place]
        known = values[np.isfinite(values)]
        spread.append(float(np.std(known)) if len(known) else 1.0)
    return np.array([one if one > 1e-12 else 1.0 for one in spread])


def _values(weights: Numbers, place: int, size: Numbers) -> list[float]:
    if weights[place] > 0:
        return [float(weights[place]) * step for step in STEPS]
    largest = float(np.max(weights * size))
    return [largest * step / float(size[place]) for step in FRESH]


def _mean(values: Numbers) -> float:
    return float(values.mean()) if len(values) else 0.0
