"""Demand by day or week: events of one kind → a series a category or item → forecasts, and how the last ones did.

Days are those of the plan's time zone. A day counts when it is over; days without an event are zero. The largest series stand
for themselves, the rest is "other". A fresh forecast takes the place of an older one, for it is about later days: what the gate
asks is whether the method beats the naive forecast, and where it does not, the naive forecast is what is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from nudge.errors import BadInput, NotReady
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Gate, Recipe
from nudge.score import demand
from nudge.vocabulary import Micros

MOST = 25
"""Series a task; the rest is one more, "other"."""
ALL, OTHER = "all", "other"
LATE = 18
"""The last day of the data is whole when something happened after this hour of it: files are often cut in the middle of a day."""


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """Forecasts of every series of the task. Raises NotReady with what is missing."""
    from nudge.learn.demand import train  # late: brings statsmodels

    tell("counting")
    counted = series_of(history, task.options, ZoneInfo(task.plan.timezone), now)
    total = len(counted.series)
    made = train(
        task.name,
        counted,
        task.options,
        data=history.data([]),
        recipe=recipe,
        load=demand.load,
        tell=lambda done: tell(f"forecasting {done} of {total}"),
    )
    metrics = made.metrics | _in_force(present, counted)
    reason = _reason(made.group.choice, metrics)
    gates = (Gate("better", True, reason),)
    return Made(made.version, made.kind, made.model, made.card, metrics, True, reason, gates)


def series_of(history: History, options: Mapping[str, Any], zone: ZoneInfo, now: Micros) -> Any:
    """The task's series, all until the last whole day or week (`learn.demand.Counted`)."""
    from nudge.learn.demand import Counted

    rows = _rows(history, options, zone)
    every = options["every"]
    last = _last(datetime.fromtimestamp(min(history.end, now) / 1e6, UTC).astimezone(zone), every)
    rows = rows.filter(pl.col("at") <= last)
    if not rows.height:
        raise NotReady(f"no whole {every} has a {options['event']} yet", missing={f"{every}s": 0})
    sums = rows.group_by("series").agg(pl.col("amount").sum()).sort(["amount", "series"], descending=[True, False])
    kept = [name for name in sums["series"].to_list() if name != OTHER][:MOST]
    rows = rows.with_columns(
        pl.when(pl.col("series").is_in(kept)).then("series").otherwise(pl.lit(OTHER)).alias("series")
    )
    step = 1 if every == "day" else 7
    first = rows["at"].min()
    assert isinstance(first, date)  # noqa: S101  there is a row
    size = (last - first).days // step + 1
    made: dict[str, np.ndarray] = {}
    for (name,), part in rows.group_by("series"):
        points = np.zeros(size)
        places = ((part["at"] - first).dt.total_days() // step).to_numpy()
        np.add.at(points, places, part["amount"].to_numpy())
        made[str(name)] = points
    return Counted(dict(sorted(made.items())), last, max(sums.height - len(kept), 0))


def _rows(history: History, options: Mapping[str, Any], zone: ZoneInfo) -> pl.DataFrame:
    """`at` (day, or Monday), `series`, `amount`: one row each, in an order that does not hang on the lake's."""
    held = set(history.events.collect_schema().names())
    name = pl.lit(ALL)
    if options["by"] == "category":
        name = _category(history, held)
    elif options["by"] == "item":
        name = pl.col("item_id") if "item_id" in held else pl.lit(None, pl.String)
    amount = pl.lit(1.0) if options["of"] == "count" else pl.col("value") if "value" in held else pl.lit(0.0)
    day = pl.col("event_time").dt.convert_time_zone(zone.key).dt.truncate("1d" if options["every"] == "day" else "1w")
    chosen = history.events.filter(pl.col("event_type") == options["event"]).select(
        day.dt.date().alias("at"), name.fill_null(OTHER).alias("series"), amount.fill_null(0.0).alias("amount")
    )
    return chosen.group_by("at", "series").agg(pl.col("amount").sort().sum()).sort("at", "series").collect()


def _category(history: History, held: set[str]) -> pl.Expr:
    """The event's own category, else its item's."""
    own = pl.col("category") if "category" in held else pl.lit(None, pl.String)
    if "item_id" not in held or "category" not in history.items.columns:
        return own
    told = history.items.drop_nulls(["item_id", "category"])
    known = dict(zip(told["item_id"].to_list(), told["category"].to_list(), strict=True))
    return (
        pl.coalesce(own, pl.col("item_id").replace_strict(known, default=None, return_dtype=pl.String))
        if known
        else own
    )


def _last(end: datetime, every: str) -> date:
    """The last whole day, or the Monday of the last whole week, of data that end at a moment."""
    day = end.date() if end.hour >= LATE else end.date() - timedelta(days=1)
    return day if every == "day" else day + timedelta(days=1) - timedelta(days=7 + (day + timedelta(days=1)).weekday())


def _in_force(present: Present, counted: Any) -> dict[str, list[float]]:
    """How the forecast in force did on what came since: its error against the naive one's, and how much its intervals held."""
    if present is None:
        return {}
    try:
        held = demand.load(present[1])
    except BadInput:
        return {}
    errors, naive, inside = [], [], []
    for name in held.series:
        if name not in counted.series:
            continue
        known = dict(_dated(counted, name, held.every))
        for row in held.forecast(name):
            if row["at"] in known:
                actual = known[row["at"]]
                errors.append(abs(actual - row["value"]))
                naive.append(abs(actual - row["naive"]))
                inside.append(row["low"] <= actual <= row["high"])
    if not errors:
        return {}
    found = {
        "in_force_error": np.mean(errors),
        "in_force_naive_error": np.mean(naive),
        "in_force_coverage": np.mean(inside),
    }
    return {name: [float(f"{value:.6g}")] * 3 for name, value in found.items()}


def _dated(counted: Any, name: str, every: str) -> list[tuple[str, float]]:
    points, step = counted.series[name], timedelta(days=1 if every == "day" else 7)
    return [
        ((counted.last - step * (len(points) - 1 - place)).isoformat(), float(one)) for place, one in enumerate(points)
    ]


def _reason(choice: Any, metrics: Mapping[str, list[float]]) -> str:
    if not choice.losses:
        return "too short to be judged: the naive forecast, with a wide interval"
    size = f"error {choice.losses[choice.taken]:.3f} of a naive step"
    if choice.taken == choice.naive:
        return f"nothing beats the naive forecast by more than noise: {choice.naive} is published, {size}"
    low, high = metrics["gain"][1:]
    return f"{choice.taken} beats {choice.naive} on the pasts by {choice.gain:.3f} [{low:.3f}, {high:.3f}], {size}"
