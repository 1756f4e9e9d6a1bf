"""How the rows of the `Ledger` table are written, in DynamoDB's typed JSON. In: our nouns. Out: rows; and messages back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from nudge.jsontext import compact
from nudge.vocabulary import SECOND, Decision, Message, MessageState, Micros

SHARDS = ("0", "1", "2", "3")
SENDING, UNKNOWN, LOST = "sending", "unknown", "failed"
"""Values of `due_shard`: a decision id's first hex digit modulo four, `sending`, `unknown` or `failed`."""
LISTED = (UNKNOWN, LOST)
"""Final states in which a message stays in the index: somebody may want to do something about it."""


def shard_of(decision_id: str) -> str:
    """The shard of the index `due` in which a message waits."""
    return SHARDS[int(decision_id[:1] or "0", 16) % len(SHARDS)]


def names(expression: str) -> dict[str, str]:
    """An alias for every `#name` of an expression: DynamoDB reserves words such as owner and state."""
    return {alias: alias[1:] for alias in re.findall(r"#[a-z_]+", expression)}


def decision_row(
    decision: Decision, text: str, request_hash: str, answer: Mapping[str, Any], expires_at: Micros
) -> dict[str, Any]:
    """`decision#<id>`: user_id, request_hash, answer, record (all JSON text or hex), decided_at (µs), expires (s).

    `user_id` and `decided_at` together put it, and no other row, into the index `person`.
    """
    return {
        "id": {"S": f"decision#{decision.decision_id}"},
        "user_id": {"S": decision.user_id},
        "request_hash": {"S": request_hash},
        "answer": {"S": compact(answer)},
        "record": {"S": text},
        "decided_at": {"N": str(decision.decided_at)},
        "expires": _seconds(expires_at),
    }


def message_row(message: Message, expires_at: Micros) -> dict[str, Any]:
    """`message#<id>`: the message's fields; `due_shard` only while it waits."""
    texts = {
        "id": f"message#{message.decision_id}",
        "decision_id": message.decision_id,
        "user_id": message.user_id,
        "activity": message.activity,
        "goal": message.goal,
        "channel": message.channel,
        "state": message.state,
        "owner": message.owner,
        "reason": message.reason,
        "provider_id": message.provider_id,
        "due_shard": shard_of(message.decision_id) if message.state in ("pending", "held") else None,
        "resent_by": message.resent_by,
    }
    row: dict[str, Any] = {name: {"S": value} for name, value in texts.items() if value is not None}
    for name in ("due_at", "changed_at", "attempt", "resent_at"):
        row[name] = {"N": str(getattr(message, name))}
    row["expires"] = _seconds(expires_at)
    return row


def message_of(row: Mapping[str, Any]) -> Message:
    """The message of a row."""
    return Message(
        decision_id=row["decision_id"]["S"],
        user_id=row["user_id"]["S"],
        activity=row["activity"]["S"],
        goal=row["goal"]["S"],
        channel=row["channel"]["S"],
        state=cast(MessageState, row["state"]["S"]),
        due_at=int(row["due_at"]["N"]),
        owner=row.get("owner", {}).get("S"),
        reason=row.get("reason", {}).get("S"),
        provider_id=row.get("provider_id", {}).get("S"),
        changed_at=int(row["changed_at"]["N"]),
        attempt=int(row.get("attempt", {"N": "1"})["N"]),
        resent_by=row.get("resent_by", {}).get("S"),
        resent_at=int(row.get("resent_at", {"N": "0"})["N"]),
    )


def counter_row(key: str, amount: Decimal, at_most: Decimal, expires_at: Micros) -> dict[str, Any]:
    """The update of `count#<key>`: add `amount` if the counter is not above `at_most` yet. `n` is the count."""
    return {
        "Key": {"id": {"S": f"count#{key}"}},
        "UpdateExpression": "ADD #n :amount SET #expires = :expires",
        "ConditionExpression": "attribute_not_exists(#n) OR #n <= :at_most",
        "ExpressionAttributeNames": {"#n": "n", "#expires": "expires"},
        "ExpressionAttributeValues": {
            ":amount": {"N": str(amount)},
            ":at_most": {"N": str(at_most)},
            ":expires": _seconds(expires_at),
        },
    }


def once_row(name: str, expires_at: Micros) -> dict[str, Any]:
    """The update that makes `once#<name>`, if it is not there yet."""
    return {
        "Key": {"id": {"S": f"once#{name}"}},
        "UpdateExpression": "SET #expires = :expires",
        "ConditionExpression": "attribute_not_exists(#id)",
        "ExpressionAttributeNames": {"#id": "id", "#expires": "expires"},
        "ExpressionAttributeValues": {":expires": _seconds(expires_at)},
    }


def _seconds(at: Micros) -> dict[str, str]:
    return {"N": str(at // SECOND)}
