"""Random histories of people, for the property tests of this room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isclose
from typing import Any

import polars as pl
from hypothesis import strategies as st

from nudge.vocabulary import DAY, Event, Micros

START: Micros = 1_700_000_000_000_000
END: Micros = START + 420 * DAY
TOLERANCE = 1e-9

values = st.one_of(
    st.none(),
    st.sampled_from([0.0, -3.5, 1e12, float("nan"), float("inf")]),
    st.floats(min_value=0, max_value=1e4, allow_subnormal=False),
)
times = st.one_of(
    st.integers(START, END - 1),
    st.sampled_from([START, START + 1, START + 400 * DAY, END - 1]),
)


@st.composite
def histories(draw: st.DrawFn, most: int = 40, users: Sequence[str] = ("ann", "bob", "Ωmega")) -> list[Event]:
    """Distinct events of a few people."""
    count = draw(st.integers(0, most))
    return [
        Event(
            event_id=f"e{number}",
            user_id=draw(st.sampled_from(users)),
            event_type=draw(st.sampled_from(["view", "purchase", "email_open", "email_sent", "a.b 7d"])),
            event_time=draw(times),
            item_id=draw(st.one_of(st.none(), st.integers(0, 30).map(str))),
            category=draw(st.sampled_from([None, "shoes", "hats", "Käse & Co."])),
            value=draw(values),
        )
        for number in range(count)
    ]


def frame(events: Iterable[Event]) -> pl.DataFrame:
    """Events as the lake holds them."""
    names = ("event_id", "user_id", "event_type", "event_time", "item_id", "category", "value")
    rows = [tuple(getattr(event, name) for name in names) for event in events]
    kinds = {name: pl.String for name in names} | {"event_time": pl.Int64, "value": pl.Float64}
    table = pl.DataFrame(rows, schema=kinds, orient="row")
    return table.with_columns(pl.col("event_time").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))


def of(events: Iterable[Event], user_id: str) -> list[Event]:
    return [event for event in events if event.user_id == user_id]


def difference(a: Any, b: Any, at: str = "", scale: float = 1.0) -> str | None:
    """Where two states or vectors differ by more than 1e-9 (relative; of sums, to the size of what was summed)."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return f"{at}: {sorted(a.keys() ^ b.keys())}"
        return next((d for key in a if (d := difference(a[key], b[key], f"{at}.{key}", scale))), None)
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{at}: {len(a)} ≠ {len(b)}"
        return next(
            (d for i, pair in enumerate(zip(a, b, strict=True)) if (d := difference(*pair, f"{at}[{i}]", scale))), None
        )
    if isinstance(a, float) and isinstance(b, float):
        same = isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE * scale * 1e-3)
        return None if same else f"{at}: {a!r} ≠ {b!r}"
    return None if a == b and type(a) is type(b) else f"{at}: {a!r} ≠ {b!r}"


def size(events: Iterable[Event]) -> float:
    """How large the summed values are: sums of both signs are compared relative to it."""
    finite = [abs(event.value) for event in events if event.value is not None and abs(event.value) < 1e300]
    return max([1.0, *finite])
