"""Rows of people who were erased. In: typed rows, and who was erased when. Out: which of them nobody may see again.

An event, outcome or decision dated at or before the erasure is one; so is a row of users whose own time (`updated_at`, else
`created_at`) is, or that has none. Who comes back later is a new person. A text of which nobody can tell the time, a rejected row, is
withheld wherever it names somebody erased. Ids are looked up once each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from nudge.vocabulary import Kind, Micros, Reject

REASON: Final = "erased"

type Gone = Callable[[str], Micros | None]
"""When somebody was erased; None of all others."""

_TIME: Final = {"events": "event_time", "outcomes": "event_time", "decisions": "decided_at"}
_CELLS: Final = (re.compile(r"[^,;\t|]+"), re.compile(r'"((?:[^"\\]|\\.)*)"'), re.compile(r"[^\s,;|\"'{}\[\]()<>:=]+"))
_EDGE: Final = " \t\r\n\"'"
_NUMBER_SIGNS: Final = re.compile(r"[\s().\-/]")


def mask(kind: Kind, typed: pl.DataFrame, gone: Gone | None, uploaded_at: Micros) -> pl.Series | None:
    """Which of the typed rows are of somebody erased; None where none is. `uploaded_at` is the time of rows of users that say none."""
    if gone is None or "user_id" not in typed.columns or kind == "items":
        return None
    when = {user_id: at for user_id in typed["user_id"].drop_nulls().unique() if (at := gone(user_id)) is not None}
    if not when:
        return None
    erased_at = typed["user_id"].replace_strict(list(when), list(when.values()), default=None, return_dtype=pl.Int64)
    own = _own_time(kind, typed, uploaded_at)
    return erased_at.is_not_null() & (own.is_null() | (own <= erased_at)).fill_null(False)


def _own_time(kind: Kind, typed: pl.DataFrame, uploaded_at: Micros) -> pl.Series:
    if kind != "users":
        return _moment(typed, _TIME[kind])
    said = _moment(typed, "effective_at")
    frame = pl.DataFrame({"said": said, "made": _moment(typed, "created_at")})
    return frame.select(pl.when(pl.col("said") != uploaded_at).then("said").otherwise("made")).to_series()


def _moment(typed: pl.DataFrame, name: str) -> pl.Series:
    if name in typed.columns:
        return typed[name].cast(pl.Int64)
    return pl.Series(name, [None], dtype=pl.Int64).new_from_index(0, typed.height)


def withheld(rejects: list[Reject], gone: Gone | None) -> list[Reject]:
    """The rejects, without the text of those that name somebody erased. Their place and reason stay, so counts do."""
    if gone is None:
        return rejects
    known: dict[str, bool] = {}

    def is_erased(word: str) -> bool:
        if word not in known:
            known[word] = gone(word) is not None
        return known[word]

    return [
        one._replace(raw="") if one.reason == REASON or any(map(is_erased, _words(one.raw))) else one for one in rejects
    ]


def _words(raw: str) -> Iterator[str]:
    """Whatever may be an id in a text that could not be read as a row, also as an address becomes one: see `kinds`."""
    for pattern in _CELLS:
        for cell in pattern.findall(raw):
            word = _unescaped(cell).strip(_EDGE)
            yield from (word, word.lower(), _NUMBER_SIGNS.sub("", word))


def _unescaped(cell: str) -> str:
    """The text that a part of JSON stands for."""
    if "\\" not in cell:
        return cell
    try:
        return str(json.loads(f'"{cell}"'))
    except ValueError:
        return cell
