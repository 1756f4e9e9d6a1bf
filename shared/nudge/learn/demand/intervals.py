"""How far off: intervals from the errors that the same method made on the pasts (conformal, pooled over the group).

In: errors of the pasts, each series' own one-step error. Out: low and high around each forecast. An error is divided by its
series' one-step error and by how errors grow with the horizon; what is left is alike across series and horizons and is pooled.
Its quantiles, with the finite-sample correction of split conformal prediction, hold whatever the errors' shape is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special  # comes with scikit-learn

from nudge.learn.demand.rolling import Rolled
from nudge.learn.demand.smooth import Numbers

SIDED = 400
"""Errors needed for a quantile of their own on each side; below, the two sides are one."""
FEWEST = 40
"""Errors needed for a quantile at all; below, a t distribution with as many degrees of freedom as there are pasts."""
UNKNOWN = 3.0
"""Half an interval, in one-step errors, where nothing was forecast yet."""
STEEPEST = 1.0
BORROWED = 60.0
"""A series' own errors count against the group's as much as so many of them."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of the pooled errors, below (≤ 0) and above (≥ 0); `power`: errors grow as horizon ** power."""

    low: float
    high: float
    power: float
    cells: int

    def around(self, value: Numbers, sigma: Numbers, factor: float, lowest: float | None) -> tuple[Numbers, Numbers]:
        """Low and high of one series' forecasts (horizon,)."""
        size = sigma * factor * np.arange(1, len(value) + 1) ** self.power
        low, high = value + self.low * size, value + self.high * size
        return (low if lowest is None else np.maximum(low, lowest)), high


def sizes(one: Rolled, series: Numbers) -> Numbers:
    """(pasts + 1, horizon): each past's one-step error, never under what a count of that size must vary by chance."""
    mean = np.array([max(float(series[:end].mean()), 1 / (end + 1)) for end in one.ends])
    whole = bool((series == np.round(series)).all()) and series.min() >= 0
    least = np.sqrt(mean) if whole else 0.02 * np.abs(mean) + 1e-12
    return np.maximum(one.sigma, least[:, None])


def spread(
    rolled: Sequence[Rolled], sigmas: Sequence[Numbers], candidate: str, confidence: float
) -> tuple[Spread, list[float]]:
    """The group's spread, and each series' own factor on it (shrunk to 1)."""
    scaled = [one.errors(candidate) / sigma[:-1] for one, sigma in zip(rolled, sigmas, strict=True)]
    every = [one for one in scaled if one.size]
    if not every:
        return Spread(-UNKNOWN, UNKNOWN, 0.5, 0), [1.0] * len(rolled)
    power = _power(np.concatenate(every))
    flat = [one / np.arange(1, one.shape[1] + 1) ** power for one in scaled]
    own = [np.abs(one[np.isfinite(one)]) for one in flat]
    usual = float(np.concatenate(own).mean()) or 1.0
    factors = [(one.sum() + BORROWED * usual) / (len(one) + BORROWED) / usual for one in own]
    pooled = np.concatenate([one[np.isfinite(one)] / factor for one, factor in zip(flat, factors, strict=True)])
    pasts = max(len(one) for one in every)
    low, high = _quantiles(pooled, confidence, pasts)
    return Spread(low, high, power, len(pooled)), [float(one) for one in factors]


def _power(scaled: Numbers) -> float:
    """Slope of log mean absolute error on log horizon, between 0 and 1, weighted by how many errors there are."""
    count = np.isfinite(scaled).sum(axis=0)
    mean = np.nansum(np.abs(scaled), axis=0) / np.maximum(count, 1)
    held = (count > 0) & (mean > 0)
    if held.sum() < 2:
        return 0.5
    steps, sizes = np.log(np.arange(1, len(mean) + 1)[held]), np.log(mean[held])
    weight = count[held] / count[held].sum()
    steps, sizes = steps - (weight * steps).sum(), sizes - (weight * sizes).sum()
    return float(np.clip((weight * steps * sizes).sum() / (weight * steps**2).sum(), 0.0, STEEPEST))


def _quantiles(pooled: Numbers, confidence: float, pasts: int) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    if len(pooled) < FEWEST:
        half = float(np.sqrt((pooled**2).mean()) * float(special.stdtrit(max(pasts - 1, 1), 1 - tail)))
        return -half, half
    if len(pooled) < SIDED:
        half = _conformal(np.abs(pooled), confidence)
        return -half, half
    return min(-_conformal(-pooled, 1 - tail), 0.0), max(_conformal(pooled, 1 - tail), 0.0)


def _conformal(values: Numbers, share: float) -> float:
    """The ⌈(n + 1) share⌉-th smallest (Vovk et al. 2005)."""
    place = min(int(np.ceil((len(values) + 1) * share)), len(values))
    return float(np.sort(values)[place - 1])
