"""What is computed about a person, as one table of rows. Three executors read it: fold (one event at a time), batch, cluster.

In: nothing. Out: `SPEC`, its `HASH`, and the slots that the rows take in a state. It knows neither events nor engines: a
formula is written once with `+ - * /` and comparisons, and is evaluated on floats, on columns and on its own trace.

State of a person (JSON, compact keys):

- `e`: {event type: [last, first, total, sum of values, decayed counts…, decayed values…]}; decayed sums are as of `last`;
- `h`: [anchor, {hour of week: weight}], `c`: [anchor, {category: weight}]; sums are as of the anchor, which is the
  latest time rounded down to a whole half-life (so moving it is an exact power of two);
- `r`: {item: time of the latest event}, the newest `RecentItems.keep`;
- `i`: {event type: {item: time of the latest event}}, the newest `ItemsByType.keep` of each of the newest types;
- `stale`, `cut`: true when an event could not be decided upon, or an entry was dropped to bound the size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from nudge.vocabulary import CHANNELS, FINAL_STATES

OURS = tuple(
    sorted(
        f"{channel}_{what}"
        for channel in CHANNELS
        for what in ("bounce", "complaint", "delivery", "no_receipt", "shown", *FINAL_STATES)
    )
)
"""Event types that tell what we did, not when the person is active: they stay out of the hour-of-week histogram."""


@dataclass(frozen=True, slots=True)
class Decayed:
    """Σ weight · 2^(−age / half-life) over the events of a type; `weigh` is None (count) or `value`."""

    name: str
    half_life_days: int
    weigh: str | None = None


@dataclass(frozen=True, slots=True)
class Recency:
    """Days since the latest event of a type."""

    name: str


@dataclass(frozen=True, slots=True)
class First:
    """Days since the first event of a type."""

    name: str


@dataclass(frozen=True, slots=True)
class Total:
    """Number of events of a type, ever."""

    name: str


@dataclass(frozen=True, slots=True)
class Worth:
    """Σ value over the events of a type, ever."""

    name: str


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """168 decayed counts by hour of the week, UTC, Monday first. The vector shows shares by part of the day, the share of
    the weekend, and the peak hour: the earliest hour of the day whose weight is the largest to nine digits."""

    name: str
    half_life_days: int
    leave_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CategoryAffinity:
    """Share of each category among the decayed counts of events that name one."""

    name: str
    half_life_days: int


@dataclass(frozen=True, slots=True)
class RecentItems:
    """The latest distinct items by (time, item): an exact semilattice. The vector shows how many are held."""

    name: str
    keep: int


@dataclass(frozen=True, slots=True)
class ItemsByType:
    """The latest distinct items of each event type by (time, item), for the `types` types that named an item last. What is recommended is
    made of them: what was met, how (viewed, bought …), when. The vector does not show it."""

    name: str
    keep: int
    types: int
    leave_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A number made of other names. With `{type}` in its name it stands for each event type; names that a person lacks are 0."""

    name: str
    of: Callable[[Any], Any]


type Row = (
    Decayed | Recency | First | Total | Worth | HourOfWeek | CategoryAffinity | RecentItems | ItemsByType | Formula
)

SPEC: tuple[Row, ...] = (
    *(Decayed(f"count.{{type}}.{days}d", days) for days in (1, 7, 30, 90)),
    *(Decayed(f"value.{{type}}.{days}d", days, "value") for days in (7, 30, 90)),
    Recency("days_since.{type}"),
    First("days_since_first.{type}"),
    Total("total.{type}"),
    Worth("value.{type}.total"),
    Formula("trend.{type}", lambda x: x["count.{type}.7d"] / (x["count.{type}.30d"] + 0.1)),
    Formula("value_per.{type}", lambda x: x["value.{type}.90d"] / (x["count.{type}.90d"] + 0.000001)),
    HourOfWeek("hour_of_week", 90, OURS),
    CategoryAffinity("category.{category}.share", 30),
    RecentItems("items.recent", 20),
    ItemsByType("items.by_type", 50, 8, OURS),
    Formula("open_rate", lambda x: (x["count.email_open.90d"] + 0.2) / (x["count.email_sent.90d"] + 1)),
    Formula("click_rate", lambda x: (x["count.email_click.90d"] + 0.02) / (x["count.email_sent.90d"] + 1)),
    Formula("purchase_rate", lambda x: (x["count.purchase.30d"] + 0.01) / (x["count.page_view.30d"] + 1)),
)

DAY_PARTS = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
"""Hours [from, until) of the day, UTC."""

LARGEST_VALUE = 1e15
"""An event's value is cut to ± this, so that no sum overflows; a value that is not finite counts as absent."""

KEEP_TYPES, KEEP_CATEGORIES = 300, 1_000
"""A state beyond these keeps the newest types and the heaviest categories, and says `cut`: a row has 400 kB."""


class _Trace:
    """Stands for a number while a formula is written down."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _with(self, sign: str, other: Any, *, swap: bool = False) -> _Trace:
        left, right = (other, self) if swap else (self, other)
        return _Trace(f"({_text(left)} {sign} {_text(right)})")

    def __bool__(self) -> bool:
        raise TypeError(f"a formula has no branches: {self.text}")

    def __add__(self, other: Any) -> _Trace:
        return self._with("+", other)

    def __radd__(self, other: Any) -> _Trace:
        return self._with("+", other, swap=True)

    def __sub__(self, other: Any) -> _Trace:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> _Trace:
        return self._with("-", other, swap=True)

    def __mul__(self, other: Any) -> _Trace:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> _Trace:
        return self._with("*", other, swap=True)

    def __truediv__(self, other: Any) -> _Trace:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> _Trace:
        return self._with("/", other, swap=True)

    def __lt__(self, other: Any) -> _Trace:
        return self._with("<", other)

    def __le__(self, other: Any) -> _Trace:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> _Trace:
        return self._with(">", other)

    def __ge__(self, other: Any) -> _Trace:
        return self._with(">=", other)


def _text(part: Any) -> str:
    return part.text if isinstance(part, _Trace) else repr(float(part))


class _Names:
    """Answers each name with its trace, and remembers which were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> _Trace:
        self.asked.append(name)
        return _Trace(f"[{name}]")


def written(formula: Formula) -> tuple[str, tuple[str, ...]]:
    """A formula as text, and the names it reads. Raises TypeError when it does more than `+ - * /` and comparisons.

    >>> written(Formula("rate", lambda x: x["a"] / (x["b"] + 1)))
    ('([a] / ([b] + 1.0))', ('a', 'b'))
    """
    names = _Names()
    return _text(formula.of(names)), tuple(names.asked)


def describe(row: Row) -> dict[str, Any]:
    """A row as plain data: what the hash is made of, and what a cluster's SQL is generated from."""
    data = {field.name: getattr(row, field.name) for field in fields(row)}
    if isinstance(row, Formula):
        data["of"] = written(row)[0]
    return {"family": type(row).__name__} | data


def fingerprint(spec: tuple[Row, ...]) -> str:
    """A stable hash of a table: equal exactly when every name means the same."""
    bounds = [DAY_PARTS, LARGEST_VALUE, KEEP_TYPES, KEEP_CATEGORIES]
    text = json.dumps([[describe(row) for row in spec], bounds], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


HASH = fingerprint(SPEC)
"""Artefacts carry it; a model made for another table is refused."""

DECAYED = tuple(row for row in SPEC if isinstance(row, Decayed))
HALF_LIVES = tuple(sorted({row.half_life_days for row in DECAYED}))
FORMULAS = tuple(row for row in SPEC if isinstance(row, Formula) and "{type}" not in row.name)
TYPE_FORMULAS = tuple(row for row in SPEC if isinstance(row, Formula) and "{type}" in row.name)
HOURS = next(row for row in SPEC if isinstance(row, HourOfWeek))
AFFINITY = next(row for row in SPEC if isinstance(row, CategoryAffinity))
RECENT = next(row for row in SPEC if isinstance(row, RecentItems))
ITEMS = next(row for row in SPEC if isinstance(row, ItemsByType))

LAST, FIRST, TOTAL, WORTH, SUMS = 0, 1, 2, 3, 4
"""Slots of a type's list: the decayed sums start at `SUMS`, in the order of `DECAYED`."""

HOUR_NAMES = tuple(f"{HOURS.name}.{part}" for part in (*DAY_PARTS, "weekend"))
PEAK_HOUR = f"{HOURS.name}.peak_hour"


def absent(name: str) -> float | None:
    """The value of a name that a person lacks: None for a time since something, 0 for a sum or a share."""
    return None if name.startswith(("days_since.", "days_since_first.")) or name == PEAK_HOUR else 0.0
