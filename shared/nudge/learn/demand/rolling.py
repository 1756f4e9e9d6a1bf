"""Which method: forecasts as of several pasts of every series, held against what came after each (rolling origin).

In: a group of series of one rhythm. Out: the pasts' forecasts and errors, the loss of every candidate, the one that is taken. One choice
for the group: pasts of one series are too few to choose by (Fildes & Petropoulos 2015). The mean of the library's methods is taken unless another combination is
better by more than noise, or a single method by much; where nothing beats the naive forecast, the naive one is taken and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nudge.learn.demand.members import AVERAGED, LIBRARY, MEMBERS, NAIVE, told
from nudge.learn.demand.smooth import Numbers

PASTS = 8
SHORTEST = 8
"""Points that a past should have to be forecast from; short series have pasts from half their length."""
STANDARD = "library"
COMBINED = {"library": LIBRARY, "averaged": AVERAGED, "both": MEMBERS}
"""Mean of the library's four; medians of ours and of all."""
CANDIDATES = (*COMBINED, *MEMBERS)
BETTER = 2.5
"""Standard errors by which another candidate must be better: there are many of them."""
MUCH = 0.05
"""Share of the loss by which a single method must beat the combination: next time the order of methods is another one, which
a combination survives (Stock & Watson 2004)."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """One series: `values` {candidate: (pasts + 1, horizon)}, the last row from everything; `errors` (actual - forecast,
    NaN where the future is not there yet) of the pasts alone; `sigma` like `values`; `unit`, what its errors are divided by (MASE)."""

    values: dict[str, Numbers]
    actual: Numbers
    sigma: Numbers
    ends: tuple[int, ...]
    unit: float

    def errors(self, candidate: str) -> Numbers:
        """(pasts, horizon)."""
        return self.actual - self.values[candidate][:-1]

    def loss(self, candidate: str) -> Numbers:
        """Mean absolute scaled error of each past (Hyndman & Koehler 2006)."""
        found: Numbers = np.nanmean(np.abs(self.errors(candidate)), axis=1) / self.unit
        return found

    @property
    def known(self) -> Numbers:
        """How many points of each past's future are known."""
        count: Numbers = np.isfinite(self.actual).sum(axis=1).astype(float)
        return count


def roll(series: Numbers, period: int, horizon: int) -> Rolled:
    """Forecast as of up to eight pasts of the later half, and as of now."""
    size = len(series)
    first = max(size - max(horizon, size // 2), min(SHORTEST, size // 2))
    pasts = np.unique(np.linspace(first, size - 1, PASTS).round().astype(int)) if size > 1 else np.array([], int)
    ends = (*(int(end) for end in pasts), size)
    found = told(series, period, ends, horizon)
    values = dict(found.values)
    for name, members in COMBINED.items():
        each = np.stack([found.values[one] for one in members])
        values[name] = each.mean(axis=0) if name == STANDARD else np.median(each, axis=0)
    if series.min() >= 0:
        values = {name: np.maximum(one, 0.0) for name, one in values.items()}
    after = np.concatenate([series, np.full(horizon, np.nan)])
    actual = np.stack([after[end : end + horizon] for end in ends[:-1]]) if len(ends) > 1 else np.empty((0, horizon))
    return Rolled(values, actual, found.sigma, ends, _unit(series, period))


def _unit(series: Numbers, period: int) -> float:
    """Mean absolute change from the season before (from the value before, where there is no season before)."""
    lag = period if len(series) > period else 1
    change = np.abs(series[lag:] - series[:-lag])
    for held in (change, np.abs(series)):
        if len(held) and held.mean() > 0:
            return float(held.mean())
    return 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate taken, the better of the two naive ones, and the mean loss of each candidate ([value, low, high] where they matter)."""

    taken: str
    naive: str
    losses: dict[str, float]
    gain: float
    error: float

    @property
    def is_better(self) -> bool:
        """Is the best method better than the naive one by more than noise (one-sided, 95 %)?"""
        return self.gain > 1.645 * self.error


def choose(rolled: Sequence[Rolled]) -> Choice:
    """One candidate for the group. `gain` is by how much it lowers the naive loss, `error` the standard error of that."""
    usable = [one for one in rolled if len(one.ends) > 1]
    if not usable:
        return Choice(NAIVE[0], NAIVE[0], {}, 0.0, 0.0)
    cells = {name: units(usable, [one.loss(name) for one in usable]) for name in (*CANDIDATES, *NAIVE)}
    losses = {name: one.mean for name, one in cells.items()}
    naive = min(NAIVE, key=lambda name: losses[name])
    taken = _taken(cells, losses)
    gain, error = cells[naive].more_than(cells[taken])
    found = Choice(taken, naive, losses, gain, error)
    return found if found.is_better else Choice(naive, naive, losses, gain, error)


def _taken(cells: dict[str, Units], losses: dict[str, float]) -> str:
    taken = _better(cells, losses, COMBINED, STANDARD, 0.0)
    return _better(cells, losses, MEMBERS, taken, MUCH)


def _better(
    cells: dict[str, Units], losses: dict[str, float], others: Iterable[str], present: str, margin: float
) -> str:
    """The best of the others that is better than the present one by the margin and by more than noise; else the present one."""
    for name in sorted(others, key=lambda name: losses[name]):
        gain, error = cells[present].more_than(cells[name])
        if gain > margin * losses[present] and gain > BETTER * error:
            return name
    return present


@dataclass(frozen=True, slots=True)
class Units:
    """Figures of parts that are nearly independent, each weighing as much as the points it rests on."""

    value: Numbers
    weight: Numbers

    @property
    def mean(self) -> float:
        return float((self.value * self.weight).sum() / self.weight.sum())

    @property
    def error(self) -> float:
        """Standard error of the mean; infinite where there is one part."""
        size = len(self.value)
        if size < 2:
            return float("inf")
        squares = (self.weight * (self.value - self.mean)) ** 2
        return float(np.sqrt(squares.sum() * size / (size - 1)) / self.weight.sum())

    def more_than(self, other: Units) -> tuple[float, float]:
        """Mean of the paired differences and its standard error."""
        gap = Units(self.value - other.value, self.weight)
        return gap.mean, gap.error


def units(rolled: Sequence[Rolled], figures: Sequence[Numbers]) -> Units:
    """Figures of each series' pasts, as parts: the series where there are many, else the moments, all series together."""
    known = [one.known for one in rolled]
    if len(figures) >= PASTS:
        pairs = list(zip(figures, known, strict=True))
    else:
        longest = max(len(one) for one in figures)
        pairs = [(_at(figures, place), _at(known, place)) for place in range(longest, 0, -1)]
    weight = np.array([count.sum() for _, count in pairs])
    return Units(np.array([(figure * count).sum() for figure, count in pairs]) / weight, weight)


def _at(held: Sequence[Numbers], place: int) -> Numbers:
    """What every series that goes so far back has at a moment, counted from the latest."""
    return np.array([one[-place] for one in held if len(one) >= place])
