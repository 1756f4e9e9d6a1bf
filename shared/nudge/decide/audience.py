"""Whether a person belongs to an audience. In: its tree, and what is known of the person by whole names. Out: true, false, unknown.

Three values (S. C. Kleene, Introduction to Metamathematics, 1952, §64): what is not known is neither equal to anything nor
different from it, so a test of it is unknown, and so is `not` of that; `x is known` and flags are never unknown. A person belongs
only where the whole is true. It knows no profile and no store; `measure.members` says the same of a whole frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import isnan
from typing import Any, Protocol

from nudge.vocabulary import DAY_TEXT, FIRST_MICROS, LAST_MICROS, NUMBER_TEXT, Asked, Combined, Expression

_number, _day_text = re.compile(NUMBER_TEXT), re.compile(DAY_TEXT)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Facts(Protocol):
    """What is known of one person, by whole names: a dict, or something that looks things up."""

    def get(self, name: str, /) -> Any: ...


def belongs(audience: Expression | None, facts: Facts) -> bool:
    """Whether a person belongs; to no audience at all everybody does."""
    return audience is None or truth(audience, facts) is True


def truth(audience: Expression, facts: Facts) -> bool | None:
    """True, false, or None where what is known does not say."""
    if isinstance(audience, Asked):
        return _answer(audience, facts.get(audience.name))
    if audience.op == "not":
        inner = truth(audience.parts[0], facts)
        return None if inner is None else not inner
    decides = audience.op == "or"  # one true part makes `or` true, one false part makes `and` false
    unknown = False
    for part in audience.parts:
        said = truth(part, facts)
        if said is decides:
            return decides
        unknown = unknown or said is None
    return None if unknown else not decides


def questions(audience: Expression | None) -> Iterator[Asked]:
    """Every question of an audience, from left to right."""
    if isinstance(audience, Asked):
        yield audience
    elif isinstance(audience, Combined):
        for part in audience.parts:
            yield from questions(part)


def names(audience: Expression | None) -> frozenset[str]:
    """The whole names that an audience asks for."""
    return frozenset(one.name for one in questions(audience))


def _answer(asked: Asked, value: Any) -> bool | None:
    if isinstance(value, float) and isnan(value):
        value = None
    if asked.op == "known":
        return value is not None
    if asked.op == "has":
        return value is True
    if value is None:
        return None
    if asked.op == "in":
        return any(_equal(value, one) for one in asked.value) if isinstance(asked.value, tuple) else None
    if asked.op in ("=", "!="):
        return _equal(value, asked.value) is (asked.op == "=")
    return _ordered(asked, value)


def _equal(value: Any, literal: Any) -> bool:
    """Numbers are compared as numbers, wherever one side is one and the other looks like one; days as days; else texts."""
    if isinstance(literal, date):
        return day_of(value) == literal
    if isinstance(literal, bool):
        return _flag(value) is literal
    if isinstance(literal, float):
        return _as_number(value) == literal
    if isinstance(value, str):
        return value == str(literal)
    if isinstance(value, bool):
        return _flag(literal) is value
    number = _as_number(literal)
    return number is not None and _as_number(value) == number


def _ordered(asked: Asked, value: Any) -> bool | None:
    left: Any = day_of(value) if isinstance(asked.value, date) else _as_number(value)
    right: Any = asked.value
    if left is None or right is None:
        return None
    match asked.op:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def _as_number(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    return float(value) if isinstance(value, str) and _number.fullmatch(value) else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return {0.0: False, 1.0: True}.get(float(value))
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def day_of(value: Any) -> date | None:
    """A day of an ISO text, or of a time in microseconds (UTC)."""
    if isinstance(value, str) and _day_text.fullmatch(value):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not FIRST_MICROS <= value <= LAST_MICROS:
        return None
    return (_EPOCH + timedelta(microseconds=int(value // 1))).date()
