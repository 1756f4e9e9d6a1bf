"""`Arrivals` in a DynamoDB table with the string key `id`.

Rows: `object#<bucket>/<key>` the highest sequencer seen; `content#<id>` a claim and its sums; `chunk#<id>#<n>` a chunk
that is done. That a content is done is not written but read off (`done == planned`), so no crash can forget it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.errors import Unavailable
from nudge.ports import Arrival
from nudge.vocabulary import Chunk, Counts, Kind, Micros

LONGEST_SEQUENCER: Final = 64
OPEN: Final = ("claimed", "queued")
_ATTEMPTS: Final = 6
_SUMS: Final = ("read", "accepted", "rejected", "duplicate")


def padded(sequencer: str) -> str:
    """A sequencer in a form that compares as text: S3 says to pad the shorter with zeros on the right.

    >>> padded("0055AED6DCD9") < padded("0055AED6DCD90281E5")
    True
    """
    return sequencer.upper().ljust(LONGEST_SEQUENCER, "0")


class DynamoArrivals:
    """`Arrivals` over one table. `sleep` waits between attempts at a transaction that others were in the way of."""

    def __init__(self, dynamodb: Any, table: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._sleep = sleep

    def newest(self, bucket: str, key: str, sequencer: str | None) -> bool:
        if sequencer is None:
            return True
        return self._update(
            f"object#{bucket}/{key}",
            "SET #sequencer = :sequencer",
            {":sequencer": padded(sequencer)},
            "attribute_not_exists(#id) OR #sequencer <= :sequencer",
        )

    def claim(self, content: str, *, bucket: str, key: str, kind: Kind, chunks: int, owner: str, now: Micros) -> bool:
        return self._update(
            f"content#{content}",
            "SET #bucket = :bucket, #key = :key, #kind = :kind, #state = :claimed, #planned = :planned, "
            "#owner = :owner, #claimed_at = :now, #done = if_not_exists(#done, :zero)",
            {
                ":bucket": bucket,
                ":key": key,
                ":kind": kind,
                ":claimed": "claimed",
                ":planned": chunks,
                ":owner": owner,
                ":now": now,
                ":zero": 0,
            },
            "attribute_not_exists(#id) OR #state = :claimed OR attribute_not_exists(#state)",
        )

    def queued(self, content: str) -> None:
        self._update(
            f"content#{content}",
            "SET #state = :queued",
            {":queued": "queued", ":claimed": "claimed"},
            "#state = :claimed",
        )

    def close(self, content: str, *, bucket: str, key: str, kind: Kind, state: str, detail: str, now: Micros) -> None:
        self._update(
            f"content#{content}",
            "SET #bucket = :bucket, #key = :key, #kind = :kind, #state = :state, #detail = :detail, #closed_at = :now, "
            "#planned = if_not_exists(#planned, :zero), #done = if_not_exists(#done, :zero)",
            {
                ":bucket": bucket,
                ":key": key,
                ":kind": kind,
                ":state": state,
                ":detail": detail,
                ":now": now,
                ":zero": 0,
                ":claimed": OPEN[0],
                ":queued": OPEN[1],
            },
            "attribute_not_exists(#id) OR #state IN (:claimed, :queued)",
        )

    def chunk_done(self, chunk: Chunk, counts: Counts, parts: Sequence[str], now: Micros) -> Arrival:
        for attempt in range(_ATTEMPTS):
            if self._record_chunk(chunk, counts, parts, now) or self.is_chunk_done(chunk.content, chunk.number):
                held = self.get(chunk.content)
                if held is None:
                    raise Unavailable(f"content {chunk.content} was not there after its chunk was recorded")
                return held
            if attempt < _ATTEMPTS - 1:
                self._sleep(0.05 * 2**attempt + 0.007 * (chunk.number % 16))
        raise Unavailable(f"chunk {chunk.content}#{chunk.number} could not be recorded: others were in the way")

    def _record_chunk(self, chunk: Chunk, counts: Counts, parts: Sequence[str], now: Micros) -> bool:
        """One transaction: the row of the chunk, once, and the sums of its content. False when it was cancelled."""
        sums = {name: getattr(counts, name) for name in _SUMS}
        row = {"id": f"chunk#{chunk.content}#{chunk.number}", "at": now, "parts": list(parts), **sums}
        values = {f":{name}": value for name, value in sums.items()}
        values |= {":one": 1, ":bucket": chunk.bucket, ":key": chunk.key, ":kind": chunk.kind, ":of": chunk.of}
        expression = (
            "ADD #done :one, "
            + ", ".join(f"#{name} :{name}" for name in _SUMS)
            + " SET #bucket = :bucket, #key = :key, "
            "#kind = :kind, #planned = if_not_exists(#planned, :of)"
        )
        put = {
            "TableName": self._table,
            "Item": _item(row),
            "ConditionExpression": "attribute_not_exists(#id)",
            "ExpressionAttributeNames": {"#id": "id"},
        }
        update = self._asked(f"content#{chunk.content}", expression, values)
        try:
            self._dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"Update": update}])
        except ClientError as error:
            if code(error) in ("TransactionCanceledException", "TransactionConflictException"):
                return False
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return True

    def is_chunk_done(self, content: str, number: int) -> bool:
        return self._get(f"chunk#{content}#{number}") is not None

    def get(self, content: str) -> Arrival | None:
        row = self._get(f"content#{content}")
        return None if row is None else arrival(row)

    def all(self) -> Iterator[Arrival]:
        asked: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "begins_with(#id, :content)",
            "ExpressionAttributeNames": {"#id": "id"},
            "ExpressionAttributeValues": {":content": {"S": "content#"}},
            "ConsistentRead": True,
        }
        while True:
            page = self._called(self._dynamodb.scan, asked)
            yield from (arrival(_row(item)) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _get(self, id_: str) -> dict[str, Any] | None:
        asked = {"TableName": self._table, "Key": {"id": {"S": id_}}, "ConsistentRead": True}
        item = self._called(self._dynamodb.get_item, asked).get("Item")
        return None if item is None else _row(item)

    def _update(self, id_: str, expression: str, values: Mapping[str, Any], condition: str) -> bool:
        """A conditional update; False when the condition does not hold."""
        try:
            self._dynamodb.update_item(**self._asked(id_, expression, values, condition))
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                return False
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return True

    def _asked(
        self, id_: str, expression: str, values: Mapping[str, Any], condition: str | None = None
    ) -> dict[str, Any]:
        words = f"{expression} {condition or ''}".replace(",", " ").replace("(", " ").replace(")", " ").split()
        asked: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"id": {"S": id_}},
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {word: word[1:] for word in words if word.startswith("#")},
            "ExpressionAttributeValues": {name: _value(value) for name, value in values.items()},
        }
        return asked | ({"ConditionExpression": condition} if condition else {})

    @staticmethod
    def _called(call: Callable[..., Any], asked: Mapping[str, Any]) -> Any:
        try:
            return call(**asked)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error


def arrival(row: Mapping[str, Any]) -> Arrival:
    """The stored row of a content as it stands: done when all its planned chunks are."""
    planned, done = int(row.get("planned", 0)), int(row.get("done", 0))
    return Arrival(
        content=row["id"].removeprefix("content#"),
        key=row["key"],
        kind=row["kind"],
        state="done" if planned and done >= planned else row.get("state", "claimed"),
        planned=planned,
        done=done,
        counts=Counts(*(int(row.get(name, 0)) for name in _SUMS)),
        detail=row.get("detail"),
    )


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"L": [_value(one) for one in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: next(iter(value.values())) for name, value in item.items()}


def _unavailable(error: Exception) -> Unavailable:
    name = code(error) if isinstance(error, ClientError) else type(error).__name__
    return Unavailable(f"the table of arrivals did not answer: {name}")
