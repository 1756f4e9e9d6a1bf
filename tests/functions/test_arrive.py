"""The door of arrive, over an embedded AWS and the events of `events/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.arrive import handler as door
from nudge.adapters.clients import client
from nudge.collect.notification import content_id
from nudge.flows.tasks import from_task

KEY = "inbox/events/a+b c=é/日本.csv"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        boto3.client("s3").put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        url = boto3.client("sqs").create_queue(QueueName="chunks")["QueueUrl"]
        boto3.client("dynamodb").create_table(
            TableName="arrivals",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        for name, value in {"LAKE_BUCKET": "lake", "ARRIVALS_TABLE": "arrivals", "CHUNKS_QUEUE_URL": url}.items():
            monkeypatch.setenv(name, value)
        door.flow.cache_clear()
        yield {"url": url}
        door.flow.cache_clear()


def tasks(world: dict[str, Any]) -> list[dict[str, Any]]:
    got = client("sqs").receive_message(QueueUrl=world["url"], MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(one["Body"]) for one in got]


def about(event: Any, key: str = KEY) -> Any:
    """The event, telling of what really lies there (its version and ETag)."""
    put = boto3.client("s3").put_object(Bucket="lake", Key=key, Body=b"user_id,event_type,event_time\na,b,c\n")
    text = json.dumps(event).replace("0123456789abcdef0123456789abcdef", put["ETag"].strip('"'))
    for spelled in ('\\"v1\\"', '\\\\\\"v1\\\\\\"', '\\\\\\\\\\\\\\"v1\\\\\\\\\\\\\\"'):
        text = text.replace(spelled, spelled.replace("v1", put["VersionId"]))
    return json.loads(text), content_id("lake", key, put["VersionId"], None)


@pytest.mark.parametrize("name", ["put", "event_bridge", "sns", "sns_twice"])
def test_every_envelope_makes_the_same_task(world, load_event, name) -> None:
    event, content = about(load_event(f"arrive.{name}"))
    for _ in range(2):
        assert door.handler(event, None) == {"batchItemFailures": []}
    (task,) = tasks(world)
    chunk = from_task(task)
    assert (chunk.content, chunk.key, chunk.header) == (content, KEY, ("user_id", "event_type", "event_time"))


def test_the_test_event_and_a_foreign_bucket_leave_nothing(world, load_event) -> None:
    for name in ("test_event", "foreign_bucket"):
        assert door.handler(load_event(f"arrive.{name}"), None) == {"batchItemFailures": []}
    assert tasks(world) == []


def test_one_bad_message_does_not_hold_up_the_others(world, load_event) -> None:
    event, _ = about(load_event("arrive.mixed"))
    assert door.handler(event, None) == {"batchItemFailures": []}
    assert len(tasks(world)) == 1


def test_a_queue_that_does_not_answer_gets_the_message_again(world, load_event, monkeypatch) -> None:
    event, _ = about(load_event("arrive.put"))
    monkeypatch.setenv("CHUNKS_QUEUE_URL", world["url"] + "-gone")
    door.flow.cache_clear()
    assert door.handler(event, None) == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    monkeypatch.setenv("CHUNKS_QUEUE_URL", world["url"])
    door.flow.cache_clear()
    assert door.handler(event, None) == {"batchItemFailures": []}
    assert len(tasks(world)) == 1
