"""The pace of mail as the port `Pace`: one row `pace#email` of the Ledger table, shared by all workers.

Every mail takes one slot by one conditional update: `free_at` is the moment of the next slot (the generic cell rate algorithm), `room` what is
left of the day's quota, `stopped` is there when the breaker is open. Rate and quota are SES's own (`GetAccount`), read once a
minute by whoever finds them old. What was taken since the last reading is taken off again, as SES may not have counted it yet.
A store or a quota that does not answer means: nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.act import reputation as rules
from nudge.adapters.clients import code
from nudge.adapters.ledger_rows import names
from nudge.adapters.reputation import KEY, DynamoReputation
from nudge.errors import Unavailable
from nudge.ports import Closed, Throttled
from nudge.vocabulary import SECOND, Micros

FRESH_FOR: Micros = 60 * SECOND
PATIENCE: Micros = 4 * SECOND
"""How long a worker waits for its slot; a later one is taken by the message's next attempt. Ten messages of a batch that each wait so
long still end within the function's minute."""

ENDLESS = 10**9
MOST_TRIES = 5
OPEN = "#read_at > :old AND #room > :none AND attribute_not_exists(#stopped)"
OPEN_FOR_ALL = "#read_at > :old AND #room > :none"
TAKE = "#room = #room - :one, #taken = #taken + :one"
IDLE = (f"SET #free_at = :now + #gap, {TAKE}", "#free_at <= :now")
BUSY = (f"SET #free_at = #free_at + #gap, {TAKE}", "#free_at > :now AND #free_at < :latest")


@dataclass(frozen=True, slots=True)
class Quota:
    """What SES allows: mails a second, mails a day (-1: no limit), mails of the last 24 hours, and whether it sends at all."""

    per_second: float
    per_day: float
    sent: float
    enabled: bool


def quota_of(sesv2: Any) -> Quota:
    """Ask SES. Raises Unavailable: then nothing is sent."""
    try:
        told = sesv2.get_account()
        held = told["SendQuota"]
        return Quota(held["MaxSendRate"], held["Max24HourSend"], held["SentLast24Hours"], bool(told["SendingEnabled"]))
    except ClientError as error:
        raise Unavailable(f"SES answered {code(error)}") from None
    except (BotoCoreError, KeyError, TypeError) as error:
        raise Unavailable(f"SES did not tell its quota ({type(error).__name__})") from None


class DynamoPace:
    """`Pace` over the Ledger table; `quota` is asked at most once a minute by all workers together."""

    def __init__(self, dynamodb: Any, table: str, quota: Callable[[], Quota]) -> None:
        self._dynamodb, self._table, self._quota = dynamodb, table, quota
        self._reputation = DynamoReputation(dynamodb, table)
        self._likely = (BUSY, IDLE)

    def take(self, *, transactional: bool, now: Micros) -> float:
        gate = OPEN_FOR_ALL if transactional else OPEN
        for _ in range(MOST_TRIES):
            for way in self._likely:
                slot = self._slot(way[0], f"{gate} AND {way[1]}", now)
                if slot is not None:
                    self._likely = (BUSY, IDLE) if way is BUSY else (IDLE, BUSY)
                    return max(slot - now, 0) / SECOND
            self._explain(transactional, now)
        raise Throttled("rate")

    def _slot(self, update: str, condition: str, now: Micros) -> Micros | None:
        """The moment of the slot that was taken; None when the row is not as it should be."""
        values = {":now": now, ":one": 1, ":none": 0, ":old": now - FRESH_FOR, ":latest": now + PATIENCE}
        used = {name: {"N": str(value)} for name, value in values.items() if name in f"{update} {condition} "}
        row = self._update(update, condition, used)
        return None if row is None else int(row["free_at"]["N"]) - int(row["gap"]["N"])

    def _explain(self, transactional: bool, now: Micros) -> None:
        """Why no slot was free: raises Throttled; returns when another try may find one."""
        row = self._row()
        if row is None or int(row.get("read_at", {"N": "0"})["N"]) <= now - FRESH_FOR:
            self._refresh(row or {}, now)
            return
        if "stopped" in row and not transactional:
            raise Closed("stopped")
        if int(row["room"]["N"]) <= 0:
            raise Closed("trial" if "trial" in row else "daily_quota")
        if int(row["free_at"]["N"]) >= now + PATIENCE:
            raise Throttled("rate")

    def _refresh(self, row: dict[str, Any], now: Micros) -> None:
        """Write what SES says, unless another worker just did."""
        quota = self._quota()
        free = ENDLESS if quota.per_day < 0 else int(quota.per_day - quota.sent)
        rate = quota.per_second if quota.enabled else 0.0
        free = free if rate > 0 else 0
        sets = ["#read_at = :now", "#gap = :gap", "#free_at = if_not_exists(#free_at, :now)", "#taken = :none"]
        left = ":free - if_not_exists(#taken, :none)"
        removes = ""
        if "trial" in row:
            trial = int(row["trial"]["N"]) - int(row.get("taken", {"N": "0"})["N"])
            since = (now - int(row["reset_at"]["N"])) / SECOND
            if rules.proven(self._reputation.figures(now=now), since):
                removes = " REMOVE #trial"
            else:
                free, left = min(free, trial), ":free"
                sets.append("#trial = :trial")
        sets.append(f"#room = {left}")
        values = {":now": now, ":gap": max(round(SECOND / rate), 1) if rate > 0 else SECOND, ":none": 0, ":free": free}
        if ":trial" in " ".join(sets):
            values[":trial"] = max(free, 0)
        known = row.get("read_at", {}).get("N")
        condition = "attribute_not_exists(#read_at)" if known is None else "#read_at = :known"
        typed = {name: {"N": str(value)} for name, value in values.items()}
        typed |= {} if known is None else {":known": {"N": known}}
        self._update(f"SET {', '.join(sets)}{removes}", condition, typed)

    def _row(self) -> dict[str, Any] | None:
        try:
            found = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": KEY}}, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the pace cannot be read ({type(error).__name__})") from error
        row: dict[str, Any] | None = found.get("Item")
        return row

    def _update(self, update: str, condition: str, values: dict[str, Any]) -> dict[str, Any] | None:
        """The row after the update; None when the condition does not hold."""
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": KEY}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names(update + condition),
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                return None
            raise Unavailable(f"the pace answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the pace did not answer ({type(error).__name__})") from error
        row: dict[str, Any] = answer["Attributes"]
        return row
