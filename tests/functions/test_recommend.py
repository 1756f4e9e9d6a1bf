"""The door `decide`, asked for recommendations, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS31Validator

from functions.decide import handler as door
from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.models import StoredModels
from nudge.adapters.s3 import S3Objects
from tests.acting import NOON, Aws, aws
from tests.conftest import ROOT
from tests.unit.score.neighbours_models import small


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as here:
        for name, value in here.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(edge, "now", lambda: NOON)
        door.flow.cache_clear()
        yield here
        door.flow.cache_clear()


@pytest.fixture
def recommender(world: Aws) -> None:
    """A recommender in force, signed and stored as training does."""
    signer = KmsSigner(client("kms"), world.environment["MODEL_KEY_ID"])
    models = StoredModels(S3Objects(client("s3"), "lake"), signer, clock=lambda: NOON)
    models.publish("recommend.purchase", "v1", {"model.json": json.dumps(small()).encode(), "card.json": b"{}"})
    assert models.promote("recommend.purchase", "v1", token=1, reason="test")


def call(event: dict[str, Any]) -> tuple[int, Any]:
    answer = door.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.usefixtures("recommender")
def test_items_are_answered_as_documented_and_nothing_is_written(world: Aws, load_event: Any) -> None:
    status, answer = call(load_event("decide.recommendations"))
    assert status == 200
    assert [one["item_id"] for one in answer["items"]] == ["shoes", "boots"]
    document = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
    schema = {"$ref": "#/components/schemas/Recommendations", "components": document["components"]}
    OAS31Validator(schema).validate(answer)
    assert world.dynamodb.scan(TableName="ledger")["Count"] == 0


@pytest.mark.usefixtures("recommender")
def test_ids_are_read_as_they_were_meant(load_event: Any) -> None:
    event = load_event("decide.recommendations") | {"rawPath": "/v1/users/a%2Fb%20%C3%BC/recommendations"}
    status, answer = call(event)
    assert (status, answer["user_id"]) == (200, "a/b ü")


@pytest.mark.usefixtures("recommender")
def test_a_wrong_number_is_refused(load_event: Any) -> None:
    event = load_event("decide.recommendations") | {"queryStringParameters": {"n": "many"}}
    status, answer = call(event)
    assert (status, answer["error"]["where"]) == (400, "n")


@pytest.mark.usefixtures("world")
def test_before_the_first_training_it_is_not_ready(load_event: Any) -> None:
    status, answer = call(load_event("decide.recommendations"))
    assert (status, answer["error"]["reason"]) == (409, "notready")
