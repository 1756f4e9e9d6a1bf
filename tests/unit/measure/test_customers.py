"""Customers by grid, cohort, decile, channel and item: every person is in one cell, and every figure is a plain count."""

from __future__ import annotations

from copy import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge import plan
from nudge.measure import audience, customers, frames
from tests.unit.measure import reports, world
from tests.unit.measure.world import NOW, START, decision, outcome

ORDERS = {"user_id": pl.String(), "at": frames.MOMENT, "value": pl.Float64(), "item_id": pl.String()}
WEEK = timedelta(days=7)


def orders(*rows: tuple[str, datetime, float]) -> pl.DataFrame:
    return pl.DataFrame([(*row, None) for row in rows], schema=ORDERS, orient="row")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 200))
def test_every_customer_stands_in_one_cell_of_the_grid_and_all_money_with_them(seed: int, people: int) -> None:
    random = np.random.default_rng(seed)
    rows = [
        (f"u{n}", NOW - timedelta(days=float(random.exponential(40))), float(random.lognormal(3, 1)))
        for n in range(people)
        for _ in range(random.geometric(0.4))
    ]
    grid = customers.rfm(orders(*rows), NOW)
    assert grid["customers"] == people
    if people < customers.FEWEST:
        assert (grid["cells"], bool(grid["note"])) == ([], True)
        return
    for part in ("cells", "segments"):
        assert sum(one["people"] for one in grid[part]) == people
        assert sum(one["spent"] for one in grid[part]) == pytest.approx(sum(value for *_, value in rows))
    assert all(one["segment"] == customers.NAMES[one["r"]][one["f"] - 1] for one in grid["cells"])


def test_the_newest_most_frequent_and_best_are_champions_and_the_oldest_who_came_once_hibernate() -> None:
    rows = [(f"u{n:03d}", NOW - timedelta(days=100 - n), 10.0) for n in range(100) for _ in range(1 + n // 20)]
    cells = {(one["r"], one["f"]): one for one in customers.rfm(orders(*rows), NOW)["cells"]}
    assert set(cells) == {(n, n) for n in range(1, 6)}
    assert (cells[5, 5]["segment"], cells[1, 1]["segment"]) == ("champions", "hibernating")
    assert cells[5, 5]["orders_per_person"] == 5.0


def test_a_cohorts_retention_counts_who_bought_again_in_each_later_week_that_is_over() -> None:
    monday = datetime(2026, 3, 2, 12, tzinfo=START.tzinfo)
    now = monday + 3 * WEEK + timedelta(days=1)
    made = orders(
        ("a", monday, 1.0),
        ("a", monday + timedelta(days=1), 1.0),
        ("a", monday + 2 * WEEK, 1.0),
        ("b", monday, 1.0),
        ("b", monday + WEEK, 1.0),
        ("c", monday + WEEK, 1.0),
        ("d", monday + 3 * WEEK, 1.0),
    )
    told = customers.cohorts(made, now)
    assert told["every"] == "week"
    assert told["rows"] == [
        {"cohort": "2026-03-02", "people": 2, "kept": [{"people": 1, "share": 0.5}, {"people": 1, "share": 0.5}]},
        {"cohort": "2026-03-09", "people": 1, "kept": [{"people": 0, "share": 0.0}]},
    ]


def test_long_history_is_cut_into_months() -> None:
    made = orders(("a", NOW - timedelta(days=300), 1.0), ("a", NOW - timedelta(days=40), 2.0))
    told = customers.cohorts(made, NOW)
    assert told["every"] == "month"
    assert [one["people"] for one in told["rows"][0]["kept"]].count(1) == 1


@given(st.integers(50, 400))
def test_deciles_are_tenths_the_best_first_and_their_shares_are_all(people: int) -> None:
    expected = pl.DataFrame({"user_id": [f"u{n}" for n in range(people)], "spend": [float(n) for n in range(people)]})
    told = customers.deciles(orders(), expected)
    assert told["by"] == "predicted"
    assert [one["decile"] for one in told["rows"]] == list(range(1, 11))
    assert max(one["people"] for one in told["rows"]) - min(one["people"] for one in told["rows"]) <= 1
    means = [one["per_person"] for one in told["rows"]]
    assert means == sorted(means, reverse=True)
    assert sum(one["share"] for one in told["rows"]) == pytest.approx(1.0, abs=1e-4)


def test_without_a_value_model_deciles_are_of_past_spend() -> None:
    made = orders(*((f"u{n}", NOW - WEEK, 1.0 + n) for n in range(60)))
    assert customers.deciles(made, pl.DataFrame({"user_id": [], "spend": []}))["by"] == "past"


def test_whole_weeks_are_counted_and_the_one_under_way_is_not() -> None:
    monday = datetime(2026, 3, 30, 0, tzinfo=START.tzinfo)
    made = orders(("a", monday - timedelta(seconds=1), 5.0), ("b", monday - WEEK, 7.0), ("b", monday, 100.0))
    assert customers.weekly(made, monday + timedelta(days=2)) == [
        {"week": "2026-03-23", "orders": 2, "people": 2, "value": 12.0}
    ]


def users(*rows: dict[str, Any]) -> pl.DataFrame:
    return world.frame(audience.USERS, rows)


def test_each_person_is_reachable_or_there_is_one_reason_why_not() -> None:
    told = users(
        world.user("yes", START, email="a@x.example", email_consent=True, email_consent_at=START),
        world.user("late", START, email="a@x.example", email_consent=False),
        world.user("late", START + WEEK, email_consent=True),
        world.user("no", START, email="a@x.example", email_consent=True),
        world.user("no", START + WEEK, email_consent=False),
        world.user("unknown", START, email="a@x.example"),
        world.user("nowhere", START, email_consent=True),
        world.user("left", START, email="a@x.example", email_consent=True, email_consent_at=START),
        world.user("back", START, email="a@x.example", email_consent=True, email_consent_at=NOW),
        world.user("angry", START, email="a@x.example", email_consent=True, email_consent_at=NOW),
        world.user("dead", START, email="a@x.example", email_consent=True),
        world.user("full", START, email="a@x.example", email_consent=True),
    )
    made = {name: decision(name, START, "discount_mail", "treatment") for name in told["user_id"].unique()}
    gone = world.frame(
        frames.OUTCOMES,
        [
            outcome(made["left"], "email_unsubscribe", timedelta(days=1)),
            outcome(made["back"], "email_unsubscribe", timedelta(days=1)),
            outcome(made["angry"], "email_complaint", timedelta(days=1)),
            outcome(made["dead"], "email_bounce", timedelta(days=1), ses={"bounceType": "Permanent"}),
            outcome(made["full"], "email_bounce", timedelta(days=1), ses={"bounceType": "Transient"}),
        ],
    )
    found = audience.reachability(told, gone, ["email", "inline"])
    assert found["people"] == 10
    ends = {one["channel"]: one["ends"] for one in found["channels"]}
    assert ends["email"] == {
        "reachable": 4, "no_address": 1, "no_consent": 2, "unsubscribe": 1, "bounce": 1, "complaint": 1,
    }  # fmt: skip
    assert ends["inline"]["reachable"] == 10


def test_items_are_ranked_by_the_latest_four_weeks_with_the_four_before() -> None:
    made = pl.DataFrame(
        [
            ("a", NOW - timedelta(days=1), 10.0, "i1"),
            ("b", NOW - timedelta(days=2), 15.0, "i1"),
            ("a", NOW - timedelta(days=3), 40.0, "i2"),
            ("a", NOW - timedelta(days=40), 99.0, "i1"),
            ("a", NOW - timedelta(days=90), 99.0, "i3"),
        ],
        schema=ORDERS,
        orient="row",
    )
    items = world.frame(audience.ITEMS, [{"item_id": "i1", "effective_at": START, "title": "Coat"}])
    assert audience.top_items(made, items, NOW)["rows"] == [
        {"item": "i2", "title": None, "people": 1, "orders": 1, "value": 40.0, "before": 0.0},
        {"item": "i1", "title": "Coat", "people": 2, "orders": 2, "value": 25.0, "before": 99.0},
    ]


def test_an_order_is_what_the_value_model_learns_else_the_goal_that_says_its_own_value() -> None:
    assert customers.order_event(plan.load(world.PLAN)) == "purchase"
    loaded = replace(plan.load(world.PLAN), learn={})
    assert customers.order_event(loaded) == "purchase"
    visits = replace(loaded, goals={"visit": loaded.goals["visit"]})
    assert customers.order_event(visits) == "page_view"
    assert customers.order_event(replace(loaded, goals={})) is None


def test_the_section_stands_in_the_report_and_an_empty_shop_breaks_nothing() -> None:
    told = reports.report(world.shop(400))["customers"]
    assert (told["order"], told["deciles"]["by"]) == ("purchase", "predicted")
    assert told["items"]["rows"][0]["title"].startswith("Item")
    empty = reports.report(world.World(), truth=False)["customers"]
    assert empty["reachability"]["people"] == 0
    assert (empty["rfm"]["cells"], empty["cohorts"]["rows"], empty["weeks"], empty["items"]["rows"]) == ([], [], [], [])
