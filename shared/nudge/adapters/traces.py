"""What the `Ledger` table holds of people, as the port `Traces`.

In: people, decisions. Out: rows of every kind that say whose they are, by an attribute (`user_id`, `decision_id`) or by their key:
`decision# message# clicks#` name a decision, `count#cap/…` and `journey#…` a person, `once#counted/…` both. Whoever writes a new kind
of row that names somebody teaches it here; the scan of all stores (`tests/contract/test_permissions.py`) finds out who did not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.adapters.history import INDEX
from nudge.errors import Unavailable
from nudge.traces import Trace

NOBODY = "\x1fnobody"
"""Who was reached on an occasion, once nobody may know any more: no id of a person has a control character."""
_CAP = re.compile(r"cap/[^/]+/(.+)/(?:day|week)/[^/]+")
_BY_DECISION = ("decision", "message", "clicks")
_TURN = {"message": 0, "decision": 2}


def trace_of(row: Mapping[str, str]) -> Trace:
    """Whose a row is, by `id user_id decision_id state` as far as it has them.

    >>> trace_of({"id": "count#cap/email/ana/b/day/2026-11-22"}).user_id
    'ana/b'
    >>> trace_of({"id": "once#counted/4f2a/cap/email/ana/week/2026-W47"})[2:4]
    ('ana', '4f2a')
    """
    kind, _, name = row["id"].partition("#")
    user, decision = row.get("user_id"), row.get("decision_id")
    if kind in _BY_DECISION:
        decision = name
    elif kind == "journey":
        user = name.partition("/")[2]
    elif kind == "once" and name.startswith("counted/"):
        decision, _, name = name.removeprefix("counted/").partition("/")
    if (counter := _CAP.fullmatch(name)) and kind in ("count", "once"):
        user = counter[1]
    return Trace(row["id"], kind, user, decision, row.get("state"))


def in_turn(traces: Sequence[Trace]) -> list[Trace]:
    """Messages first, so that nothing more is sent; decisions last, as the others are found by them."""
    return sorted(traces, key=lambda one: (_TURN.get(one.kind, 1), one.id))


def keeps_its_place(trace: Trace) -> bool:
    """Whether a row says that an address was reached on an occasion: it keeps others of that address from being reached again."""
    return trace.kind == "once" and trace.decision_id is None


class DynamoTraces:
    """`Traces` over the table and a low-level client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def decisions_of(self, user_id: str) -> Iterator[str]:
        pages = self._pages(
            "query",
            IndexName=INDEX,
            KeyConditionExpression="#user_id = :user",
            ExpressionAttributeNames={"#user_id": "user_id"},
            ExpressionAttributeValues={":user": {"S": user_id}},
        )
        yield from (row["id"]["S"].removeprefix("decision#") for row in pages)

    def of(self, user_ids: Collection[str], decisions: Collection[str]) -> list[Trace]:
        rows = self._pages(
            "scan",
            ConsistentRead=True,
            ProjectionExpression="#id, #user_id, #decision_id, #state",
            ExpressionAttributeNames={f"#{name}": name for name in ("id", "user_id", "decision_id", "state")},
        )
        traces = (trace_of({name: value["S"] for name, value in row.items() if "S" in value}) for row in rows)
        return [one for one in traces if one.user_id in user_ids or one.decision_id in decisions]

    def drop(self, traces: Sequence[Trace]) -> None:
        for one in in_turn(traces):
            key = {"id": {"S": one.id}}
            if keeps_its_place(one):
                self._blank(key)
            else:
                self._call("delete_item", Key=key)

    def _blank(self, key: dict[str, Any]) -> None:
        self._call(
            "update_item",
            Key=key,
            UpdateExpression="SET #user_id = :nobody",
            ConditionExpression="attribute_exists(#user_id)",
            ExpressionAttributeNames={"#user_id": "user_id"},
            ExpressionAttributeValues={":nobody": {"S": NOBODY}},
        )

    def _pages(self, operation: str, **asked: Any) -> Iterator[dict[str, Any]]:
        while True:
            page = self._call(operation, **asked)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _call(self, operation: str, **asked: Any) -> Any:
        try:
            return getattr(self._dynamodb, operation)(TableName=self._table, **asked)
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                return {}  # it is gone, as it should be
            raise Unavailable(f"the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error
