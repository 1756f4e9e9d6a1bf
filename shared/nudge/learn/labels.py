"""What is learned from: (person, moment) → what was known strictly before, and whether the goal came within its window.

In: events, people, logged decisions. Out: frames of rows with the columns of `META`, and one column a feature where people come with
vectors as of the moment (made by `profile.batch`). A label needs no feature: which rows are learned from can be settled before
the vectors of these are made. Nothing at or after `at` enters a feature; nothing before `at` enters a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from nudge.jsontext import loads
from nudge.learn.moments import link_of
from nudge.vocabulary import DAY, NOTHING, Goal, Micros

META = ("user_id", "at", "label", "worth", "weight", "logged", "link")
ACTIVITY = "activity"
IS_DECISION = "is_decision"
BLOCK = 10_000
ROW = "row of the log"
"""A column that no vector has: a frame without columns would forget how many rows it has."""


def cuts(goal: Goal, first: Micros, end: Micros, most: int) -> list[Micros]:
    """Moments to look back from, oldest first: windows that are over by `end` and do not overlap; at least a day of
    history (from `first`) before the earliest."""
    window = window_of(goal)
    step = max(window, DAY)
    found: list[Micros] = []
    at = end - window
    while len(found) < most and at >= first + DAY:
        found.append(at)
        at -= step
    return found[::-1]


def window_of(goal: Goal) -> Micros:
    """The goal's window in microseconds."""
    return round(goal.within_days * DAY)


def happened(events: pl.LazyFrame, goal: Goal) -> pl.DataFrame:
    """Every time the goal came: `user_id`, `goal_at` (microseconds), `worth` (the event's value, or the plan's), `link`."""
    meant = pl.col("event_type") == goal.event
    if goal.action is not None:
        meant &= pl.col("event_action") == goal.action
    if goal.category is not None:
        meant &= pl.col("category") == goal.category
    worth = pl.col("value").fill_null(0.0) if goal.value is None else pl.lit(goal.value)
    at = pl.col("event_time").dt.epoch("us")
    return (
        events.filter(meant)
        .select("user_id", at.alias("goal_at"), worth.cast(pl.Float64).alias("worth"), link_of(goal))
        .sort("user_id", "goal_at")
        .collect()
    )


def history(
    people: pl.DataFrame, goals: pl.DataFrame, goal: Goal, as_of: Micros | pl.DataFrame, treated: pl.DataFrame
) -> pl.DataFrame:
    """Rows of everyone in `people` (`user_id`, and vectors or none), doing nothing, as of one moment, or of each person's own
    (`user_id at link`). People in `treated` (`user_id`, `at`) for whom we did something inside the window are left out: their label
    is not that of doing nothing."""
    window = window_of(goal)
    if isinstance(as_of, pl.DataFrame):
        rows = people.join(as_of, on="user_id", how="left", maintain_order="left_right")
    else:
        rows = people.with_columns(at=pl.lit(as_of, pl.Int64))
    done = treated.select("user_id", done=pl.col("at"))
    inside = pl.col("done").is_between(pl.col("at"), pl.col("at") + window, closed="left")
    reached = rows.select("user_id", "at").join(done, on="user_id").filter(inside).select("user_id").unique()
    rows = undecided(rows.join(reached, on="user_id", how="anti", maintain_order="left"))
    return _label(rows.with_columns(weight=pl.lit(1.0), logged=pl.lit(False)), goals, goal)


def undecided(rows: pl.DataFrame) -> pl.DataFrame:
    """The same people, as those about whom nobody asked and for whom nothing is done."""
    return rows.with_columns(**{ACTIVITY: pl.lit(NOTHING), IS_DECISION: pl.lit(0.0)})


def decided(decisions: pl.DataFrame, goal: Goal, end: Micros) -> pl.DataFrame:
    """Logged decisions of the goal whose window was over at `end`, each once, oldest first."""
    at = pl.col("decided_at").dt.epoch("us").alias("at")
    return (
        decisions.filter(pl.col("goal") == goal.name)
        .unique("decision_id", keep="first", maintain_order=True)
        .with_columns(at)
        .filter(pl.col("at") + window_of(goal) <= end)
        .sort("at", "decision_id")
    )


def treated(done: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    """When we did something for whom, towards this goal (of `user_id decided_at goal activity`): `user_id`, `at`."""
    towards = done.filter((pl.col("goal") == goal.name) & (pl.col("activity") != NOTHING))
    return towards.select("user_id", pl.col("decided_at").dt.epoch("us").alias("at"))


def outcomes(
    decisions: pl.DataFrame, goals: pl.DataFrame, goal: Goal, largest_weight: float | None, share: float = 1.0
) -> pl.DataFrame:
    """Rows of decisions from `decided`, with their `decision_id` and the activity that was really done, without the vectors: those are
    in the records. Where they are a `share` of all that were made, each stands for 1 / share of them."""
    weight = 1.0 / pl.col("propensity").clip(1e-6, 1.0)
    rows = decisions.select(
        "user_id",
        "at",
        *(["link"] if "link" in decisions.columns else []),
        "decision_id",
        ACTIVITY,
        weight=(weight.clip(1.0, largest_weight) if largest_weight else pl.lit(1.0)) / share,
        logged=pl.lit(True),
        **{IS_DECISION: pl.lit(1.0)},
    )
    return _label(rows, goals, goal)


def logged(
    decisions: pl.DataFrame, goals: pl.DataFrame, goal: Goal, largest_weight: float | None, share: float = 1.0
) -> pl.DataFrame:
    """The rows of `outcomes`, each with the vector as it was when we decided, of decisions with their `record`."""
    rows = outcomes(decisions, goals, goal, largest_weight, share).drop("decision_id")
    return pl.concat([rows, vectors(decisions["record"])], how="horizontal")


def vectors(records: pl.Series) -> pl.DataFrame:
    """A column a name of the records' vectors, in order of the names; text where any of its values is text. Some at a time: a vector as
    Python has it takes ten times the room of its numbers."""
    blocks = [_block(records[start : start + BLOCK]) for start in range(0, len(records), BLOCK)]
    texts = {name for one in blocks for name, kind in one.schema.items() if kind == pl.String}
    mixed = sorted(name for name in texts if any(one.schema.get(name) == pl.Float64 for one in blocks))
    held = pl.concat([one.drop(mixed, strict=False) for one in blocks] or [pl.DataFrame()], how="diagonal_relaxed")
    again = [_column(name, [_vector(record).get(name) for record in records]) for name in mixed]
    return held.with_columns(again).select(sorted({*held.columns, *mixed} - {ROW}))


def _block(records: pl.Series) -> pl.DataFrame:
    vectors = [_vector(record) for record in records]
    names = {name for vector in vectors for name in vector} - {*META, ACTIVITY, IS_DECISION}
    columns = [_column(name, [vector.get(name) for vector in vectors]) for name in sorted(names)]
    return pl.DataFrame([pl.Series(ROW, range(len(vectors)), dtype=pl.Int64), *columns])


def _vector(record: str) -> dict[str, Any]:
    held: dict[str, Any] = loads(record).get("vector", {})
    return held


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    if any(isinstance(value, str) for value in values):
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
    return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)


def members(events: pl.LazyFrame, goal: Goal) -> pl.DataFrame | None:
    """Since when each person belongs to those whom the goal is asked of (`user_id since`): the first event of the type
    `goal.among`. None: everyone always does."""
    if goal.among is None:
        return None
    at = pl.col("event_time").dt.epoch("us")
    first = events.filter(pl.col("event_type") == goal.among).group_by("user_id").agg(since=at.min())
    return first.collect().sort("user_id")


def among(rows: pl.DataFrame, members: pl.DataFrame | None, at: Micros | None = None) -> pl.DataFrame:
    """Rows of those who belonged strictly before the row's moment, or before `at`."""
    if members is None:
        return rows
    moment = pl.col("at") if at is None else pl.lit(at)
    inside = rows.join(members, on="user_id", how="inner", maintain_order="left").filter(pl.col("since") < moment)
    return inside.drop("since")


def _label(rows: pl.DataFrame, goals: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    """Add `label` and `worth`: goal events of the person in [at, at + window), with the row's `link` where the goal has one.
    With `goal.absent` the goal is that none of them comes, and is worth what the plan says."""
    by = ["user_id"] if goal.same is None else ["user_id", "link"]
    keys = rows.select(*by, "at").unique()
    inside = pl.col("goal_at").is_between(pl.col("at"), pl.col("at") + window_of(goal), closed="left")
    found = keys.join(goals.select(*by, "goal_at", "worth"), on=by).filter(inside)
    came = found.group_by(*by, "at").agg(pl.col("worth").sum())
    labelled = rows.join(came, on=[*by, "at"], how="left", maintain_order="left")
    if goal.absent:
        stayed = pl.col("worth").is_null().cast(pl.Float64)
        return labelled.with_columns(label=stayed, worth=stayed * (goal.value or 0.0))
    return labelled.with_columns(
        label=pl.col("worth").is_not_null().cast(pl.Float64), worth=pl.col("worth").fill_null(0.0)
    )
