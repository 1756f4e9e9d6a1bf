"""The whole road, on the deployed stack in this process: order, repetition and splitting of files change nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from local.clock import VirtualClock
from local.laptop import Laptop
from local.shop import files
from local.shop.world import World
from nudge.adapters.clients import client
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.profiles import DynamoProfiles
from nudge.flows.profiles import Rebuild

START = 1_772_409_600_000_000  # 2026-03-02, a Monday
WEEK = 7 * 86_400_000_000
PLAN = (Path(__file__).parent.parent.parent / "local" / "shop" / "plan.yaml").read_text(encoding="utf-8")
HEADER = "user_id,event_type,event_time,event_id,value\n"


@dataclass(frozen=True)
class Ended:
    """What a stack holds when all is done: lake objects by digest, rows by kind, events, people."""

    lake: Mapping[str, str]
    rows: Mapping[str, Mapping[str, int]]
    events: pl.DataFrame
    people: Mapping[str, Any]
    rebuilt: Mapping[str, Any]


def world() -> World:
    return World(seed=11, count=60, start=START, weeks=6)


def lived(out: Path, drops: Iterable[tuple[str, bytes]], posts: Iterable[dict[str, Any]] = ()) -> Ended:
    """Drop files one after the other, post events, compact; then look."""
    with Laptop.running(VirtualClock(START + 6 * WEEK), out) as laptop:
        laptop.publish(PLAN)
        for key, body in drops:
            laptop.drop(key, body)
            laptop.settle()
        for message in posts:
            assert laptop.request("POST", "/v1/track", message).status == 200
        laptop.settle()
        laptop.compact()
        laptop.settle()
        profiles = DynamoProfiles(client("dynamodb"), laptop.aws.environment["PROFILES_TABLE"])
        people = {one.user_id: (one.state, one.traits) for one in profiles.all()}
        Rebuild(ObjectsLake(laptop.bucket), profiles)(now=laptop.clock.now())
        return Ended(
            lake={
                one.key: hashlib.sha256(laptop.bucket.get(one.key)).hexdigest() for one in laptop.bucket.list("lake/")
            },
            rows=laptop.rows(),
            events=laptop.lake("events"),
            people=people,
            rebuilt={one.user_id: (one.state, one.traits) for one in profiles.all()},
        )


def events_of(ended: Ended) -> dict[str, str]:
    """Lake objects of events: people's parts are named by when they were uploaded."""
    return {key: digest for key, digest in ended.lake.items() if key.startswith("lake/events/")}


def close(a: Any, b: Any) -> bool:
    """Equal, numbers to 1e-9 relative."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return a == pytest.approx(b, rel=1e-9, abs=1e-12)
    return bool(a == b)


@pytest.fixture(scope="module")
def history() -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    dropped, expected = files.history(world(), START + 6 * WEEK)
    return [(one.key, one.body) for one in dropped], expected


@pytest.fixture(scope="module")
def once(history: Any, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return lived(tmp_path_factory.mktemp("once"), history[0])


def test_every_row_is_accounted_for(once: Ended, history: Any) -> None:
    for kind, counts in history[1].items():
        told = once.rows[kind]
        assert told == {
            "read": counts.read,
            "accepted": counts.accepted,
            "rejected": counts.rejected,
            "duplicate": counts.duplicate,
        }


def test_people_rebuilt_from_the_lake_equal_those_built_file_by_file(once: Ended) -> None:
    assert len(once.people) == 60
    assert close(once.rebuilt, once.people)


def test_the_same_files_twice_and_in_another_order_leave_the_same_bytes(
    once: Ended, history: Any, tmp_path: Path
) -> None:
    twice = [*reversed(history[0]), *history[0]]
    again = lived(tmp_path, twice)
    assert events_of(again) == events_of(once)
    assert close(again.people, once.people)


def test_a_shuffled_file_in_three_pieces_holds_the_same_rows_and_people(
    once: Ended, history: Any, tmp_path: Path
) -> None:
    cut = []
    for key, body in history[0]:
        if key.endswith(".jsonl") and "/events/" in key:
            lines = body.splitlines(keepends=True)
            Random(3).shuffle(lines)
            cut += [(f"{key}.{piece}.jsonl", b"".join(lines[piece::3])) for piece in range(3)]
        else:
            cut.append((key, body))
    split = lived(tmp_path, cut)
    assert split.rows["events"]["accepted"] == once.rows["events"]["accepted"]
    assert split.events.sort("user_id", "event_id").equals(once.events.sort("user_id", "event_id"))
    assert close(split.people, once.people)


def test_an_event_in_two_files_or_by_file_and_over_http_counts_once(tmp_path: Path) -> None:
    rows = [f"ann,purchase,2026-03-{day:02}T10:00:00Z,e{day},5.00\n" for day in range(3, 9)]
    one, two = HEADER + "".join(rows[:4]), HEADER + "".join(rows[2:])
    message = {
        "type": "track",
        "messageId": "e3",
        "userId": "ann",
        "event": "purchase",
        "timestamp": "2026-03-03T10:00:00Z",
        "properties": {"value": 5.0},
    }
    ended = lived(
        tmp_path,
        [("inbox/events/one.csv", one.encode()), ("inbox/events/two.csv", two.encode())],
        [message, message, {**message, "messageId": "e99", "timestamp": "2026-03-10T10:00:00Z"}],
    )
    assert sorted(ended.events["event_id"]) == [*(f"e{day}" for day in range(3, 9)), "e99"]
    state, _ = ended.people["ann"]
    assert state["e"]["purchase"][2] == 7
    posted = 2  # the same request twice within a day is one object, and is read once
    assert ended.rows["events"] == {"read": 4 + 4 + posted, "accepted": 7, "rejected": 0, "duplicate": 3}
    assert json.loads(json.dumps(state)) == state
