"""Touches and goal events come in; which activity was touched last before each goal event goes out.

This is the classic last-touch count, for comparison only: it credits what would have happened anyway. Lift does not.
"""

from __future__ import annotations

import polars as pl

from nudge.measure.tally import MACHINE, window
from nudge.vocabulary import Goal

TOUCHES = r"_(sent|shown|open|click)$"
"""Outcomes of any channel (`email_open`) at which a person met a message."""


def touches(outcomes: pl.DataFrame, sent: pl.DataFrame) -> pl.DataFrame:
    """Moments at which a person met one of our messages: user_id, at, activity, decision_id."""
    came = pl.col("event_type")
    met = outcomes.filter(came.str.contains(TOUCHES) & ~came.str.contains(MACHINE, literal=True)).select(
        "decision_id", pl.col("event_time").alias("at")
    )
    return sent.select("user_id", "decision_id", "activity").join(met, on="decision_id", how="inner")


def last_touch(met: pl.DataFrame, happened: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    """activity, conversions, value of `last_touches`."""
    return by_activity(last_touches(met, happened, goal))


def by_activity(credited: pl.DataFrame) -> pl.DataFrame:
    """activity, conversions, value, added up."""
    return credited.group_by("activity").agg(pl.len().alias("conversions"), pl.col("value").sum()).sort("activity")


def last_touches(met: pl.DataFrame, happened: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    """activity, decision_id, value: each goal event belongs wholly to the last touch within the goal's window before it.

    Where the plan fixes the goal's value, a decision is credited with it once.
    """
    ordered = met.sort("at", "decision_id")
    credited = (
        happened.sort("at", "user_id", "value")
        .join_asof(ordered, on="at", by="user_id", strategy="backward", tolerance=window(goal), check_sortedness=False)
        .filter(pl.col("activity").is_not_null())
    )
    if goal.value is not None:
        credited = credited.unique("decision_id", keep="first", maintain_order=True)
    return credited
