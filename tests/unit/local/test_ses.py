"""SES on this machine keeps what is sent and tells what became of it, in SES's own words and in time."""

from __future__ import annotations

import json
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from local.ses import Reaction
from nudge.adapters.clients import client
from nudge.vocabulary import SECOND
from tests.unit.local.small import NOON, Stack


def send(configuration_set: str | None = "set") -> str:
    request: dict[str, Any] = {
        "FromEmailAddress": "Shop <news@shop.example>",
        "Destination": {"ToAddresses": ["ann@people.example"]},
        "ReplyToAddresses": ["help@shop.example"],
        "EmailTags": [{"Name": "decision_id", "Value": "d1"}],
        "Content": {
            "Simple": {
                "Subject": {"Data": "Grüße"},
                "Body": {"Text": {"Data": "plain ü"}, "Html": {"Data": "<p>rich</p>"}},
                "Headers": [{"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"}],
            }
        },
    }
    if configuration_set:
        request["ConfigurationSetName"] = configuration_set
    return str(client("sesv2", attempts=1).send_email(**request)["MessageId"])


def told(stack: Stack) -> list[dict[str, Any]]:
    answer = client("sqs").receive_message(QueueUrl=stack.physical("Mail"), MaxNumberOfMessages=10, WaitTimeSeconds=0)
    envelopes = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    assert {envelope["TopicArn"] for envelope in envelopes} <= {stack.physical("Topic")}
    return [json.loads(envelope["Message"]) for envelope in envelopes]


def test_a_mail_keeps_its_headers_tags_and_texts(stack: Stack, tmp_path: Path) -> None:
    message_id = send()
    mail = stack.part.ses.mails[0]
    assert (mail.message_id, mail.to, mail.subject) == (message_id, ("ann@people.example",), "Grüße")
    assert mail.tags == {"decision_id": "d1"}
    assert mail.headers == {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Reply-To": "help@shop.example"}
    assert mail.sent_at == NOON
    kept = BytesParser(policy=policy.default).parsebytes((tmp_path / "outbox" / "000000.eml").read_bytes())
    assert kept["X-Nudge-Tag-decision_id"] == "d1"
    body = kept.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "plain ü"


def test_events_come_in_time_and_in_shape(stack: Stack) -> None:
    stack.part.ses.reader = lambda mail: [
        Reaction("Delivery", 2 * SECOND),
        Reaction("Click", 60 * SECOND, {"link": "https://x"}),
    ]
    message_id = send()
    stack.part.ses.emit()
    assert [event["eventType"] for event in told(stack)] == ["Send"]
    stack.clock.move_to(NOON + 2 * SECOND)
    stack.part.ses.emit()
    (delivery,) = told(stack)
    assert delivery["delivery"]["recipients"] == ["ann@people.example"]
    assert delivery["mail"]["messageId"] == message_id
    assert delivery["mail"]["tags"]["decision_id"] == ["d1"]
    assert delivery["mail"]["timestamp"] == "2026-05-01T12:00:00.000Z"
    assert stack.part.ses.next_at() == NOON + 60 * SECOND
    stack.clock.move_to(NOON + 60 * SECOND)
    stack.part.ses.emit()
    clicks = [event["click"]["link"] for event in told(stack) if event["eventType"] == "Click"]
    assert clicks == ["https://x"]


def test_without_a_configuration_set_nothing_is_told(stack: Stack) -> None:
    send(None)
    assert stack.part.ses.next_at() is None


def test_a_bounce_names_its_recipients(stack: Stack) -> None:
    stack.part.ses.reader = lambda mail: [Reaction("Bounce", 0)]
    send()
    stack.part.ses.emit()
    bounce = next(event for event in told(stack) if event["eventType"] == "Bounce")["bounce"]
    assert (bounce["bounceType"], bounce["bouncedRecipients"][0]["emailAddress"]) == ("Permanent", "ann@people.example")
