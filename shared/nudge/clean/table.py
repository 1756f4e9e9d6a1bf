"""Delimited text becomes a table of text cells. Bytes and a dialect come in; rows, rejects and line numbers go out.

Two roads with one result. Lines in which nothing is quoted, or in which every quoted field closes where a delimiter
or the line's end follows, are split by Polars, all at once. Every other line goes through the shared splitter (passed
in: `collect.records` has the rules), which also joins records that run over several lines. A test holds the roads equal.
Knows no column name's meaning and no type: an empty cell is null, everything else is text as it stood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from nudge.clean.text import MARKED, Text, decoded, shown
from nudge.vocabulary import Dialect

type RecordAt = Callable[[str, int], tuple[list[str] | None, str | None, int, int]]
"""The shared splitter: text and a position → (fields, reason, end of the record, start of the next)."""

WIDEST_PATTERN: Final = 200
_LINE_END: Final = re.compile(r"\r\n|\n|\r")


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

    `read` counts the records that are rows: `cells.height + len(flaws)`. `plain` tells that no cell can hold a control
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
    def read(self) -> int:
        return self.cells.height + len(self.flaws)


def read_table(
    body: bytes,
    dialect: Dialect,
    record_at: RecordAt,
    *,
    header: tuple[str, ...] | None = None,
    first_line: int = 1,
    first_byte: int = 0,
    has_header: bool = True,
) -> Table:
    """Read delimited bytes into text cells.

    Parameters
    ----------
    header
        The names, where they are known; None = they are the first record that is not blank.
    has_header
        Whether that record lies in these bytes (in the first chunk of a file), and is no row.
    """
    text = decoded(body, dialect.encoding, at_start=first_byte == 0)
    if text.marked is not None or not _is_vectorisable(text.utf8, dialect):
        return _slow_table(text, dialect, record_at, header, first_line, first_byte, has_header)
    lines = _Lines.of(text.utf8)
    skipped = 0
    if has_header:
        names, skipped = _header(lines, record_at)
        header = header or names
    if header is None:
        return Table((), _frame([], 0), [], lambda line: "")
    return _fast_table(lines, dialect, record_at, header, first_line, skipped)


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


def _is_vectorisable(utf8: bytes, dialect: Dialect) -> bool:
    single = len(dialect.delimiter) == 1 and dialect.delimiter.isascii() and len(dialect.quote) <= 1
    return single and utf8.count(b"\r") == utf8.count(b"\r\n")


# ── all lines at once ────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class _Lines:
    """The lines of UTF-8 bytes: `start[i]` to `stop[i]` without its end; `first[i]` where it begins in `text`."""

    utf8: bytes
    start: np.ndarray[Any, Any]
    stop: np.ndarray[Any, Any]
    _text: str | None = None
    _first: np.ndarray[Any, Any] | None = None

    @staticmethod
    def of(utf8: bytes) -> _Lines:
        array = np.frombuffer(utf8, np.uint8)
        ends = np.flatnonzero(array == 10)
        if len(array) and (not len(ends) or ends[-1] != len(array) - 1):
            ends = np.append(ends, len(array))
        starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
        stops = ends
        if b"\r" in utf8:
            before = array[np.maximum(ends - 1, 0)] == 13
            stops = np.where(before & (ends > starts), ends - 1, ends)
        return _Lines(utf8, starts.astype(np.int64), stops.astype(np.int64))

    def __len__(self) -> int:
        return len(self.start)

    def raw(self, number: int) -> str:
        return self.utf8[self.start[number] : self.stop[number]].decode()

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = self.utf8.decode()
        return self._text

    @property
    def first(self) -> np.ndarray[Any, Any]:
        """Where each line begins, in characters."""
        if self._first is None:
            if len(self.text) == len(self.utf8):
                self._first = self.start
            else:
                begins = (np.frombuffer(self.utf8, np.uint8) & 0xC0) != 0x80
                counts = np.add.reduceat(begins, self.start, dtype=np.int64)
                self._first = np.concatenate(([0], np.cumsum(counts)[:-1]))
        return self._first

    def record(self, number: int, record_at: RecordAt) -> tuple[list[str] | None, str | None, str, int]:
        """The record that begins on a line: fields, reason, raw text, number of the line after it."""
        begin = int(self.first[number])
        fields, reason, stop, after = record_at(self.text, begin)
        following = int(np.searchsorted(self.first, after, side="left"))
        return fields, reason, self.text[begin:stop], max(following, number + 1)


def _header(lines: _Lines, record_at: RecordAt) -> tuple[tuple[str, ...] | None, int]:
    """The first record that is not blank, and the number of the line after it."""
    written = np.flatnonzero(lines.stop > lines.start)
    if not len(written):
        return None, 0
    fields, _, raw, after = lines.record(int(written[0]), record_at)
    return tuple(name.strip() for name in (fields if fields is not None else [raw])), after


def _fast_table(
    lines: _Lines, dialect: Dialect, record_at: RecordAt, header: tuple[str, ...], first_line: int, skipped: int
) -> Table:
    width = len(header)
    is_row = lines.stop > lines.start
    is_row[:skipped] = False
    slow = _Collected(width, dialect)
    quoted = None
    quote = dialect.quote.encode()
    if quote and quote in lines.utf8:
        quoted, is_row = _walk_quotes(lines, dialect, record_at, is_row, slow, first_line, skipped)
    cells, is_good = _split(lines, dialect, width, is_row, quoted)
    numbers = np.flatnonzero(is_row)
    for number in numbers[~is_good].tolist():
        raw = lines.raw(number)
        slow.add(number + first_line, raw.split(dialect.delimiter), None, raw)
    fast = cells.filter(pl.Series(is_good)) if not is_good.all() else cells
    fast = fast.with_columns(pl.Series("line", numbers[is_good] + first_line, dtype=pl.Int64))
    all_cells = pl.concat([fast, slow.frame()]) if slow.rows else fast
    return Table(
        header,
        all_cells,
        slow.flaws,
        lambda line: slow.raws.get(line) or lines.raw(line - first_line),
        plain=quoted is None and _has_no_control(lines.utf8, dialect),
        trimmed=quoted is None and _is_trimmed(lines.utf8, dialect),
    )


def _walk_quotes(
    lines: _Lines,
    dialect: Dialect,
    record_at: RecordAt,
    is_row: np.ndarray[Any, Any],
    slow: _Collected,
    first_line: int,
    skipped: int,
) -> tuple[pl.Series, np.ndarray[Any, Any]]:
    """Send every line that is not regular through the splitter; what it reads, line by line, is taken from the fast road."""
    written = pl.read_lines(lines.utf8).to_series()
    if len(written) != len(lines):
        raise AssertionError(f"{len(lines)} lines were read as {len(written)}")
    has_quote = written.str.contains(dialect.quote, literal=True)
    pattern = _regular(dialect, slow.width)
    regular = written.str.contains(pattern) if pattern else ~has_quote
    odd = np.flatnonzero((has_quote & ~regular).to_numpy() & is_row)
    is_fast, at = is_row.copy(), skipped
    for number in odd.tolist():
        if number < at:
            continue
        fields, reason, raw, at = lines.record(number, record_at)
        is_fast[number:at] = False
        slow.add(number + first_line, fields, reason, raw)
    return written, is_fast


def _regular(dialect: Dialect, width: int) -> str | None:
    """A pattern of a line with `width` fields that any reader of CSV splits alike; None when it would be too long."""
    if width > WIDEST_PATTERN:
        return None
    d, q = re.escape(dialect.delimiter), re.escape(dialect.quote)
    one = f"(?:[^{d}{q}\\r]*|{q}(?:[^{q}]|{q}{q})*{q})"
    return f"^{one}(?:{d}{one}){{{width - 1}}}$"


def _split(
    lines: _Lines, dialect: Dialect, width: int, is_row: np.ndarray[Any, Any], quoted: pl.Series | None
) -> tuple[pl.DataFrame, np.ndarray[Any, Any]]:
    """The cells of the lines `is_row`, and which of them have exactly `width` fields."""
    chosen = pl.Series(is_row)
    body = lines.utf8 if quoted is None else "\n".join(quoted.filter(chosen).to_list()).encode()
    schema = {str(number): pl.String for number in range(width + 1)}
    wide = dialect.delimiter.encode() * width + b"\n"  # the first line tells the reader how many columns there are
    cells = pl.read_csv(
        wide + body,
        has_header=False,
        separator=dialect.delimiter,
        quote_char=dialect.quote if quoted is not None else None,
        schema=schema,
        truncate_ragged_lines=True,
    )[1:]
    if quoted is None:
        cells = cells.filter(chosen) if not is_row.all() else cells
    length = (lines.stop - lines.start)[is_row]
    if cells.height != len(length):
        raise AssertionError(f"{len(length)} lines were read as {cells.height} rows")
    held = cells.select(pl.sum_horizontal(pl.col(name).str.len_bytes().fill_null(0) for name in list(schema)[:width]))
    is_good = held.to_series().to_numpy() + (width - 1) == length
    if quoted is not None:
        is_good |= quoted.filter(chosen).str.contains(dialect.quote, literal=True).to_numpy()
    return cells.drop(str(width)), is_good


def _has_no_control(utf8: bytes, dialect: Dialect) -> bool:
    array = np.frombuffer(utf8, np.uint8)
    allowed = utf8.count(b"\n") + utf8.count(b"\r") + (utf8.count(b"\t") if dialect.delimiter == "\t" else 0)
    return int(np.count_nonzero(array < 32)) == allowed and b"\x7f" not in utf8


def _is_trimmed(utf8: bytes, dialect: Dialect) -> bool:
    d = dialect.delimiter.encode()
    if d == b" ":
        return True
    ends = (b" " + d, d + b" ", b" \n", b"\n ", b" \r")
    return not any(end in utf8 for end in ends) and not utf8.startswith(b" ") and not utf8.endswith(b" ")


# ── record by record ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class _Collected:
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


def _slow_table(
    text: Text,
    dialect: Dialect,
    record_at: RecordAt,
    header: tuple[str, ...] | None,
    first_line: int,
    first_byte: int,
    has_header: bool,
) -> Table:
    whole = text.marked if text.marked is not None else text.utf8.decode()
    slow: _Collected | None = None
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
            slow = _Collected(len(header), dialect)
            continue
        slow = slow or _Collected(len(header or ()), dialect)
        slow.add(line, fields, reason, raw, column)
    if slow is None:
        return Table(header or (), _frame([], len(header or ())), [], lambda line: "")
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
