"""Events → the states that folding each once would have built, for everybody at once (Polars).

In: events as the lake holds them. Out: `(user_id, state, seen)`, slice of people by slice. It does not know stores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from nudge.profile.fold import bounded
from nudge.profile.reading import prepared, weight
from nudge.profile.seen import entry, pack
from nudge.profile.spec import AFFINITY, DECAYED, HOURS, ITEMS, RECENT
from nudge.vocabulary import DAY

_HOUR = 3_600_000_000


def states(
    events: pl.LazyFrame | pl.DataFrame, *, rows_at_once: int = 4_000_000
) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """`(user_id, state, seen)` of everybody: what folding each event once would have built. Works by slices of people."""
    rows = prepared(events)
    slices = 1 + int(rows.select(pl.len()).collect().item()) // rows_at_once
    for number in range(slices):
        mine = rows.filter(pl.col("user_id").hash(seed=2) % slices == number).collect(engine="streaming")
        yield from _states(mine)


def _states(events: pl.DataFrame) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    types = _lists(_type_sums(events))
    hours, affinity = _lists(_anchored_hours(events)), _lists(_anchored_categories(events))
    recent, met, ids = _lists(_recent(events)), _lists(_met(events)), _lists(events.select("user_id", "event_id", "t"))
    for user_id, kinds in types.items():
        state: dict[str, Any] = {
            "e": {kind: list(row) for kind, *row in kinds},
            "h": _anchored(hours.get(user_id)),
            "c": _anchored(affinity.get(user_id)),
            "r": dict(recent.get(user_id, ())),
            "i": _by_type(met.get(user_id, ())),
        }
        yield user_id, bounded(state), pack(entry(event_id, time) for event_id, time in ids[user_id])


def _anchored(rows: Sequence[Sequence[Any]] | None) -> list[Any]:
    return [0, {}] if not rows else [rows[0][1], {str(name): weight for name, _, weight in rows}]


def _by_type(rows: Sequence[Sequence[Any]]) -> dict[str, dict[str, int]]:
    types: dict[str, dict[str, int]] = {}
    for kind, item, time in rows:
        types.setdefault(kind, {})[item] = time
    return types


def _lists(rows: pl.DataFrame) -> dict[str, list[tuple[Any, ...]]]:
    """Rows by their first column, which is left out of them."""
    by_user: dict[str, list[tuple[Any, ...]]] = {}
    for user_id, *rest in rows.iter_rows():
        by_user.setdefault(user_id, []).append(tuple(rest))
    return by_user


def _type_sums(events: pl.DataFrame) -> pl.DataFrame:
    last = pl.col("t").max().over("user_id", "event_type").alias("last")
    sums = [
        (
            (weight(row.half_life_days, pl.col("last")) * pl.col("v"))
            if row.weigh
            else weight(row.half_life_days, pl.col("last"))
        )
        .sum()
        .alias(f"s{slot}")
        for slot, row in enumerate(DECAYED)
    ]
    return (
        events.with_columns(last)
        .group_by("user_id", "event_type")
        .agg(
            pl.col("last").first(),
            pl.col("t").min().alias("first"),
            pl.len().alias("total"),
            pl.col("v").sum().alias("worth"),
            *sums,
        )
        .sort("user_id", "event_type")
    )


def _anchored_hours(events: pl.DataFrame) -> pl.DataFrame:
    acts = events.filter(~pl.col("event_type").is_in(HOURS.leave_out))
    acts = acts.with_columns(name=(pl.col("t") // _HOUR + 72) % 168)
    return _anchored_sums(acts, HOURS.half_life_days)


def _anchored_categories(events: pl.DataFrame) -> pl.DataFrame:
    named = events.filter(pl.col("category").is_not_null()).with_columns(name=pl.col("category"))
    return _anchored_sums(named, AFFINITY.half_life_days)


def _anchored_sums(events: pl.DataFrame, half_life_days: int) -> pl.DataFrame:
    span = half_life_days * DAY
    anchor = (pl.col("t").max().over("user_id") // span * span).alias("at")
    return (
        events.with_columns(anchor)
        .group_by("user_id", "name")
        .agg(pl.col("at").first(), weight(half_life_days, pl.col("at")).sum().alias("w"))
        .sort("user_id", "name")
    )


def _met(events: pl.DataFrame) -> pl.DataFrame:
    return (
        events.filter(pl.col("item_id").is_not_null() & ~pl.col("event_type").is_in(ITEMS.leave_out))
        .group_by("user_id", "event_type", "item_id")
        .agg(pl.col("t").max())
        .sort(["user_id", "event_type", "t", "item_id"])
        .group_by("user_id", "event_type", maintain_order=True)
        .tail(ITEMS.keep)
        .select("user_id", "event_type", "item_id", "t")
    )


def _recent(events: pl.DataFrame) -> pl.DataFrame:
    return (
        events.filter(pl.col("item_id").is_not_null())
        .group_by("user_id", "item_id")
        .agg(pl.col("t").max())
        .sort(["user_id", "t", "item_id"])
        .group_by("user_id", maintain_order=True)
        .tail(RECENT.keep)
        .select("user_id", "item_id", "t")
    )
