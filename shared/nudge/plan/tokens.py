"""The text of an audience, cut into words, values and signs. In: text. Out: tokens, each with where it begins; or where it cannot be read."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from nudge.errors import BadInput

SHOWN = 24
"""Characters that a message shows of the place it speaks of."""

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |`(?P<name>[^`]+)`
    |"(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>(?:[^'\\]|\\.)*)'
    |(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![\w.-])
    |(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?%?)(?![\w.%])
    |(?P<word>[^\W\d][\w-]*(?:\.[\w-]+)*)
    |(?P<sign>>=|<=|=>|=<|<>|==|!=|&&|\|\||[=<>≥≤≠!()\[\],])""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of the text: its kind, what it says, where it begins (from 0)."""

    kind: str
    text: str
    at: int


def cut(text: str) -> list[Token]:
    """Every token of a text, and the end. Raises BadInput with the column of what cannot be read."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            refuse(text, at, _unreadable(text[at]))
        kind = match.lastgroup or ""
        if kind != "blank":
            found.append(Token(kind, match[kind], at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


def _unreadable(letter: str) -> str:
    if letter in "\"'`":
        return f"this {letter} is never closed"
    return "put a text that begins with a digit in quotes" if letter.isdigit() else f"'{letter}' means nothing here"


def refuse(text: str, at: int, what: str) -> NoReturn:
    """Raise BadInput that names the column and shows the place."""
    near = " ".join(text[at : at + SHOWN].split())
    raise BadInput(what, reason="bad_audience", where=f"column {at + 1}" + (f" (here: {near})" if near else ""))
