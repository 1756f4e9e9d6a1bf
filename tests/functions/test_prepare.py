"""The door `prepare`: a queue's chunk, and the schedule, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.prepare import handler as door
from nudge.adapters.arrivals import DynamoArrivals
from nudge.adapters.clients import client
from nudge.adapters.profiles import DynamoProfiles
from tests.ports.conftest import make_table

NOW = 1_770_000_000_000_000
CONTENT = "0123456789abcdef0123456789abcdef"
EVENTS = b"user_id,event_type,event_time\n7,view,2026-01-01T10:00:00Z\n8,buy,2026-01-02T10:00:00Z\n,buy,2026-01-02T10:00:00Z\n"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, load_event: Any) -> Iterator[dict[str, Any]]:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for name in ("arrivals", "profiles", "ledger"):
            make_table(name)
            monkeypatch.setenv(f"{name.upper()}_TABLE", name)
        monkeypatch.setenv("LAKE_BUCKET", "lake")
        door.flow.cache_clear()
        door.bucket.cache_clear()
        etag = s3.put_object(Bucket="lake", Key="inbox/events/a.csv", Body=EVENTS)["ETag"].strip('"')
        event = load_event("prepare.chunk")
        event["Records"][0]["body"] = event["Records"][0]["body"].replace("ETAG", etag)
        arrivals = DynamoArrivals(client("dynamodb"), "arrivals")
        arrivals.claim(CONTENT, bucket="lake", key="inbox/events/a.csv", kind="events", chunks=1, owner="t", now=NOW)
        arrivals.queued(CONTENT)
        yield event
        door.flow.cache_clear()
        door.bucket.cache_clear()


def keys(prefix: str = "") -> list[str]:
    return [one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])]


def test_a_chunk_from_the_queue_ends_in_lake_quarantine_report_and_profiles(world: dict[str, Any]) -> None:
    assert door.handler(world, None) == {"batchItemFailures": []}
    assert [key.split("/")[2] for key in keys("lake/events/")] == ["dt=2026-01-01", "dt=2026-01-02"]
    assert keys("quarantine/") == [f"quarantine/events/{CONTENT}/00000.jsonl"]
    report = json.loads(
        boto3.client("s3").get_object(Bucket="lake", Key=f"reports/quality/{CONTENT}.json")["Body"].read()
    )
    assert (report["read"], report["accepted"], report["reasons"]) == (3, 2, {"no_user_id": 1})
    assert DynamoProfiles(client("dynamodb"), "profiles").get("7") is not None


def test_the_same_message_again_changes_nothing(world: dict[str, Any]) -> None:
    door.handler(world, None)
    before = keys()
    assert door.handler(world, None) == {"batchItemFailures": []}
    assert keys() == before


def test_a_store_that_is_down_sends_the_chunk_back_to_the_queue(world: dict[str, Any]) -> None:
    boto3.client("dynamodb").delete_table(TableName="profiles")
    assert door.handler(world, None) == {"batchItemFailures": [{"itemIdentifier": world["Records"][0]["messageId"]}]}


@pytest.mark.parametrize("body", ["not json", "{}", '{"task":"chunk"}', '{"task":"chunk","kind":"events"}'])
def test_a_message_that_is_no_task_is_counted_and_done(world: dict[str, Any], body: str) -> None:
    world["Records"][0]["body"] = body
    assert door.handler(world, None) == {"batchItemFailures": []}
    assert keys("lake/") == []


def test_the_schedule_merges_the_parts_of_a_day(world: dict[str, Any], load_event: Any) -> None:
    door.handler(world, None)
    s3 = boto3.client("s3")
    [first, _] = keys("lake/events/")
    s3.copy_object(
        Bucket="lake", Key=first.replace(".parquet", "b.parquet"), CopySource={"Bucket": "lake", "Key": first}
    )
    assert door.handler(load_event("prepare.compact"), None) == {}
    assert len(keys("lake/events/")) == 2
