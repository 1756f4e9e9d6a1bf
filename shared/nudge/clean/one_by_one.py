"""The careful road: delimited text, record by record, through the shared splitter. Text comes in, a `Table` goes out.

Takes what the fast road (`at_once`) cannot: bytes that are no characters, lone CRs, delimiters of several characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from nudge.clean.table import Flaw, RecordAt, Table
from nudge.clean.text import MARKED, Text, shown
from nudge.vocabulary import Dialect

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


def unquoted(dialect: Dialect) -> RecordAt:
    """The splitter where nothing quotes: a record is a line."""

    def record_at(text: str, at: int) -> tuple[list[str], None, int, int]:
        ending = _LINE_END.search(text, at)
        stop, after = ending.span() if ending else (len(text), len(text))
        return text[at:stop].split(dialect.delimiter), None, stop, after

    return record_at


@dataclass(slots=True)
class Collected:
    """What the splitter gave, record by record."""

    width: int
    dialect: Dialect
    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    raws: dict[int, str] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def add(self, line: int, fields: list[str] | None, reason: str | None, raw: str, column: str | None = None) -> None:
        if reason is None and fields is not None and len(fields) != self.width:
            reason = "too_few_fields" if len(fields) < self.width else "too_many_fields"
        if reason is not None or fields is None:
            self.flaws.append(Flaw(line, reason or "bad_row", shown(raw), column))
            return
        self.lines.append(line)
        self.rows.append(fields)
        self.raws[line] = raw

    def frame(self) -> pl.DataFrame:
        return _frame(self.rows, self.width).with_columns(pl.Series("line", self.lines, dtype=pl.Int64))


def _frame(rows: list[list[str]], width: int) -> pl.DataFrame:
    columns: Mapping[str, Any] = {
        str(number): pl.Series([row[number] or None for row in rows], dtype=pl.String) for number in range(width)
    }
    return pl.DataFrame({**columns, "line": pl.Series([0] * len(rows), dtype=pl.Int64)})


def empty(header: tuple[str, ...]) -> Table:
    """A table without rows."""
    return Table(header, _frame([], len(header)), [], lambda line: "")


def slow_table(
    text: Text,
    dialect: Dialect,
    record_at: RecordAt,
    header: tuple[str, ...] | None,
    first_line: int,
    first_byte: int,
    has_header: bool,
) -> Table:
    whole = text.marked if text.marked is not None else text.utf8.decode()
    slow: Collected | None = None
    bad_at = iter(text.bad_at)
    for line, fields, reason, raw in _records(whole, record_at, first_line):
        column = None
        if text.marked is not None and (marks := len(MARKED.findall(raw))):
            position, *_ = [next(bad_at) for _ in range(marks)]
            reason, column = "bad_encoding", f"byte {first_byte + position}"
        if not raw:
            continue
        if slow is None and has_header:
            names = fields if fields is not None else raw.split(dialect.delimiter)
            header = header or tuple(shown(name).strip() for name in names)
            slow = Collected(len(header), dialect)
            continue
        slow = slow or Collected(len(header or ()), dialect)
        slow.add(line, fields, reason, raw, column)
    if slow is None:
        return empty(header or ())
    return Table(header or (), slow.frame(), slow.flaws, lambda line: slow.raws.get(line, ""))


def _records(
    text: str, record_at: RecordAt, first_line: int
) -> Iterator[tuple[int, list[str] | None, str | None, str]]:
    at, line = 0, first_line
    while at < len(text):
        fields, reason, stop, after = record_at(text, at)
        raw = text[at:stop]
        yield line, fields, reason, raw
        line += 1 + len(_LINE_END.findall(raw))
        at = after
