"""Parquet parts of the lake → events, each once; and what rows of users say (Polars).

In: paths or bodies. Out: a lazy frame of events, an iterator of people. It does not know what is computed of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nudge.profile.spec import LARGEST_VALUE
from nudge.vocabulary import DAY, MACHINE_TYPES, Consent, Micros

type Source = str | Path | bytes | BytesIO

KEY = ("user_id", "event_id")
KNOWN_TRAITS = ("email", "phone", "timezone", "locale", "created_at")
_OPTIONAL: dict[str, pl.DataType] = {"value": pl.Float64(), "category": pl.String(), "item_id": pl.String()}


def read_events(parts: Sequence[Source]) -> pl.LazyFrame:
    """Every event of some Parquet parts (paths or bodies), each (user_id, event_id) once: the first by (event_time, content).

    A first pass over the ids finds which come twice; only those are sorted. Events and outcomes may be mixed.
    """
    events = pl.concat([_scan(part) for part in parts], how="diagonal") if parts else pl.LazyFrame(schema=_SCHEMA)
    return once(events)


def of_people(events: pl.LazyFrame) -> pl.LazyFrame:
    """Events without what machines did (link scanners, image proxies): no profile and no model is made of it."""
    return events.filter(~pl.col("event_type").is_in(MACHINE_TYPES))


def _scan(part: Source) -> pl.LazyFrame:
    return pl.scan_parquet(BytesIO(part) if isinstance(part, bytes) else part)


_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "user_id": pl.String(),
    "event_type": pl.String(),
    "event_time": pl.Datetime("us", "UTC"),
    **_OPTIONAL,
}


def once(events: pl.LazyFrame) -> pl.LazyFrame:
    """Each (user_id, event_id) once: the first by (event_time, then all columns by name)."""
    both = pl.concat_str(KEY, separator="\n").hash(seed=1)
    hashes = np.sort(events.select(both.alias("h")).collect(engine="streaming")["h"].to_numpy())
    twice = pl.Series("h", np.unique(hashes[1:][hashes[1:] == hashes[:-1]]), dtype=pl.UInt64)
    if twice.is_empty():
        return events
    names = sorted(set(events.collect_schema().names()) - {*KEY, "event_time"})
    repeated = events.filter(both.is_in(twice.implode()))
    first = repeated.sort([*KEY, "event_time", *names]).unique(subset=KEY, keep="first", maintain_order=True)
    return pl.concat([events.filter(~both.is_in(twice.implode())), first])


def people(parts: Sequence[Source]) -> Iterator[tuple[str, dict[str, tuple[Any, Micros]], dict[str, Consent]]]:
    """`(user_id, traits, consents)` of every row of Parquet parts of users, which hold since the row's `effective_at`."""
    for part in parts:
        rows = _scan(part).with_columns(pl.col(pl.Datetime).cast(pl.Datetime("us")).cast(pl.Int64)).collect()
        channels = [name.removesuffix("_consent") for name in rows.columns if name.endswith("_consent")]
        for row in rows.iter_rows(named=True):
            yield row["user_id"], _traits(row), _consents(row, channels)


def _traits(row: Mapping[str, Any]) -> dict[str, tuple[Any, Micros]]:
    known = {name: row[name] for name in KNOWN_TRAITS if row.get(name) is not None}
    extra = json.loads(row["attributes"]) if row.get("attributes") else {}
    return {name: (value, row["effective_at"]) for name, value in (known | extra).items()}


def _consents(row: Mapping[str, Any], channels: Sequence[str]) -> dict[str, Consent]:
    found = {}
    for channel in channels:
        if (granted := row[f"{channel}_consent"]) is not None:
            since, source = row.get(f"{channel}_consent_at"), row.get(f"{channel}_consent_source")
            found[channel] = Consent(granted, row["effective_at"] if since is None else since, source or "file")
    return found


def prepared(events: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    """Events with `t` in microseconds, a finite value within bounds, and all optional columns."""
    lazy = events.lazy()
    schema = lazy.collect_schema()
    here = [name for name in ("event_id", "user_id", "event_type", *_OPTIONAL) if name in schema]
    value = pl.col("value").cast(pl.Float64) if "value" in schema else pl.lit(0.0)
    time = pl.col("event_time").cast(pl.Datetime("us")) if schema["event_time"] != pl.Int64 else pl.col("event_time")
    return lazy.select(
        *(name for name in here if name != "value"),
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in _OPTIONAL.items() if name not in here),
        time.cast(pl.Int64).alias("t"),
        pl.when(value.is_finite()).then(value.clip(-LARGEST_VALUE, LARGEST_VALUE)).otherwise(0.0).alias("v"),
    )


def _two_to(exponent: pl.Expr) -> pl.Expr:
    return (exponent * log(2.0)).exp()


def weight(half_life_days: int, until: pl.Expr) -> pl.Expr:
    return _two_to((pl.col("t") - until) / (half_life_days * DAY))
