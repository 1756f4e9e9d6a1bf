"""Each fact once. Typed rows come in; rows in their order, or in the one total order, go out, with how many were repetitions.

An event is its (user_id, event_id); where a file gives no event_id, one is derived from what the row says, so equal rows
are one event in whichever file they come. Of several the first by (event_time, then all other columns by name) is kept,
as `profile.batch.read_events` keeps it. Knows no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Literal

import numpy as np
import polars as pl

from nudge.clean.rows import SPECIAL, quoted
from nudge.vocabulary import DAY, Kind

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
_AT_ONCE: Final = 65_536
_PRIMES: Final = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)
_SAID: Final = (
    "category", "channel", "currency", "decision_id", "event_action", "event_time", "event_type", "item_id", "properties",
    "user_id", "value",
)  # fmt: skip


def with_event_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows without an event_id get one: `c` and the first 24 hexadecimals of the SHA-256 of the canonical JSON of what
    the row says (its columns but `received_at`, absent ones left out, times in microseconds)."""
    if "event_id" not in rows.columns:
        return rows.with_columns(_derived(rows))
    lacking = rows["event_id"].is_null()
    if not lacking.any():
        return rows
    return rows.with_columns(rows["event_id"].scatter(lacking.arg_true(), _derived(rows.filter(lacking))))


def _derived(rows: pl.DataFrame) -> pl.Series:
    """Slice by slice, so that the texts of a large chunk are never all there at once."""
    said = rows.select(name for name in _SAID if name in rows.columns)
    slices = [_hashed(said.slice(at, _AT_ONCE)) for at in range(0, rows.height, _AT_ONCE)]
    return pl.concat(slices).alias("event_id")


def _hashed(rows: pl.DataFrame) -> pl.Series:
    """One text a row, made in one pass: `event_time` always stands, what comes before it ends, what comes after it begins
    with a comma."""
    parts: list[pl.Expr] = [pl.lit("{")]
    for name in rows.columns:
        cell, mark = pl.col(name), ""
        if name == "event_time":
            cell = cell.cast(pl.Int64)
        elif name not in ("value", "properties"):
            mark = '"' if not rows[name].str.contains(SPECIAL).any() else ""
            cell = cell if mark else pl.lit(quoted(rows[name]))
        before, after = (",", "") if name > "event_time" else ("", "," if name < "event_time" else "")
        parts.append(pl.concat_str([pl.lit(f'{before}"{name}":{mark}'), cell, pl.lit(mark + after)]).fill_null(""))
    texts = rows.select(pl.concat_str([*parts, pl.lit("}")]).cast(pl.Binary)).to_series().to_list()
    digests = pl.DataFrame({"d": pl.Series([sha256(text).digest() for text in texts], dtype=pl.Binary)})
    return digests.select(pl.lit("c") + pl.col("d").bin.slice(0, 12).bin.encode("hex")).to_series()


def unique(
    kind: Kind, rows: pl.DataFrame, among: pl.Series | None = None, *, order: Literal["day", "total"] = "day"
) -> tuple[pl.DataFrame, list[int], int]:
    """Each fact once; the lines of rows that reuse an event's id for something else; repetitions.

    Only the rows `among` count (all, if None). Within their day they keep the order they had, or they are brought into the
    total one. Places are computed first and the rows are copied once, at the end: `rows` is used up.
    """
    content = [name for name in rows.columns if name != "line"]
    key = _KEY[kind] or content
    total = [name for name in ORDER[kind] if name in content] if _KEY[kind] else content
    places = pl.Series("place", np.arange(rows.height) if among is None else np.flatnonzero(among), dtype=pl.UInt32)
    reused: list[int] = []
    repetitions = 0
    repeated = _repeated(rows, key, places)
    if repeated is not None:
        others = sorted(set(content) - {*key, *total})
        twice = rows[repeated].with_columns(repeated).sort([*key, *total, *others, "line"])
        first = twice.unique(subset=key, keep="first", maintain_order=True)
        reused = _reused(twice, first) if kind in ("events", "outcomes") else []
        repetitions = twice.height - first.height - len(reused)
        gone = np.ones(rows.height, bool)
        gone[repeated.to_numpy()] = False
        gone[first["place"].to_numpy()] = True
        places = places.filter(pl.Series(gone[places.to_numpy()]))
    if order == "total":
        places = places[rows.select(total)[places].select(pl.arg_sort_by(total)).to_series()]
    else:
        lines = rows["line"][places]
        if not lines.is_sorted():  # records that went through the splitter were appended
            places = places[lines.arg_sort()]
        days = (rows[ORDER[kind][0]].cast(pl.Int64) // DAY)[places]
        if not days.is_sorted():
            nearly = (days - days.min()).cast(pl.UInt16).to_numpy()  # so narrow that numpy sorts it by radix
            places = places[pl.Series(np.argsort(nearly, kind="stable"))]
    return _picked(rows, places), reused, repetitions


def _picked(rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The rows at some places. Takes the columns out of `rows` one after the other, so that no moment holds all twice."""
    return pl.DataFrame([rows.drop_in_place(name)[places] for name in rows.columns])


def _repeated(rows: pl.DataFrame, key: Sequence[str], places: pl.Series) -> pl.Series | None:
    """The places of rows that share their key with another; None when none does. Hashes first: few keys need comparing."""
    if len(places) < 2:
        return None
    mixed = [pl.col(name).hash(seed) * _PRIMES[seed % len(_PRIMES)] for seed, name in enumerate(key)]
    hashes = rows.select(pl.sum_horizontal(mixed)).to_series()
    hashes = hashes if len(places) == len(hashes) else hashes[places]
    ordered = np.sort(hashes.to_numpy())
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return None
    suspect = places.filter(hashes.is_in(pl.Series(twice, dtype=pl.UInt64).implode()))
    exact = rows.select(key)[suspect].select(pl.struct(key).is_duplicated()).to_series()
    return suspect.filter(exact) if exact.any() else None


def _reused(twice: pl.DataFrame, first: pl.DataFrame) -> list[int]:
    """Lines of rows with the id of an event but another type or time than the one that is kept."""
    kept = first.select(*EVENT_KEY, pl.col("event_type").alias("_type"), pl.col("event_time").alias("_time"))
    both = twice.join(kept, on=list(EVENT_KEY), how="left", maintain_order="left")
    other = (pl.col("event_type") != pl.col("_type")) | (pl.col("event_time") != pl.col("_time"))
    return both.filter(other)["line"].to_list()
