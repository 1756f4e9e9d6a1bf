"""Queues and streams, polled as Lambda polls them.

In: an event source mapping. Out: the handler called with batches; what it did is deleted, what it failed comes again
after its visibility timeout, and after its redrive limit lies in the dead-letter queue (the queue's own rule).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from local import deployment
from local.doors import FunctionFailed
from nudge.adapters.clients import client

type Invoke = Callable[[str, Mapping[str, Any]], Any]

STREAM_ATTEMPTS = 3


def failed_items(answer: Any, ids: list[str]) -> set[str]:
    """Which records of a batch come again, by the rules of `ReportBatchItemFailures`.

    No answer, or no failures in it, is success; an answer that cannot be understood (another shape, an id that is
    empty or not of this batch) fails the whole batch.

    >>> failed_items(None, ["a"]), failed_items({"batchItemFailures": [{"itemIdentifier": "a"}]}, ["a", "b"])
    (set(), {'a'})
    >>> sorted(failed_items({"batchItemFailures": [{"itemIdentifier": "?"}]}, ["a", "b"]))
    ['a', 'b']
    """
    if answer is None or answer == {}:
        return set()
    listed = answer.get("batchItemFailures") if isinstance(answer, dict) else "?"
    if not listed and not isinstance(listed, str):
        return set()
    if not isinstance(listed, list):
        return set(ids)
    named = [one.get("itemIdentifier") if isinstance(one, dict) else None for one in listed]
    if any(name not in ids for name in named):
        return set(ids)
    return {str(name) for name in named}


class QueuePoller:
    """One queue feeding one function."""

    def __init__(self, mapping: deployment.Mapping, url: str, invoke: Invoke) -> None:
        self._mapping = mapping
        self._url = url
        self._invoke = invoke
        self._sqs = client("sqs")
        self.failures = 0

    def poll(self) -> int:
        """Take one batch, if there is one; returns how many messages were taken."""
        messages = self._receive()
        if not messages:
            return 0
        ids = [message["MessageId"] for message in messages]
        try:
            answer = self._invoke(self._mapping.function, {"Records": [self._record(one) for one in messages]})
        except FunctionFailed:
            again = set(ids)
        else:
            again = failed_items(answer, ids) if self._mapping.partial else set()
        self.failures += len(again)
        self._delete([message for message in messages if message["MessageId"] not in again])
        return len(messages)

    def _receive(self) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        while len(taken) < self._mapping.batch:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(10, self._mapping.batch - len(taken)),
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            taken += messages
            if not messages or self._mapping.window_seconds == 0:
                break
        return taken

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.source,
            "awsRegion": self._mapping.source.split(":")[3],
        }

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        for first in range(0, len(messages), 10):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[first : first + 10])
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def waiting(self) -> int:
        """Messages that are visible, in flight or delayed."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        names.append("ApproximateNumberOfMessagesDelayed")
        held = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in held.values())


class StreamPoller:
    """A DynamoDB stream feeding one function, in order; a batch that fails is tried again, then left behind."""

    def __init__(self, mapping: deployment.Mapping, invoke: Invoke) -> None:
        self._mapping = mapping
        self._invoke = invoke
        self._streams = client("dynamodbstreams")
        self._position: str | None = None
        self._iterator: str | None = None
        self._attempts = 0
        self.failures = 0

    def poll(self) -> int:
        """Take one batch, if there is one; returns how many records were taken."""
        iterator = self._iterator or self._begin()
        answer = self._streams.get_records(ShardIterator=iterator, Limit=min(1000, self._mapping.batch))
        read = [self._record(one) for one in answer["Records"]]
        records = [one for one in read if self._mapping.takes(one)]
        if not records:
            self._iterator = answer["NextShardIterator"]
            self._position = read[-1]["dynamodb"]["SequenceNumber"] if read else self._position
            return len(read)
        ids = [one["dynamodb"]["SequenceNumber"] for one in records]
        try:
            again = failed_items(self._invoke(self._mapping.function, {"Records": records}), ids)
        except FunctionFailed:
            again = set(ids)
        if again and self._attempts < STREAM_ATTEMPTS:
            self._attempts += 1
            self._iterator = self._begin() if again == set(ids) else self._after(ids, again)
            return len(records)
        self.failures += len(again)
        self._attempts = 0
        self._position = ids[-1]
        self._iterator = answer["NextShardIterator"]
        return len(records)

    def _after(self, ids: list[str], again: set[str]) -> str:
        first_failed = next(number for number, one in enumerate(ids) if one in again)
        if first_failed:
            self._position = ids[first_failed - 1]
        return self._begin()

    def _begin(self) -> str:
        where: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._position is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._position}
        described = self._streams.describe_stream(StreamArn=self._mapping.source)["StreamDescription"]
        shard = described["Shards"][0]["ShardId"]
        answer = self._streams.get_shard_iterator(StreamArn=self._mapping.source, ShardId=shard, **where)
        return str(answer["ShardIterator"])

    def _record(self, record: dict[str, Any]) -> dict[str, Any]:
        body = dict(record["dynamodb"])
        made = body.get("ApproximateCreationDateTime")
        if isinstance(made, datetime):
            body["ApproximateCreationDateTime"] = made.timestamp()
        return {**record, "dynamodb": body, "eventSourceARN": self._mapping.source}
