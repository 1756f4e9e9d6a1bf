"""Decisions and events come in; what each decision earned goes out: the rewards of a log.

A decision earns its goal's value in its own window, less what the activity cost. Every decision counts, also several of one
person (their windows may overlap: errors are taken by person).
"""

from __future__ import annotations

import polars as pl

from nudge.measure import tally
from nudge.measure.frames import each_decision_once, each_event_once
from nudge.vocabulary import Goal, Micros


def rewards(decisions: pl.DataFrame, events: pl.DataFrame, goal: Goal, *, currency: str, now: Micros) -> pl.DataFrame:
    """decision_id, user_id, decided_at, reward of each decision for the goal whose window is over, in order of time."""
    asked = each_decision_once(decisions).filter(pl.col("goal") == goal.name)
    once = each_event_once(events)
    owners = asked.select("decision_id", "user_id")
    happened = _of_decisions(tally.goal_events(once, goal, currency), owners)
    questions = _of_decisions(tally.questions(once, goal), owners)
    people = asked.select(pl.col("decision_id").alias("user_id"), "decided_at", "group")
    judged = tally.followed(people, happened, goal, until=tally.moment(now), asked=questions)
    return (
        judged.select(pl.col("user_id").alias("decision_id"), "value")
        .join(asked, on="decision_id", how="inner", suffix="_said")
        .select(
            "decision_id", "user_id", "decided_at", (pl.col("value") - pl.col("cost").fill_null(0.0)).alias("reward")
        )
        .sort("decided_at", "decision_id")
    )


def _of_decisions(rows: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """What a person did, once for each of the person's decisions, under the decision's id."""
    return rows.join(owners, on="user_id", how="inner").drop("user_id").rename({"decision_id": "user_id"})
