"""Typed rows become Parquet parts by day. A frame in its total order comes in, bytes go out: a pure function of the rows.

Row order, compression, statistics and the size of row groups are fixed; no clock, no path and no thread leaves a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final

import polars as pl

from nudge.vocabulary import DAY, Micros

RAW: Final = "new-"
"""Label of a part that `prepare` wrote and no compaction has seen: rows in the order of their file, lightly packed."""
FULL: Final = "full-"
"""Label of a part that is as large as parts get: no compaction merges it again."""
LEVEL: Final = 1
ROW_GROUP: Final = 131_072
ROW_GROUP_OF_RECORDS: Final = 10_000
"""A reader has a whole row group in memory; a record of a decision is kilobytes."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parquet(rows: pl.DataFrame) -> bytes:
    """The rows as Parquet bytes, to be kept."""
    return _written(rows, compression="zstd", compression_level=LEVEL)


def raw_parquet(rows: pl.DataFrame) -> bytes:
    """The rows as Parquet bytes that are soon read once and merged: quickly packed."""
    return _written(rows, compression="lz4")


def _written(rows: pl.DataFrame, **how: Any) -> bytes:
    out = BytesIO()
    size = ROW_GROUP_OF_RECORDS if "record" in rows.columns else ROW_GROUP
    rows.write_parquet(out, statistics=False, row_group_size=size, **how)
    return out.getvalue()


def by_day(rows: pl.DataFrame, time: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """(YYYY-MM-DD, the rows of that UTC day); the rows come day by day (see `unique`)."""
    days = rows[time].cast(pl.Int64) // DAY
    at = 0
    for length, day in days.rle().struct.unnest().iter_rows():
        yield day_name(day * DAY), rows.slice(at, length)
        at += length


def day_name(at: Micros) -> str:
    """The UTC day of a moment, as it stands in `dt=…`."""
    return (_EPOCH + timedelta(days=at // DAY)).date().isoformat()
