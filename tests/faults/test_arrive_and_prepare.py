"""Whatever happens at any AWS call: every accepted event is counted once, every row is accounted for (P1, P2, P3)."""

from __future__ import annotations

import io
import json

import polars as pl
from explorer import Worker, explore
from world import World, queue_event

from nudge.adapters.profiles import DynamoProfiles
from nudge.profile.spec import TOTAL

USERS_TOTAL = {"ann": 2, "bob": 1}
EVENTS = (
    b"user_id,event_type,event_time,event_id\n"
    b"ann,page_view,2026-09-01T10:00:00Z,e1\n"
    b"bob,page_view,2026-09-02T10:00:00Z,e2\n"
    b"bob,page_view,2026-09-02T10:00:00Z,e2\n"
    b"ann,purchase,not a time,e3\n"
    b"ann,purchase,2026-09-03T10:00:00Z,e4\n"
)
COUNTS = {"read": 5, "accepted": 3, "rejected": 1, "duplicate": 1}
NOTICE = {
    "Records": [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": "lake"},
                "object": {"key": "inbox/events/day+one.csv", "sequencer": "0055AED6DCD90281E5"},
            },
        }
    ]
}


def a_file_arrives(world: World) -> None:
    world.reset()
    world.put("inbox/events/day one.csv", EVENTS)


def test_a_file_becomes_its_tasks_whatever_happens(world: World) -> None:
    def violated() -> str | None:
        tasks = {(one["content"], one.get("number", 0)) for one in world.messages("CHUNKS_QUEUE_URL")}
        states = [row["state"] for row in world.rows("Arrivals") if row["id"].startswith("content#")]
        return None if len(tasks) == 1 and len(states) == 1 else f"tasks {tasks}, states {states}"

    cases, violations = explore(
        Worker(
            "arrive",
            lambda: a_file_arrives(world),
            lambda attempt: not world.door("arrive", queue_event(NOTICE, attempt=attempt))["batchItemFailures"],
            violated,
        )
    )
    assert cases >= 6 * 5
    assert violations == []


def test_every_row_is_accounted_for_and_every_event_counts_once_whatever_happens(world: World) -> None:
    tasks: list[dict[str, object]] = []

    def set_up() -> None:
        a_file_arrives(world)
        world.door("arrive", queue_event(NOTICE))
        tasks[:] = world.messages("CHUNKS_QUEUE_URL")

    cases, violations = explore(
        Worker(
            "prepare",
            set_up,
            lambda attempt: not world.door("prepare", queue_event(*tasks, attempt=attempt))["batchItemFailures"],
            lambda: the_truth_is_violated(world),
        )
    )
    assert cases >= 6 * 8
    assert violations == []


def the_truth_is_violated(world: World) -> str | None:
    parts = [pl.read_parquet(io.BytesIO(world.body(key))) for key in world.keys("lake/events/")]
    ids = sorted(event for part in parts for event in part["event_id"])
    if ids != ["e1", "e2", "e4"]:
        return f"lake {ids}"
    people = DynamoProfiles(world.client("dynamodb"), "Profiles").all()
    counted = {one.user_id: sum(kind[TOTAL] for kind in one.state["e"].values()) for one in people}
    if counted != USERS_TOTAL:
        return f"profiles {counted}"
    reports = [json.loads(world.body(key)) for key in world.keys("reports/quality/")]
    counts = [{name: report[name] for name in COUNTS} for report in reports]
    if counts != [COUNTS]:
        return f"counts {counts}"
    rejects = [line for key in world.keys("quarantine/") for line in world.body(key).splitlines()]
    return None if len(rejects) == 1 else f"quarantine {len(rejects)}"
