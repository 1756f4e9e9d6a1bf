"""Whatever happens at any AWS call of a run of trainings: every task ends once, nothing is lost, champions are whole (issue 3)."""

from __future__ import annotations

import json
import os
from io import BytesIO
from typing import Any

import polars as pl
import pytest
from explorer import FAULTS, MOST_DELIVERIES, Worker, explore
from test_promotion import artefact, store
from world import NOW, World

from nudge.adapters.clients import client
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.plans import StoredPlans
from nudge.adapters.s3 import S3Objects
from nudge.adapters.sqs import SqsQueue
from nudge.errors import NotReady
from nudge.flows.train import Train
from nudge.flows.training_journey import Journey
from nudge.flows.training_runs import Runs
from nudge.flows.trainings import workshop
from nudge.flows.trainings.task import Made

RUN = "2026-09-21T03:00:00Z"
PLAN = {
    "version": "v1",
    "currency": "EUR",
    "timezone": "UTC",
    "goals": {name: {"event": name, "within_days": 7, "value": 1} for name in ("purchase", "moon")},
    "activities": {"banner": {"goal": "purchase", "channel": "inline", "template": "banner", "cost": 0}},
    "policy": {},
    "channels": {"inline": {}},
    "learn": dict.fromkeys(("value", "recommend", "send_time", "intent", "demand", "uplift"), False),
}


PART = "lake/events/dt=2026-09-20/part.parquet"


def events() -> bytes:
    """One event, as a part of the lake."""
    event = {"user_id": ["u"], "event_id": ["e"], "event_type": ["purchase"], "event_time": [NOW - 10**9]}
    body = BytesIO()
    pl.DataFrame(event).with_columns(pl.col("event_time").cast(pl.Datetime("us", "UTC"))).write_parquet(body)
    return body.getvalue()


class House:
    """A run of two trainings: one gives a champion, one has too little data. The lake is only read, at the start: faults of that
    have a test of their own, and here it lies in memory."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.made: list[str] = []
        self.lake = MemoryObjects("lake")
        self.lake.put(PART, events())
        monkeypatch.setattr(workshop, "training", lambda kind: self.make)
        monkeypatch.setenv("TRAININGS_QUEUE_URL", world.client("sqs").create_queue(QueueName="trainings")["QueueUrl"])

    def set_up(self) -> None:
        self.world.reset()
        self.made.clear()
        self.world.put("plan/plan.json", json.dumps(PLAN).encode())

    def make(self, task: Any, history: Any, present: Any, *rest: Any) -> Made:
        self.made.append(task.name)
        if task.name == "moon":
            raise NotReady("moon: 0 people who did it", missing={"has": 0})
        model, card = json.dumps(artefact(0.2) | {"name": task.name}).encode(), json.dumps({"metrics": {}}).encode()
        version = "20260921-abc"
        new = present is None or present[0] != version
        return Made(
            version, "logistic", model, card, {}, new and task.name == "purchase", "better" if new else "already"
        )

    def journey(self) -> Journey:
        """A new worker: nothing in memory."""
        bucket = S3Objects(client("s3"), "lake")
        train = Train(ObjectsLake(self.lake), StoredPlans(bucket, clock=lambda: NOW), store())
        return Journey(train, Runs(bucket), SqsQueue(client("sqs"), os.environ["TRAININGS_QUEUE_URL"]))

    def ended(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.world.body(f"models/.training/{RUN}.json"))["ended"]
        return found

    def wrong(self) -> str | None:
        ended = self.ended()
        if list(ended) != ["purchase", "moon"]:
            return f"ended: {list(ended)}"
        if [one["promoted"] for one in ended.values()] != [True, False]:
            return f"promoted: {ended}"
        verdict = json.loads(self.world.body("models/purchase/20260921-abc/verdict.json"))
        if (verdict["promoted"], verdict["reason"]) != (True, "better"):
            return f"the verdict on file: {verdict}"
        if any(one["failed"] for one in ended.values()):
            return f"failed: {ended}"
        version, held = store().champion("purchase")
        return None if (version, held["name"]) == ("20260921-abc", "purchase") else f"champion {version}"


@pytest.fixture
def house(world: World, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(world, monkeypatch)


def test_a_run_ends_every_task_once_whatever_happens(house: House) -> None:
    house.set_up()
    house.journey().begin(RUN, now=NOW, why="schedule")
    body = house.world.body(f"models/.training/{RUN}.json")

    def set_up() -> None:
        house.set_up()
        house.world.put(f"models/.training/{RUN}.json", body)

    def deliver(attempt: int) -> bool:
        return house.journey().go_on(RUN, left=lambda: 900.0).left == []

    def violated() -> str | None:
        twice = [name for name in set(house.made) if house.made.count(name) > 2]
        return house.wrong() or (f"done again after it had ended: {twice}" if twice else None)

    cases, violations = explore(Worker("trainings", set_up, deliver, violated))
    assert cases > len(FAULTS) * 20
    assert violations == []


def test_what_is_learned_from_is_whole_whatever_happens_while_the_lake_is_read(house: House) -> None:
    read: list[int] = []

    def set_up() -> None:
        house.set_up()
        house.world.put(PART, events())
        read.clear()

    def deliver(attempt: int) -> bool:
        train = Train(ObjectsLake(S3Objects(client("s3"), "lake")), house.journey().train.plans, store())
        with train.history(NOW) as history:
            assert not isinstance(history, NotReady)
            read.append(history.counts["events"])
        return True

    def violated() -> str | None:
        return None if set(read) == {1} else f"read {read} events"

    cases, violations = explore(Worker("lake", set_up, deliver, violated))
    assert cases >= len(FAULTS) * 6
    assert violations == []


def test_a_run_that_was_begun_has_its_message_whatever_happens(house: House) -> None:
    def deliver(attempt: int) -> bool:
        return bool(house.journey().begin(RUN, now=NOW, why="schedule"))

    def violated() -> str | None:
        return None if {"run": RUN} in house.world.messages("TRAININGS_QUEUE_URL") else "nobody will ever go on"

    _, violations = explore(Worker("begin", house.set_up, deliver, violated))
    assert violations == []


def test_what_is_handed_on_has_its_message_whatever_happens(house: House) -> None:
    """A worker has time for one task only: each death between two tasks leaves either its own message or the next one."""

    def set_up() -> None:
        house.set_up()
        house.journey().begin(RUN, now=NOW, why="schedule")

    def deliver(attempt: int) -> bool:
        if attempt < MOST_DELIVERIES:  # what is done twice is looked at above
            house.journey().go_on(RUN, left=lambda: 10.0)
        return True

    def violated() -> str | None:
        messages = house.world.messages("TRAININGS_QUEUE_URL")
        return None if len(messages) >= 2 or len(house.ended()) == 2 else f"{len(messages)} messages, {house.ended()}"

    _, violations = explore(Worker("hand on", set_up, deliver, violated))
    assert violations == []


def test_a_task_that_kills_its_worker_is_tried_last_and_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class OutOfMemory(BaseException):
        pass

    def make(task: Any, *rest: Any) -> Made:
        if task.name == "purchase":
            raise OutOfMemory
        return house.make(task, *rest)

    monkeypatch.setattr(workshop, "training", lambda kind: make)
    house.set_up()
    house.journey().begin(RUN, now=NOW, why="schedule")
    for delivery in range(3):
        with pytest.raises(OutOfMemory):
            house.journey().go_on(RUN, left=lambda: 900.0)
        assert set(house.ended()) == (set() if delivery == 0 else {"moon"})
    house.journey().go_on(RUN, left=lambda: 900.0)
    assert house.ended()["purchase"]["failed"]
    assert house.ended()["purchase"]["reason"].startswith("begun 3 times and never ended")
