"""Audiences by chance, and people to ask them about: for the properties that reading, writing and evaluating keep."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

from hypothesis import strategies as st

from nudge import plan
from nudge.plan.audiences import Names
from nudge.vocabulary import Asked, Combined, Expression
from tests.unit.plan.plans import EXAMPLE

NAMES = Names(("purchase", "churn"), "purchase")
NUMBERS = ("count.purchase.30d", "days_since.purchase", "category.Home & Garden.share", "open_rate", "predicted.churn")
TEXTS = ("trait.country", "trait.weiß", "trait.first order", "context.page")
FLAGS = ("consent.email", "reachable.sms")

words = st.text(max_size=8) | st.sampled_from(
    ["DE", "true", "False", "and", "30", "007", "1e3", "2026-02-28", "2026-02-30", '"\\']
)
numbers = st.floats(-1e18, 1e18) | st.integers(-3, 3).map(float)
days = st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.sampled_from([date(2026, 2, 28), date(1970, 1, 1)])
values = numbers | words | days | st.booleans()


def questions(names: st.SearchStrategy[str]) -> st.SearchStrategy[Expression]:
    """One question about one of the names."""
    return st.one_of(
        st.builds(Asked, st.sampled_from(["=", "!="]), names, values),
        st.builds(Asked, st.sampled_from(["<", "<=", ">", ">="]), names, numbers | days),
        st.builds(Asked, st.just("in"), names, st.lists(values, min_size=1, max_size=3).map(tuple)),
        st.builds(Asked, st.just("known"), names, st.none()),
        st.builds(Asked, st.just("has"), st.sampled_from(FLAGS), st.none()),
    )


def trees(names: st.SearchStrategy[str]) -> st.SearchStrategy[Expression]:
    """Questions, combined in any way."""
    return st.recursive(
        questions(names),
        lambda inner: st.one_of(
            st.builds(Combined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Combined, st.just("not"), st.tuples(inner)),
        ),
        max_leaves=8,
    )


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types: 1.0 is not true."""
    return type(one) is type(other) and (
        len(one) == len(other) and all(map(same, one, other)) if isinstance(one, tuple) else bool(one == other)
    )


# ── plans with anything anywhere ─────────────────────────────────────────────────────────────────────────────────────
json_values = st.sampled_from([[], {}, "", "purchase", "10:00", "2h", 0, 1, -1, 0.5, "60%"]) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inside for place in _places(value, (*path, key)))]


GOOD = plan.parse(EXAMPLE)
PLACES = [place for place in _places(GOOD) if place]


def changed(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of the plan with something else in one place."""
    data = deepcopy(data)
    held = data
    for key in place[:-1]:
        held = held[key]
    held[place[-1]] = value
    return data
