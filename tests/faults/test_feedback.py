"""Whatever happens at any AWS call of `feedback`: a bounce suppresses, settles, is kept, and counts against us once (E10, E13, B12)."""

from __future__ import annotations

import json
import os
from typing import Any

from explorer import Worker, explore
from test_decide_and_deliver import ann_may_be_written_to, ask
from world import NOW, World, queue_event

from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.reputation import DynamoReputation


def bounce(decision_id: str) -> dict[str, Any]:
    told = {
        "eventType": "Bounce",
        "mail": {
            "timestamp": "2026-09-21T14:13:20.000Z",
            "messageId": "ses-1",
            "destination": ["ann@example.com"],
            "tags": {"decision_id": [decision_id]},
        },
        "bounce": {
            "bounceType": "Permanent",
            "timestamp": "2026-09-21T14:13:25.000Z",
            "bouncedRecipients": [{"emailAddress": "ann@example.com"}],
        },
    }
    return {"Type": "Notification", "TopicArn": os.environ["FEEDBACK_TOPIC_ARN"], "Message": json.dumps(told)}


def test_a_bounce_counts_once_and_has_all_its_effects_whatever_happens(world: World) -> None:
    names: list[str] = []

    def set_up() -> None:
        ann_may_be_written_to(world)
        names[:] = [json.loads(world.door("decide", ask())["body"])["decision_id"]]
        assert DynamoLedger(world.client("dynamodb"), "Ledger").claim(names[0], owner="died", now=NOW + 10**9)

    def deliver(attempt: int) -> bool:
        return not world.door("feedback", queue_event(bounce(names[0]), attempt=attempt))["batchItemFailures"]

    def violated() -> str | None:
        dynamodb = world.client("dynamodb")
        bounced = DynamoReputation(dynamodb, "Ledger").figures(now=NOW).bounced
        if bounced != 1:
            return f"{bounced} bounces counted"
        if not DynamoProfiles(dynamodb, "Profiles").is_address_suppressed("email", "ann@example.com"):
            return "not suppressed"
        message = DynamoLedger(dynamodb, "Ledger").message(names[0])
        if message is None or message.state != "sent":
            return "not settled"
        rows = {line for key in world.keys("inbox/outcomes/") for line in world.body(key).splitlines()}
        ids = {json.loads(line)["event_id"] for line in rows}
        return None if len(ids) == 1 else f"{len(ids)} events kept"

    cases, violations = explore(Worker("feedback", set_up, deliver, violated))
    assert cases >= 8 * 6
    assert violations == []
