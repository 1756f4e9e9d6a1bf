"""The door `decide`: HTTP in, HTTP out, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.decide import handler as door
from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.models import StoredModels
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from tests.acting import NOON, Aws, aws, person, plan_data, put_person
from tests.conftest import ROOT


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as here:
        for name, value in here.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(edge, "now", lambda: NOON)
        door.flow.cache_clear()
        put_person(DynamoProfiles(here.dynamodb, "profiles"), person("ana"))
        yield here
        door.flow.cache_clear()


@pytest.fixture
def ask(world: Aws, load_event: Any) -> Any:
    def call(body: Any = None, *, key: str | None = "k-1", raw: str | None = None) -> tuple[int, Any]:
        event = load_event("decide.request")
        event["body"] = raw if raw is not None else json.dumps(body if body is not None else {"user_id": "ana"})
        event["headers"].pop("idempotency-key", None)
        if key is not None:
            event["headers"]["idempotency-key"] = key
        answer = door.handler(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    return call


def queued(world: Aws) -> list[str]:
    got = world.sqs.receive_message(QueueUrl=world.environment["DELIVER_QUEUE_URL"], MaxNumberOfMessages=10)
    return [json.loads(one["Body"])["decision_id"] for one in got.get("Messages", [])]


def test_a_decision_is_recorded_and_its_message_is_queued(world: Aws, ask: Any) -> None:
    status, answer = ask()
    assert status == 200
    assert answer["activity"] == "discount_mail"
    assert answer["rules"] == "plan"
    assert queued(world) == [answer["decision_id"]]
    rows = world.dynamodb.scan(TableName="ledger")["Items"]
    assert sorted(row["id"]["S"].split("#")[0] for row in rows) == ["count", "count", "count", "decision", "message"]
    message = next(row for row in rows if row["id"]["S"].startswith("message#"))
    assert (message["state"]["S"], message["user_id"]["S"]) == ("pending", "ana")


def test_the_same_request_twice_gives_the_same_answer_and_one_message(world: Aws, ask: Any) -> None:
    assert ask() == ask()
    assert len(queued(world)) == 1


def test_the_same_key_for_another_request_is_refused_with_422(ask: Any) -> None:
    ask()
    status, answer = ask({"user_id": "ana", "context": {"page": "shoes"}})
    assert (status, answer["error"]["reason"]) == (422, "key_reused")


def test_a_request_without_a_key_is_refused_and_nothing_is_done(world: Aws, ask: Any) -> None:
    status, answer = ask(key=None)
    assert (status, answer["error"]["reason"]) == (400, "key_missing")
    assert world.dynamodb.scan(TableName="ledger")["Count"] == 0


def test_a_dry_run_needs_no_key_and_writes_nothing(world: Aws, ask: Any) -> None:
    status, answer = ask({"user_id": "ana", "dry_run": True}, key=None)
    assert (status, answer["dry_run"], answer["activity"]) == (200, True, "discount_mail")
    assert world.dynamodb.scan(TableName="ledger")["Count"] == 0
    assert queued(world) == []


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "bad_json"),
        ("null", "bad_json"),
        ("[]", "bad_json"),
        ("{", "bad_json"),
        ("[" * 10_000, "bad_json"),
        ('{"user_id": "ana", "context": {"x": NaN}}', "bad_number"),
        ('{"user_id": "ana", "context": {"x": 1e400}}', "bad_number"),
        ('{"user_id": "ana", "user_id": "bob"}', "duplicate_key"),
        ('{"user_id": "ana", "goals": "x"}', "unknown_field"),
        ('{"user_id": ""}', "bad_length"),
        ('{"user_id": 7}', "bad_type"),
        ("{}", "missing"),
        ('{"user_id": "a\\u0000b"}', "bad_character"),
        ('{"user_id": "ana", "goal": "fame"}', "unknown_goal"),
        ('{"user_id": "ana", "candidates": ["fame"]}', "unknown_activity"),
        ('{"user_id": "ana", "context": {"x": 9007199254740993}}', "bad_type"),
    ],
)
def test_a_wrong_request_is_a_400_that_says_why(ask: Any, raw: str, reason: str) -> None:
    status, answer = ask(raw=raw)
    assert (status, answer["error"]["reason"]) == (400, reason)


def test_a_store_that_is_down_is_a_503_and_nothing_is_done(world: Aws, ask: Any) -> None:
    world.dynamodb.delete_table(TableName="profiles")
    status, answer = ask()
    assert status == 503
    assert "profiles" not in json.dumps(answer)
    assert queued(world) == []


def test_a_fresh_decision_makes_four_calls_once_the_door_is_warm(ask: Any) -> None:
    from tests.faults.explorer import fault

    ask(key="warm")
    with fault() as calls:
        ask({"user_id": "somebody-new"}, key="k-2")
    assert calls.names == ("GetItem", "BatchGetItem", "TransactWriteItems")
    with fault() as calls:
        ask(key="k-3")
    assert calls.names[:3] == ("GetItem", "BatchGetItem", "TransactWriteItems")


NUMBERS = {"weight": 0.5, "center": 0.0, "missing": 0.0}
MODELS: dict[str, dict[str, Any]] = {
    "purchase": {
        **{
            "kind": "logistic",
            "activities": ["nothing"],
            "calibration": {"kind": "sigmoid", "slope": 1, "intercept": 0},
        },
        "features": [{"name": "open_rate", "type": "number", "absent": 0.0}],
        "model": {"intercept": -2.0, "terms": [NUMBERS], "interactions": []},
    },
    "uplift.purchase": {
        **{"kind": "uplift", "features": [], "until": 0},
        "activities": {
            "discount_mail": {
                **{"average": 0.05, "low": 0.01, "high": 0.09, "center": 0.0, "slope": 1.0},
                **{"heterogeneous": False, "terms": []},
            }
        },
    },
    "recommend.purchase": {
        **{"kind": "recommend", "items": ["boots", "socks"], "categories": ["shoes"], "category": [0, -1]},
        **{"about": [{"title": "Boots", "price": 79.9}, {}], "popularity": [9, 4], "popularity_scale": 0.1},
        **{
            "again": False,
            "bought": "purchase",
            "per_category": None,
            "events": {},
            "out": [],
            "windows": [],
            "tables": [],
        },
    },
}
"""A small artefact of each kind that a decision asks here."""


@pytest.fixture
def learned(world: Aws) -> None:
    """Models of three kinds in force, signed and stored as training does; the discount mail chooses items and its hour."""
    lake = S3Objects(client("s3"), "lake")
    models = StoredModels(lake, KmsSigner(client("kms"), world.environment["MODEL_KEY_ID"]), clock=lambda: NOON)
    for name, artefact in MODELS.items():
        body = json.dumps({"format": 1, "name": name, **artefact}).encode()
        models.publish(name, "v1", {"model.json": body, "card.json": b"{}"})
        assert models.promote(name, "v1", token=1, reason="test")
    plan = plan_data()
    plan["activities"]["discount_mail"] |= {"items": "recommended", "send_time": "best"}
    lake.put("plan/plan.json", json.dumps(plan).encode())


@pytest.mark.usefixtures("learned")
def test_a_decision_asks_every_model_that_the_plan_uses(ask: Any) -> None:
    status, answer = ask()
    assert status == 200
    p = answer["predicted"]
    assert p["activity"] == pytest.approx(p["nothing"] + 0.05)
    assert answer["model_version"] == "v1+uplift/v1"
    assert answer["models"] == {"propensity": "v1", "uplift": "v1", "recommend": "v1"}
    assert answer["items"] == [
        {"item_id": "boots", "title": "Boots", "price": 79.9, "category": "shoes"},
        {"item_id": "socks"},
    ]
    assert answer["send_time"]["at"] == answer["send_at"]
    why = answer["why"]["contributions"]
    assert (why["base"], why["others"], [one["feature"] for one in why["reasons"]]) == (-2.0, 0, ["open_rate"])
    as_documented(answer, "Decision")
    assert ask() == (200, answer)


@pytest.mark.usefixtures("learned")
def test_an_event_that_asks_why_is_told_also_of_what_is_shown_inline(load_event: Any) -> None:
    event = load_event("decide.explain")
    event["body"] = json.dumps({**json.loads(event["body"]), "candidates": ["banner"]})
    answer = json.loads(door.handler(event, None)["body"])
    assert answer["activity"] == "banner"
    assert answer["why"]["contributions"]["base"] == -2.0
    event["body"] = json.dumps({"user_id": "ana", "candidates": ["banner"], "dry_run": True})
    assert json.loads(door.handler(event, None)["body"])["why"]["contributions"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": "ana"},
        {"user_id": "ana", "explain": True},
        {"user_id": "ana", "candidates": ["banner"]},
        {"user_id": "stranger"},
        {"user_id": "ana", "goal": "visit", "candidates": ["receipt"]},
        {"user_id": "ana", "dry_run": True},
        {"user_id": "ana", "goal": "fame"},
    ],
)
def test_answers_are_as_the_openapi_document_says(ask: Any, body: dict[str, Any]) -> None:
    status, answer = ask(body)
    as_documented(answer, "Decision" if status == 200 else "Error")


def as_documented(answer: Any, name: str) -> None:
    import yaml
    from openapi_schema_validator import OAS31Validator

    document = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]}).validate(answer)
