"""Events → series: how much of what, day by day or week by week.

In: events (Polars), items, the plan's options, a time zone, where the data end. Out: one array a series. Days are those of the zone. A day
counts when it is over; days without an event are zero. The largest series stand for themselves, the rest is "other".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import fsum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from nudge.errors import NotReady
from nudge.vocabulary import Micros

MOST = 25
"""Series a task; the rest is one more, "other"."""
ALL, OTHER = "all", "other"
LATE = 18
"""The last day of the data is whole when something happened after this hour of it: files are often cut in the middle of a day."""


@dataclass(frozen=True, slots=True)
class Counted:
    """`series` {name: (points,)}, all until `last` (the last whole day, or the Monday of the last whole week); a series
    starts at its first value that is not 0. `left_out` is how many went into "other"."""

    series: Mapping[str, np.ndarray]
    last: date
    left_out: int = 0

    def dated(self, name: str, every: str) -> dict[str, float]:
        """{ISO day: value} of a series."""
        points, step = self.series[name], timedelta(days=1 if every == "day" else 7)
        first = self.last - step * (len(points) - 1)
        return {(first + step * place).isoformat(): float(one) for place, one in enumerate(points)}


def series_of(
    events: pl.LazyFrame, items: pl.DataFrame, options: Mapping[str, Any], zone: ZoneInfo, end: Micros
) -> Counted:
    """The series of `options` (event, of, by, every), all until the last whole day or week of data that end at a moment.

    `events` has `event_type event_time` and, where there, `item_id category value`; `items` has `item_id category`. Raises NotReady where
    no whole day or week has such an event.
    """
    rows = _rows(events, items, options, zone)
    every = options["every"]
    last = _last(datetime.fromtimestamp(end / 1e6, UTC).astimezone(zone), every)
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


def _rows(events: pl.LazyFrame, items: pl.DataFrame, options: Mapping[str, Any], zone: ZoneInfo) -> pl.DataFrame:
    """`at` (day, or Monday), `series`, `amount`: one row each, in an order, and to the last digit, that do not hang on the lake's."""
    held = set(events.collect_schema().names())
    name = pl.lit(ALL)
    if options["by"] == "category":
        name = _category(items, held)
    elif options["by"] == "item":
        name = pl.col("item_id") if "item_id" in held else pl.lit(None, pl.String)
    amount = pl.lit(1.0) if options["of"] == "count" else pl.col("value") if "value" in held else pl.lit(0.0)
    day = pl.col("event_time").dt.convert_time_zone(zone.key).dt.truncate("1d" if options["every"] == "day" else "1w")
    chosen = events.filter(pl.col("event_type") == options["event"]).select(
        day.dt.date().alias("at"), name.fill_null(OTHER).alias("series"), amount.fill_null(0.0).alias("amount")
    )
    told = chosen.group_by("at", "series").agg("amount").sort("at", "series").collect()
    return told.with_columns(pl.Series("amount", [fsum(one) for one in told["amount"]], pl.Float64))


def _category(items: pl.DataFrame, held: set[str]) -> pl.Expr:
    """The event's own category, else its item's."""
    own = pl.col("category") if "category" in held else pl.lit(None, pl.String)
    if "item_id" not in held or "category" not in items.columns:
        return own
    told = items.drop_nulls(["item_id", "category"])
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
