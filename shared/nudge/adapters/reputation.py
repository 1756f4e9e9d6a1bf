"""What came back of our mails, as the port `Reputation`: counters a day, and the breaker, in the Ledger table.

`reputation#email#<day>` counts mails that left, bounced for good, or were called spam; a bounce or a complaint counts once however
often it is told (a marker of it is written in the same transaction). `stopped` in the row `pace#email` is the breaker: it is set here, `deliver`
cannot take a slot while it is there, and only a person takes it away.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.act.reputation import TRIAL, WINDOW_DAYS, Figures
from nudge.adapters.clients import code
from nudge.errors import Unavailable
from nudge.vocabulary import DAY, SECOND, Micros

KEY = "pace#email"
COUNTS = {"sent": "sent", "bounce": "bounced", "complaint": "complained"}
TEXTS, NUMBERS = ("stopped", "reset_by"), ("stopped_at", "reset_at", "trial", "room", "read_at", "gap")
"""What a person is shown of the row of the pace."""

MARKED_FOR: Micros = 16 * DAY


class DynamoReputation:
    """`Reputation` over the Ledger table and a low-level client. Mails that left are gathered and written by `flush`."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table
        self._left = 0

    def sent(self) -> None:
        self._left += 1

    def flush(self, *, now: Micros) -> None:
        if self._left:
            self._call("update_item", **self._added("sent", self._left, now))
        self._left = 0

    def blame(self, kind: str, mail: str, *, now: Micros) -> None:
        marker = {
            "TableName": self._table,
            "Key": {"id": {"S": f"blamed#{kind}/{mail}"}},
            "UpdateExpression": "SET #at = :at, #expires = :expires",
            "ConditionExpression": "attribute_not_exists(#at)",
            "ExpressionAttributeNames": {"#at": "at", "#expires": "expires"},
            "ExpressionAttributeValues": {":at": _number(now), ":expires": _number((now + MARKED_FOR) // SECOND)},
        }
        try:
            self._dynamodb.transact_write_items(
                TransactItems=[{"Update": marker}, {"Update": self._added(kind, 1, now)}]
            )
        except ClientError as error:
            reasons = [one.get("Code") for one in error.response.get("CancellationReasons", [])]
            if reasons[:1] == ["ConditionalCheckFailed"]:
                return
            raise Unavailable(f"the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error

    def figures(self, *, now: Micros) -> Figures:
        rows = [self._row(f"reputation#email#{day}") for day in days(now)]
        counted = [Figures(**{name: int(row[name]["N"]) for name in COUNTS.values() if name in row}) for row in rows]
        return sum(counted, Figures())

    def stop(self, why: str, *, now: Micros) -> bool:
        try:
            self._call(
                "update_item",
                TableName=self._table,
                Key={"id": {"S": KEY}},
                UpdateExpression="SET #stopped = :why, #stopped_at = :now",
                ConditionExpression="attribute_not_exists(#stopped)",
                ExpressionAttributeNames={"#stopped": "stopped", "#stopped_at": "stopped_at"},
                ExpressionAttributeValues={":why": {"S": why}, ":now": _number(now)},
            )
        except _Known:
            return False
        return True

    def state(self, *, now: Micros) -> dict[str, Any]:
        """What a person is shown: the figures, the breaker, the trial, who reset it last, the quota as it was read."""
        row = self._row(KEY)
        told: dict[str, Any] = {"figures": self.figures(now=now)}
        told |= {name: row[name]["S"] for name in TEXTS if name in row}
        return told | {name: int(row[name]["N"]) for name in NUMBERS if name in row}

    def reset(self, *, by: str, now: Micros) -> bool:
        """Close the breaker for a trial, and begin to count anew. False when it was not open."""
        try:
            self._call(
                "update_item",
                TableName=self._table,
                Key={"id": {"S": KEY}},
                UpdateExpression=(
                    "SET #reset_by = :by, #reset_at = :now, #trial = :trial, #room = :trial, #taken = :none "
                    "REMOVE #stopped, #stopped_at"
                ),
                ConditionExpression="attribute_exists(#stopped)",
                ExpressionAttributeNames={
                    f"#{name}": name
                    for name in ("reset_by", "reset_at", "trial", "room", "taken", "stopped", "stopped_at")
                },
                ExpressionAttributeValues={
                    ":by": {"S": by},
                    ":now": _number(now),
                    ":trial": _number(TRIAL),
                    ":none": _number(0),
                },
            )
        except _Known:
            return False
        for day in days(now):
            self._call("delete_item", TableName=self._table, Key={"id": {"S": f"reputation#email#{day}"}})
        return True

    def _added(self, kind: str, number: int, now: Micros) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": {"id": {"S": f"reputation#email#{days(now)[0]}"}},
            "UpdateExpression": "ADD #count :number SET #expires = :expires",
            "ExpressionAttributeNames": {"#count": COUNTS[kind], "#expires": "expires"},
            "ExpressionAttributeValues": {
                ":number": _number(number),
                ":expires": _number((now + MARKED_FOR) // SECOND),
            },
        }

    def _row(self, key: str) -> dict[str, Any]:
        found = self._call("get_item", TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True)
        return dict(found.get("Item", {}))

    def _call(self, operation: str, **asked: Any) -> Any:
        try:
            return getattr(self._dynamodb, operation)(**asked)
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                raise _Known from None
            raise Unavailable(f"the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error


class _Known(Exception):
    """The row is already so."""


def days(now: Micros) -> list[str]:
    """The days of the window, today first."""
    today = datetime.fromtimestamp(now // SECOND, UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(WINDOW_DAYS)]


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}
