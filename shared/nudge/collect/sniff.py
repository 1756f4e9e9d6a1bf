"""How a file is written. Key and first bytes come in; format, compression, dialect and header go out.

Delimiter and quote are those under which the rows are as wide as the header. Knows no store; what it cannot read here
(the inside of zstd, which Python 3.13 has not; Parquet, whose schema stands at its end) it leaves to whoever can: they
call `sniff` again with the first unpacked bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from nudge.collect import formats
from nudge.collect.encodings import encoding_of, text_of
from nudge.collect.formats import Compression, Format
from nudge.collect.records import Record, records
from nudge.errors import BadInput
from nudge.vocabulary import Dialect

DELIMITERS: Final = (",", ";", "\t", "|")
MOST_COLUMNS: Final = 2_000
_SAMPLE: Final = 200


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What was found. `header` is None where there is none (JSON) or it cannot be seen yet (zstd, Parquet)."""

    format: Format
    compression: Compression = "none"
    dialect: Dialect = Dialect()
    header: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    """Names of columns as far as seen: the header, or those of the first JSON object."""


def sniff(key: str, window: bytes, *, whole: bool) -> Sniffed:
    """Find out how a file is written from its first bytes; `whole` says that there are no more.

    Raises
    ------
    BadInput
        `unsupported_format`, `bad_gzip`, `no_header` (nothing but blanks), `duplicate_header` (a name twice),
        `bad_header` (an unclosed quote in it), `header_too_long`, `too_many_columns`.
    """
    compression = formats.compression_of(window)
    if compression == "zstd":
        return Sniffed(formats.format_of_name(key) or "csv", "zstd")
    if compression == "gzip":
        window, whole = formats.gunzip_window(window)
        formats.compression_of(window)
    if window.startswith(b"PAR1"):
        if compression != "none":
            raise BadInput("Parquet inside gzip is not read; send the Parquet file itself", reason="unsupported_format")
        return Sniffed("parquet")
    encoding = encoding_of(window)
    text = text_of(window, encoding)
    if (json_form := _json_form(key, text)) is not None:
        return Sniffed(json_form, compression, Dialect(encoding=encoding), names=_first_names(text))
    dialect = dialect_of(text, encoding, whole=whole)
    header = header_of(text, dialect, whole=whole)
    return Sniffed("csv", compression, dialect, header, header)


def _json_form(key: str, text: str) -> Format | None:
    """`jsonl` when lines are objects, `json` for one value over lines or an array, None when it is no JSON."""
    start = text.lstrip()
    if start.startswith("["):
        return "json" if start[1:].lstrip()[:1] in ("{", "]") else None
    if not start.startswith("{"):
        return "jsonl" if not start and formats.format_of_name(key) in ("json", "jsonl") else None
    try:
        _, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        lines = [line for line in islice(start.splitlines(), 20) if line.startswith("{")]
        is_lines = formats.format_of_name(key) == "jsonl" or any(_is_object(line) for line in lines)
        return "jsonl" if is_lines or len(start.splitlines()) == 1 else "json"
    return "json" if "\n" in start[:end] else "jsonl"


def _first_names(text: str) -> tuple[str, ...]:
    """Names of the first JSON object that can be read, in an array too; none when the window cuts it."""
    opening = text.find("{")
    try:
        first, _ = json.JSONDecoder().raw_decode(text, opening) if opening >= 0 else ({}, 0)
    except (ValueError, RecursionError):
        return ()
    return tuple(map(str, first))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def dialect_of(text: str, encoding: str, *, whole: bool) -> Dialect:
    """The delimiter and quote under which most rows are as wide as the header; wider headers win a tie."""
    best = Dialect(encoding=encoding)
    best_score = (0.0, 0, False)
    for delimiter in _candidates(text):
        if delimiter == " " and best_score[0] > 0:
            break  # only where nothing else makes columns at all
        for quote in ('"', "'") if "'" in text else ('"',):
            dialect = Dialect(encoding, delimiter, quote)
            score = _score(_sample(text, dialect, whole=whole), dialect)
            if score > best_score:
                best, best_score = dialect, score
    return best


def _candidates(text: str) -> tuple[str, ...]:
    """Those that occur. A blank after the comma matters only where a quote comes after it: it opens a field's start."""
    found = [delimiter for delimiter in DELIMITERS if delimiter in text]
    return (*found, ", ", " ") if ', "' in text else (*found, " ")


def _sample(text: str, dialect: Dialect, *, whole: bool) -> list[Record]:
    """The first records with content, without a last one that the window may have cut."""
    found = [record for record in islice(records(text, dialect), _SAMPLE) if not record.blank]
    return found if whole or len(found) < 2 or found[-1].end else found[:-1]


def _score(sample: Sequence[Record], dialect: Dialect) -> tuple[float, int, bool]:
    width = len(_names(sample[0], dialect)) if sample else 0
    single = dialect.quote == "'"
    if width < 2 or (single and not _really_quotes(sample, dialect)):
        return 0.0, 0, False
    rows = sample[1:] or sample
    share = sum(1 for record in rows if record.fields and len(record.fields) == width) / len(rows)
    return share, width, single


def _really_quotes(sample: Sequence[Record], dialect: Dialect) -> bool:
    """Whether most records have a field wrapped in this quote and none in the usual one (an apostrophe is no quote)."""
    between = re.escape(dialect.delimiter)
    wrapped = re.compile(rf"(?:^|{between}){dialect.quote}[^\"]*?{dialect.quote}(?:{between}|$)", re.MULTILINE)
    usual = re.compile(rf'(?:^|{between})"', re.MULTILINE)
    rows = sample[1:] or sample
    found = sum(1 for record in rows if wrapped.search(record.raw))
    return found * 2 > len(rows) and not any(usual.search(record.raw) for record in sample)


def _names(record: Record, dialect: Dialect) -> list[str]:
    """The fields of a header; where a quote too many spoils it, what stands between the delimiters."""
    if record.fields is not None:
        return record.fields
    return [part.strip().strip(dialect.quote) for part in record.raw.split(dialect.delimiter)]


def header_of(text: str, dialect: Dialect, *, whole: bool) -> tuple[str, ...]:
    """The names in the first record that is not blank, trimmed. Raises as `sniff`.

    A column without a name (a spreadsheet's or pandas' index) is called by its position: `column_1`.
    """
    sample = _sample(text, dialect, whole=whole)
    if not sample:
        raise BadInput("there is no header: nothing but blanks", reason="no_header")
    first = sample[0]
    if not first.end and not whole:
        raise BadInput(f"the header does not end within {formats.WINDOW // 1024} KB", reason="header_too_long")
    given = [name.strip().removeprefix("\ufeff").strip() for name in _names(first, dialect)]
    if first.fields is None and not any(record.fields and len(record.fields) == len(given) for record in sample[1:]):
        raise BadInput("the header has an unclosed quote", reason="bad_header", where=f"line {first.line}")
    if not any(given):
        raise BadInput("the header names no column", reason="no_header")
    if len(given) > MOST_COLUMNS:
        raise BadInput(f"{len(given)} columns; at most {MOST_COLUMNS} are read", reason="too_many_columns")
    names = tuple(name or f"column_{position}" for position, name in enumerate(given, 1))
    for position, name in enumerate(names, 1):
        if name in names[: position - 1]:
            raise BadInput("the header names a column twice", reason="duplicate_header", where=f"column {position}")
    return names
