"""A season that was played comes in; what its report said of each campaign beside the truth, and how well its policy chose, goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb, sqrt
from statistics import mean, stdev
from typing import Any, NamedTuple

from scipy.stats import t as student

from local.shop.season import LAST_RUN, Season
from nudge.vocabulary import NOTHING

LEARNING, IDLE = "weekly", "texts"
"""The campaign whose policy learns, and the one that changes nothing."""


class Said(NamedTuple):
    """Incremental revenue of a campaign, with its 95 % interval, and what it truly was."""

    estimate: float
    low: float
    high: float
    truth: float

    @property
    def holds(self) -> bool:
        """The interval holds the truth."""
        return self.low <= self.truth <= self.high

    @property
    def finds_nothing(self) -> bool:
        """The report says that no change can be seen."""
        return self.low <= 0 <= self.high


class Chosen(NamedTuple):
    """What a choice was truly worth a person, on the same people: the policy's, and each activity's if it were always done."""

    policy: float
    always: Mapping[str, float]
    people: int

    @property
    def best_fixed(self) -> str:
        return max(self.always, key=self.always.__getitem__)

    @property
    def gain(self) -> float:
        """Of the policy over the best fixed activity."""
        return self.policy - self.always[self.best_fixed]


def said(season: Season, report: Mapping[str, Any]) -> dict[str, Said]:
    """By campaign, at the end of the season: all have ended, so it is the fixed interval that is read."""
    truth = season.truth()
    totals = {one["campaign"]: one["total"]["incremental_value"] for one in report["campaigns"]}
    return {name: Said(one["estimate"], one["low"], one["high"], truth[name]) for name, one in totals.items()}


def chosen(season: Season, weeks: Sequence[int] = (LAST_RUN - 1, LAST_RUN)) -> Chosen:
    """How the learning campaign chose in its last two runs, among those who could get something."""
    wanted = set(weeks)
    rows = [one for one in season.worths(LEARNING) if one.week in wanted]
    names = [name for name in rows[0].worth if name != NOTHING]
    always = {name: mean(one.worth[name] for one in rows) for name in names}
    return Chosen(mean(one.worth[one.drawn] for one in rows), always, len(rows))


def advantages(season: Season, weeks: Sequence[int] = (LAST_RUN - 1, LAST_RUN)) -> list[float]:
    """Of each person: what the policy's choices were worth more than the activity that is the best for all, a decision."""
    wanted, best = set(weeks), chosen(season, weeks).best_fixed
    found: dict[str, list[float]] = {}
    for one in season.worths(LEARNING):
        if one.week in wanted:
            found.setdefault(one.person, []).append(one.worth[one.drawn] - one.worth[best])
    return [mean(some) for some in found.values()]


def interval(numbers: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Of the mean of independent numbers (two or more), by Student's t."""
    half = float(student.ppf((1 + confidence) / 2, len(numbers) - 1)) * stdev(numbers) / sqrt(len(numbers))
    return mean(numbers) - half, mean(numbers) + half


def fewest(seeds: int, chance: float = 0.95, wrong: float = 0.02) -> int:
    """How many of so many 95 % intervals must hold the truth: fewer would happen to honest ones in less than `wrong` of all cases.

    >>> fewest(20)
    17
    """
    below = 0.0
    for number in range(seeds + 1):
        below += comb(seeds, number) * chance**number * (1 - chance) ** (seeds - number)
        if below >= wrong:
            return number
    return seeds
