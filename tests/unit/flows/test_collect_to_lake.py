"""What collect writes, prepare understands: HTTP and the Ledger's stream walk the same road as files."""

from __future__ import annotations

import json
from typing import Any

from nudge.adapters.memory import MemoryObjects, MemoryQueue
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.clean import engine
from nudge.flows.arrive import Arrive
from nudge.flows.collect import Collect, CopyLedger
from nudge.flows.prepare import _spelling
from nudge.flows.tasks import from_task

NOW = 1_795_000_000_000_000


def cleaned(inbox: MemoryObjects) -> dict[str, list[dict[str, Any]]]:
    """Everything that lies in the inbox, arrived and cleaned: rows by kind. Nothing may be rejected."""
    queue = MemoryQueue()
    flow = Arrive(inbox, MemoryArrivals(), queue, inbox.name)
    for one in list(inbox.list("inbox/")):
        flow(
            {"source": "aws.s3", "detail-type": "Object Created", "detail": about(inbox.name, one.key)},
            owner="o",
            now=NOW,
        )
    rows: dict[str, list[dict[str, Any]]] = {}
    for task in queue.take():
        chunk = from_task(task)
        found = engine.clean(chunk, inbox.get(chunk.key), _spelling(chunk, {}))
        assert found.rejects == []
        for kind, frame in found.frames.items():
            rows.setdefault(kind, []).extend(frame.to_dicts())
    return rows


def about(bucket: str, key: str) -> dict[str, Any]:
    return {"bucket": {"name": bucket}, "object": {"key": key}}


def in_memory() -> MemoryObjects:
    return MemoryObjects(start=NOW)


def test_messages_become_rows_of_events_and_users() -> None:
    inbox = in_memory()
    properties = {"order_id": "o", "revenue": 25.5, "user_id": "not this one", "products": [{"product_id": "p"}]}
    order = {"type": "track", "messageId": "m-1", "userId": "ana", "event": "Order Completed", "properties": properties}
    traits = {"email": "Ana@example.com", "firstName": "Ana", "emailConsent": True, "address": {"city": "X"}}
    person = {"type": "identify", "messageId": "m-2", "userId": "ana", "traits": traits}
    assert {one["status"] for one in Collect(inbox)([order, person], received_at=NOW, source="http")} == {"accepted"}
    rows = cleaned(inbox)
    (event,), (user,) = rows["events"], rows["users"]
    assert (event["event_id"], event["user_id"], event["event_type"], event["value"]) == (
        "m-1",
        "ana",
        "order_completed",
        25.5,
    )
    assert event["item_id"] == "p"
    assert json.loads(event["properties"])["products"] == [{"product_id": "p"}]
    assert json.loads(event["properties"])["user_id"] == "not this one"
    assert (user["user_id"], user["email_consent"]) == ("ana", True)
    assert json.loads(user["attributes"]) == {"first_name": "Ana", "address": {"city": "X"}}


def test_decisions_and_outcomes_of_the_stream_become_rows(load_event: Any) -> None:
    inbox = in_memory()
    CopyLedger(inbox)(load_event("collect.ledger")["Records"])
    rows = cleaned(inbox)
    (decision,), (outcome,) = rows["decisions"], rows["outcomes"]
    assert (decision["decision_id"], decision["propensity"], decision["plan_version"]) == ("d1", 0.81, "p1")
    assert json.loads(decision["record"])["vector"] == {"total.purchase": 2.0}
    assert (outcome["event_id"], outcome["event_type"], outcome["channel"]) == ("d1:sent", "email_sent", "email")
    assert json.loads(outcome["properties"])["activity"] == "spring_mail"


def test_a_dump_of_segment_messages_loads_unchanged() -> None:
    inbox = in_memory()
    lines = [
        {"type": "track", "messageId": "1", "userId": "a", "event": "Signed Up", "timestamp": "2026-11-01T00:00:00Z"},
        {
            "type": "identify",
            "messageId": "2",
            "userId": "a",
            "timestamp": "2026-11-01T00:00:00Z",
            "traits": {"plan": "x"},
        },
        {"type": "page", "messageId": "3", "anonymousId": "z", "timestamp": "2026-11-01T00:00:00Z", "name": "Home"},
    ]
    inbox.put("inbox/events/dump.jsonl", "\n".join(map(json.dumps, lines)).encode())
    rows = cleaned(inbox)
    assert sorted(row["event_type"] for row in rows["events"]) == ["page", "signed_up"]
    assert [row["user_id"] for row in rows["users"]] == ["a"]
