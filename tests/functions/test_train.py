"""The door `train`: a schedule or a hand starts it; it logs and returns verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.train import handler as door
from nudge import edge
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.s3 import S3Objects
from nudge.errors import BadInput, NotFound
from nudge.vocabulary import DAY
from tests.unit.learn import shop


class Context:
    """Lambda's context, as far as the door asks it."""

    def __init__(self, seconds: float = 900) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class Bucket(S3Objects):
    """The lake, and the queue of runs beside it."""

    queue = ""

    def waiting(self) -> list[dict[str, Any]]:
        """Messages on the queue of runs; they are gone afterwards."""
        found = boto3.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        for one in found:
            boto3.client("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"]) for one in found]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with mock_aws():
        s3, kms = boto3.client("s3"), boto3.client("kms")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
        made = Bucket(s3, "lake")
        made.queue = boto3.client("sqs").create_queue(QueueName="trainings")["QueueUrl"]
        monkeypatch.setenv("LAKE_BUCKET", "lake")
        monkeypatch.setenv("MODEL_KEY_ID", key)
        monkeypatch.setenv("TRAININGS_QUEUE_URL", made.queue)
        monkeypatch.setattr(edge, "now", lambda: shop.START + 71 * DAY)
        door.flow.cache_clear()
        made.put("plan/plan.json", json.dumps(shop.plan()).encode())
        yield made
        door.flow.cache_clear()


def test_the_schedule_begins_a_run_and_its_message_trains_all_that_the_plan_wants(
    bucket: Bucket, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ObjectsLake(bucket).put("events", "2026-06-01", shop.parquet(shop.events()))
    begun = door.handler(load_event("train.schedule"), Context())
    assert begun == {"run": "2026-11-22T03:00:00Z", "tasks": ["purchase", "moon"]}
    assert bucket.waiting() == [{"run": "2026-11-22T03:00:00Z"}]
    assert door.handler(load_event("train.run"), Context()) == {"batchItemFailures": []}
    run = json.loads(bucket.get("models/.training/2026-11-22T03:00:00Z.json"))
    purchase, moon = run["ended"]["purchase"], run["ended"]["moon"]
    assert (purchase["promoted"], moon["promoted"]) == (True, False)
    assert purchase["seconds"] > 0
    assert json.loads(bucket.get("models/purchase/champion.json"))["version"] == purchase["version"]
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert metrics[0]["Promotions"] == [1.0]
    assert metrics[0]["NotPromoted"] == [1.0]
    assert 0 <= metrics[0]["ChampionAgeHours"][0] < 72
    assert door.handler(load_event("train.run"), Context()) == {"batchItemFailures": []}
    assert door.handler(load_event("train.schedule"), Context())["run"] == begun["run"]
    assert bucket.waiting() == [], "a run that has ended sends no message"


def test_what_there_is_no_time_for_is_handed_on(bucket: Bucket, load_event: Any) -> None:
    door.handler(load_event("train.schedule"), Context())
    assert bucket.waiting() == [{"run": "2026-11-22T03:00:00Z"}]
    assert door.handler(load_event("train.run"), Context(seconds=20)) == {"batchItemFailures": []}
    run = json.loads(bucket.get("models/.training/2026-11-22T03:00:00Z.json"))
    assert list(run["ended"]) == ["purchase"]
    assert bucket.waiting() == [{"run": "2026-11-22T03:00:00Z"}]
    door.handler(load_event("train.run"), Context(seconds=20))
    run = json.loads(bucket.get("models/.training/2026-11-22T03:00:00Z.json"))
    assert list(run["ended"]) == ["purchase", "moon"]
    assert bucket.waiting() == []


def test_a_run_that_nobody_began_is_refused_for_good(bucket: Bucket, load_event: Any) -> None:
    event = load_event("train.run")
    for body, failed in (
        ('{"run": "../x"}', []),
        ('{"run": "nobody"}', [{"itemIdentifier": event["Records"][0]["messageId"]}]),
    ):
        event["Records"][0]["body"] = body
        assert door.handler(event, Context()) == {"batchItemFailures": failed}


def test_one_model_by_hand(bucket: Bucket, load_event: Any) -> None:
    ObjectsLake(bucket).put("events", "2026-06-01", shop.parquet(shop.events(people=20, days=15)))
    answer = door.handler(load_event("train.by_hand"), None)
    assert [verdict["goal"] for verdict in answer["verdicts"]] == ["purchase"]
    assert answer["verdicts"][0]["missing"]["days"] == 15
    json.dumps(answer, allow_nan=False)


def test_an_empty_lake_is_no_failure(bucket: Bucket) -> None:
    told = door.handler({}, None)["verdicts"]
    assert [verdict["missing"] for verdict in told] == [{"events": 0}] * 2


def test_without_a_plan_there_is_nothing_to_retry(bucket: Bucket, load_event: Any) -> None:
    bucket.delete(["plan/plan.json"])
    for name in ("schedule", "drift", "by_hand"):
        assert list(door.handler(load_event(f"train.{name}"), Context())) == ["missing"]


def test_the_daily_look_trains_what_has_no_champion_and_then_finds_nothing_moved(
    bucket: Bucket, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ObjectsLake(bucket).put("events", "2026-06-01", shop.parquet(shop.events()))
    told = door.handler(load_event("train.drift"), Context())
    assert told == {"drift": {}, "trained": ["purchase", "moon"]}
    (message,) = bucket.waiting()
    assert message == {"run": "drift-2026-11-22T04:00:00Z"}
    event = load_event("train.run")
    event["Records"][0]["body"] = json.dumps(message)
    assert door.handler(event, Context()) == {"batchItemFailures": []}
    told = door.handler({"task": "drift", "run": "later"}, Context())
    assert told["trained"] == ["moon"]
    assert told["drift"]["purchase"] == {"score": 0.0, "inputs": 0.0, "calibration": 0.0}
    assert not json.loads(bucket.get("models/purchase/drift.json"))["drifted"]
    assert '"DriftOverThreshold":[0.0]' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("goals", "error"), [(7, BadInput), ("purchase", BadInput), ([7], BadInput), (["no such goal"], NotFound)]
)
def test_a_goal_that_is_none_is_refused(bucket: Bucket, goals: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        door.handler({"goals": goals}, None)


def test_a_task_that_is_none_is_refused(bucket: Bucket) -> None:
    with pytest.raises(BadInput):
        door.handler({"task": "sing"}, None)
