"""The door `deliver`: the queue and the minute sweep, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.deliver import handler as door
from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.profiles import DynamoProfiles
from nudge.decide import chance
from nudge.decide.policy import Question, choose
from nudge.errors import BadInput
from nudge.vocabulary import SECOND, Candidate, Message
from tests.acting import NOON, Aws, aws, person, plan, put_person
from tests.faults.explorer import fault


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as here:
        for name, value in here.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(edge, "now", lambda: NOON)
        door.flows.cache_clear()
        client("sesv2", attempts=1).create_email_identity(EmailIdentity="news@shop.example")
        put_person(DynamoProfiles(here.dynamodb, "profiles"), person("ana"))
        yield here
        door.flows.cache_clear()


def message(world: Aws, key: str = "k") -> str:
    name = chance.decision_id("ana", key)
    candidates = (Candidate("nothing", 0.0, removed="transactional"), Candidate("discount_mail", 0.5))
    asked = Question(name, "ana", NOON, "purchase", 20.0, candidates, {"discount_mail": NOON}, {}, {}, None)
    held = Message(name, "ana", "discount_mail", "purchase", "email", "pending", NOON, changed_at=NOON)
    DynamoLedger(world.dynamodb, "ledger").record(
        choose(asked, plan()), request_hash="h", answer={}, message=held, caps={}, budgets=(), expires_at=NOON
    )
    return name


def call(event: dict[str, Any], *names: str) -> list[str]:
    """Deliver tasks that name these decisions; which records failed."""
    record = event["Records"][0]
    records = [
        {**record, "messageId": f"m{number}", "body": json.dumps({"decision_id": name})}
        for number, name in enumerate(names)
    ]
    return [one["itemIdentifier"] for one in door.handler({"Records": records}, None)["batchItemFailures"]]


def state(world: Aws, name: str) -> str:
    held = DynamoLedger(world.dynamodb, "ledger").message(name)
    assert held is not None
    return held.state


def test_a_message_of_the_queue_is_sent_once_in_ten_calls(
    world: Aws, load_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(load_event("deliver.message"), message(world, "warm"))
    monkeypatch.setattr(edge, "now", lambda: NOON + SECOND)
    name = message(world)
    with fault() as calls:
        assert call(load_event("deliver.message"), name, name) == []
    assert state(world, name) == "sent"
    assert calls.names == (
        *("GetItem", "GetItem", "UpdateItem", "UpdateItem", "GetItem", "GetItem", "UpdateItem"),
        *("GenerateMac", "SendEmail", "UpdateItem"),
        *("GetItem", "GetItem"),
    )


def test_one_bad_record_does_not_stop_the_others(world: Aws, load_event: Any) -> None:
    name = message(world)
    assert call(load_event("deliver.message"), "nobody", name) == []
    assert state(world, name) == "sent"


def test_a_store_that_is_down_returns_the_record_to_the_queue_and_sends_nothing(world: Aws, load_event: Any) -> None:
    name = message(world)
    world.dynamodb.delete_table(TableName="profiles")
    with fault() as calls:
        assert call(load_event("deliver.message"), name) == ["m0"]
    assert "SendEmail" not in calls.names
    assert state(world, name) == "pending"


def test_an_answer_of_ses_that_was_lost_is_never_asked_for_again(
    world: Aws, load_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(load_event("deliver.message"), message(world, "warm"))
    monkeypatch.setattr(edge, "now", lambda: NOON + SECOND)
    name = message(world)
    with fault("lost-ack", 9) as calls:
        assert call(load_event("deliver.message"), name) == []
    assert calls.names[8] == "SendEmail"
    assert state(world, name) == "sending"
    with fault() as calls:
        call(load_event("deliver.message"), name)
    assert "SendEmail" not in calls.names


def test_the_sweep_puts_what_is_due_on_the_queue(world: Aws, load_event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = message(world)
    monkeypatch.setattr(edge, "now", lambda: NOON + 60 * SECOND)
    assert door.handler(load_event("deliver.sweep"), None) == {"queued": 1, "unknown": 0}
    got = world.sqs.receive_message(QueueUrl=world.environment["DELIVER_QUEUE_URL"])["Messages"]
    assert [json.loads(one["Body"]) for one in got] == [{"decision_id": name}]


def test_any_other_event_is_refused(world: Aws) -> None:
    with pytest.raises(BadInput):
        door.handler({"task": "launch"}, None)
