"""The edge: errors become the documented answers, and nothing that is not finite JSON gets in or out."""

import base64
import contextlib
import io
import json
import logging
import sys
import time
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from hypothesis import given
from hypothesis import strategies as st

from nudge import edge
from nudge.errors import BadInput, Conflict, NotFound, NotReady, NudgeError, Unavailable
from nudge.http import Request, Routes


def request(
    path: str = "/thing", body: str | None = "{}", *, method: str = "POST", stage: str = "$default"
) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": path}, "stage": stage, "requestId": "r"},
        "body": body,
        "isBase64Encoded": False,
    }


def raising(error: Exception) -> Routes:
    routes = Routes()

    @routes.post("/thing")
    def thing(_: Request) -> dict[str, Any]:
        raise error

    return routes


def telling() -> Routes:
    """Routes that answer with what they were asked."""
    routes = Routes()

    @routes.get("/people/{name}")
    @routes.post("/people/{name}")
    def person(asked: Request, name: str) -> dict[str, Any]:
        return edge.answer({"name": name, "method": asked.method, "path": asked.path})

    @routes.post("/people/all")
    def body(asked: Request) -> dict[str, Any]:
        return edge.answer({"body": edge.text_of(asked), "type": asked.headers.get("content-type")})

    return routes


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
    answer = edge.http(raising(error), request())
    assert answer["statusCode"] == status
    assert "reason" in json.loads(answer["body"])["error"]


def test_what_failed_inside_stays_inside() -> None:
    answer = edge.http(raising(ValueError("ann@example.com in /var/task/x.py")), request())
    assert answer["statusCode"] == 500
    assert "ann@" not in answer["body"]
    assert "/var" not in answer["body"]


def test_an_outage_tells_when_to_come_back_and_not_what_is_down() -> None:
    answer = edge.http(raising(Unavailable("table Profiles is down")), request())
    assert answer["headers"]["Retry-After"] == "2"
    assert "Profiles" not in answer["body"]


def told(event: dict[str, Any]) -> dict[str, Any]:
    answer = edge.http(telling(), event)
    assert answer["statusCode"] == 200
    return dict(json.loads(answer["body"]))


def test_a_route_gets_the_parts_of_the_path_that_it_names_and_the_path_is_without_the_stage() -> None:
    assert told(request("/people/ann", method="GET")) == {"name": "ann", "method": "GET", "path": "/people/ann"}
    assert told(request("/people/{name}", method="GET"))["name"] == "{name}"
    assert told(request("/live/people/ann", stage="live")) == {"name": "ann", "method": "POST", "path": "/people/ann"}


def test_a_route_without_names_goes_before_one_with() -> None:
    assert told(request("/people/all"))["body"] == "{}"


def test_headers_are_found_in_any_case_and_a_body_may_be_base64_or_absent() -> None:
    event = request("/people/all", base64.b64encode("é".encode()).decode())
    event |= {"isBase64Encoded": True, "headers": {"Content-TYPE": "text/plain"}}
    assert told(event) == {"body": "é", "type": "text/plain"}
    bare = request("/people/all", None)
    assert told({name: part for name, part in bare.items() if name != "headers"}) == {"body": "", "type": None}


@pytest.mark.parametrize("body", ["***", "/w==", "é"])
def test_a_body_that_is_not_base64_of_text_is_the_callers_mistake(body: str) -> None:
    answer = edge.http(telling(), request("/people/all", body) | {"isBase64Encoded": True})
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["reason"]) == (400, "bad_body")


@pytest.mark.parametrize("path", ["/people", "/people/", "/people/ann/", "/people/ann/x", "", "people/ann"])
def test_a_path_is_taken_to_the_letter(path: str) -> None:
    assert edge.http(telling(), request(path))["statusCode"] == 404


def test_a_route_with_other_methods_is_405_and_says_which() -> None:
    answer = edge.http(telling(), request("/people/ann", method="DELETE"))
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "POST, GET")


def test_an_event_that_is_no_request_is_a_bare_500() -> None:
    assert edge.http(telling(), {})["statusCode"] == 500


def test_logs_name_the_route_and_never_the_path_which_may_carry_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    said, routes = io.StringIO(), Routes()
    monkeypatch.setattr(edge, "logger", Logger(service="routes", level="INFO", stream=said))

    @routes.get("/u/{token}")
    def show(_: Request, token: str) -> dict[str, Any]:
        raise Unavailable(token)

    edge.http(routes, request("/u/secret", method="GET"))
    assert "secret" not in said.getvalue()
    assert "/u/{token}" in said.getvalue()


def test_an_unknown_route_is_404() -> None:
    assert edge.http(Routes(), request("/nowhere"))["statusCode"] == 404


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
    assert edge.answer({"p": [float("nan"), float("inf")]})["body"] == '{"p":[null,null]}'


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


def test_a_log_line_is_the_one_that_powertools_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-abc;Parent=def;Sampled=1")
    encode = json.JSONEncoder(default=str, separators=(",", ":")).encode
    standard = LambdaPowertoolsFormatter(service=edge.SERVICE, json_serializer=encode, json_deserializer=str)
    record = logging.LogRecord("nudge", logging.INFO, "handler.py", 7, "decided", None, None, "decide")
    record.__dict__.update(decision_id="ab", model_version=None, group="treatment", city="Zürich")
    ours = edge.Line(service=edge.SERVICE, json_serializer=encode).format(record)
    assert ours == standard.format(record)
    assert '"xray_trace_id":"1-abc"' in ours


def test_what_is_said_of_every_decision_is_the_line_that_a_record_of_logging_would_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_795_000_000_123_456_789)
    monkeypatch.setattr(edge.logger.handlers[0], "stream", sys.stdout)
    level, facts = edge.logger.level, {"decision_id": "ab", "model_version": None, "dry_run": False}
    edge.logger.setLevel("INFO")
    for say in (edge.say, lambda message, facts: edge.logger.info(message, extra=facts)):
        say("decided", facts)
    said, logged = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert said.pop("location").startswith("test_what_is_said_of_every_decision")
    assert logged.pop("location").startswith("<lambda>")
    assert said == logged
    assert list(said) == list(logged)
    edge.logger.setLevel("WARNING")
    try:
        edge.say("decided", facts)
    finally:
        edge.logger.setLevel(level)
    assert capsys.readouterr().out == ""


def test_metrics_are_one_line_as_powertools_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    standard = Metrics(namespace=edge.NAMESPACE, service=edge.SERVICE)
    for name, value in (("Decisions", 1), ("Decisions", 2)):
        edge.count(name, value)
        standard.add_metric(name=name, unit=MetricUnit.Count, value=value)
    edge.measure("ReportAgeHours", 2.5)
    standard.add_metric(name="ReportAgeHours", unit=MetricUnit.NoUnit, value=2.5)
    edge.measure("Nonsense", float("nan"))
    edge.flush()
    ours, theirs = json.loads(capsys.readouterr().out), json.loads(json.dumps(standard.serialize_metric_set()))
    assert ours.pop("_aws")["CloudWatchMetrics"] == theirs.pop("_aws")["CloudWatchMetrics"]
    assert ours == theirs == {"service": "nudge", "Decisions": [1.0, 2.0], "ReportAgeHours": [2.5]}
    standard.clear_metrics()
    edge.flush()
    assert capsys.readouterr().out == ""


def test_a_line_holds_no_more_than_cloudwatch_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(250):
        edge.count("Rows")
    edge.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(line["Rows"]) for line in lines] == [100, 100, 50]
