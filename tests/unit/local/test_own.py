"""What is derived from somebody's files: when they end, and a plan when there is none."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from local import own
from local.clock import micros
from nudge import plan

START = datetime(2026, 5, 1, tzinfo=UTC)


def events(*rows: tuple[str, str, str | None, float | None]) -> pl.DataFrame:
    """user, type, action, value; one a day."""
    return pl.DataFrame(
        {
            "user_id": [row[0] for row in rows],
            "event_type": [row[1] for row in rows],
            "event_action": [row[2] for row in rows],
            "value": [row[3] for row in rows],
            "currency": [None if row[3] is None else "usd" for row in rows],
            "event_time": pl.datetime_range(START, START.replace(day=len(rows)), "1d", eager=True).cast(
                pl.Datetime("us", "UTC")
            ),
        },
        schema_overrides={"event_action": pl.String, "value": pl.Float64, "currency": pl.String},
    )


@pytest.mark.parametrize(
    ("rows", "goal"),
    [
        (
            [("a", "page", None, None), ("a", "Order Completed", None, 3.0), ("b", "order_refunded", None, 9.0)],
            "order_refunded",
        ),
        ([("a", "Order Completed", None, 3.0), ("a", "purchase", None, 3.0)], "purchase"),
        ([("a", "offer", "ignored", None), ("b", "offer", "bought", None)], ("offer", "bought")),
        ([("a", "visit", None, None), ("a", "deal", None, 2.0), ("b", "fee", None, 1.0)], "deal"),
        ([("a", "visit", None, None), ("b", "visit", None, None), ("a", "form", None, None)], "form"),
    ],
)
def test_the_goal_is_what_shops_want(rows: Any, goal: Any) -> None:
    assert own.wanted(events(*rows)) == (goal if isinstance(goal, tuple) else (goal, None))


def test_a_derived_plan_is_a_good_plan() -> None:
    made = own.default_plan(events(*[("a", "visit", None, None), ("a", "order", None, 2.0)] * 15))
    assert plan.check(made) == []
    loaded = plan.load(made)
    assert loaded.currency == "USD"
    assert loaded.goals["order"].within_days == 3
    assert loaded.goals["order"].value is None


def test_without_events_there_is_no_plan() -> None:
    with pytest.raises(ValueError, match="no row of the events"):
        own.default_plan(pl.DataFrame())


def test_data_ends_with_its_newest_event_in_any_dialect(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv.gz", tmp_path / "b+c.jsonl"
    first.write_bytes(gzip.compress("user_id;event_type;event_time\nu;visit;2026-05-02T10:00:00Z\n".encode("utf-16")))
    second.write_text('{"user_id": "u", "event_type": "visit", "event_time": "2026-05-03T11:30:00+02:00"}\n')
    assert own.data_end([first, second]) == micros(datetime(2026, 5, 3, 9, 30, tzinfo=UTC))


def test_files_without_one_event_say_what_an_event_needs(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,colour\nx,red\n")
    with pytest.raises(ValueError, match="user_id"):
        own.data_end([path])
