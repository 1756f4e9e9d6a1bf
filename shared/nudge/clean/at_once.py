"""The fast road: all lines of a delimited text at once. UTF-8 bytes come in, a `Table` goes out.

Lines in which nothing is quoted, or in which every quoted field closes where a delimiter or the line's end follows, are
split by Polars. Every other line goes through the shared splitter, which also joins records that run over several lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from nudge.clean.one_by_one import Collected
from nudge.clean.table import RecordAt, Table
from nudge.vocabulary import Dialect

WIDEST_PATTERN: Final = 200


def is_possible(utf8: bytes, dialect: Dialect) -> bool:
    """Whether this road can be taken: one ASCII delimiter, and no CR but before LF."""
    single = len(dialect.delimiter) == 1 and dialect.delimiter.isascii() and len(dialect.quote) <= 1
    return single and (b"\r" not in utf8 or utf8.count(b"\r") == utf8.count(b"\r\n"))


@dataclass(slots=True)
class Lines:
    """The lines of UTF-8 bytes: `start[i]` to `stop[i]` without its end; `first[i]` where it begins in `text`. `controls`
    is which control characters there are besides line ends."""

    utf8: bytes
    start: np.ndarray[Any, Any]
    stop: np.ndarray[Any, Any]
    controls: frozenset[int] = frozenset()
    _text: str | None = None
    _first: np.ndarray[Any, Any] | None = None

    @staticmethod
    def of(utf8: bytes) -> Lines:
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
        return Lines(utf8, starts.astype(np.int64), stops.astype(np.int64), controls)

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


def header_of(lines: Lines, dialect: Dialect, record_at: RecordAt) -> tuple[tuple[str, ...] | None, int]:
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


def fast_table(
    lines: Lines, dialect: Dialect, record_at: RecordAt, header: tuple[str, ...], first_line: int, skipped: int
) -> Table:
    width = len(header)
    is_row = lines.stop > lines.start
    is_row[:skipped] = False
    slow = Collected(width, dialect)
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
    lines: Lines,
    dialect: Dialect,
    record_at: RecordAt,
    is_row: np.ndarray[Any, Any],
    slow: Collected,
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
    lines: Lines, dialect: Dialect, width: int, is_row: np.ndarray[Any, Any], quoted: pl.Series | None
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
