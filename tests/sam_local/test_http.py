"""`sam local start-api`: collect and decide answer over HTTP, and what they promise is in the stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from nudge.adapters.clients import client
from nudge.adapters.profiles import DynamoProfiles
from nudge.vocabulary import Consent, Profile
from tests.sam_local.shop import publish_plan
from tests.sam_local.stack import Stack

pytestmark = pytest.mark.sam_local


@pytest.fixture(scope="module")
def api(deployed: Stack) -> Iterator[Stack]:
    publish_plan(deployed)
    with deployed.serve():
        yield deployed


def track(number: int, **changes: Any) -> dict[str, Any]:
    """One message of the Segment spec."""
    message = {
        "type": "track",
        "messageId": f"http-{number}",
        "userId": "http-ana",
        "event": "page_view",
        "timestamp": "2026-11-18T11:06:40.000Z",
    }
    return {name: value for name, value in (message | changes).items() if value is not None}


def test_a_batch_lands_in_the_inbox_and_each_item_has_its_own_answer(api: Stack) -> None:
    wrong = track(2, userId=None)
    answer = api.request("POST", "/v1/batch", {"batch": [track(1), wrong]})
    assert answer.status == 200, answer
    assert (answer.body["accepted"], answer.body["rejected"]) == (1, 1)
    lines = [line for key in api.keys("inbox/events/http/") for line in api.read(key).splitlines()]
    assert [json.loads(line)["user_id"] for line in lines if b"http-1" in line] == ["http-ana"]
    assert not [line for line in lines if b"http-2" in line]


def test_what_is_no_json_is_refused_with_a_reason(api: Stack) -> None:
    answer = api.request("POST", "/v1/track", ["not", "an", "object"])
    assert (answer.status, answer.body["error"]["reason"]) == (400, "bad_json")


def decide(api: Stack, user: str, key: str, **more: Any) -> Any:
    return api.request("POST", "/v1/decisions", {"user_id": user, "goal": "purchase", **more}, Idempotency_Key=key)


def test_a_decision_is_answered_recorded_and_put_on_its_way(api: Stack) -> None:
    profiles = DynamoProfiles(client("dynamodb"), api.physical("Profiles"))
    profiles.save([Profile("http-bo", traits={"email": ("bo@customer.example", 1), "first_name": ("Bo", 1)}, seen=b"")])
    profiles.consent("http-bo", "email", Consent(True, 1, "form"))
    answers = [decide(api, "http-bo", f"page-{number}") for number in range(3)]
    assert {answer.status for answer in answers} == {200}, answers
    for answer in answers:
        decision = answer.body["decision_id"]
        assert len(api.rows("Ledger", f"decision#{decision}")) == 1
        assert len(api.rows("Ledger", f"message#{decision}")) == (answer.body["activity"] != "nothing")
    waiting = {task["decision_id"] for task in api.take("DeliverQueue")}
    mailed = {answer.body["decision_id"] for answer in answers if answer.body["channel"] == "email"}
    assert waiting <= mailed


def test_the_same_request_twice_is_one_decision_and_another_body_is_refused(api: Stack) -> None:
    first, again = (decide(api, "http-cy", "same") for _ in range(2))
    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body
    other = decide(api, "http-cy", "same", context={"page": "other"})
    assert (other.status, other.body["error"]["reason"]) == (422, "key_reused")
    assert len(api.rows("Ledger", f"decision#{first.body['decision_id']}")) == 1


def test_an_unknown_token_changes_nothing(api: Stack) -> None:
    for method in ("GET", "POST"):
        answer = api.request(method, "/u/not-a-token")
        assert answer.status == 404
        assert answer.body.lstrip().lower().startswith("<!doctype html>")
