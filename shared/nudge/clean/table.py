"""What a file of rows is once it is split: text cells, and records that are no rows. Knows no format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

type RecordAt = Callable[[str, int], tuple[list[str] | None, str | None, int, int]]
"""The shared splitter: text and a position → (fields, reason, end of the record, start of the next)."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A record that is no row of the table: its line, a reason code, what it said, and which column or byte is to blame."""

    line: int
    reason: str
    raw: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as text. `cells` has the columns "0", "1", …, one a name, and `line` (1-based in the file); null = empty.

    Where `line` is 0 the record is no row: it stands among the flaws. Leaving it where it is spares a copy of all others.
    `plain` tells that no cell can hold a control
    character, `trimmed` that no cell begins or ends with a blank; columns in `literal` are spelled as JSON.
    """

    names: tuple[str, ...]
    cells: pl.DataFrame
    flaws: list[Flaw]
    raw: Callable[[int], str]
    plain: bool = False
    trimmed: bool = False
    literal: frozenset[int] = frozenset()

    @property
    def rows(self) -> pl.DataFrame:
        """The cells of the rows alone, in the order of their lines."""
        return self.cells.filter(pl.col("line") > 0).sort("line")


def of_parquet(cells: pl.DataFrame, rows: tuple[int, int] | None) -> Table:
    """The table of a Parquet file's cells (see `sandbox.parquet_cells`); a row's number counts as its line."""
    names = tuple(name.removesuffix("\0") for name in cells.columns)
    literal = frozenset(number for number, name in enumerate(cells.columns) if name.endswith("\0"))
    first = (rows[0] if rows else 0) + 1
    numbered = cells.rename({name: str(number) for number, name in enumerate(cells.columns)})
    numbered = numbered.with_columns(pl.all().replace("", None)) if cells.width else numbered
    numbered = numbered.with_columns(line=pl.int_range(first, first + cells.height, dtype=pl.Int64))

    def raw(line: int) -> str:
        row = cells.row(line - first)
        return json.dumps({name: value for name, value in zip(names, row, strict=True)}, ensure_ascii=False)

    return Table(names, numbered, [], raw, literal=literal)
