"""The template is deployed as it is written, and what it leaves to Lambda, S3 and the API is played by the rules."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_plus

import pytest

from local.doors import FunctionFailed
from local.polling import failed_items
from nudge.adapters.clients import client
from tests.unit.local.small import NOON, Stack


def send(stack: Stack, *bodies: str) -> None:
    for body in bodies:
        client("sqs").send_message(QueueUrl=stack.physical("Work"), MessageBody=body)


def seen(stack: Stack) -> list[str]:
    return [record["body"] for event in stack.events for record in event["Records"]]


def dead(stack: Stack) -> int:
    names = ["ApproximateNumberOfMessages"]
    found = client("sqs").get_queue_attributes(QueueUrl=stack.physical("Dead"), AttributeNames=names)
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def test_the_environment_of_a_function_is_resolved_against_what_was_made(stack: Stack) -> None:
    environment = stack.aws.functions["Echo"].environment
    assert environment["LAKE"] == stack.physical("Lake")
    assert environment["WORK_URL"].startswith("https://sqs.")
    assert environment["URL"] == "https://api.example/eu-central-1"
    assert environment["KEY"].startswith("arn:aws:kms:")
    assert environment["JOINED"] == "a/y"


def test_a_mac_key_signs(stack: Stack) -> None:
    made = client("kms").generate_mac(KeyId=stack.physical("Key"), MacAlgorithm="HMAC_SHA_256", Message=b"x")
    assert made["Mac"]


def test_what_failed_comes_again_and_what_was_done_does_not(stack: Stack) -> None:
    def first_fails(event: dict[str, Any]) -> Any:
        return {
            "batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if r["body"] == "bad"]
        }

    stack.handler = first_fails
    send(stack, "good", "bad")
    stack.part.settle()
    assert sorted(seen(stack)) == ["bad", "good"]
    stack.events.clear()
    stack.part.settle()
    assert not seen(stack), "it is not visible yet"
    stack.clock.move_to(NOON + 61_000_000)
    stack.part.settle()
    assert seen(stack) == ["bad"]
    assert stack.events[0]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_poison_lies_in_the_dead_letter_queue_after_its_last_chance(stack: Stack) -> None:
    def poison(event: dict[str, Any]) -> Any:
        raise RuntimeError("no")

    stack.handler = poison
    send(stack, "bad")
    for number in range(5):
        stack.clock.move_to(NOON + number * 61_000_000)
        stack.part.settle()
    assert len(stack.events) == 3
    assert dead(stack) == 1


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_without_failures_is_success(answer: Any) -> None:
    assert failed_items(answer, ["a", "b"]) == set()


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        {"batchItemFailures": "a"},
        {"batchItemFailures": [{"item": "a"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
    ],
)
def test_an_answer_that_cannot_be_understood_fails_the_whole_batch(answer: Any) -> None:
    assert failed_items(answer, ["a", "b"]) == {"a", "b"}


def test_a_put_under_the_watched_prefix_is_told_with_version_sequencer_and_encoded_key(stack: Stack) -> None:
    s3 = client("s3")
    made = s3.put_object(Bucket=stack.physical("Lake"), Key="inbox/events/a b+c.csv", Body=b"12345")
    s3.put_object(Bucket=stack.physical("Lake"), Key="inbox/events/a b+c.csv", Body=b"6")
    s3.put_object(Bucket=stack.physical("Lake"), Key="lake/x", Body=b"7")
    stack.part.settle()
    records = [json.loads(body)["Records"][0]["s3"]["object"] for body in seen(stack)]
    records.sort(key=lambda record: str(record["sequencer"]))
    assert [record["key"] for record in records] == ["inbox/events/a+b%2Bc.csv"] * 2
    assert unquote_plus(records[0]["key"]) == "inbox/events/a b+c.csv"
    assert records[0]["versionId"] == made["VersionId"]
    assert records[0]["size"] == 5
    assert records[0]["eTag"] == made["ETag"].strip('"')


def test_a_put_that_is_refused_is_told_to_nobody(stack: Stack) -> None:
    s3 = client("s3", attempts=1)
    s3.put_object(Bucket=stack.physical("Lake"), Key="inbox/x", Body=b"1")
    with pytest.raises(s3.exceptions.ClientError):
        s3.put_object(Bucket=stack.physical("Lake"), Key="inbox/x", Body=b"2", IfNoneMatch="*")
    stack.part.settle()
    assert len(seen(stack)) == 1


def test_changes_of_the_table_reach_the_function_that_asked_for_them(stack: Stack) -> None:
    dynamodb = client("dynamodb")
    for key in ("message#1", "count#1"):
        dynamodb.put_item(TableName=stack.physical("Ledger"), Item={"id": {"S": key}, "state": {"S": "sent"}})
    stack.part.settle()
    records = [record for event in stack.events for record in event["Records"]]
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in records] == ["message#1"]
    assert records[0]["eventName"] == "INSERT"
    assert records[0]["dynamodb"]["NewImage"]["state"] == {"S": "sent"}
    assert records[0]["dynamodb"]["ApproximateCreationDateTime"] == NOON / 1_000_000
    stack.events.clear()
    stack.part.settle()
    assert not stack.events


def test_a_stream_batch_that_fails_is_tried_again_and_then_left_behind(stack: Stack) -> None:
    def fails(event: dict[str, Any]) -> Any:
        raise RuntimeError("no")

    stack.handler = fails
    client("dynamodb").put_item(TableName=stack.physical("Ledger"), Item={"id": {"S": "message#1"}})
    stack.part.settle()
    assert len(stack.events) == 4
    assert stack.part.failed == 1


def test_a_request_becomes_the_payload_of_its_route(stack: Stack) -> None:
    stack.handler = lambda event: {"statusCode": 201, "body": "yes", "headers": {"X-A": "1"}}
    answer = stack.part.api.request("GET", "/u/a%20b?x=1&y=", headers={"Accept": "text/html"})
    assert (answer.status, answer.body, answer.headers) == (201, "yes", {"x-a": "1"})
    event = stack.events[0]
    assert event["routeKey"] == "GET /u/{token}"
    assert event["pathParameters"] == {"token": "a b"}
    assert event["queryStringParameters"] == {"x": "1", "y": ""}
    assert event["headers"]["accept"] == "text/html"
    assert event["requestContext"]["timeEpoch"] == NOON // 1000
    assert stack.part.api.request("POST", "/u/a").status == 404


def test_a_schedule_is_fired_with_its_input_and_tried_three_times(stack: Stack) -> None:
    stack.part.fire("sweep")
    assert stack.events == [{"task": "sweep"}]

    def fails(event: dict[str, Any]) -> Any:
        raise RuntimeError("no")

    stack.handler = fails
    with pytest.raises(FunctionFailed):
        stack.part.fire("sweep")
    assert len(stack.part.failures) == 3


def test_an_hour_of_minutes_is_one_firing_when_the_clock_jumps(stack: Stack) -> None:
    stack.part.tick()
    stack.clock.move_to(NOON + 3_600_000_000)
    stack.part.tick()
    stack.part.tick()
    assert len(stack.events) == 2
