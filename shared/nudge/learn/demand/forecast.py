"""A group of series → forecasts with intervals, what was unusual, and how good all that was on the pasts.

In: named series of one rhythm (points in order of time, the last one the latest). Out: one `Forecast` a series and the group's
figures. Everything is chosen and calibrated inside the series given; it knows no calendar and no events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nudge.learn.demand.flags import Flag, flags
from nudge.learn.demand.intervals import Spread, sizes, spread
from nudge.learn.demand.rolling import STANDARD, Choice, Rolled, Units, choose, roll, units
from nudge.learn.demand.smooth import Numbers

RECENT = 28
"""Latest points among which an anomaly is told."""
FEW = 8
"""Under so many points a series is forecast by its own mean: there is nothing to learn a trend from."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One series: each array (horizon,)."""

    value: Numbers
    low: Numbers
    high: Numbers
    naive: Numbers
    flags: list[Flag]


@dataclass(frozen=True, slots=True)
class Group:
    """All series; what was taken and why; `metrics` {name: [value, low, high]} from the pasts."""

    forecasts: list[Forecast]
    choice: Choice
    spread: Spread
    metrics: dict[str, list[float]]


def forecast(
    series: Sequence[Numbers],
    period: int,
    horizon: int,
    *,
    confidence: float = 0.95,
    tell: Callable[[int], None] | None = None,
) -> Group:
    """Forecasts of every series, `horizon` points ahead. `period` is the season's length (1: none); `tell` hears how many are done.

    Intervals are for single points, with `confidence`; where no value was ever negative, nothing below 0 is forecast.
    """
    rolled: list[Rolled] = []
    for number, points in enumerate(series):
        rolled.append(roll(points, period, horizon))
        if tell is not None:
            tell(number + 1)
    choice = choose(rolled)
    sigmas = [sizes(one, held) for one, held in zip(rolled, series, strict=True)]
    found, factors = spread(rolled, sigmas, choice.taken, confidence)
    made = []
    for one, held, sigma, factor in zip(rolled, series, sigmas, factors, strict=True):
        value = one.values[choice.taken][-1]
        if len(held) < FEW:
            value = np.full(horizon, float(held.mean()))
        lowest = 0.0 if held.min() >= 0 else None
        low, high = found.around(value, sigma[-1], factor, lowest)
        made.append(Forecast(value, low, high, one.values[choice.naive][-1], flags(held, period, RECENT)))
    return Group(made, choice, found, _metrics(rolled, sigmas, choice, confidence))


def _metrics(
    rolled: Sequence[Rolled], sigmas: Sequence[Numbers], choice: Choice, confidence: float
) -> dict[str, list[float]]:
    """Figures from the pasts: [value, low, high] at 95 %. Empty where there was no past to judge by."""
    usable = [one for one in rolled if len(one.ends) > 1]
    if not usable:
        return {}
    losses = {
        name: units(usable, [one.loss(name) for one in usable]) for name in (choice.taken, choice.naive, STANDARD)
    }
    made = {
        "mase": _figure(losses[choice.taken]),
        "mase_naive": _figure(losses[choice.naive]),
        "mase_library": _figure(losses[STANDARD]),
        "smape": _figure(units(usable, [_smape(one, choice.taken) for one in usable])),
        "smape_naive": _figure(units(usable, [_smape(one, choice.naive) for one in usable])),
        "gain": _figure(Units(losses[choice.naive].value - losses[choice.taken].value, losses[choice.naive].weight)),
    }
    covered = _coverage(rolled, sigmas, choice.taken, confidence)
    return made if covered is None else made | {"coverage": covered}


def _figure(parts: Units) -> list[float]:
    """Mean and normal interval; a single part knows of no spread."""
    reach = 1.96 * parts.error if len(parts.value) > 1 else 0.0
    return [parts.mean, parts.mean - reach, parts.mean + reach]


def _smape(one: Rolled, candidate: str) -> Numbers:
    """Symmetric mean absolute percentage error (0 … 200) of each past; zero forecast as zero is no error."""
    value, actual = one.values[candidate][:-1], one.actual
    both = np.abs(value) + np.abs(actual)
    share = np.where(both == 0, 0.0, 200 * np.abs(value - actual) / np.where(both == 0, 1, both))
    found: Numbers = np.nanmean(share, axis=1)
    return found


def _coverage(
    rolled: Sequence[Rolled], sigmas: Sequence[Numbers], candidate: str, confidence: float
) -> list[float] | None:
    """Share of each past's future inside the interval that the other pasts would have given."""
    shares = []
    for left in range(max(len(one.ends) for one in rolled) - 1):
        rest = [_without(one, left) for one in rolled]
        kept = [np.delete(sigma, left, axis=0) if left < len(sigma) - 1 else sigma for sigma in sigmas]
        if not any(one.actual.size for one in rest):
            return None
        found, factors = spread(rest, kept, candidate, confidence)
        inside = [
            _inside(one, sigma[left], found, factor, candidate, left)
            for one, sigma, factor in zip(rolled, sigmas, factors, strict=True)
            if left < len(one.ends) - 1
        ]
        shares.append(float(np.concatenate(inside).mean()))
    return _figure(Units(np.array(shares), np.ones(len(shares)))) if shares else None


def _without(one: Rolled, left: int) -> Rolled:
    if left >= len(one.ends) - 1:
        return one
    values = {name: np.delete(held, left, axis=0) for name, held in one.values.items()}
    ends = one.ends[:left] + one.ends[left + 1 :]
    return Rolled(values, np.delete(one.actual, left, axis=0), np.delete(one.sigma, left, axis=0), ends, one.unit)


def _inside(one: Rolled, sigma: Numbers, found: Spread, factor: float, candidate: str, left: int) -> Numbers:
    low, high = found.around(one.values[candidate][left], sigma, factor, None)
    actual = one.actual[left]
    held = np.isfinite(actual)
    inside: Numbers = (actual[held] >= low[held]) & (actual[held] <= high[held])
    return inside.astype(float)
