"""Typed rows become Parquet parts by day. A frame in its total order comes in, bytes go out: a pure function of the rows.

Row order, compression, statistics and the size of row groups are fixed; no clock, no path and no thread leaves a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Final

import polars as pl

from nudge.vocabulary import DAY, Micros

LEVEL: Final = 1
ROW_GROUP: Final = 131_072
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parquet(rows: pl.DataFrame) -> bytes:
    """The rows as Parquet bytes."""
    out = BytesIO()
    rows.write_parquet(
        out, compression="zstd", compression_level=LEVEL, statistics=False, row_group_size=ROW_GROUP, use_pyarrow=False
    )
    return out.getvalue()


def by_day(rows: pl.DataFrame, time: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """(YYYY-MM-DD, the rows of that UTC day); `rows` are sorted by `time`."""
    if rows.is_empty():
        return
    days = rows.select((pl.col(time).cast(pl.Int64) // DAY).rle().struct.unnest()).rows()
    at = 0
    for length, day in days:
        yield day_name(day * DAY), rows.slice(at, length)
        at += length


def day_name(at: Micros) -> str:
    """The UTC day of a moment, as it stands in `dt=…`."""
    return (_EPOCH + timedelta(days=at // DAY)).date().isoformat()
