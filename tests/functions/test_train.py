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


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Objects]:
    with mock_aws():
        s3, kms = boto3.client("s3"), boto3.client("kms")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
        monkeypatch.setenv("LAKE_BUCKET", "lake")
        monkeypatch.setenv("MODEL_KEY_ID", key)
        monkeypatch.setattr(edge, "now", lambda: shop.START + 71 * DAY)
        door.flow.cache_clear()
        made = S3Objects(s3, "lake")
        made.put("plan/plan.json", json.dumps(shop.plan()).encode())
        yield made
        door.flow.cache_clear()


def test_the_schedule_trains_every_goal_of_the_plan(
    bucket: S3Objects, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ObjectsLake(bucket).put("events", "2026-06-01", shop.parquet(shop.events()))
    answer = door.handler(load_event("train.schedule"), None)
    purchase, moon = answer["verdicts"]
    assert (purchase["promoted"], moon["promoted"]) == (True, False)
    pointer = json.loads(bucket.get("models/purchase/champion.json"))
    assert pointer["version"] == purchase["version"]
    json.dumps(answer, allow_nan=False)
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert metrics[0]["Promotions"] == [1.0]
    assert metrics[0]["NotPromoted"] == [1.0]
    assert 0 <= metrics[0]["ChampionAgeHours"][0] < 72


def test_one_goal_by_hand(bucket: S3Objects, load_event: Any) -> None:
    ObjectsLake(bucket).put("events", "2026-06-01", shop.parquet(shop.events(people=20, days=15)))
    answer = door.handler(load_event("train.one_goal"), None)
    assert [verdict["goal"] for verdict in answer["verdicts"]] == ["purchase"]
    assert answer["verdicts"][0]["missing"]["days"] == 22


def test_an_empty_lake_is_no_failure(bucket: S3Objects, load_event: Any) -> None:
    told = door.handler(load_event("train.schedule"), None)["verdicts"]
    assert [verdict["missing"] for verdict in told] == [{"events": 0}] * 2


@pytest.mark.parametrize(("goal", "error"), [(7, BadInput), ("no such goal", NotFound)])
def test_a_goal_that_is_none_is_refused(bucket: S3Objects, goal: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        door.handler({"goal": goal}, None)
