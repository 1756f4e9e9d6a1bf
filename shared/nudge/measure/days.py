"""People with their decisions and what came of them come in; what a day brought, and how the estimate went from day to day, goes out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from nudge.measure import lift, sequence, shown, tally
from nudge.measure.lift import Arm
from nudge.vocabulary import Goal

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
    ordered = judged.sort("decided_at", "user_id")
    if ordered.is_empty():
        return []
    ended = (ordered["decided_at"] + tally.window(goal)).to_list()
    points = _points(ended[0], until)
    treated, held = (
        _whole(ordered.filter(group)) for group in (pl.col("group") == "treatment", pl.col("group") != "treatment")
    )
    told = []
    for at in points:
        one, two = (_until(arm, times, at - tally.window(goal)) for arm, times in (treated, held))
        each = lift.value(one, two, goal.value)
        if each.low is None or min(one.size, two.size) < FEWEST:
            continue
        daily = sequence.anytime(each, one.size + two.size)
        told.append(
            {
                "day": at.date().isoformat(),
                "estimate": shown.number(each.estimate),
                "low": shown.number(daily.low),
                "high": shown.number(daily.high),
                "people": one.size + two.size,
            }
        )
    return told


def _points(first: datetime, until: datetime) -> list[datetime]:
    days = max((until - first).days + 1, 1)
    step = -(-days // MOST_POINTS)
    return [until - timedelta(days=step * n) for n in reversed(range(-(-days // step)))]


def _whole(people: pl.DataFrame) -> tuple[Arm, np.ndarray[Any, Any]]:
    arm = Arm(people["value"].to_numpy(), people["converted"].to_numpy(), people["before"].to_numpy())
    return arm, people["decided_at"].dt.epoch("us").to_numpy()


def _until(arm: Arm, times: np.ndarray[Any, Any], at: datetime) -> Arm:
    size = int(np.searchsorted(times, round(at.timestamp() * 1e6), side="right"))
    return Arm(arm.values[:size], arm.converted[:size], arm.before[:size])


def _iso(day: date) -> str:
    return day.isoformat()
