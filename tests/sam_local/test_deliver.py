"""Deliver (zip) by `sam local invoke`: a message that waits is sent once, however often its task comes."""

from __future__ import annotations

import pytest

from nudge.adapters.clients import client
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.profiles import DynamoProfiles
from tests.acting import person, put_person
from tests.sam_local.shop import a_waiting_message, publish_plan
from tests.sam_local.stack import Stack
from tests.stores import event_file, queue_event

pytestmark = pytest.mark.sam_local


def sent_mails() -> int:
    return int(client("ses").get_send_quota()["SentLast24Hours"])


def test_a_message_is_sent_once_though_its_task_comes_twice(deployed: Stack) -> None:
    publish_plan(deployed)
    client("sesv2").create_email_identity(EmailIdentity="shop.example")
    put_person(DynamoProfiles(client("dynamodb"), deployed.physical("Profiles")), person("deliver-ana"))
    waiting, before = a_waiting_message(deployed, "deliver-ana"), sent_mails()
    for _ in range(2):
        answer = deployed.invoke("Deliver", queue_event("deliver.message", {"decision_id": waiting}))
        assert answer == {"batchItemFailures": []}
    assert sent_mails() - before == 1
    held = DynamoLedger(client("dynamodb"), deployed.physical("Ledger")).message(waiting)
    assert held is not None
    assert (held.state, bool(held.provider_id)) == ("sent", True)


def test_the_sweep_of_the_minute_finds_what_is_due(deployed: Stack) -> None:
    publish_plan(deployed)
    waiting = a_waiting_message(deployed, "deliver-bo")
    deployed.invoke("Deliver", event_file("deliver.sweep"))
    assert {"decision_id": waiting} in deployed.take("DeliverQueue")
