"""The door `campaign`: a tick begins what is due, messages of the queue take it to its end, against the embedded AWS."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.campaign import handler as door
from nudge import edge
from nudge import plan as plans
from nudge.adapters.journey_rows import shard_of
from nudge.adapters.journeys import DynamoJourneys
from nudge.adapters.plans import StoredPlans
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.errors import BadInput, Unavailable
from nudge.flows.champions import PlanInForce
from nudge.flows.journey_events import Overheard
from nudge.flows.profiles import ApplyEvents
from nudge.vocabulary import DAY, SECOND, Event, Micros
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


# ── journeys ─────────────────────────────────────────────────────────────────────────────────────────────────────────
CART = """
campaigns:
  cart:
    goal: purchase
    when: {event: add_to_cart, without: purchase, within: 2h}
    steps: [{stop_on: goal}, {do: discount_mail}, {branch: {on: opened, within: 1 day, yes: [{do: second}], no: []}}]
    holdout: 0
    policy: rules
"""
SECOND_MAIL = "\n  second: {goal: purchase, channel: email, template: discount, cost: 0.05, holdout: 0}\npolicy:"


class Journeys:
    """The embedded AWS with a campaign that a cart begins, and three people who left theirs two hours ago."""

    def __init__(self, world: World, event: dict[str, Any]) -> None:
        self.world, self.event = world, event
        world.plan(PLAN.replace("\npolicy:", SECOND_MAIL).replace("per_day: 1, per_week: 3", "per_day: 0") + CART)
        self.happen(*(Event(f"cart {n}", f"user {n}", "add_to_cart", MORNING - 7200 * SECOND) for n in range(3)))

    @property
    def journeys(self) -> DynamoJourneys:
        return DynamoJourneys(self.world.aws.dynamodb, "ledger")

    def happen(self, *events: Event, now: Micros = MORNING) -> None:
        profiles, lake = DynamoProfiles(self.world.aws.dynamodb, "profiles"), S3Objects(self.world.aws.s3, "lake")
        plan = PlanInForce(StoredPlans(lake, clock=lambda: now))
        Overheard(ApplyEvents(profiles), self.journeys, plan)(events, now=now)

    def decided(self) -> list[tuple[str, str]]:
        rows = self.world.aws.dynamodb.scan(TableName="ledger")["Items"]
        held = [json.loads(row["record"]["S"]) for row in rows if row["id"]["S"].startswith("decision#")]
        return sorted((one["user_id"], one["step"]) for one in held)


@pytest.fixture
def journeys(world: World, load_event: Any) -> Journeys:
    return Journeys(world, load_event("campaign.walk"))


def test_a_tick_takes_on_who_is_due_and_an_event_wakes_who_waits_for_it(
    journeys: Journeys, load_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick = load_event("campaign.tick")
    assert door.handler(tick, Context()) == {"runs": []}
    journeys.world.finish(journeys.event)
    assert journeys.decided() == [(f"user {n}", "2") for n in range(3)]
    assert door.handler(tick, Context()) == {"runs": []}
    assert journeys.world.take() == []
    held = journeys.journeys.get_many([("cart", "user 1")])["cart", "user 1"]
    later = MORNING + 600 * SECOND
    opened = Event("open", "user 1", "email_open", later, decision_id=held.decision_id((1,)))
    journeys.happen(opened, Event("buy", "user 2", "purchase", later), now=later)
    monkeypatch.setattr(edge, "now", lambda: later)
    door.handler(tick, Context())
    journeys.world.finish(journeys.event)
    assert journeys.decided() == [("user 0", "2"), ("user 1", "2"), ("user 1", "3.yes.1"), ("user 2", "2")]
    assert journeys.journeys.tallies("cart") == {"begun": 3, "finished": 1, "goal": 1}
    assert [one.user_id for one in journeys.journeys.under_way("cart")] == ["user 0"]


def test_the_example_of_a_walk_is_one_that_a_tick_sends(journeys: Journeys, load_event: Any) -> None:
    door.handler(load_event("campaign.tick"), Context())
    sent = [json.loads(body) for body in journeys.world.take()]
    example = json.loads(journeys.event["Records"][0]["body"])
    assert {name: type(value) for name, value in example.items()} == {name: type(one) for name, one in sent[0].items()}
    assert {one["stage"] for one in sent} == {example["stage"]}


@pytest.mark.parametrize("kind", FAULTS)
def test_one_fault_at_any_call_of_a_walk_and_a_redelivery_decide_each_step_once(
    journeys: Journeys, load_event: Any, kind: str
) -> None:
    """Each time another person is due; the walk has the fault at its first call, then at its second, and so on to its last."""
    made = [(f"user {n}", "2") for n in range(3)]
    door.handler(load_event("campaign.tick"), Context())
    journeys.world.finish(journeys.event)
    for at in range(1, 100):
        user = f"user {at + 10}"
        put_person(DynamoProfiles(journeys.world.aws.dynamodb, "profiles"), person(user))
        journeys.happen(Event(f"cart {user}", user, "add_to_cart", MORNING - 7200 * SECOND))
        body = json.dumps({"stage": "walk", "shard": shard_of("cart", user)})
        with fault(kind, at) as calls:
            try:
                journeys.world.give(journeys.event, body)
            except Died:
                door.flow.cache_clear()
        assert journeys.world.give(journeys.event, body) == []
        made.append((user, "2"))
        if at > calls.made:
            break
    assert len(made) > 11
    assert journeys.decided() == sorted(made)
    assert len(journeys.world.messages()) == len(made)
    assert journeys.journeys.tallies("cart") == {"begun": len(made)}


@pytest.mark.parametrize("kind", FAULTS)
def test_one_fault_at_any_call_while_events_are_heard_begins_each_journey_once(
    journeys: Journeys, load_event: Any, kind: str
) -> None:
    carts = [Event(f"again {n}", f"user {n}", "add_to_cart", MORNING - 7200 * SECOND) for n in range(3, 6)]
    for at in range(1, 12):
        with fault(kind, at), contextlib.suppress(Died, Unavailable):
            journeys.happen(*carts)
    journeys.happen(*carts)
    door.handler(load_event("campaign.tick"), Context())
    journeys.world.finish(journeys.event)
    assert journeys.decided() == [(f"user {n}", "2") for n in range(6)]
    assert journeys.journeys.tallies("cart") == {"begun": 6}
