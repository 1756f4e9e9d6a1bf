"""The door `console`: the page is open and the same for everybody; a person's timeline is told from the tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS31Validator

from functions.console import handler as door
from functions.decide import handler as decide
from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.profiles import DynamoProfiles
from tests.acting import NOON, Aws, aws, person, put_person
from tests.conftest import ROOT

SIGN_IN = {"CONSOLE_LOGIN": "none", "CONSOLE_CLIENT_ID": "none", "CONSOLE_SCOPE": "nudge/api"}


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {**SIGN_IN, "PROFILES_TABLE": "profiles", "LEDGER_TABLE": "ledger"}.items():
        monkeypatch.setenv(name, value)
    door.here.cache_clear()
    door.flow.cache_clear()
    yield
    door.here.cache_clear()
    door.flow.cache_clear()


@pytest.fixture
def world(page: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as here:
        for name, value in here.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(edge, "now", lambda: NOON)
        decide.flow.cache_clear()
        yield here
        decide.flow.cache_clear()


def test_the_page_is_given_to_anybody_with_a_policy_that_trusts_only_this_origin(page: None, load_event: Any) -> None:
    answer = door.handler(load_event("console.shell"), None)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(one.strip().split(" ", 1) for one in answer["headers"]["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "<style" not in answer["body"]
    assert re.findall(r"<script(?![^>]* src=)", answer["body"]) == []
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"


def test_the_page_is_asked_for_anew_and_what_it_loads_is_kept_for_a_year(page: None, load_event: Any) -> None:
    shell = door.handler(load_event("console.shell"), None)
    assert shell["headers"]["Cache-Control"] == "no-cache"
    held = load_event("console.shell")
    held["headers"]["if-none-match"] = shell["headers"]["ETag"]
    assert (door.handler(held, None)["statusCode"], door.handler(held, None)["body"]) == (304, "")
    for path in re.findall(r'(?:href|src)="(console/[^"]+)"', shell["body"]):
        asset = door.handler(load_event("console.file") | {"rawPath": f"/{path}"}, None)
        assert asset["statusCode"] == 200
        assert asset["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
        assert asset["headers"]["ETag"]


def test_a_page_of_before_a_deployment_gets_todays_files_and_does_not_keep_them(page: None, load_event: Any) -> None:
    asset = door.handler(load_event("console.file"), None)
    assert (asset["statusCode"], asset["headers"]["Cache-Control"]) == (200, "no-cache")
    assert asset["headers"]["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "name", ["..%2f..%2fhandler.py", "index.html", "handler.py", "words.de.json", "words..json", "x"]
)
def test_only_the_files_of_the_page_are_given(page: None, load_event: Any, name: str) -> None:
    asset = door.handler(load_event("console.file") | {"rawPath": f"/console/0123456789abcdef/{name}"}, None)
    assert asset["statusCode"] == 404


def test_the_words_of_the_other_language_are_a_table(page: None, load_event: Any) -> None:
    asset = door.handler(load_event("console.file") | {"rawPath": "/console/0123456789abcdef/words.zh.json"}, None)
    words = json.loads(asset["body"])
    assert words["Overview"] == "总览"
    assert words["Incremental value"] == "增量价值"


def test_people_paste_a_token_where_there_is_no_place_to_sign_in(page: None, load_event: Any) -> None:
    assert json.loads(door.handler(load_event("console.session"), None)["body"]) == {}


def test_people_sign_in_with_an_account_where_there_is_a_place_for_it(
    page: None, load_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_LOGIN", "https://login.example")
    monkeypatch.setenv("CONSOLE_CLIENT_ID", "c1")
    told = {"login": "https://login.example", "client_id": "c1", "scope": "nudge/api"}
    assert json.loads(door.handler(load_event("console.session"), None)["body"]) == told
    policy = door.handler(load_event("console.shell"), None)["headers"]["Content-Security-Policy"]
    assert "connect-src 'self' https://login.example;" in policy


def test_a_timeline_is_answered_as_documented_and_shows_no_address(world: Aws, load_event: Any) -> None:
    put_person(
        DynamoProfiles(client("dynamodb"), "profiles"), person("ana", country="DE", contact="ana@elsewhere.example")
    )
    asked = load_event("decide.request")
    decided = json.loads(decide.handler(asked | {"body": json.dumps({"user_id": "ana"})}, None)["body"])
    answer = door.handler(load_event("console.timeline"), None)
    assert answer["statusCode"] == 200
    told = json.loads(answer["body"])
    document = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
    schema = {"$ref": "#/components/schemas/Timeline", "components": document["components"]}
    OAS31Validator(schema).validate(told)
    assert [one["decision_id"] for one in told["decisions"]] == [decided["decision_id"]]
    assert told["decisions"][0]["message"]["state"] in ("pending", "held")
    assert told["decisions"][0]["candidates"] == decided["why"]["candidates"]
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert "@" not in answer["body"]
    shown = {one["name"]: one["value"] for one in told["profile"]["traits"]}
    assert shown == {"contact": None, "country": "DE", "email": None, "first_name": None}


def test_nobody_is_404_and_a_wrong_cursor_400(world: Aws, load_event: Any) -> None:
    assert door.handler(load_event("console.timeline"), None)["statusCode"] == 404
    wrong = load_event("console.timeline") | {"queryStringParameters": {"before": "yesterday"}}
    assert door.handler(wrong, None)["statusCode"] == 400
    long = load_event("console.timeline") | {"rawPath": f"/v1/people/{'x' * 300}/timeline"}
    assert door.handler(long, None)["statusCode"] == 400
