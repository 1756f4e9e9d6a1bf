"""Typed columns of a Parquet file become text cells, each spelled so that it means the same when it is read again.

In: Parquet bytes and limits. Out: an Arrow file. Runs inside the child process only (`child`). Numbers, claims, lists and
records are spelled as JSON, moments as ISO 8601 in UTC; a column whose text is JSON gets a name that ends in NUL.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import polars as pl


def write_cells(
    body: bytes, out: Path, first: int, last: int, most_rows: int, most_columns: int, most_bytes: int
) -> None:
    """Write rows [first, last) (last -1: to the end). Raises OverflowError beyond the limits."""
    lazy = pl.scan_parquet(BytesIO(body), use_statistics=False)
    schema = lazy.collect_schema()
    if len(schema) > most_columns:
        raise OverflowError("columns")
    total = int(lazy.select(pl.len()).collect().item())
    last = total if last < 0 else min(last, total)
    if last - first > most_rows:
        raise OverflowError("rows")
    spelled = [cell(pl.col(name), kind).alias(name + ("\0" if is_json(kind) else "")) for name, kind in schema.items()]
    frame = lazy.slice(first, max(last - first, 0)).collect().select(spelled)
    if int(frame.select(pl.sum_horizontal(pl.all().str.len_bytes().sum())).item() or 0) > most_bytes:
        raise OverflowError("bytes")
    frame.write_ipc(out, compression="uncompressed")


def is_json(kind: pl.DataType) -> bool:
    """Whether a column of this type is spelled as JSON."""
    return kind.is_numeric() or kind == pl.Boolean or kind.is_nested()


def cell(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A column of any type as text."""
    if isinstance(kind, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if kind.time_zone else column.dt.replace_time_zone("UTC")
        return utc.dt.cast_time_unit("us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    if kind == pl.Struct:
        return pl.when(column.is_not_null()).then(column.struct.json_encode())
    if kind.is_nested():
        wrapped = pl.struct(column.alias("v")).struct.json_encode()
        return pl.when(column.is_not_null()).then(wrapped.str.slice(5).str.head(-1))
    if kind == pl.Binary:
        return column.map_batches(_decoded, return_dtype=pl.String)
    return column.cast(pl.String, strict=False)


def _decoded(column: pl.Series) -> pl.Series:
    """Old writers leave out that bytes are text; bytes that are none are shown as `\\xNN`."""
    texts = (None if value is None else value.decode("utf-8", "backslashreplace") for value in column.to_list())
    return pl.Series(column.name, texts, dtype=pl.String)
