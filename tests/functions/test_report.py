"""The door `report`: on schedule it makes the report, over HTTP it shows the newest, against the embedded AWS."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from openapi_schema_validator import OAS31Validator

from functions.report import handler as door
from nudge import edge
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.plans import KEY
from nudge.adapters.s3 import S3Objects
from nudge.errors import NotReady
from tests.conftest import ROOT
from tests.unit.measure import world

type Call = Callable[[str], dict[str, Any]]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Objects]:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        boto3.client("dynamodb").create_table(
            TableName="arrivals",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        monkeypatch.setenv("LAKE_BUCKET", "lake")
        monkeypatch.setenv("ARRIVALS_TABLE", "arrivals")
        monkeypatch.setenv("MODEL_KEY_ID", "no-key-is-needed-without-models")
        monkeypatch.setattr(edge, "now", lambda: world.micros(world.NOW))
        door.flow.cache_clear()
        yield S3Objects(s3, "lake")
        door.flow.cache_clear()


@pytest.fixture
def shop(bucket: S3Objects) -> S3Objects:
    """A lake with a small shop in it, and its plan."""
    bucket.put(KEY, json.dumps(world.PLAN).encode())
    sold = world.shop(300)
    lake = ObjectsLake(bucket)
    for kind in ("decisions", "events", "outcomes"):
        for body in sold.bodies(kind, 2):
            lake.put(kind, "2026-04-01", body)  # type: ignore[arg-type]
    return bucket


@pytest.fixture
def call(bucket: S3Objects, load_event: Any) -> Call:
    return lambda name: door.handler(load_event(name), None)


def test_before_the_first_report_the_answer_is_404(call: Call) -> None:
    answer = call("report.latest")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"]["reason"] == "notfound"


def test_the_schedule_makes_the_report_and_http_shows_it(shop: S3Objects, call: Call) -> None:
    told = call("report.schedule")
    answer = call("report.latest")
    assert answer["statusCode"] == 200
    shown = json.loads(answer["body"])
    assert shown["checksum"] == told["checksum"]
    assert [goal["goal"] for goal in shown["goals"]] == ["purchase", "visit"]
    assert sorted(one.key for one in shop.list("reports/")) == [
        f"reports/{place}/report.{ending}"
        for place in ("2026-04-06", "latest")
        for ending in ("csv", "html", "json", "zh.html")
    ]


def test_a_browser_gets_the_page(shop: S3Objects, call: Call) -> None:
    call("report.schedule")
    answer = call("report.latest_page")
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["vary"] == "Accept, Accept-Language"
    assert answer["body"].startswith('<!DOCTYPE html>\n<html lang="en">')


def test_a_browser_that_prefers_chinese_or_asks_for_it_gets_the_page_in_chinese(
    shop: S3Objects, call: Call, load_event: Any
) -> None:
    call("report.schedule")
    event = load_event("report.latest_page")
    for changed in (
        {"headers": {**event["headers"], "accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}},
        {"queryStringParameters": {"lang": "zh"}},
    ):
        assert '<html lang="zh-Hans">' in door.handler(event | changed, None)["body"]


def test_a_spreadsheet_gets_rows(shop: S3Objects, call: Call) -> None:
    call("report.schedule")
    rows = list(csv.DictReader(StringIO(call("report.latest_csv")["body"])))
    assert [row["activity"] for row in rows] == ["discount_mail", "reminder_mail", "banner", "news_mail"]


def test_what_a_person_did_is_answered_as_documented(shop: S3Objects, load_event: Any) -> None:
    someone = world.shop(300).outcomes[0]["user_id"]
    answer = door.handler(load_event("report.events") | {"rawPath": f"/v1/people/{someone}/events"}, None)
    assert answer["statusCode"] == 200
    told = json.loads(answer["body"])
    document = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
    schema = {"$ref": "#/components/schemas/Doings", "components": document["components"]}
    OAS31Validator(schema).validate(told)
    assert told["events"]
    assert answer["headers"]["Cache-Control"] == "no-store"


def test_without_a_plan_the_schedule_fails_so_that_it_is_tried_again(call: Call) -> None:
    with pytest.raises(NotReady):
        call("report.schedule")


def test_metrics_say_how_old_the_report_is_and_how_much_was_rejected(
    shop: S3Objects, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    call("report.schedule")
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert {name for one in written for name in one} >= {"QuarantineShare", "ReportAgeHours"}
