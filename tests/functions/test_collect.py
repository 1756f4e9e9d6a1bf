"""The door of collect, over an embedded AWS and the events of `events/`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.collect import handler as door


@pytest.fixture(autouse=True)
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        monkeypatch.setenv("LAKE_BUCKET", "lake")
        door.inbox.cache_clear()
        yield s3
        door.inbox.cache_clear()


@pytest.fixture(autouse=True)
def the_time_of_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nudge.edge.now", lambda: 1_795_000_000_000_000)


def rows(s3: Any, prefix: str = "inbox/") -> list[dict[str, Any]]:
    found = s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
    bodies = [s3.get_object(Bucket="lake", Key=one["Key"])["Body"].read() for one in found]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def ask(event: dict[str, Any], body: Any = None) -> tuple[int, dict[str, Any]]:
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    answer = door.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_a_track_is_accepted_and_lies_in_the_inbox(lake, load_event) -> None:
    status, answer = ask(load_event("collect.track"))
    assert status == 200
    assert answer == {"accepted": 1, "rejected": 0, "results": [{"messageId": "m-1", "status": "accepted"}]}
    assert [row["event_type"] for row in rows(lake, "inbox/events/")] == ["order_completed"]


def test_an_identify_lies_among_the_users(lake, load_event) -> None:
    assert ask(load_event("collect.identify"))[0] == 200
    assert [row["email"] for row in rows(lake, "inbox/users/")] == ["ana@example.com"]


def test_a_batch_answers_for_each_message(lake, load_event) -> None:
    status, answer = ask(load_event("collect.batch"))
    assert (status, answer["accepted"], answer["rejected"]) == (200, 3, 1)
    assert answer["results"][2] == {"messageId": "m-3", "status": "rejected", "reason": "no_user_id", "field": "userId"}
    assert len(rows(lake)) == 3


def test_a_lone_message_that_is_wrong_is_the_requests_error(lake, load_event) -> None:
    status, answer = ask(load_event("collect.track"), {"messageId": "m", "userId": "a"})
    assert (status, answer["error"]["reason"], answer["error"]["where"]) == (400, "no_event", "event")
    assert rows(lake) == []


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("no json", 400, "bad_json"),
        ("[1]", 400, "bad_json"),
        ('{"batch": 5}', 400, "bad_batch"),
        ('{"batch": [], "batch": []}', 400, "duplicate_key"),
        ('{"batch": [{"a": NaN}]}', 400, "bad_number"),
        ('{"batch": [{"a": 1e999}]}', 400, "bad_number"),
        ("[" * 100_000, 400, "bad_json"),
        (json.dumps({"batch": ["x" * 600_000]}), 413, "too_large"),
    ],
)
def test_a_wrong_envelope_is_the_requests_error(lake, load_event, body, status, reason) -> None:
    got, answer = ask(load_event("collect.batch"), body)
    assert (got, answer["error"]["reason"]) == (status, reason)
    assert rows(lake) == []


def test_a_body_in_base64_is_read(lake, load_event) -> None:
    event = load_event("collect.track")
    event |= {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert ask(event)[0] == 200


def test_the_same_request_twice_lies_there_once(lake, load_event) -> None:
    for _ in range(2):
        assert ask(load_event("collect.track"))[0] == 200
    assert len(rows(lake)) == 1


def test_a_bucket_that_does_not_answer_is_503_and_accepts_nothing(load_event, monkeypatch) -> None:
    monkeypatch.setenv("LAKE_BUCKET", "not-there")
    door.inbox.cache_clear()
    status, answer = ask(load_event("collect.track"))
    assert (status, answer["error"]["reason"]) == (503, "unavailable")


@pytest.mark.parametrize("route", ["page", "screen", "group", "alias"])
def test_the_other_types_have_routes_too(lake, load_event, route) -> None:
    event = load_event("collect.track")
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/v1/{route}"
    event["requestContext"]["routeKey"] = event["routeKey"] = f"POST /v1/{route}"
    assert ask(event, {"messageId": "m", "userId": "a"})[0] == 200
    assert [row["event_type"] for row in rows(lake)] == [route]


def test_the_ledgers_stream_is_copied(lake, load_event) -> None:
    for _ in range(2):
        assert door.handler(load_event("collect.ledger"), None) == {"batchItemFailures": []}
    assert [row["decision_id"] for row in rows(lake, "inbox/decisions/")] == ["d1"]
    assert [row["event_id"] for row in rows(lake, "inbox/outcomes/")] == ["d1:sent"]


def test_a_batch_of_the_stream_comes_again_when_the_bucket_does_not_answer(load_event, monkeypatch) -> None:
    monkeypatch.setenv("LAKE_BUCKET", "not-there")
    door.inbox.cache_clear()
    event = load_event("collect.ledger")
    first = event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert door.handler(event, None) == {"batchItemFailures": [{"itemIdentifier": first}]}
