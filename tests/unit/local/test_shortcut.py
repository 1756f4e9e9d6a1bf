"""The short way into moto answers what the long way answers."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from local.clock import VirtualClock
from nudge.adapters.clients import client
from tests.unit.local.small import NOON, TEMPLATE, Stack

CHANGING = {"MessageId", "ReceiptHandle", "VersionId", "ResponseMetadata", "NextContinuationToken"}


def plain(answer: Any) -> Any:
    """Without what is drawn anew in every stack, and with bodies read."""
    if isinstance(answer, dict):
        return {name: plain(below) for name, below in answer.items() if name not in CHANGING}
    if isinstance(answer, list):
        return [plain(below) for below in answer]
    return answer.read() if hasattr(answer, "read") else answer


def tried(call: Callable[..., Any], **parameters: Any) -> Any:
    try:
        return plain(call(**parameters))
    except ClientError as refused:
        return "refused", plain(refused.response)


def conversation(template: Path) -> list[Any]:
    """Calls of every kind that the doors make, and what was answered."""
    with VirtualClock(NOON), EmbeddedAws(template) as aws:
        table, bucket, queue = (aws.template.ref(name) for name in ("Ledger", "Lake", "Work"))
        d, s, q = client("dynamodb"), client("s3"), client("sqs")
        names = {"#id": "id", "#n": "n"}
        item = {
            "id": {"S": "a"},
            "n": {"N": "1.50"},
            "b": {"B": b"\x00\xff"},
            "m": {"M": {"l": {"L": [{"BOOL": True}]}}},
        }
        new = {"ConditionExpression": "attribute_not_exists(#id)", "ExpressionAttributeNames": {"#id": "id"}}
        add = {
            "TableName": table,
            "Key": {"id": {"S": "a"}},
            "UpdateExpression": "ADD #n :one",
            "ConditionExpression": "#n < :most",
            "ExpressionAttributeNames": {"#n": "n"},
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":most": {"N": "3"}},
        }
        due = {
            "TableName": table,
            "IndexName": "due",
            "KeyConditionExpression": "#s = :s AND #d <= :now",
            "ExpressionAttributeNames": {"#s": "shard", "#d": "due"},
            "ExpressionAttributeValues": {":s": {"S": "0"}, ":now": {"N": "5"}},
        }
        waiting = [{"id": {"S": f"w{n}"}, "shard": {"S": "0"}, "due": {"N": str(n)}} for n in (9, 3, 1)]
        keys = {"RequestItems": {table: {"Keys": [{"id": {"S": one}} for one in ("a", "w3", "gone")]}}}
        said = [
            tried(d.put_item, TableName=table, Item=item, **new),
            tried(d.put_item, TableName=table, Item=item, **new, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            *(tried(d.put_item, TableName=table, Item=one) for one in waiting),
            tried(d.get_item, TableName=table, Key={"id": {"S": "a"}}, ConsistentRead=True),
            tried(d.get_item, TableName=table, Key={"id": {"S": "gone"}}),
            tried(d.get_item, TableName="absent", Key={"id": {"S": "a"}}),
            *(tried(d.update_item, **add, ReturnValues="ALL_NEW") for _ in range(3)),
            tried(d.query, **due),
            tried(d.batch_get_item, **keys)["Responses"][table].sort(key=str),
            tried(
                d.transact_write_items,
                TransactItems=[
                    {"Put": {"TableName": table, "Item": {"id": {"S": "t"}}}},
                    {"Put": {"TableName": table, "Item": item, **new}},
                ],
            ),
            tried(d.get_item, TableName=table, Key={"id": {"S": "t"}}),
            tried(
                d.scan, TableName=table, FilterExpression="attribute_exists(#n)", ExpressionAttributeNames={"#n": "n"}
            ),
            tried(d.delete_item, TableName=table, Key={"id": {"S": "w1"}}),
            tried(q.send_message, QueueUrl=queue, MessageBody="one", DelaySeconds=0),
            tried(q.send_message_batch, QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "two"}]),
            tried(q.receive_message, QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]),
            tried(q.receive_message, QueueUrl=queue, WaitTimeSeconds=0),
            tried(q.receive_message, QueueUrl=queue + "-absent"),
            *(tried(s.put_object, Bucket=bucket, Key=f"k/{n}", Body=b"0123456789") for n in range(3)),
            tried(s.put_object, Bucket=bucket, Key="k/0", Body=b"x", IfNoneMatch="*"),
            tried(s.put_object, Bucket=bucket, Key="t", Body=b"x", IfNoneMatch="*", ContentType="text/plain"),
            tried(s.put_object, Bucket=bucket, Key="t", Body=b"y", IfMatch='"no"'),
            tried(s.put_object, Bucket=bucket, Key="t", Body=b"y", IfMatch="9dd4e461268c8034f5c8564e155c67a6"),
            tried(s.put_object, Bucket=bucket, Key="none", Body=b"y", IfMatch='"no"'),
            tried(s.put_object, Bucket=bucket, Key="a long key" * 200, Body=b"y"),
            tried(s.put_object, Bucket=bucket, Key="tagged", Body=BytesIO(b"file"), Tagging="a=b"),
            tried(s.get_object, Bucket=bucket, Key="tagged")["Body"],
            [tried(s.get_object, Bucket=bucket, Key="t")[part] for part in ("Body", "ContentType", "ContentLength")],
            tried(s.get_object, Bucket=bucket, Key="k/0")["Body"],
            tried(s.get_object, Bucket=bucket, Key="k/0", Range="bytes=2-4")["Body"],
            tried(s.get_object, Bucket=bucket, Key="k/0", Range="bytes=8-99")["Body"],
            tried(s.get_object, Bucket=bucket, Key="k/0", Range="bytes=99-100")[0],
            tried(s.get_object, Bucket=bucket, Key="k/0", IfMatch='"no"')[0],
            tried(s.get_object, Bucket=bucket, Key="absent")[1]["Error"]["Code"],
            tried(s.head_object, Bucket=bucket, Key="k/1")["LastModified"],
            tried(s.head_object, Bucket=bucket, Key="absent")[1]["Error"]["Code"],
            [(one["Key"], one["Size"], one["ETag"], one["LastModified"]) for one in listed(s, bucket)],
        ]
        assert names
        return said


def listed(s3: Any, bucket: str) -> list[dict[str, Any]]:
    """All pages of two."""
    first = s3.list_objects_v2(Bucket=bucket, Prefix="k/", MaxKeys=2)
    second = s3.list_objects_v2(Bucket=bucket, Prefix="k/", MaxKeys=2, ContinuationToken=first["NextContinuationToken"])
    assert (first["IsTruncated"], second["IsTruncated"]) == (True, False)
    return [*first["Contents"], *second["Contents"]]


def test_both_ways_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    short = conversation(path)
    monkeypatch.setenv("NUDGE_LOCAL_SHORTCUT", "no")
    long = conversation(path)
    for number, (ours, theirs) in enumerate(zip(short, long, strict=True)):
        assert named(ours) == named(theirs), f"call {number}"


def named(answer: Any) -> Any:
    """Tables have drawn names, which messages repeat; and fields that are empty say nothing."""
    if isinstance(answer, dict):
        return {
            k: named(v) for k, v in answer.items() if k not in ("message", "Message", "ConsumedCapacity") and v != []
        }
    if isinstance(answer, list | tuple):
        return [named(one) for one in answer]
    return answer


def test_a_transaction_that_is_refused_leaves_nothing_behind(stack: Stack) -> None:
    dynamodb, table = client("dynamodb"), stack.physical("Ledger")
    dynamodb.put_item(TableName=table, Item={"id": {"S": "message#old"}, "n": {"N": "1"}})
    stack.part.settle()
    stack.events.clear()
    update = {
        "TableName": table,
        "Key": {"id": {"S": "message#old"}},
        "UpdateExpression": "SET #n = :n",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":n": {"N": "2"}},
    }
    refused = {
        "TableName": table,
        "Item": {"id": {"S": "message#third"}},
        "ConditionExpression": "attribute_exists(#id)",
        "ExpressionAttributeNames": {"#id": "id"},
    }
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as told:
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": {"id": {"S": "message#new"}}}},
                {"Update": update},
                {"Put": refused},
            ]
        )
    codes = [reason["Code"] for reason in told.value.response["CancellationReasons"]]
    assert codes == ["None", "None", "ConditionalCheckFailed"]
    assert dynamodb.get_item(TableName=table, Key={"id": {"S": "message#old"}})["Item"]["n"] == {"N": "1"}
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "message#new"}})
    stack.part.settle()
    assert not stack.events, "the stream tells of nothing that was not done"
