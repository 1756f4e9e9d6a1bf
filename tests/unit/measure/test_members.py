"""An audience asked of a frame, and of each row alone: the same people."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.decide.audience import belongs, names, truth
from nudge.measure.members import members
from nudge.plan.expression import parse
from nudge.vocabulary import Asked, Expression
from tests.unit.plan.trees import FLAGS, NAMES, trees, words

SCHEMA: dict[str, Any] = {
    "trait.country": pl.String,
    "trait.vip": pl.Boolean,
    "trait.age": pl.Int64,
    "count.purchase.30d": pl.Float64,
    "consent.email": pl.Boolean,
}
MICROS = 1_795_000_000_000_000
texts = words | st.sampled_from(
    [
        "DE",
        "TRUE",
        "+5",
        "5.",
        ".5",
        "1e999",
        "1_0",
        "2026-02-28",
        "2026-02-28T23:59",
        "2026-02-30",
        "0000-01-01",
        "2026-02-28\n",
    ]
)
whole = st.integers(-3, 40) | st.sampled_from([MICROS, -MICROS, 2**62]) | st.integers(-(2**62), 2**62)
real = st.floats() | st.sampled_from([0.0, 1.0, 30.0, MICROS + 0.5, float("nan")])
ROW = st.fixed_dictionaries(
    dict(zip(SCHEMA, (st.none() | one for one in (texts, st.booleans(), whole, real, st.booleans())), strict=True))
)


@settings(max_examples=400, deadline=None)
@given(trees(st.sampled_from([*SCHEMA, "predicted.churn"])), st.lists(ROW, max_size=6))
def test_a_frame_and_its_rows_say_the_same(tree: Expression, rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    assert members(tree, frame).to_list() == [belongs(tree, row) for row in frame.iter_rows(named=True)]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("country = DE", [True, False, False]),
        ("not country = DE", [False, True, False]),
        ("country != DE", [False, True, False]),
        ("country is not known", [False, False, True]),
        ("country = DE or age >= 30", [True, False, True]),
        ("country = DE and age >= 30", [False, False, False]),
        ("not (country = DE and age >= 30)", [True, True, False]),
        ("born < 1991-01-01", [True, False, False]),
        ("joined = 2026-11-18", [True, False, False]),
        ("has consent(email) and not reachable(email)", [True, False, False]),
    ],
)
def test_what_is_not_known_is_neither_so_nor_otherwise(text: str, people: list[bool]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "trait.country": "DE",
            "trait.age": 20,
            "trait.born": "1990-05-03T00:00:00Z",
            "trait.joined": MICROS,
            "consent.email": True,
        },
        {
            "trait.country": "FR",
            "trait.age": None,
            "trait.born": "1991-01-01",
            "trait.joined": 0,
            "consent.email": False,
        },
        {"trait.country": None, "trait.age": 40, "trait.born": "unknown", "trait.joined": None, "consent.email": None},
    ]
    tree = parse(text, NAMES.whole)
    assert [belongs(tree, row) for row in rows] == people
    assert members(tree, pl.DataFrame(rows)).to_list() == people


def test_three_values_are_kleenes() -> None:
    known = {True: "trait.a = 1", False: "trait.a = 2", None: "trait.b = 1"}
    facts = {"trait.a": 1}
    for left, one in known.items():
        assert truth(parse(f"not {one}", NAMES.whole), facts) is (None if left is None else not left)
        for right, other in known.items():
            both, either = (truth(parse(f"{one} {op} {other}", NAMES.whole), facts) for op in ("and", "or"))
            assert both is (False if False in (left, right) else None if None in (left, right) else True)
            assert either is (True if True in (left, right) else None if None in (left, right) else False)


def test_everybody_belongs_to_no_audience_and_its_names_are_told() -> None:
    assert members(None, pl.DataFrame({"a": [1, 2]})).to_list() == [True, True]
    assert belongs(None, {})
    tree = parse("country = DE and (churn > 0.5 or not has consent(email))", NAMES.whole)
    assert names(tree) == {"trait.country", "predicted.churn", "consent.email"}
    assert names(None) == frozenset()
    assert FLAGS[0] in names(tree)


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"trait\.born is Date"):
        members(Asked("known", "trait.born"), pl.DataFrame({"trait.born": [date(2026, 1, 1)]}))
