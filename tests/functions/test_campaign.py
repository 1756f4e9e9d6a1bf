"""The door `campaign`: a tick begins what is due, messages of the queue take it to its end, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.campaign import handler as door
from nudge import edge
from nudge import plan as plans
from nudge.adapters.profiles import DynamoProfiles
from nudge.errors import BadInput
from nudge.vocabulary import DAY, SECOND, Micros
from tests.acting import NOON, PLAN, Aws, aws, person, put_person
from tests.faults.explorer import FAULTS, Died, fault

MORNING: Micros = NOON - NOON % DAY + 8 * 3600 * SECOND
CAMPAIGN = """
campaigns:
  spring:
    goal: purchase
    audience: country = DE
    activities: [discount_mail]
    schedule: {every: day, at: "09:00"}
    capacity: 4
    holdout: 0
    policy: rules
"""


class Context:
    """Lambda's context, as far as the door asks it."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


class World:
    """The embedded AWS with a campaign for six people, of whom it may write to four."""

    def __init__(self, here: Aws) -> None:
        self.aws = here
        self.tasks = here.sqs.create_queue(QueueName="campaigns")["QueueUrl"]
        self.plan(PLAN + CAMPAIGN)
        for number in range(9):
            traits = {"country": "DE" if number % 3 else "FR"}
            put_person(DynamoProfiles(here.dynamodb, "profiles"), person(f"user {number}", **traits))

    def plan(self, text: str) -> None:
        self.aws.s3.put_object(Bucket="lake", Key="plan/plan.json", Body=json.dumps(plans.parse(text)).encode())

    def take(self) -> list[str]:
        """The bodies on the queue of segments; they are gone afterwards."""
        bodies: list[str] = []
        while found := self.aws.sqs.receive_message(QueueUrl=self.tasks, MaxNumberOfMessages=10).get("Messages", []):
            for one in found:
                self.aws.sqs.delete_message(QueueUrl=self.tasks, ReceiptHandle=one["ReceiptHandle"])
                bodies.append(one["Body"])
        return bodies

    def give(self, event: dict[str, Any], *bodies: str) -> list[str]:
        """Call the door with these bodies; which failed."""
        record = event["Records"][0]
        records = [{**record, "messageId": str(place), "body": body} for place, body in enumerate(bodies)]
        failed = door.handler({"Records": records}, Context())["batchItemFailures"]
        return [bodies[int(one["itemIdentifier"])] for one in failed]

    def finish(self, event: dict[str, Any]) -> None:
        while bodies := self.take():
            assert self.give(event, *bodies) == []

    def messages(self) -> list[str]:
        rows = self.aws.dynamodb.scan(TableName="ledger")["Items"]
        return sorted(row["user_id"]["S"] for row in rows if row["id"]["S"].startswith("message#"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with aws() as here:
        made = World(here)
        for name, value in {**here.environment, "CAMPAIGNS_QUEUE_URL": made.tasks}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(edge, "now", lambda: MORNING)
        door.flow.cache_clear()
        yield made
        door.flow.cache_clear()


def test_a_tick_begins_what_is_due_and_its_messages_decide_for_the_members(world: World, load_event: Any) -> None:
    assert door.handler(load_event("campaign.tick"), Context()) == {"runs": ["spring/20261118T0900"]}
    world.finish(load_event("campaign.segment"))
    assert len(world.messages()) == 4
    assert set(world.messages()) < {f"user {n}" for n in range(9) if n % 3}
    assert door.handler(load_event("campaign.tick"), Context()) == {"runs": ["spring/20261118T0900"]}
    world.finish(load_event("campaign.segment"))
    assert len(world.messages()) == 4


def test_the_example_message_is_one_that_a_tick_sends(world: World, load_event: Any) -> None:
    door.handler(load_event("campaign.tick"), Context())
    sent = {json.dumps(json.loads(body), sort_keys=True) for body in world.take()}
    example = json.loads(load_event("campaign.segment")["Records"][0]["body"])
    assert json.dumps(example, sort_keys=True) in sent


def test_without_a_plan_there_is_nothing_to_begin(world: World, load_event: Any) -> None:
    world.aws.s3.delete_object(Bucket="lake", Key="plan/plan.json")
    assert door.handler(load_event("campaign.tick"), Context()) == {"missing": {"plan": "plan/plan.json"}}


def test_a_message_that_is_no_task_is_done_with_and_counted(
    world: World, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.give(load_event("campaign.segment"), '{"segment": 3}', "no json") == []
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert metrics[-1]["RecordsRefused"] == [1.0, 1.0]


def test_an_event_that_is_neither_is_refused() -> None:
    with pytest.raises(BadInput):
        door.handler({"task": "tock"}, Context())


@pytest.mark.parametrize("kind", FAULTS)
def test_one_fault_at_any_call_and_a_redelivery_write_to_four_and_nobody_twice(
    world: World, load_event: Any, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first task has the fault at its first call, the next at its second, and so on, until the run has ended."""
    event, at, calls = load_event("campaign.segment"), 1, 10**9
    door.handler(load_event("campaign.tick"), Context())
    waiting = world.take()
    while waiting:
        body = waiting.pop(0)
        with fault(kind, at) as made:
            try:
                failed = world.give(event, body)
            except Died:
                failed = [body]
                door.flow.cache_clear()
        waiting += failed + world.take()
        at = at + 1 if at <= made.made else 1
        calls -= made.made
    world.finish(event)
    assert calls > 0
    assert len(world.messages()) == len(set(world.messages())) == 4
    rows = {row["id"]["S"]: row for row in world.aws.dynamodb.scan(TableName="ledger")["Items"]}
    assert float(rows["count#campaign/spring/20261118T0900/messages"]["n"]["N"]) == 4
