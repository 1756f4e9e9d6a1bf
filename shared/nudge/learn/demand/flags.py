"""What was unusual: single days (or weeks) far from what was to be expected, and the latest lasting change of level.

In: one series and its period. Out: places with how far off they were. Robust throughout: medians, and the median absolute
deviation, so that what is unusual does not hide itself. It looks back only; it forecasts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nudge.learn.demand import season
from nudge.learn.demand.smooth import Numbers

OFF = 3.5
"""Robust standard deviations at which a point is unusual."""
SHIFT = 4.5
"""The same for a shift of the mean; more, because the place is searched for."""
WINDOWS = 2
"""Whole periods, but no fewer than `SHORTEST` points, that say what is expected of the next point, and after which a level lasts."""
SHORTEST = 8
MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Flag:
    """`kind` is anomaly (this point alone) or level_shift (from this point on); `score` in robust standard deviations."""

    place: int
    kind: str
    value: float
    expected: float
    score: float


def flags(series: Numbers, period: int, recent: int) -> list[Flag]:
    """Anomalies among the last `recent` points and the latest level shift, in order of time."""
    window = max(WINDOWS * period, SHORTEST) if period <= SHORTEST else SHORTEST
    if len(series) < window + SHORTEST // 2:
        return []
    found = _anomalies(series, period, window, recent)
    shift = _level_shift(series, period, max(period, SHORTEST) if period <= SHORTEST else SHORTEST)
    return sorted([*found, *([] if shift is None else [shift])], key=lambda one: (one.place, one.kind))


def _steady(values: Numbers) -> Numbers:
    """Counts and sums on a scale on which their spread does not depend on their size (Anscombe 1948)."""
    made: Numbers = 2 * np.sqrt(np.maximum(values, 0) + 0.375)
    return made


def _anomalies(series: Numbers, period: int, window: int, recent: int) -> list[Flag]:
    index = season.indices(series, period)
    each = index[np.arange(len(series)) % len(index)]
    level = season.adjusted(series, index)
    expected = (
        np.array([np.median(level[place - window : place]) for place in range(window, len(series))]) * each[window:]
    )
    unit = _unit(series)
    gap = _steady(series[window:] / unit) - _steady(expected / unit)
    spread = max(MAD * float(np.median(np.abs(gap - np.median(gap)))), 1.0)
    score = gap / spread
    first = max(len(score) - recent, 0)
    return [
        Flag(window + place, "anomaly", float(series[window + place]), float(expected[place]), float(score[place]))
        for place in range(first, len(score))
        if abs(score[place]) > OFF
    ]


def _unit(series: Numbers) -> float:
    """What makes a sum count-like: its variance over its mean; 1 for counts."""
    if (series == np.round(series)).all():
        return 1.0
    return float(max(series.var() / max(series.mean(), 1e-12), 1e-12))


def _level_shift(series: Numbers, period: int, shortest: int) -> Flag | None:
    """The step that explains most, if it explains more than a straight line does and more than noise with memory would."""
    level = season.adjusted(series, season.indices(series, period))
    unit = _unit(series)
    middle = np.median(level)
    wide = 6 * max(MAD * float(np.median(np.abs(level - middle))), np.sqrt(max(middle, 0) * unit), 1e-12)
    values = _steady(np.clip(level, middle - wide, middle + wide) / unit)
    size, places = len(values), np.arange(shortest, len(values) - shortest + 1)
    if len(places) < 1:
        return None
    sums = np.cumsum(values)
    before, after = sums[places - 1] / places, (sums[-1] - sums[places - 1]) / (size - places)
    explained = places * (size - places) / size * (after - before) ** 2
    best = int(explained.argmax())
    place = int(places[best])
    step = np.where(np.arange(size) < place, before[best], after[best])
    rest = values - step
    line = np.polyval(np.polyfit(np.arange(size), values, 1), np.arange(size))
    if (rest**2).sum() >= ((values - line) ** 2).sum():
        return None
    memory = float(np.clip((rest[1:] * rest[:-1]).sum() / max((rest**2).sum(), 1e-12), 0.0, 0.9))
    spread = np.sqrt(max(float((rest**2).mean()), 1e-12) * (1 + memory) / (1 - memory))
    score = float((after[best] - before[best]) / spread / np.sqrt(size / (place * (size - place))))
    if abs(score) < SHIFT:
        return None
    return Flag(place, "level_shift", float(level[place:].mean()), float(level[:place].mean()), score)
