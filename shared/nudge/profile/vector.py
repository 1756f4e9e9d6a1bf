"""State → numbers at a moment. In: a state and `as_of`. Out: a flat vector of named numbers.

It holds only for an `as_of` after every event in the state: what is folded cannot be taken out again. So the online
functions ask for `features(profile, now)`, which reads at `max(now, last event + 1 µs)`, and training asks
`profile.batch` for any moment of the past. It does not know which names a model will pick.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import exp2, fsum, isfinite
from operator import itemgetter, mul
from typing import Any

from nudge.profile.spec import (
    AFFINITY,
    DAY_PARTS,
    DECAYED,
    FIRST,
    FORMULAS,
    HALF_LIVES,
    HOUR_NAMES,
    LAST,
    PEAK_HOUR,
    RECENT,
    SPEC,
    SUMS,
    TOTAL,
    TYPE_FORMULAS,
    WORTH,
    First,
    Recency,
    Total,
    Worth,
)
from nudge.vocabulary import DAY, Micros, Profile, Vector

_RATES = tuple(-1.0 / (days * DAY) for days in HALF_LIVES)
_SUMS = tuple(row.name for row in DECAYED)
_of_sums = itemgetter(*(HALF_LIVES.index(row.half_life_days) for row in DECAYED))
"""One factor a half-life → one factor a sum, in the order of `DECAYED`."""
_TYPE_FORMULAS = tuple(formula.of for formula in TYPE_FORMULAS)
_HOUR_OF_DAY = {str(hour): hour % 24 for hour in range(168)}
_WEEKEND = frozenset(str(hour) for hour in range(120, 168))
_OTHERS = tuple(next(row.name for row in SPEC if isinstance(row, family)) for family in (Recency, First, Total, Worth))

_PRIVATE_WORDS = """
email mail phone mobile telephone tel fax name firstname lastname fullname surname username nickname givenname familyname
address street zip zipcode postcode postal postalcode ip ipaddress birthday birthdate dob ssn passport iban card login
password token id uuid guid url
"""
PRIVATE = frozenset(_PRIVATE_WORDS.split())
"""A trait with one of these words in its name says who a person is, not what they are like: never a feature."""

LONGEST_CATEGORY = 64
"""A longer text is prose, not a category."""


def vector(state: Mapping[str, Any], as_of: Micros) -> dict[str, float | None]:
    """Every number of a state as of a moment (µs) after its last event. Names that are not there are `spec.absent(name)`.

    Raises
    ------
    ValueError
        When `as_of` is not after every event of the state: the answer would leak what had not happened yet.
    """
    if as_of <= last_time(state):
        raise ValueError(f"as_of {as_of} is not after the last event {last_time(state)} of the state")
    return _numbers(state, as_of)


def _numbers(state: Mapping[str, Any], as_of: Micros) -> dict[str, Any]:
    names: list[str] = []
    values: list[float] = []
    for kind, row in state.get("e", {}).items():
        names += _names(kind)
        values += _of_type(row, as_of)
    out: dict[str, Any] = dict(zip(names, values, strict=True))
    _of_hours(out, state)
    if state.get("c"):
        weights = state["c"][1]
        whole = sum(weights.values())
        for category, weight in weights.items():
            out[category_name(category)] = weight / whole if whole > 0 else 0.0
    if state.get("r"):
        out[RECENT.name] = float(len(state["r"]))
    known = _Known(out)
    for formula in FORMULAS:
        out[formula.name] = float(formula.of(known))
    return out


class _Known:
    """The names of a vector as a formula sees them."""

    __slots__ = ("of",)

    def __init__(self, of: dict[str, float | None]) -> None:
        self.of = of

    def __getitem__(self, name: str) -> float:
        return self.of.get(name) or 0.0


def last_time(state: Mapping[str, Any]) -> Micros:
    """Time of the latest event folded (µs); far in the past when there is none."""
    return max((row[LAST] for row in state.get("e", {}).values()), default=-(1 << 62))


def features(profile: Profile, as_of: Micros) -> Vector:
    """What a model sees of a person now: `vector` at `max(as_of, last event + 1 µs)`, and `trait.*`."""
    seen: Vector = _numbers(profile.state, max(as_of, last_time(profile.state) + 1))
    seen.update(trait_features(profile.traits, as_of))
    return seen


def trait_features(traits: Mapping[str, tuple[Any, Micros]], as_of: Micros) -> Vector:
    """`{name: (value, µs)}` → `{"trait.name": value}`: numbers as floats, booleans as 0/1, short texts as categories.

    `created_at` (µs) becomes `trait.account_days`. What tells who the person is (address, name, number, id; see `PRIVATE`)
    never becomes a feature, nor does prose.
    """
    seen: Vector = {}
    for name, (value, _) in traits.items():
        if isinstance(value, str):
            if 0 < len(value) <= LONGEST_CATEGORY and "@" not in value and (told := _trait_name(name)):
                seen[told] = value
        elif isinstance(value, bool):
            seen[f"trait.{name}"] = float(value)
        elif name == "created_at":
            if isinstance(value, int | float):
                seen["trait.account_days"] = (as_of - value) / DAY
        elif isinstance(value, int | float) and isfinite(value) and (told := _trait_name(name)):
            seen[told] = float(value)
    return seen


@lru_cache(maxsize=4096)
def _trait_name(name: str) -> str | None:
    """What a trait is called as a feature; None for one that says who a person is, and for the day they came."""
    return None if name == "created_at" or is_private(name) else f"trait.{name}"


@lru_cache(maxsize=4096)
def is_private(name: str) -> bool:
    """Whether a trait's name says that it identifies a person.

    >>> is_private("firstName"), is_private("home_phone"), is_private("plan")
    (True, True, False)
    """
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    joined = "".join(words).lower()
    return joined in PRIVATE or any(word.lower() in PRIVATE for word in words)


@lru_cache(maxsize=4096)
def category_name(category: str) -> str:
    """`category.shoes.share`."""
    return AFFINITY.name.replace("{category}", category)


@lru_cache(maxsize=4096)
def type_names(kind: str) -> tuple[tuple[str, ...], tuple[str, str, str, str], tuple[str, ...]]:
    """Names of an event type: decayed sums in the order of `DECAYED`; recency, first, total, sum of values; formulas."""
    sums = tuple(name.replace("{type}", kind) for name in _SUMS)
    recency, first, total, worth = (name.replace("{type}", kind) for name in _OTHERS)
    return (
        sums,
        (recency, first, total, worth),
        tuple(formula.name.replace("{type}", kind) for formula in TYPE_FORMULAS),
    )


@lru_cache(maxsize=4096)
def _names(kind: str) -> tuple[str, ...]:
    return tuple(name for some in type_names(kind) for name in some)


def _of_type(row: list[Any], as_of: Micros) -> list[float]:
    """The values of an event type, in the order of `_names`."""
    age = as_of - row[LAST]
    values = list(map(mul, row[SUMS:], _of_sums([exp2(age * rate) for rate in _RATES])))
    local = dict(zip(_SUMS, values, strict=True))
    values += (age / DAY, (as_of - row[FIRST]) / DAY, float(row[TOTAL]), row[WORTH])
    values += [float(of(local)) for of in _TYPE_FORMULAS]
    return values


def _of_hours(out: dict[str, float | None], state: Mapping[str, Any]) -> None:
    weights = state["h"][1] if state.get("h") else {}
    whole = sum(weights.values())
    if whole <= 0:
        return
    by_hour = [0.0] * 24
    for key, weight in weights.items():
        by_hour[_HOUR_OF_DAY[key]] += weight
    weekend = fsum([weight for key, weight in weights.items() if key in _WEEKEND])  # exact, whatever their order
    shares = [sum(by_hour[start:until]) / whole for start, until in DAY_PARTS.values()]
    out.update(zip(HOUR_NAMES, [*shares, weekend / whole], strict=True))
    largest = max(by_hour) * (1 - 1e-9)
    out[PEAK_HOUR] = float(next(hour for hour, weight in enumerate(by_hour) if weight >= largest))
