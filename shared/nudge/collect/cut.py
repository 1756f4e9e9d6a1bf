"""Where a large plain file may be cut. Blocks of bytes come in, spans that begin and end with records go out.

The rules are those of `records`: every span gives the same records as the whole file does there. Where a span ends
depends on the file alone and not on how its bytes came in, so a repetition cuts at the same places. One pass, memory of
a block and a few MiB. Bytes are looked at as Latin-1: in the encodings of `encodings.CUTTABLE` a line end, a quote or a
delimiter is never part of another character (but for `|` in GB18030: `cuttable` says no).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from nudge.collect.encodings import CUTTABLE
from nudge.collect.formats import Format
from nudge.collect.records import LONGEST_FIELD_BYTES, LONGEST_FIELD_LINES, Grammar, grammar_of, lines_in
from nudge.errors import BadInput
from nudge.vocabulary import Dialect

LONGEST_RECORD: Final = 32 << 20
_UTF8_BOM: Final = "\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes [start, end) of a file; `line` is the number (1-based) of the line at `start`."""

    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class _Run:
    """text[start:end]: whole records. `simple`: every line end in it ends a record; otherwise only `end` does."""

    text: str
    base: int
    start: int
    end: int
    simple: bool


def cuttable(format_: Format, dialect: Dialect) -> bool:
    """Whether a plain file can be cut at bytes, or must be one task."""
    if format_ == "jsonl":
        return dialect.encoding in CUTTABLE
    lucky = dialect.encoding != "gb18030" or dialect.delimiter in (",", ";", "\t", " ", ", ")
    return format_ == "csv" and dialect.encoding in CUTTABLE and lucky


def cut(blocks: Iterable[bytes], format_: Format, dialect: Dialect, *, target: int) -> Iterator[Span]:
    """Spans of at least `target` bytes (but the last), each ending with the first record that reaches it.

    Raises
    ------
    BadInput
        `line_too_long` when a record has more than 32 MiB.
    """
    start = end = 0
    line = lines = 1
    for run in _json_lines(blocks) if format_ == "jsonl" else _delimited(blocks, dialect):
        at = run.start
        while run.base + run.end >= start + target:
            stop = _boundary(run, max(at, start + target - run.base)) if run.simple else run.end
            lines += _lines(run, at, stop, format_)
            yield Span(start, run.base + stop, line)
            start, line, at = run.base + stop, lines, stop
            if not run.simple:
                break
        lines += _lines(run, at, run.end, format_)
        end = run.base + run.end
    if end > start:
        yield Span(start, end, line)


def _boundary(run: _Run, at: int) -> int:
    """The first record boundary at or after a place in a simple run."""
    ending = _LINE_END.search(run.text, max(at - 1, run.start), run.end)
    return ending.end() if ending else run.end


def _lines(run: _Run, start: int, end: int, format_: Format) -> int:
    return run.text.count("\n", start, end) if format_ == "jsonl" else lines_in(run.text, start, end)


_LINE_END: Final = re.compile(r"\r\n|\n|\r")


def _json_lines(blocks: Iterable[bytes]) -> Iterator[_Run]:
    """Lines that end with LF: in JSON a line end within a text is written as \\n."""
    base, rest = 0, ""
    for block in blocks:
        text = rest + block.decode("latin-1")
        end = text.rfind("\n") + 1
        if end:
            yield _Run(text, base, 0, end, simple=True)
        base, rest = base + end, _kept(text, end)
    if rest:
        yield _Run(rest, base, 0, len(rest), simple=False)


def _kept(text: str, start: int) -> str:
    if len(text) - start > LONGEST_RECORD:
        raise BadInput(f"a record has more than {LONGEST_RECORD >> 20} MiB", reason="line_too_long")
    return text[start:]


def _delimited(blocks: Iterable[bytes], dialect: Dialect) -> Iterator[_Run]:
    grammar = grammar_of(Dialect("latin-1", dialect.delimiter, dialect.quote))
    base, rest, first = 0, "", True
    for block in blocks:
        text = rest + block.decode("latin-1")
        if first and len(text) < len(_UTF8_BOM):
            rest = text
            continue
        end = len(_UTF8_BOM) if first and text.startswith(_UTF8_BOM) else 0
        first = False
        for run in _runs(text, base, end, grammar, last=False):
            yield run
            end = run.end
        base, rest = base + end, _kept(text, end)
    if rest:
        yield from _runs(rest, base, 0, grammar, last=True)


def _runs(text: str, base: int, start: int, grammar: Grammar, *, last: bool) -> Iterator[_Run]:
    """Runs of whole records from `start` on; what may still change when more bytes come is left for the next time."""
    at, length = start, len(text)
    while at < length:
        end = _simple_end(text, at, grammar)
        if end > at:
            yield _Run(text, base, at, end, simple=True)
            at = end
            continue
        if (end := _lined_end(text, at, grammar)) > at:
            yield _Run(text, base, at, end, simple=False)
            at = end
            continue
        _, reason, _, after = grammar.record_at(text, at)
        unsure = after >= length or (reason is not None and after + LONGEST_FIELD_BYTES + 4 > length)
        if unsure and not last:
            return
        yield _Run(text, base, at, after, simple=False)
        at = after


def _simple_end(text: str, start: int, grammar: Grammar) -> int:
    """The end of the longest run of records from `start` that each stand on one line and are well quoted.

    A CR that stands last is not taken: it may be half of a CRLF.
    """
    limit = len(text) - text.endswith("\r")
    if not grammar.quote or text.find(grammar.quote, start) < 0:
        return max(start, text.rfind("\n", start, limit) + 1, text.rfind("\r", start, limit) + 1)
    found = _simple_records(grammar.delimiter, grammar.quote).match(text, start, limit)
    return found.end() if found else start


def _lined_end(text: str, start: int, grammar: Grammar) -> int:
    """The end of one well quoted record with line ends in it, or `start`: a quick way round `Grammar.record_at`."""
    limit = min(len(text) - text.endswith("\r"), start + LONGEST_FIELD_BYTES)
    found = _lined_record(grammar.delimiter, grammar.quote).match(text, start, limit) if grammar.quote else None
    if found is None or lines_in(text, start, found.end()) > LONGEST_FIELD_LINES or text[found.end() - 1] == "\r":
        return start
    return found.end()


@cache
def _simple_records(delimiter: str, quote: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{_record(delimiter, quote, inside=rf'[^{re.escape(quote)}\r\n]++')})*+")


@cache
def _lined_record(delimiter: str, quote: str) -> re.Pattern[str]:
    return re.compile(_record(delimiter, quote, inside=rf"[^{re.escape(quote)}]++"))


def _record(delimiter: str, quote: str, *, inside: str) -> str:
    """The pattern of a record whose quoted fields hold `inside`, and doubled quotes."""
    mark, q = re.escape(delimiter), re.escape(quote)
    blanks = "[ ]*+" if delimiter == "\t" else "[ \t]*+"
    if len(delimiter) == 1:
        plain = rf"(?:[^{mark}{q}\r\n][^{mark}\r\n]*+)?+"
    else:
        plain = rf"(?!{q})(?:(?!{mark})[^\r\n])*+"
    quoted = rf"{q}(?:{inside}|{q}{q})*+{q}{blanks}(?={mark}|[\r\n])"
    field = rf"(?:{quoted}|{plain})"
    return rf"{field}(?:{mark}{field})*+(?:\r\n|\n|\r)"
