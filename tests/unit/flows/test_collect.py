"""What comes over HTTP and what the Ledger tells lies in the inbox once."""

from __future__ import annotations

import json

import pytest

from nudge.adapters.memory import MemoryObjects
from nudge.errors import Conflict, Unavailable
from nudge.flows.collect import Collect, CopyLedger

NOW = 1_795_000_000_000_000
TRACK = {"type": "track", "messageId": "m-1", "userId": "ana", "event": "Visit"}
IDENTIFY = {"type": "identify", "messageId": "m-2", "userId": "ana", "traits": {"plan": "gold"}}


def lying(inbox: MemoryObjects) -> dict[str, list[dict]]:
    return {one.key: [json.loads(line) for line in inbox.get(one.key).splitlines()] for one in inbox.list("inbox/")}


def test_a_call_writes_one_object_a_kind_and_a_result_for_each_message():
    inbox = MemoryObjects()
    results = Collect(inbox)([TRACK, {**TRACK, "userId": None}, IDENTIFY, 5], received_at=NOW, source="http")
    assert results == [
        {"messageId": "m-1", "status": "accepted"},
        {"messageId": "m-1", "status": "rejected", "reason": "no_user_id", "field": "userId"},
        {"messageId": "m-2", "status": "accepted"},
        {"messageId": None, "status": "rejected", "reason": "not_an_object", "field": None},
    ]
    (events, users) = sorted(lying(inbox).items())
    assert events[0].startswith("inbox/events/http/2026/11/18/")
    assert users[0].startswith("inbox/users/http/2026/11/18/")
    assert [row["event_id"] for row in events[1]] == ["m-1"]
    assert users[1][0]["attributes"] == {"plan": "gold"}


def test_the_same_request_twice_writes_one_object():
    inbox = MemoryObjects()
    for now in (NOW, NOW + 5_000_000):
        Collect(inbox)([TRACK], received_at=now, source="http")
    assert inbox.writes == 1


def test_nothing_valid_writes_nothing():
    inbox = MemoryObjects()
    Collect(inbox)([{}], received_at=NOW, source="http")
    assert inbox.writes == 0


def test_a_race_that_s3_wants_tried_again_is_tried_again():
    class Racing(MemoryObjects):
        refused = 1

        def put(self, key: str, body: bytes, **more) -> str:
            if self.refused:
                self.refused -= 1
                raise Conflict("409")
            return super().put(key, body, **more)

    inbox = Racing()
    Collect(inbox)([TRACK], received_at=NOW, source="http")
    assert inbox.writes == 1


def test_a_bucket_that_does_not_answer_promises_nothing():
    class Down(MemoryObjects):
        def put(self, key: str, body: bytes, **more) -> str:
            raise Unavailable("down")

    with pytest.raises(Unavailable):
        Collect(Down())([TRACK], received_at=NOW, source="http")


def test_the_ledgers_stream_becomes_decisions_and_outcomes(load_event):
    inbox = MemoryObjects()
    records = load_event("collect.ledger")["Records"]
    for _ in range(2):
        assert CopyLedger(inbox)(records) == {"decisions": 1, "outcomes": 1}
    assert inbox.writes == 2
    (_, decisions), (_, outcomes) = sorted(lying(inbox).items())
    assert decisions[0]["decided_at"] == "2026-11-18T11:06:40.000000Z"
    assert decisions[0]["propensity"] == 0.81
    assert json.loads(decisions[0]["record"])["draw"] == 0.3
    assert outcomes == [
        {
            "event_id": "d1:sent",
            "user_id": "ana",
            "event_type": "email_sent",
            "event_time": "2026-11-18T11:06:43.000000Z",
            "channel": "email",
            "decision_id": "d1",
            "properties": {"activity": "spring_mail", "goal": "purchase", "provider_id": "ses-1"},
        }
    ]


def test_the_end_of_another_attempt_is_another_outcome(load_event):
    record = next(one for one in load_event("collect.ledger")["Records"] if "state" in one["dynamodb"]["NewImage"])
    record["dynamodb"]["NewImage"] |= {"attempt": {"N": "2"}, "state": {"S": "failed"}}
    inbox = MemoryObjects()
    CopyLedger(inbox)([record])
    ((_, (outcome,)),) = lying(inbox).items()
    assert (outcome["event_id"], outcome["properties"]["attempt"]) == ("d1:failed:2", 2)


def test_an_inline_decision_was_shown_and_nothing_was_not(load_event):
    (record, *_) = load_event("collect.ledger")["Records"]
    image = record["dynamodb"]["NewImage"]
    held = json.loads(image["record"]["S"])
    for activity, expected in (("banner", 1), ("nothing", 0)):
        image["record"]["S"] = json.dumps({**held, "channel": "inline", "activity": activity})
        inbox = MemoryObjects()
        assert CopyLedger(inbox)([record]).get("outcomes", 0) == expected


def test_a_row_that_is_not_the_ledgers_is_counted_and_stops_nothing(load_event):
    records = load_event("collect.ledger")["Records"]
    records[0]["dynamodb"]["NewImage"]["record"] = {"S": "no json"}
    assert CopyLedger(MemoryObjects())(records) == {"refused": 1, "outcomes": 1}


def test_a_state_that_did_not_change_is_no_outcome_again(load_event):
    record = load_event("collect.ledger")["Records"][3]
    record["dynamodb"]["OldImage"] = record["dynamodb"]["NewImage"]
    assert CopyLedger(MemoryObjects())([record]) == {}
