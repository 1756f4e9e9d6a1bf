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
    record_at = record_at if dialect.quote else _unquoted(dialect)
    if text.marked is not None or not _is_vectorisable(text.utf8, dialect):
        return _slow_table(text, dialect, record_at, header, first_line, first_byte, has_header)
    lines = _Lines.of(text.utf8)
    skipped = 0
    if has_header:
        names, skipped = _header(lines, dialect, record_at)
        header = header or names
    if header is None:
        return Table((), _frame([], 0), [], lambda line: "")
    return _fast_table(lines, dialect, record_at, header, first_line, skipped)


def _unquoted(dialect: Dialect) -> RecordAt:
    """The splitter where nothing quotes: a record is a line."""

    def record_at(text: str, at: int) -> tuple[list[str], None, int, int]:
        ending = _LINE_END.search(text, at)
        stop, after = ending.span() if ending else (len(text), len(text))
        return text[at:stop].split(dialect.delimiter), None, stop, after

    return record_at


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
    return single and (b"\r" not in utf8 or utf8.count(b"\r") == utf8.count(b"\r\n"))


# ── all lines at once ────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class _Lines:
    """The lines of UTF-8 bytes: `start[i]` to `stop[i]` without its end; `first[i]` where it begins in `text`. `controls`
    is which control characters there are besides line ends."""

    utf8: bytes
    start: np.ndarray[Any, Any]
    stop: np.ndarray[Any, Any]
    controls: frozenset[int] = frozenset()
    _text: str | None = None
    _first: np.ndarray[Any, Any] | None = None

    @staticmethod
    def of(utf8: bytes) -> _Lines:
        array = np.frombuffer(utf8, np.uint8)
        low = np.flatnonzero(array < 32)
        which = array[low]
        ends = low[which == 10]
        others = frozenset(np.unique(which).tolist()) - {10, 13} if len(ends) < len(low) else frozenset()
        if len(array) and (not len(ends) or ends[-1] != len(array) - 1):
            ends = np.append(ends, len(array))
        starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
        stops = ends
        if b"\r" in utf8:
            before = array[np.maximum(ends - 1, 0)] == 13
            stops = np.where(before & (ends > starts), ends - 1, ends)
        controls = others | ({127} if b"\x7f" in utf8 else set())
        return _Lines(utf8, starts.astype(np.int64), stops.astype(np.int64), controls)

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


def _header(lines: _Lines, dialect: Dialect, record_at: RecordAt) -> tuple[tuple[str, ...] | None, int]:
    """The first record that is not blank, and the number of the line after it."""
    written = np.flatnonzero(lines.stop > lines.start)
    if not len(written):
        return None, 0
    fields: list[str] | None
    raw, after = lines.raw(int(written[0])), int(written[0]) + 1
    if dialect.quote and dialect.quote in raw:
        fields, _, raw, after = lines.record(int(written[0]), record_at)
    else:
        fields = raw.split(dialect.delimiter)
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
    numbers = np.flatnonzero(is_row) + first_line
    for number in (numbers[~is_good] - first_line).tolist():
        raw = lines.raw(number)
        slow.add(number + first_line, raw.split(dialect.delimiter), None, raw)
    fast = cells.with_columns(pl.Series("line", np.where(is_good, numbers, 0), dtype=pl.Int64))
    return Table(
        header,
        pl.concat([fast, slow.frame()]) if slow.rows else fast,
        slow.flaws,
        lambda line: slow.raws.get(line) or lines.raw(line - first_line),
        plain=quoted is None and lines.controls <= {ord(dialect.delimiter)},
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
    names = [str(number) for number in range(width)]
    wide = dialect.delimiter.encode() * width + b"\n"  # the first line tells the reader how many columns there are
    begin = int(np.argmax(is_row)) if is_row.any() else len(lines)
    if quoted is None:
        body = b"".join([wide, memoryview(lines.utf8)[lines.start[begin] if begin < len(lines) else len(lines.utf8) :]])
    else:
        body = wide + "\n".join(quoted.filter(pl.Series(is_row)).to_list()).encode()
    cells = pl.read_csv(
        body,
        has_header=False,
        separator=dialect.delimiter,
        quote_char=dialect.quote if quoted is not None else None,
        schema=dict.fromkeys([*names, str(width)], pl.String),
        truncate_ragged_lines=True,
    )[1:]
    del body
    if quoted is None and not is_row[begin:].all():
        cells = cells.filter(pl.Series(is_row[begin:]))
    length = (lines.stop - lines.start)[is_row]
    if cells.height != len(length):
        raise AssertionError(f"{len(length)} lines were read as {cells.height} rows")
    held = sum(cells[name].str.len_bytes().fill_null(0).to_numpy() for name in names) if names else 0
    is_good = held + (width - 1) == length
    if quoted is not None:
        cells = cells.select(
            pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in names
        )  # `""` is empty
        is_good |= quoted.filter(pl.Series(is_row)).str.contains(dialect.quote, literal=True).to_numpy()
    # Each column of one piece (rows are picked by place soon), one after the other: no moment has the table twice.
    return pl.DataFrame([cells.drop_in_place(name).rechunk() for name in names]), is_good


def _is_trimmed(utf8: bytes, dialect: Dialect) -> bool:
    """Whether no blank stands beside a delimiter or a line's end. One pass over the blanks only."""
    if dialect.delimiter == " " or b" " not in utf8:
        return True
    array = np.frombuffer(utf8, np.uint8)
    blanks = np.flatnonzero(array == 32)
    if blanks[0] == 0 or blanks[-1] == len(array) - 1:
        return False
    edge = np.zeros(256, bool)
    edge[[10, 13, ord(dialect.delimiter)]] = True
    return not (edge[array[blanks - 1]].any() or edge[array[blanks + 1]].any())


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
