"""People with their decisions and what came of them come in; what a day brought, and how the estimate went from day to day, goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from nudge.measure import lift, sequence, shown, strata, tally
from nudge.measure.lift import Arm, Estimate
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
        gain, size = strata.total(pairs, _compare(goal))
        each = strata.each_of(gain, size)
        if each.low is None or min(treated, held) < FEWEST:
            continue
        told.append(_point(at, sequence.anytime(each, treated + held), treated + held))
    return told


def together(compared: Sequence[tuple[Goal, pl.DataFrame]], until: datetime) -> list[dict[str, Any]]:
    """What several activities changed together, as it would have been read on earlier days (as `course`, but in total, not per person).

    `compared` are the goals and people (`tally.followed`) of each activity; the last point is the total of today.
    """
    known = [(goal, [_Timed.of(part, goal) for part in _strata(judged)]) for goal, judged in compared if judged.height]
    if not known:
        return []
    told = []
    for at in _points(min(one.first for _, parts in known for one in parts), until):
        gains, people = [], 0
        for goal, parts in known:
            pairs = [one.until(at) for one in parts]
            gain, _ = strata.total(pairs, _compare(goal))
            gains.append((_joined(pairs, 0), _joined(pairs, 1), gain))
            if gain.low is not None:
                people += sum(one.size for pair in pairs for one in pair)
        whole = lift.together(gains)
        if whole.low is None or people < FEWEST:
            continue
        told.append(_point(at, sequence.anytime(whole, people), people))
    return told


def _compare(goal: Goal) -> strata.Compare:
    return lambda one, other: lift.value(one, other, goal.value)


def _joined(pairs: Sequence[tuple[Arm, Arm]], which: int) -> Arm:
    """One group of all strata."""
    arms = [pair[which] for pair in pairs]
    return Arm(
        np.concatenate([one.values for one in arms]),
        np.concatenate([one.converted for one in arms]),
        np.concatenate([one.before for one in arms]),
        tuple(person for one in arms for person in one.people),
    )


def _point(at: datetime, daily: Estimate, people: int) -> dict[str, Any]:
    return {
        "day": at.date().isoformat(),
        "estimate": shown.number(daily.estimate),
        "low": shown.number(daily.low),
        "high": shown.number(daily.high),
        "people": people,
    }


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
        arms = [
            Arm(
                one["value"].to_numpy(),
                one["converted"].to_numpy(),
                one["before"].to_numpy(),
                tuple(one["user_id"].to_list()),
            )
            for one in groups
        ]
        ended = [(one["decided_at"] + tally.window(goal)).dt.epoch("us").to_numpy() for one in groups]
        first = part["decided_at"].to_list()[0] + tally.window(goal)
        return cls((arms[0], arms[1]), (ended[0], ended[1]), first)

    def until(self, at: datetime) -> tuple[Arm, Arm]:
        """The people whose windows had ended."""
        now = round(at.timestamp() * 1e6)
        cut = [
            Arm(arm.values[:size], arm.converted[:size], arm.before[:size], arm.people[:size])
            for arm, times in zip(self.arms, self.ended, strict=True)
            for size in [int(np.searchsorted(times, now, side="right"))]
        ]
        return cut[0], cut[1]


def _iso(day: date) -> str:
    return day.isoformat()
