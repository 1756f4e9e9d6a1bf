"""The one splitter of delimited text. Text comes in, physical records with their line numbers go out; nothing is lost.

`arrive` cuts large files with these rules and `prepare` reads them with the same, so a file cut anywhere into pieces
gives the same records as the whole. Knows no column, no type and no file. The rules:

- LF, CR and CRLF end a record; the last record needs no end. An empty line is a record of its own (`blank`): callers
  skip it, it is no row.
- A quote opens only as the very first character of a field. Inside, a doubled quote is one quote, and delimiters and
  line ends are text. After the closing quote only blanks may stand before the delimiter or the end of the record.
- A quote that stands anywhere else is an ordinary character (`5" pipe` needs no quotes).
- Text after a closing quote on the same line: that record is bad, `stray_quote`.
- A quote that does not close, must not eat the rest of the file. It does not close when the text ends, when the field
  goes over more than 1,000 line ends or, over line ends, to more than 1 MiB, or when what seems to close it, on a later
  line, is followed by text (it opens the next quoted field there). Then the record ends with the line on which the quote opened, it is bad,
  `unclosed_quote`, and reading goes on with the next line.
- A delimiter too many or too few is not known here (`prepare` compares with the header).

The header is a record like any other: the first that is not blank. It lies in the chunk with number 0 and in no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from nudge.vocabulary import Dialect

LONGEST_FIELD_BYTES: Final = 1 << 20
LONGEST_FIELD_LINES: Final = 1_000

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stood: `raw + end` of all records, joined, is the text. `fields` is None when `reason` says why."""

    line: int
    raw: str
    end: str
    fields: list[str] | None
    reason: str | None = None

    @property
    def blank(self) -> bool:
        """An empty line: no row."""
        return not self.raw


def records(text: str, dialect: Dialect, first_line: int = 1) -> Iterator[Record]:
    """Every record of a delimited text, in order, with the number of the line it starts on.

    `first_line` is the number of the first line of the text within its file (1-based). `dialect.quote` may be empty:
    then nothing quotes. Bad records come with `fields` None and a `reason`: `unclosed_quote` or `stray_quote`.

    >>> [record.fields for record in records('a,b\\n1,"x\\ny"\\n', Dialect())]
    [['a', 'b'], ['1', 'x\\ny']]
    """
    grammar = grammar_of(dialect)
    position, line, length = 0, first_line, len(text)
    while position < length:
        ending = _LINE_END.search(text, position)
        stop, after = ending.span() if ending else (length, length)
        raw = text[position:stop]
        if not grammar.quote or grammar.quote not in raw:
            yield Record(line, raw, text[stop:after], raw.split(grammar.delimiter) if raw else [])
            line += 1
        else:
            fields, reason, stop, after = grammar.record_at(text, position)
            raw = text[position:stop]
            yield Record(line, raw, text[stop:after], fields, reason)
            line += 1 + lines_in(raw)
        position = after


def lines_in(text: str, start: int = 0, end: int | None = None) -> int:
    """How many line ends a text, or text[start:end], has; CRLF is one."""
    stop = len(text) if end is None else end
    if text.find("\r", start, stop) < 0:
        return text.count("\n", start, stop)
    return text.count("\n", start, stop) + text.count("\r", start, stop) - text.count("\r\n", start, stop)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The rules for one dialect. `encoding` measures a field as the file does, so that pieces and whole agree."""

    delimiter: str
    quote: str
    encoding: str
    after_quote: re.Pattern[str]
    plain_end: re.Pattern[str]

    def record_at(self, text: str, start: int) -> tuple[list[str] | None, str | None, int, int]:
        """Read the record that starts at `start`: (fields, reason, end of the record, start of the next)."""
        fields: list[str] = []
        at = start
        while True:
            if text.startswith(self.quote, at):
                close = self._closing(text, at)
                tail = self.after_quote.match(text, close + 1) if close >= 0 else None
                if tail is None:
                    unclosed = close < 0 or lines_in(text[at:close]) > 0
                    stop, after = _line_end(text, at if unclosed else close)
                    return None, "unclosed_quote" if unclosed else "stray_quote", stop, after
                fields.append(text[at + 1 : close].replace(self.quote * 2, self.quote))
                mark, at = tail.start(1), tail.end()
            else:
                end = self.plain_end.search(text, at)
                mark, after = end.span() if end else (len(text), len(text))
                fields.append(text[at:mark])
                at = after
            if not text.startswith(self.delimiter, mark):
                return fields, None, mark, at

    def _closing(self, text: str, opening: int) -> int:
        """Where the quote opened at `opening` closes, or -1."""
        limit = opening + 1 + LONGEST_FIELD_BYTES + 2
        at = self._find_close(text, opening, limit)
        if at < 0 and limit < len(text):
            at = self._find_close(text, opening, _line_end(text, opening)[0])
        return at if at >= 0 and self._fits(text[opening + 1 : at]) else -1

    def _find_close(self, text: str, opening: int, limit: int) -> int:
        at = text.find(self.quote, opening + 1, limit)
        while at >= 0 and text.startswith(self.quote, at + 1):
            at = text.find(self.quote, at + 2, limit)
        return at

    def _fits(self, field: str) -> bool:
        lines = lines_in(field)
        if lines and len(field) * 4 > LONGEST_FIELD_BYTES:
            return len(field.encode(self.encoding, "replace")) <= LONGEST_FIELD_BYTES and lines <= LONGEST_FIELD_LINES
        return lines <= LONGEST_FIELD_LINES


def _line_end(text: str, at: int) -> tuple[int, int]:
    ending = _LINE_END.search(text, at)
    return ending.span() if ending else (len(text), len(text))


@cache
def grammar_of(dialect: Dialect) -> Grammar:
    """The rules for a dialect, compiled once."""
    delimiter = re.escape(dialect.delimiter)
    blanks = "[ ]*" if dialect.delimiter == "\t" else "[ \t]*"
    single_byte = dialect.encoding in ("gb18030", "cp1252", "latin-1")
    return Grammar(
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        encoding=dialect.encoding if single_byte else "utf-8",
        after_quote=re.compile(rf"{blanks}({delimiter}|\r\n|\n|\r|\Z)"),
        plain_end=re.compile(rf"{delimiter}|\r\n|\n|\r"),
    )
