"""What the `Ledger` table says of one person, newest first, as the port `History`.

The index `person` (hash `user_id`, range `decided_at`) holds the keys of decisions alone: nothing else has both. The rows
themselves are read from the table in one call.
"""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.adapters.ledger_rows import message_of
from nudge.decide import record as records
from nudge.errors import BadInput, Unavailable
from nudge.ports import Past

INDEX = "person"
MOST = 50
"""Decisions of one page: with their messages they fit one call of BatchGetItem."""
CURSOR = re.compile(r"([0-9]{1,17})-([0-9a-f]{1,64})")
MOST_ATTEMPTS = 4


def cursor_of(text: str) -> tuple[int, str]:
    """The time and id of the decision that a cursor names. Raises BadInput."""
    found = CURSOR.fullmatch(text)
    if found is None:
        raise BadInput("before: not a cursor that an answer gave", reason="bad_cursor", where="before")
    return int(found[1]), found[2]


class DynamoHistory:
    """`History` over the table and a low-level client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def of(self, user_id: str, *, before: str | None = None, limit: int = MOST) -> tuple[list[Past], str | None]:
        asked: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#user_id = :user",
            "ExpressionAttributeNames": {"#user_id": "user_id"},
            "ExpressionAttributeValues": {":user": {"S": user_id}},
            "ScanIndexForward": False,
            "Limit": min(limit, MOST),
        }
        if before is not None:
            at, name = cursor_of(before)
            key = {"id": {"S": f"decision#{name}"}, "user_id": {"S": user_id}, "decided_at": {"N": str(at)}}
            asked["ExclusiveStartKey"] = key
        page = self._call("query", asked)
        names = [row["id"]["S"].removeprefix("decision#") for row in page["Items"]]
        rows = self._rows([f"{kind}#{name}" for name in names for kind in ("decision", "message")])
        past = [_past(rows, name) for name in names if f"decision#{name}" in rows]  # a row may expire between the calls
        last = page.get("LastEvaluatedKey")
        return past, None if last is None else _cursor(last)

    def _rows(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        asked: Any = {self._table: {"Keys": [{"id": {"S": key}} for key in keys]}}
        for _ in range(MOST_ATTEMPTS):
            if not keys or not asked:
                return rows
            page = self._call("batch_get_item", {"RequestItems": asked})
            rows |= {row["id"]["S"]: row for row in page["Responses"].get(self._table, [])}
            asked = page.get("UnprocessedKeys")
        if asked:
            raise Unavailable("the ledger is too busy to be read")
        return rows

    def _call(self, operation: str, asked: dict[str, Any]) -> Any:
        try:
            return getattr(self._dynamodb, operation)(**asked)
        except ClientError as error:
            raise Unavailable(f"the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error


def _past(rows: dict[str, dict[str, Any]], name: str) -> Past:
    message = rows.get(f"message#{name}")
    return records.loads(rows[f"decision#{name}"]["record"]["S"]), None if message is None else message_of(message)


def _cursor(key: dict[str, Any]) -> str:
    return f"{key['decided_at']['N']}-{key['id']['S'].removeprefix('decision#')}"
