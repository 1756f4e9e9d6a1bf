"""JSON text becomes objects, strictly. Bytes come in; (line, object) pairs and flaws go out.

One object a line, or one value (an object, an array of objects, Segment's `{"batch": […]}`) over all lines. What another
reader could understand differently is no row: names that stand twice, NaN, infinities, numbers that overflow, lone
surrogates, absurd depth. Numbers keep how they were written (`1e5` as an id stays `1e5`). Knows no column.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from nudge.clean.table import Flaw
from nudge.clean.text import MARKED, decoded, shown
from nudge.errors import BadInput
from nudge.vocabulary import Dialect

LONGEST_LINE: Final = 1 << 20
DEEPEST: Final = 32
LONGEST_NUMBER: Final = 400
_BLANK: Final = re.compile(r"[ \t\r\n,]*")


class Number(float):
    """A float that remembers its spelling."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        if not math.isfinite(number):
            raise BadInput("a number is too large", reason="bad_number")
        number.text = text
        return number

    text: str


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise BadInput("a number is too long", reason="bad_number")
    return int(text)


def _no_constant(name: str) -> float:
    raise BadInput(f"{name} is no JSON number", reason="bad_number")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise BadInput("a name stands twice in one object", reason="duplicate_key")
    return held


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_no_twins, parse_float=Number, parse_int=_integer, parse_constant=_no_constant
)


def strict(text: str) -> Any:
    """A JSON value. Raises BadInput with one of bad_json, bad_number, duplicate_key, too_deep, bad_unicode."""
    try:
        value = _DECODER.decode(text)
        if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
            raise BadInput("nested too deeply", reason="too_deep")
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except BadInput:
        raise
    except RecursionError:
        raise BadInput("nested too deeply", reason="too_deep") from None
    except UnicodeEncodeError:
        raise BadInput("half a character (a lone surrogate)", reason="bad_unicode") from None
    except ValueError:
        raise BadInput("not JSON", reason="bad_json") from None
    return value


def _depth(value: Any) -> int:
    level, here = 0, [value]
    while here:
        level += 1
        here = [
            inner
            for one in here
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return level


type Found = tuple[list[tuple[int, dict[str, Any]]], list[Flaw], dict[int, str]]
"""Objects with their lines, what is none, and the raw text by line."""


def read_lines(body: bytes, dialect: Dialect, *, first_line: int = 1, first_byte: int = 0) -> Found:
    """One object a line; empty lines are no rows."""
    text = decoded(body, dialect.encoding, at_start=first_byte == 0)
    whole = text.marked if text.marked is not None else text.utf8.decode()
    bad_at = iter(text.bad_at)
    found: list[tuple[int, dict[str, Any]]] = []
    flaws: list[Flaw] = []
    raws: dict[int, str] = {}
    for line, raw_line in enumerate(whole.split("\n"), first_line):
        raw = raw_line.strip(" \t\r")
        if not raw:
            continue
        if text.marked is not None and (marks := len(MARKED.findall(raw))):
            position, *_ = [next(bad_at) for _ in range(marks)]
            flaws.append(Flaw(line, "bad_encoding", shown(raw), f"byte {first_byte + position}"))
            continue
        _take(line, raw, found, flaws, raws)
    return found, flaws, raws


def _take(
    line: int,
    raw: str,
    found: list[tuple[int, dict[str, Any]]],
    flaws: list[Flaw],
    raws: dict[int, str],
) -> None:
    if len(raw) > LONGEST_LINE:
        flaws.append(Flaw(line, "line_too_long", raw))
        return
    try:
        value = strict(raw)
    except BadInput as wrong:
        flaws.append(Flaw(line, wrong.reason, raw))
        return
    if not isinstance(value, dict):
        flaws.append(Flaw(line, "not_an_object", raw))
        return
    found.append((line, value))
    raws[line] = raw


def read_whole(body: bytes, dialect: Dialect) -> Found:
    """One array of objects, one object, objects one after the other, or `{"batch": […]}`, over any number of lines.

    Rows are numbered as lines where each has its own; two that share a line are told apart by counting on.
    """
    text = decoded(body, dialect.encoding, at_start=True)
    if text.marked is not None:
        return [], [Flaw(1, "bad_encoding", shown(text.marked), f"byte {text.bad_at[0]}")], {}
    whole = text.utf8.decode()
    found: list[tuple[int, dict[str, Any]]] = []
    flaws: list[Flaw] = []
    raws: dict[int, str] = {}
    last = counted = 0
    line = 1
    for begin, stop in _values(whole):
        raw = whole[begin:stop]
        line += whole.count("\n", counted, begin)
        counted = begin
        last = max(last + 1, line)
        _take(last, raw, found, flaws, raws)
    return _unpacked(found, flaws, raws)


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Where each value stands: the elements of a top-level array, or what follows one another. The rest, if broken, is one."""
    scan = json.JSONDecoder(parse_int=lambda _: 0).raw_decode
    start = text.lstrip(" \t\r\n")
    at = len(text) - len(start)
    in_array = start.startswith("[")
    at += in_array
    while True:
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        if in_array and text.startswith("]", at):
            in_array, at = False, at + 1
            continue
        if at >= len(text):
            return
        try:
            _, stop = scan(text, at)
        except (ValueError, RecursionError):
            yield at, len(text)
            return
        yield at, stop
        at = stop


def _unpacked(found: list[tuple[int, dict[str, Any]]], flaws: list[Flaw], raws: dict[int, str]) -> Found:
    if len(found) != 1 or not isinstance(batch := found[0][1].get("batch"), list):
        return found, flaws, raws
    line = found[0][0]
    rows, raws = [], {}
    for number, one in enumerate(batch):
        raws[line + number] = json.dumps(one, ensure_ascii=False)
        if isinstance(one, dict):
            rows.append((line + number, one))
        else:
            flaws.append(Flaw(line + number, "not_an_object", raws[line + number]))
    return rows, flaws, raws
