"""Each fact once. Typed rows come in; rows in one total order go out, with how many were repetitions.

An event is its (user_id, event_id); where a file gives no event_id, one is derived from what the row says, so equal rows
are one event in whichever file they come. Of several the first by (event_time, then all other columns by name) is kept,
as `profile.batch.read_events` keeps it. Knows no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import polars as pl

from nudge.clean.rows import objects, quoted
from nudge.vocabulary import Kind

EVENT_KEY: Final = ("user_id", "event_id")
ORDER: Final[dict[Kind, tuple[str, ...]]] = {
    "events": ("event_time", "user_id", "event_id"),
    "outcomes": ("event_time", "user_id", "event_id"),
    "users": ("effective_at", "user_id"),
    "items": ("effective_at", "item_id"),
    "decisions": ("decided_at", "decision_id"),
}
_KEY: Final[dict[Kind, tuple[str, ...] | None]] = {
    "events": EVENT_KEY, "outcomes": EVENT_KEY, "decisions": ("decision_id",), "users": None, "items": None,
}  # fmt: skip
_SAID: Final = (
    "category", "channel", "currency", "decision_id", "event_action", "event_time", "event_type", "item_id", "properties",
    "user_id", "value",
)  # fmt: skip


def with_event_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose event_id is null get one: `c` and the first 24 hexadecimals of the SHA-256 of the canonical JSON of what
    the row says (its columns but `received_at`, absent ones left out, times in microseconds)."""
    lacking = rows["event_id"].is_null()
    if not lacking.any():
        return rows
    every = bool(lacking.all())
    some = rows if every else rows.filter(lacking)
    derived = _derived(some)
    ids = derived if every else rows["event_id"].scatter(lacking.arg_true(), derived)
    return rows.with_columns(ids.alias("event_id"))


def _derived(rows: pl.DataFrame) -> pl.Series:
    spelled: dict[str, pl.Series] = {}
    for name in _SAID:
        column = rows[name]
        if column.null_count() == len(column):
            continue
        if name == "event_time":
            spelled[name] = column.cast(pl.Int64).cast(pl.String)
        elif name == "value":
            spelled[name] = column.cast(pl.String)
        else:
            spelled[name] = column if name == "properties" else quoted(column)
    texts = objects(spelled).cast(pl.Binary).to_list()
    return pl.Series("event_id", ["c" + sha256(text).hexdigest()[:24] for text in texts], dtype=pl.String)


def unique(kind: Kind, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Rows in their total order, each fact once; the rows that reuse an event's id for something else; repetitions."""
    content = [name for name in rows.columns if name != "line"]
    key = _KEY[kind]
    repeated = _repeated(rows, key or content)
    if repeated is None:
        return rows.sort(ORDER[kind] if key else content), rows.clear(), 0
    others = sorted(set(content) - set(ORDER[kind]))
    twice = rows.filter(repeated).sort([*(key or ()), *ORDER[kind], *others, "line"])
    first = twice.unique(subset=key or content, keep="first", maintain_order=True)
    reused = _reused(twice, first) if kind in ("events", "outcomes") else twice.clear()
    kept = pl.concat([rows.filter(~repeated), first])
    kept = kept.sort(ORDER[kind] if key else content)
    return kept, reused, twice.height - first.height - reused.height


def _repeated(rows: pl.DataFrame, key: Sequence[str]) -> pl.Series | None:
    """Which rows share their key with another; None when no row does. Hashes first: few keys ever need comparing."""
    hashes = rows.select(pl.struct(key).hash(seed=7)).to_series()
    suspect = hashes.is_duplicated()
    if not suspect.any():
        return None
    exact = rows.filter(suspect).select(pl.struct(key).is_duplicated()).to_series()
    if not exact.any():
        return None
    return suspect if exact.all() else suspect.scatter(suspect.arg_true(), exact)


def _reused(twice: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Rows with the id of an event but another type or time than the one that is kept."""
    kept = first.select(*EVENT_KEY, pl.col("event_type").alias("_type"), pl.col("event_time").alias("_time"))
    both = twice.join(kept, on=list(EVENT_KEY), how="left", maintain_order="left")
    other = (pl.col("event_type") != pl.col("_type")) | (pl.col("event_time") != pl.col("_time"))
    return both.filter(other).drop("_type", "_time")
