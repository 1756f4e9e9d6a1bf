"""An audience as text: `orders_30d >= 2 and churn > 0.6 and country in [DE, AT]`. Text → tree → text; nothing is ever executed.

    expression = all ("or" all)*            all = one ("and" one)*            one = "not" one | "(" expression ")" | test
    test = name ("=" | "!=" | "<" | "<=" | ">" | ">=") value
         | name ["not"] "in" "[" value ("," value)* "]"
         | name "is" ["not"] "known"
         | "has" "consent" "(" channel ")" | "reachable" "(" channel ")"
    value = number | number"%" | date | "text" | 'text' | word | true | false

A name with blanks or signs stands in backticks. A word where a value is expected is a text, so that `IN` can be a country.
It knows no plan and no profile: a function tells the whole name of each name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from math import isfinite
from typing import Any, NoReturn

from nudge.errors import BadInput
from nudge.plan.tokens import Token, cut, refuse
from nudge.vocabulary import CHANNELS, Asked, Combined, Expression

LONGEST, DEEPEST = 4_000, 32
"""Characters of a text; parentheses and `not` within each other."""

type Value = float | str | bool | date

_WORD = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+)*")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SAME = {"==": "=", "≥": ">=", "≤": "<=", "≠": "!="}
_COMPARISONS = ("=", "!=", "<=", ">=", "<", ">")
_RESERVED = frozenset({"and", "or", "not", "in", "is", "has", "reachable"})
_ADVICE = {
    "=>": "write >=",
    "=<": "write <=",
    "<>": "write !=",
    "&&": "write and",
    "||": "write or",
    "!": "write not",
    "between": "write: x >= 1 and x <= 3",
    "contains": "a text can be compared as a whole only, by =, != and in",
    "like": "a text can be compared as a whole only, by =, != and in",
}


def parse(text: str, whole: Callable[[str], str]) -> Expression:
    """Read an audience. `whole` gives the whole name of a name, or raises ValueError with a hint.

    Raises
    ------
    BadInput
        With the column and what was expected there.
    """
    if len(text) > LONGEST:
        raise BadInput(f"has {len(text)} characters; at most {LONGEST} are read", reason="bad_audience")
    return _Reader(text, whole).everything()


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, whole: Callable[[str], str]) -> None:
        self.text = text
        self.whole = whole
        self.tokens = cut(text)
        self.next = 0

    # ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────
    def _refuse(self, at: int, what: str) -> NoReturn:
        refuse(self.text, at, what)

    def _wrong(self, expected: str) -> NoReturn:
        here = self.tokens[self.next]
        if here.kind == "end":
            self._refuse(here.at, f"the text ends where {expected} is expected")
        advice = _ADVICE.get(here.text.lower())
        self._refuse(here.at, f"{expected} is expected" + (f"; {advice}" if advice else ""))

    def _is(self, *words: str) -> bool:
        """Whether the next token is one of these words or signs. Words may be in capitals."""
        here = self.tokens[self.next]
        return here.kind in ("word", "sign") and (here.text.lower() if here.kind == "word" else here.text) in words

    def _took(self, *words: str) -> bool:
        taken = self._is(*words)
        self.next += taken
        return taken

    def _need(self, word: str, expected: str) -> None:
        if not self._took(word):
            self._wrong(expected)

    # ── grammar ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def everything(self) -> Expression:
        tree = self._any(0)
        if self.tokens[self.next].kind != "end":
            self._wrong("'and', 'or' or the end")
        return tree

    def _any(self, depth: int) -> Expression:
        parts = [self._all(depth)]
        while self._took("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Combined("or", tuple(parts))

    def _all(self, depth: int) -> Expression:
        parts = [self._one(depth)]
        while self._took("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Combined("and", tuple(parts))

    def _one(self, depth: int) -> Expression:
        if depth > DEEPEST:
            self._refuse(self.tokens[self.next].at, f"more than {DEEPEST} parentheses within each other")
        if self._took("not"):
            return Combined("not", (self._one(depth + 1),))
        if self._took("("):
            inner = self._any(depth + 1)
            self._need(")", "a closing ')'")
            return inner
        return self._test()

    def _test(self) -> Expression:
        if self._is("has", "reachable"):
            return self._flag()
        name = self._name()
        if self._took("is"):
            negated = self._took("not")
            self._need("known", "'known'")
            return _negated(Asked("known", name), negated)
        if self._is("in", "not"):
            negated = self._took("not")
            self._need("in", "'in'")
            return _negated(Asked("in", name, self._list()), negated)
        return self._comparison(name)

    def _flag(self) -> Asked:
        """`has consent(channel)` or `reachable(channel)`."""
        kind = "consent" if self._took("has") else "reachable"
        self._need(kind, f"'{kind}'")
        self._need("(", "'(' and a channel")
        here = self.tokens[self.next]
        known = [name for name, form in CHANNELS.items() if form.address is not None]
        if here.text not in known:
            self._wrong(f"a channel ({', '.join(known)})")
        self.next += 1
        self._need(")", "a closing ')'")
        return Asked("has", f"{kind}.{here.text}")

    def _name(self) -> str:
        here = self.tokens[self.next]
        reserved = here.kind == "word" and here.text.lower() in _RESERVED
        if here.kind not in ("word", "name") or reserved:
            self._wrong("a name")
        self.next += 1
        try:
            return self.whole(here.text)
        except ValueError as hint:
            self._refuse(here.at, str(hint))

    def _comparison(self, name: str) -> Asked:
        here = self.tokens[self.next]
        sign: Any = _SAME.get(here.text, here.text)
        if here.kind != "sign" or sign not in _COMPARISONS:
            self._wrong("a comparison (=, !=, <, <=, >, >=, in, is known)")
        self.next += 1
        at = self.tokens[self.next].at
        value = self._value()
        if sign not in ("=", "!=") and isinstance(value, bool | str):
            self._refuse(at, f"only numbers and dates can be compared by {sign}")
        return Asked(sign, name, value)

    def _list(self) -> tuple[Value, ...]:
        self._need("[", "a list such as [DE, AT]")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need("]", "',' or a closing ']'")
        return tuple(values)

    def _value(self) -> Value:
        here = self.tokens[self.next]
        if here.kind not in ("number", "date", "double", "single", "word"):
            self._wrong("a value")
        self.next += 1
        if here.kind == "word":
            return here.text == "true" if here.text in ("true", "false") else here.text
        if here.kind == "number":
            return self._number(here)
        if here.kind == "date":
            try:
                return date.fromisoformat(here.text)
            except ValueError:
                self._refuse(here.at, "there is no such day")
        return re.sub(r"\\(.)", r"\1", here.text, flags=re.DOTALL)

    def _number(self, here: Token) -> float:
        number = float(here.text.rstrip("%")) / (100 if here.text.endswith("%") else 1)
        if not isfinite(number):
            self._refuse(here.at, "this number is too large")
        return number


def _negated(test: Asked, negated: bool) -> Expression:
    return Combined("not", (test,)) if negated else test


def ordered(text: str) -> float | date:
    """A text that a list of conditions gives as a bound. Raises ValueError when it is neither a number nor a date."""
    if _NUMBER.fullmatch(text.strip()):
        return float(text)
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise ValueError("a bound must be a number or a date") from None


# ── tree → text ──────────────────────────────────────────────────────────────────────────────────────────────────────
def written(tree: Expression) -> str:
    """The text of a tree, with whole names; `parse` gives the same tree of it."""
    if isinstance(tree, Asked):
        return _asked(tree)
    if tree.op == "not":
        inner = tree.parts[0]
        if isinstance(inner, Asked) and inner.op in ("in", "known"):
            return _asked(inner, negated=True)
        return f"not {_within(inner, ('and', 'or'))}"
    inside = ("and", "or") if tree.op == "and" else ("or",)
    return f" {tree.op} ".join(_within(part, inside) for part in tree.parts)


def _within(part: Expression, needs: tuple[str, ...]) -> str:
    text = written(part)
    return f"({text})" if isinstance(part, Combined) and part.op in needs else text


def _asked(test: Asked, *, negated: bool = False) -> str:
    if test.op == "has":
        kind, _, channel = test.name.partition(".")
        return f"has consent({channel})" if kind == "consent" else f"reachable({channel})"
    name = test.name if _WORD.fullmatch(test.name) else f"`{test.name}`"
    if test.op == "known":
        return f"{name} is {'not ' * negated}known"
    if test.op == "in":
        values = test.value if isinstance(test.value, tuple) else ()
        return f"{name} {'not ' * negated}in [{', '.join(map(_value, values))}]"
    return f"{name} {test.op} {_value(test.value)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
