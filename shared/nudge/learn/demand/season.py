"""The repeating part of a series: how much more than usual each weekday, month or quarter is.

In: one series and its period. Out: multiplicative indices around 1. Instead of a test that says season or none, each
index is shrunk to 1 by as much as chance explains (empirical Bayes; Miller & Williams 2003 found the like): no cliff, and better in
the middle. Knows no trend but the moving average.
"""

from __future__ import annotations

import numpy as np

from nudge.learn.demand.smooth import Numbers

FEWEST_PERIODS = 2
CLOSED = 0.1
"""A season with less than a tenth of the usual is taken for closed: nothing is divided by its index."""


def indices(values: Numbers, period: int) -> Numbers:
    """(period,) indices, place 0 is that of the first value; all 1 where there are under two periods or no season."""
    if period < 2 or len(values) < FEWEST_PERIODS * period + period % 2 + 1:
        return np.ones(max(period, 1))
    weights = np.ones(period) if period % 2 else np.r_[0.5, np.ones(period - 1), 0.5]
    usual = np.convolve(values, weights / period, "valid")
    before = (len(weights) - 1) // 2
    held = usual > SMALL * max(float(np.abs(values).mean()), SMALL)
    ratio = values[before : before + len(usual)][held] / usual[held]
    place = ((np.arange(len(usual)) + before) % period)[held]
    count = np.bincount(place, minlength=period)
    if len(ratio) <= period or count.min() < 1:
        return np.ones(period)
    found = np.bincount(place, ratio, period) / count
    if not found.mean() > SMALL:
        return np.ones(period)
    found = found / found.mean()
    return 1 + _kept(found, ratio - found[place], int(count.min())) * (found - 1)


SMALL = 1e-9


def _kept(found: Numbers, rest: Numbers, fewest: int) -> float:
    """The share of the indices' variance that chance does not explain."""
    period = len(found)
    noise = float((rest**2).sum()) / (len(rest) - period) / fewest
    seen = float(((found - 1) ** 2).sum()) / (period - 1)
    return max(0.0, 1 - noise / seen) if seen > SMALL**2 else 0.0


def adjusted(values: Numbers, index: Numbers) -> Numbers:
    """Values without their season; where a season is closed, what lies between its neighbours."""
    each = index[np.arange(len(values)) % len(index)]
    is_open = each >= CLOSED
    made = values / np.where(is_open, each, 1.0)
    if is_open.all() or not is_open.any():
        return made
    times = np.arange(len(values))
    return np.where(is_open, made, np.interp(times, times[is_open], made[is_open]))
