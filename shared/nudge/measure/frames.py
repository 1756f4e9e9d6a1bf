"""Parquet bodies of the lake come in; one frame with fixed columns, each thing once, goes out.

The lake may hold a row twice (two files, a compaction half done): nothing here may count it twice. Knows no store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO

import polars as pl

MOMENT = pl.Datetime("us", "UTC")

DECISIONS: Mapping[str, pl.DataType] = {
    "decision_id": pl.String(),
    "user_id": pl.String(),
    "decided_at": MOMENT,
    "goal": pl.String(),
    "chosen": pl.String(),
    "activity": pl.String(),
    "channel": pl.String(),
    "group": pl.String(),
    "propensity": pl.Float64(),
    "value": pl.Float64(),
    "cost": pl.Float64(),
    "plan_version": pl.String(),
}
"""Columns of `lake/decisions` that a report needs; `record` and the vector stay unread."""

EVENTS: Mapping[str, pl.DataType] = {
    "event_id": pl.String(),
    "user_id": pl.String(),
    "event_type": pl.String(),
    "event_time": MOMENT,
    "event_action": pl.String(),
    "item_id": pl.String(),
    "category": pl.String(),
    "value": pl.Float64(),
    "currency": pl.String(),
}
"""Columns of `lake/events` that a report needs."""

OUTCOMES: Mapping[str, pl.DataType] = {
    "event_id": pl.String(),
    "user_id": pl.String(),
    "event_type": pl.String(),
    "event_time": MOMENT,
    "decision_id": pl.String(),
    "properties": pl.String(),
}
"""Columns of `lake/outcomes` that a report needs."""


def empty(schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """No rows, these columns."""
    return pl.DataFrame(schema=dict(schema))


def read(bodies: Iterable[bytes], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """One frame of all bodies with exactly the columns of `schema`; a column that a body lacks is null."""
    return together((of_part(body, schema) for body in bodies), schema)


def of_part(body: bytes, schema: Mapping[str, pl.DataType], only: pl.Expr | None = None) -> pl.DataFrame:
    """The rows of one body, or those that are meant, with exactly the columns of `schema`."""
    rows = fit(pl.scan_parquet(BytesIO(body)), schema)
    return (rows if only is None else rows.filter(only)).collect()


def together(parts: Iterable[pl.DataFrame], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """One frame of all; of none an empty one."""
    return pl.concat([empty(schema), *parts])


def fit(rows: pl.LazyFrame, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Exactly the columns of `schema`, in its order and types; what is not there is null."""
    there = rows.collect_schema()
    return rows.select(
        (pl.col(name) if name in there else pl.lit(None)).cast(kind).alias(name) for name, kind in schema.items()
    )


def each_event_once(events: pl.DataFrame) -> pl.DataFrame:
    """One row per (user_id, event_id): the first by time, then by all other columns, so that order never matters."""
    return _first(events, ["user_id", "event_id"], "event_time")


def each_decision_once(decisions: pl.DataFrame) -> pl.DataFrame:
    """One row per decision_id: the first by time, then by all other columns."""
    return _first(decisions, ["decision_id"], "decided_at")


def _first(frame: pl.DataFrame, identity: list[str], moment: str) -> pl.DataFrame:
    """Only what stands there more than once is sorted: that is little, and sorting is what costs."""
    twice = frame.select(identity).is_duplicated()
    if not twice.any():
        return frame
    others = [name for name in frame.columns if name not in identity and name != moment]
    repeated = frame.filter(twice).sort([*identity, moment, *others], nulls_last=True)
    return pl.concat([frame.filter(~twice), repeated.unique(identity, keep="first", maintain_order=True)])
