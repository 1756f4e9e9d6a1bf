"""The `Ledger` table in DynamoDB as the port `Ledger`.

One string key `id`: `decision#…`, `message#…`, `count#…`. The index `due` (hash `due_shard`, range `due_at`) holds only what
waits: pending and held messages in four shards by their id, `sending` ones in the shard `sending` since their claim, those of
which nobody knows in the shard `unknown` until an event settles them, and those that failed in the shard `failed`.
Every write is conditional; when one fails the row is read again, because our own write whose answer was lost looks the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.adapters.ledger_rows import (
    LISTED,
    LOST,
    SENDING,
    SHARDS,
    UNKNOWN,
    counter_row,
    decision_row,
    message_of,
    message_row,
    names,
    once_row,
    shard_of,
)
from nudge.decide import record as records
from nudge.errors import Conflict, Unavailable
from nudge.vocabulary import DAY, FINAL_STATES, SECOND, Decision, Message, Micros

INDEX = "due"
COUNTER_DAYS = 16
CAMPAIGN_DAYS = 800
"""A counter of a day or a week is soon over; a campaign's lives as long as a campaign may."""
MOST_ATTEMPTS = 4
MOST_AT_ONCE = 100
FAILED = "ConditionalCheckFailed"
BUSY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class DynamoLedger:
    """`Ledger` over one table and a low-level client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    # ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────
    def find(self, decision_id: str) -> tuple[Decision, str] | None:
        row = self._get(f"decision#{decision_id}")
        return None if row is None else (records.loads(row["record"]["S"]), row["request_hash"]["S"])

    def answer(self, decision_id: str) -> tuple[dict[str, Any], str] | None:
        row = self._get(f"decision#{decision_id}")
        return None if row is None else (json.loads(row["answer"]["S"]), row["request_hash"]["S"])

    def counts(self, keys: Sequence[str]) -> dict[str, float]:
        return self.look("", keys)[1] if keys else {}

    def look(self, decision_id: str, keys: Sequence[str]) -> tuple[tuple[dict[str, Any], str] | None, dict[str, float]]:
        wanted = ([f"decision#{decision_id}"] if decision_id else []) + [f"count#{key}" for key in dict.fromkeys(keys)]
        rows = self._get_many(wanted)
        row = rows.get(f"decision#{decision_id}")
        known = None if row is None else (json.loads(row["answer"]["S"]), row["request_hash"]["S"])
        return known, {key: float(rows.get(f"count#{key}", {}).get("n", {"N": "0"})["N"]) for key in keys}

    def record(
        self,
        decision: Decision,
        *,
        request_hash: str,
        answer: Mapping[str, Any],
        message: Message | None,
        caps: Mapping[str, int],
        budgets: Sequence[tuple[str, float, float]],
        expires_at: Micros,
    ) -> None:
        text = records.dumps(decision)
        steps = [self._put(decision_row(decision, text, request_hash, answer, expires_at))]
        keys = list(caps)
        steps += [self._count(key, 1.0, limit, decision.decided_at) for key, limit in caps.items()]
        for key, cost, limit in budgets:
            keys.append(key)
            steps.append(self._count(key, cost, limit, decision.decided_at))
        if message is not None:
            steps.append(self._put(message_row(message, expires_at)))
        for _ in range(MOST_ATTEMPTS):
            reasons = self._transact(steps)
            if reasons is None or self._is_ours(decision.decision_id, text):
                return
            if full := _failed(keys, reasons[1:]):
                raise Conflict(full[0], reason="cap" if full[0] in caps else "budget")
            if not BUSY.intersection(reasons):
                break
        raise Unavailable("the ledger did not take the decision")

    def _is_ours(self, decision_id: str, text: str) -> bool:
        """After a transaction that failed: whether it is our own decision that stands there already."""
        row = self._get(f"decision#{decision_id}")
        if row is None:
            return False
        if row["record"]["S"] != text:
            raise Conflict("the decision is known", reason="decision")
        return True

    def _transact(self, steps: list[dict[str, Any]]) -> list[str] | None:
        """None when all of it was done, else the code of each step."""
        try:
            self._dynamodb.transact_write_items(TransactItems=steps)
        except ClientError as error:
            if code(error) != "TransactionCanceledException":
                raise Unavailable(f"the ledger answered {code(error)}") from error
            reasons = [str(one.get("Code")) for one in error.response.get("CancellationReasons", [])]
            return reasons or ["unknown"]
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error
        return None

    def _put(self, row: dict[str, Any]) -> dict[str, Any]:
        condition = {"ConditionExpression": "attribute_not_exists(#id)", "ExpressionAttributeNames": {"#id": "id"}}
        return {"Put": {"TableName": self._table, "Item": row, **condition}}

    def _count(self, key: str, amount: float, limit: float, now: Micros) -> dict[str, Any]:
        days = CAMPAIGN_DAYS if key.startswith("campaign/") else COUNTER_DAYS
        added, most = Decimal(repr(amount)), Decimal(repr(limit))
        return {"Update": {"TableName": self._table, **counter_row(key, added, most - added, now + days * DAY)}}

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def message(self, decision_id: str) -> Message | None:
        row = self._get(f"message#{decision_id}")
        return None if row is None else message_of(row)

    def messages_of(self, decision_ids: Sequence[str]) -> list[Message]:
        held: dict[str, Message] = {}
        for some in batched(dict.fromkeys(decision_ids), MOST_AT_ONCE, strict=False):
            rows = self._get_many([f"message#{one}" for one in some])
            held |= {key.removeprefix("message#"): message_of(row) for key, row in rows.items()}
        return [held[one] for one in decision_ids if one in held]

    def claim(self, decision_id: str, *, owner: str, now: Micros) -> bool:
        done = self._move(
            decision_id,
            "SET #state = :sending, #owner = :owner, #changed_at = :now, #due_at = :now, #due_shard = :shard",
            "#state IN (:pending, :held) AND #due_at <= :now",
            {":sending": "sending", ":pending": "pending", ":held": "held", ":owner": owner, ":shard": SENDING},
            {":now": now},
        )
        if done:
            return True
        held = self.message(decision_id)
        return held is not None and held.state == "sending" and held.owner == owner

    def finish(
        self,
        decision_id: str,
        *,
        owner: str | None,
        state: str,
        now: Micros,
        reason: str | None = None,
        provider_id: str | None = None,
    ) -> bool:
        more = {"#reason": reason, "#provider_id": provider_id}
        told = {name: value for name, value in more.items() if value is not None}
        sets = "".join(f", {name} = :{name[1:]}" for name in told)
        done = self._move(
            decision_id,
            f"SET #state = :state, #changed_at = :now{sets}"
            + (", #due_shard = :state" if state in LISTED else " REMOVE #due_shard"),
            "#state = :sending" + ("" if owner is None else " AND #owner = :owner"),
            {":state": state, ":sending": "sending", **({} if owner is None else {":owner": owner})}
            | {f":{name[1:]}": value for name, value in told.items()},
            {":now": now},
        )
        if done or owner is None:
            return done
        held = self.message(decision_id)
        return held is not None and held.state == state and held.owner == owner and state in FINAL_STATES

    def give_back(self, decision_id: str, *, owner: str, due_at: Micros) -> bool:
        done = self._move(
            decision_id,
            "SET #state = :pending, #due_at = :due, #due_shard = :shard REMOVE #owner",
            "#state = :sending AND #owner = :owner",
            {":pending": "pending", ":sending": "sending", ":owner": owner, ":shard": shard_of(decision_id)},
            {":due": due_at},
        )
        if done:
            return True
        held = self.message(decision_id)
        return held is not None and held.state == "pending" and held.due_at == due_at

    def postpone(self, decision_id: str, *, now: Micros, due_at: Micros) -> bool:
        return self._move(
            decision_id,
            "SET #due_at = :due",
            "#state IN (:pending, :held) AND #due_at <= :now",
            {":pending": "pending", ":held": "held"},
            {":now": now, ":due": due_at},
        )

    def resend(self, decision_id: str, *, attempt: int, by: str, now: Micros) -> bool:
        done = self._move(
            decision_id,
            "SET #state = :pending, #due_at = :now, #changed_at = :now, #due_shard = :shard, #attempt = :next, "
            "#resent_by = :by, #resent_at = :now REMOVE #owner, #reason, #provider_id",
            "#state = :failed AND (#attempt = :attempt OR attribute_not_exists(#attempt))",
            {":pending": "pending", ":failed": "failed", ":by": by, ":shard": shard_of(decision_id)},
            {":now": now, ":attempt": attempt, ":next": attempt + 1},
        )
        if done:
            return True
        held = self.message(decision_id)
        return held is not None and (held.attempt, held.resent_by, held.resent_at) == (attempt + 1, by, now)

    def count_once(self, name: str, caps: Mapping[str, int], *, now: Micros) -> bool:
        steps = [{"Update": {"TableName": self._table, **once_row(f"counted/{name}", now + COUNTER_DAYS * DAY)}}]
        steps += [self._count(key, 1.0, limit, now) for key, limit in caps.items()]
        for _ in range(MOST_ATTEMPTS):
            reasons = self._transact(steps)
            if reasons is None or reasons[0] == FAILED:
                return True
            if _failed(list(caps), reasons[1:]):
                return False
            if not BUSY.intersection(reasons):
                break
        raise Unavailable("the ledger did not count")

    def settle(self, decision_id: str, *, provider_id: str, now: Micros) -> bool:
        return self._move(
            decision_id,
            "SET #state = :sent, #provider_id = :provider, #changed_at = :now REMOVE #due_shard, #reason",
            "#state IN (:sending, :unknown)",
            {":sent": "sent", ":sending": "sending", ":unknown": "unknown", ":provider": provider_id},
            {":now": now},
        )

    def reserve(self, recipient: str, user_id: str, *, expires_at: Micros) -> bool:
        try:
            self._call(
                "update_item",
                TableName=self._table,
                Key={"id": {"S": f"once#{recipient}"}},
                UpdateExpression="SET #user_id = :user, #expires = :expires",
                ConditionExpression="attribute_not_exists(#user_id) OR #user_id = :user",
                ExpressionAttributeNames={"#user_id": "user_id", "#expires": "expires"},
                ExpressionAttributeValues={":user": {"S": user_id}, ":expires": {"N": str(expires_at // SECOND)}},
            )
        except _ConditionFailed:
            return False
        return True

    def due(self, *, now: Micros, limit: int = 100) -> list[str]:
        found: list[tuple[Micros, str]] = []
        for shard in SHARDS:
            found += self._waiting(shard, "#due_at <= :at", now, limit)
        return [name for _, name in sorted(found)[:limit]]

    def stuck(self, *, before: Micros, limit: int = 100) -> list[str]:
        return [name for _, name in self._waiting(SENDING, "#due_at < :at", before, limit)]

    def unknown(self, *, limit: int = 100) -> list[str]:
        return [name for _, name in self._waiting(UNKNOWN, "#due_at > :at", 0, limit)]

    def failed(self, *, limit: int = 100) -> list[str]:
        return [name for _, name in self._waiting(LOST, "#due_at > :at", 0, limit)]

    def _waiting(self, shard: str, condition: str, at: Micros, limit: int) -> list[tuple[Micros, str]]:
        asked: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": f"#due_shard = :shard AND {condition}",
            "ExpressionAttributeNames": {"#due_shard": "due_shard", "#due_at": "due_at"},
            "ExpressionAttributeValues": {":shard": {"S": shard}, ":at": {"N": str(at)}},
        }
        found: list[tuple[Micros, str]] = []
        while len(found) < limit:
            page = self._call("query", **asked, Limit=limit - len(found))
            found += [(int(row["due_at"]["N"]), row["id"]["S"].removeprefix("message#")) for row in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return found

    def _move(
        self, decision_id: str, update: str, condition: str, texts: dict[str, str], times: dict[str, int]
    ) -> bool:
        """One conditional update of a message; False when the condition does not hold."""
        values: dict[str, Any] = {name: {"S": value} for name, value in texts.items()}
        values |= {name: {"N": str(value)} for name, value in times.items()}
        try:
            self._call(
                "update_item",
                TableName=self._table,
                Key={"id": {"S": f"message#{decision_id}"}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names(update + condition),
                ExpressionAttributeValues=values,
            )
        except _ConditionFailed:
            return False
        return True

    # ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _get(self, key: str) -> dict[str, Any] | None:
        found = self._call("get_item", TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True)
        row: dict[str, Any] | None = found.get("Item")
        return row

    def _get_many(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        asked: Any = {self._table: {"Keys": [{"id": {"S": key}} for key in keys], "ConsistentRead": True}}
        for _ in range(MOST_ATTEMPTS):
            page = self._call("batch_get_item", RequestItems=asked)
            rows |= {row["id"]["S"]: row for row in page["Responses"].get(self._table, [])}
            asked = page.get("UnprocessedKeys")
            if not asked:
                return rows
        raise Unavailable("the ledger is too busy to be read")

    def _call(self, operation: str, **asked: Any) -> Any:
        try:
            return getattr(self._dynamodb, operation)(**asked)
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                raise _ConditionFailed from None
            raise Unavailable(f"the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error


def _failed(keys: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """Of these steps of a transaction, those whose condition did not hold."""
    return [key for key, why in zip(keys, reasons, strict=False) if why == FAILED]


class _ConditionFailed(Exception):
    """The row is not as the update wants it."""
