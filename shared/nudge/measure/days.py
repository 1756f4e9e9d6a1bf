"""People with their decisions and what came of them come in; what a day brought, and how the estimate went from day to day, goes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from nudge.measure import lift, sequence, shown, strata, tally
from nudge.measure.lift import Arm
from nudge.vocabulary import Goal

type Whole = npt.NDArray[np.int64]

MOST_DAYS, MOST_POINTS = 60, 24
FEWEST = 20
"""People a group needs before its course is told: earlier intervals are wider than any picture."""


def by_day(people: pl.DataFrame, goal: Goal, until: datetime) -> list[dict[str, Any]]:
    """A row a day of first decisions, the newest `MOST_DAYS`: treated, held_out, and whether windows are still open (`maturing`)."""
    days = (
        people.group_by(pl.col("decided_at").dt.date().alias("day"))
        .agg(
            (pl.col("group") == "treatment").sum().alias("treated"),
            (pl.col("group") != "treatment").sum().alias("held_out"),
            pl.col("decided_at").max().alias("last"),
        )
        .sort("day")
        .tail(MOST_DAYS)
    )
    length = tally.window(goal)
    return [
        {
            "day": _iso(row["day"]),
            "treated": int(row["treated"]),
            "held_out": int(row["held_out"]),
            "maturing": bool(row["last"] + length > until),
        }
        for row in days.iter_rows(named=True)
    ]


def course(judged: pl.DataFrame, goal: Goal, until: datetime) -> list[dict[str, Any]]:
    """Value per person as it would have been read on earlier days, with the interval that may be read on each of them.

    `judged` as of `tally.followed`; a point a day, or a few days where there are more than `MOST_POINTS`.
    """
    if judged.is_empty():
        return []
    parts = [_Timed.of(part, goal) for part in _strata(judged)]
    told = []
    for at in _points(min(one.first for one in parts), until):
        pairs = [one.until(at) for one in parts]
        treated, held = (sum(pair[n].size for pair in pairs) for n in (0, 1))
        gain, size = strata.total(pairs, lambda one, other: lift.value(one, other, goal.value))
        each = strata.each_of(gain, size)
        if each.low is None or min(treated, held) < FEWEST:
            continue
        daily = sequence.anytime(each, treated + held)
        told.append(
            {
                "day": at.date().isoformat(),
                "estimate": shown.number(each.estimate),
                "low": shown.number(daily.low),
                "high": shown.number(daily.high),
                "people": treated + held,
            }
        )
    return told


def _points(first: datetime, until: datetime) -> list[datetime]:
    days = max((until - first).days + 1, 1)
    step = -(-days // MOST_POINTS)
    return [until - timedelta(days=step * n) for n in reversed(range(-(-days // step)))]


def _strata(judged: pl.DataFrame) -> list[pl.DataFrame]:
    parts = judged.sort("decided_at", "user_id")
    return parts.partition_by(strata.STRATUM, maintain_order=True) if strata.STRATUM in parts.columns else [parts]


@dataclass(frozen=True, slots=True)
class _Timed:
    """The two groups of a stratum in the order in which their windows ended, and when they did (microseconds)."""

    arms: tuple[Arm, Arm]
    ended: tuple[Whole, Whole]
    first: datetime

    @classmethod
    def of(cls, part: pl.DataFrame, goal: Goal) -> _Timed:
        groups = [part.filter(chosen) for chosen in (pl.col("group") == "treatment", pl.col("group") != "treatment")]
        arms = [Arm(one["value"].to_numpy(), one["converted"].to_numpy(), one["before"].to_numpy()) for one in groups]
        ended = [(one["decided_at"] + tally.window(goal)).dt.epoch("us").to_numpy() for one in groups]
        first = part["decided_at"].to_list()[0] + tally.window(goal)
        return cls((arms[0], arms[1]), (ended[0], ended[1]), first)

    def until(self, at: datetime) -> tuple[Arm, Arm]:
        """The people whose windows had ended."""
        now = round(at.timestamp() * 1e6)
        cut = [
            Arm(arm.values[:size], arm.converted[:size], arm.before[:size])
            for arm, times in zip(self.arms, self.ended, strict=True)
            for size in [int(np.searchsorted(times, now, side="right"))]
        ]
        return cut[0], cut[1]


def _iso(day: date) -> str:
    return day.isoformat()
