"""What one person did, from the lake: nobody else's rows, each once, newest first, as far as it looked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.errors import BadInput
from nudge.flows import doings
from nudge.flows.doings import Doings
from nudge.vocabulary import Kind
from tests.unit.measure import world

NOW = world.micros(world.NOW)


def event(name: str, days: float, user: str = "ana", **other: Any) -> dict[str, Any]:
    at = world.NOW - timedelta(days=days)
    return {"event_id": name, "user_id": user, "event_type": "page_view", "event_time": at, **other}


def lake(*rows: tuple[Kind, dict[str, Any]]) -> ObjectsLake:
    """A part for each row, under its own day."""
    held = ObjectsLake(MemoryObjects())
    for kind, row in rows:
        at: datetime = row["event_time"]
        held.put(kind, at.date().isoformat(), world.parquet(kind, [row]))
    return held


def test_events_and_outcomes_of_one_person_come_newest_first() -> None:
    held = lake(
        ("events", event("e1", 3, value=12.5, currency="EUR", item_id="i1")),
        ("outcomes", event("o1", 1, event_type="email_open", decision_id="d1", channel="email")),
        ("events", event("e2", 2, user="bo")),
    )
    told = Doings(held)("ana", now=NOW)
    assert [(one["event_type"], one["decision_id"]) for one in told["events"]] == [
        ("email_open", "d1"),
        ("page_view", None),
    ]
    assert told["events"][1]["value"] == 12.5
    assert told["since"] == (world.NOW - timedelta(days=doings.DAYS)).date().isoformat()


def test_an_event_that_lies_in_two_parts_is_told_once() -> None:
    held = lake(("events", event("e1", 3)))
    held.put("events", "2026-04-03", world.parquet("events", [event("e1", 3), event("e2", 3)]))
    assert len(Doings(held)("ana", now=NOW)["events"]) == 2


def test_it_stops_at_its_limit_with_whole_days_and_says_from_which_day_on_it_looked() -> None:
    held = lake(*[("events", event(f"e{n}", n)) for n in range(10)])
    size = max(part.size for part in held.parts("events"))
    told = Doings(held, most_bytes=3 * size)("ana", now=NOW)
    assert len(told["events"]) == 3
    assert told["since"] == (world.NOW - timedelta(days=2)).date().isoformat()


def test_what_is_older_than_the_days_it_looks_at_is_not_told() -> None:
    assert Doings(lake(("events", event("e1", doings.DAYS + 2))))("ana", now=NOW)["events"] == []


def test_a_part_that_is_merged_away_meanwhile_does_not_stop_the_answer() -> None:
    held = lake(("events", event("e1", 3)), ("events", event("e2", 1)))
    gone = held.parts("events")[0].key

    class Compacted(ObjectsLake):
        def get(self, key: str) -> bytes:
            if key == gone:
                held.drop([key])
            return held.get(key)

    told = Doings(Compacted(held._objects))("ana", now=NOW)
    assert len(told["events"]) == 1


def test_no_id_is_refused() -> None:
    for wrong in ("", "x" * 257):
        with pytest.raises(BadInput):
            Doings(lake())(wrong, now=NOW)
