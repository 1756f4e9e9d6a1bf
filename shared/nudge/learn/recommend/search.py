"""Which options a part has, and how much of each part is blended: found on held-back cases, by NDCG.

In: a fitting of parts, `Cases`. Out: the chosen parts and their weights. Knows no later cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nudge.learn.recommend.cases import Cases
from nudge.learn.recommend.interactions import Numbers
from nudge.learn.recommend.ranking import Part, Pool, ndcg

type Fit = Callable[[Mapping[str, float]], Part]

STEPS = (0.0, 0.25, 0.5, 0.7, 0.85, 1.2, 1.5, 2.0, 4.0)
FRESH = (0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True, slots=True)
class Found:
    """A part with its best options, and its NDCG on the cases that chose them."""

    part: Part
    score: float


def climb(
    fit: Fit, grid: Mapping[str, Sequence[float]], decays: Sequence[float], cases: Cases, k: int, least: float
) -> Found:
    """Coordinate search: from the first value of each option, one option at a time; of each fit, the best decay."""
    options = {name: values[0] for name, values in grid.items()}
    best = _decayed(fit(options), decays, cases, k)
    for name, values in grid.items():
        for value in values[1:]:
            tried = _decayed(fit(options | {name: value}), (best.part.decay,), cases, k)
            if tried.score > best.score + least:
                options, best = options | {name: value}, tried
    return _decayed(best.part, decays, cases, k)


def _decayed(part: Part, decays: Sequence[float], cases: Cases, k: int) -> Found:
    if part.matrix is None:
        return Found(part, _mean(ndcg([part], cases, k)))
    tried = [replace(part, decay=decay) for decay in decays]
    scores = [_mean(ndcg([one], cases, k)) for one in tried]
    best = int(np.argmax(scores))
    return Found(tried[best], scores[best])


def blend(
    parts: Sequence[Part], cases: Cases, *, k: int, pool: int, rounds: int, least: float
) -> tuple[Numbers, float]:
    """Non-negative weights of the parts by coordinate ascent on NDCG@k, from the best single part; and that NDCG."""
    held = Pool.of(parts, cases, pool)
    size = _sizes(held)
    singles = [_mean(held.ndcg(one, k)) for one in np.eye(len(parts))]
    weights = np.eye(len(parts))[int(np.argmax(singles))] / size
    best = max(singles)
    for _ in range(rounds):
        before = best
        for place in range(len(parts)):
            for value in _values(weights, place, size):
                tried = weights.copy()
                tried[place] = value
                score = _mean(held.ndcg(tried, k)) if tried.any() else 0.0
                if score > best + least:
                    weights, best = tried, score
        if best - before <= least:
            break
    return weights, best


def _sizes(pool: Pool) -> Numbers:
    """How far the scores of each part spread, so that weights are of one size."""
    spread = []
    for place in range(pool.scores.shape[2]):
        values = pool.scores[:, :, place]
        spread.append(float(np.std(values[np.isfinite(values)])) if np.isfinite(values).any() else 1.0)
    return np.array([one if one > 1e-12 else 1.0 for one in spread])


def _values(weights: Numbers, place: int, size: Numbers) -> list[float]:
    if weights[place] > 0:
        return [float(weights[place]) * step for step in STEPS]
    largest = float(np.max(weights * size))
    return [largest * step / float(size[place]) for step in FRESH]


def _mean(values: Numbers) -> float:
    return float(values.mean()) if len(values) else 0.0
