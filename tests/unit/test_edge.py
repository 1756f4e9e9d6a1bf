"""The edge: errors become the documented answers, and nothing that is not finite JSON gets in or out."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge import edge
from nudge.errors import BadInput, Conflict, NotFound, NotReady, NudgeError, Unavailable


def request(path: str = "/thing", body: str = "{}") -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default", "requestId": "r"},
        "body": body,
        "isBase64Encoded": False,
    }


def app_raising(error: Exception) -> Any:
    app = edge.api()

    @app.post("/thing")
    def thing() -> Any:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("wrong", where="user_id"), 400),
        (BadInput("big", reason="too_large"), 413),
        (NotFound("no"), 404),
        (NotReady("not yet"), 409),
        (Conflict("twice"), 409),
        (Unavailable("table Profiles in account 123 is down"), 503),
    ],
)
def test_each_error_has_its_status(error: NudgeError, status: int) -> None:
    answer = edge.http(app_raising(error), request(), None)
    assert answer["statusCode"] == status
    assert "reason" in json.loads(answer["body"])["error"]


def test_what_failed_inside_stays_inside() -> None:
    answer = edge.http(app_raising(ValueError("ann@example.com in /var/task/x.py")), request(), None)
    assert answer["statusCode"] == 500
    assert "ann@" not in answer["body"]
    assert "/var" not in answer["body"]


def test_an_outage_tells_when_to_come_back_and_not_what_is_down() -> None:
    answer = edge.http(app_raising(Unavailable("table Profiles is down")), request(), None)
    assert answer["headers"]["Retry-After"] == "2"
    assert "Profiles" not in answer["body"]


def test_an_unknown_route_is_404() -> None:
    assert edge.http(edge.api(), request("/nowhere"), None)["statusCode"] == 404


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bad_json"),
        ("null", "bad_json"),
        ("[1]", "bad_json"),
        ('{"a": NaN}', "bad_number"),
        ('{"a": -Infinity}', "bad_number"),
        ('{"a": 1e400}', "bad_number"),
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ("[" * 100_000, "bad_json"),
        ('{"a": ' * 50_000, "bad_json"),
        ('{"a": ' + "9" * 5000 + "}", "bad_json"),
        ('{"a": "' + "x" * edge.LARGEST_BODY + '"}', "too_large"),
    ],
)
def test_a_body_that_is_not_a_finite_json_object_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        edge.json_object(text)
    assert caught.value.reason == reason


@given(st.text())
def test_any_text_is_read_or_refused_never_anything_else(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert isinstance(edge.json_object(text), dict)


def test_numbers_that_json_does_not_know_never_leave() -> None:
    with pytest.raises(ValueError, match="JSON"):
        edge.dumps({"p": float("nan")})


def test_only_the_records_that_failed_come_again() -> None:
    def work(record: dict[str, Any]) -> None:
        if record["messageId"] == "poison":
            raise RuntimeError
        if record["messageId"] == "wrong":
            raise BadInput("no")
        done.append(record["messageId"])

    done: list[str] = []
    records = [{"messageId": name} for name in ("poison", "a", "wrong", "b")]
    assert edge.batch({"Records": records}, work) == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
    assert done == ["a", "b"]
