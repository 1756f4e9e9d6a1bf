"""Which decision a provider's message was of, as the port `Sent`: a row `sent#<channel>#<id>` of the Ledger table, gone after half a year."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.errors import Unavailable
from nudge.vocabulary import DAY, SECOND, Micros

KEPT: Micros = 180 * DAY
"""As long as the Ledger keeps the message itself."""


class DynamoSent:
    """`Sent` over the Ledger table and a low-level client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def note(self, channel: str, provider_id: str, decision_id: str, *, at: Micros) -> None:
        self._call(
            "update_item",
            Key=_key(channel, provider_id),
            UpdateExpression="SET #decision = :decision, #expires = if_not_exists(#expires, :expires)",
            ExpressionAttributeNames={"#decision": "decision_id", "#expires": "expires"},
            ExpressionAttributeValues={
                ":decision": {"S": decision_id},
                ":expires": {"N": str((at + KEPT) // SECOND)},
            },
        )

    def find(self, channel: str, provider_id: str) -> str | None:
        item = self._call("get_item", Key=_key(channel, provider_id), ConsistentRead=True).get("Item")
        return None if item is None else str(item["decision_id"]["S"])

    def _call(self, call: str, **request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._dynamodb, call)(TableName=self._table, **request)
        except ClientError as error:
            raise Unavailable(f"the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error
        return answer


def _key(channel: str, provider_id: str) -> dict[str, Any]:
    return {"id": {"S": f"sent#{channel}#{provider_id}"}}


class MemorySent:
    """`Sent` in this process's memory."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def note(self, channel: str, provider_id: str, decision_id: str, *, at: Micros) -> None:
        self.held[channel, provider_id] = decision_id

    def find(self, channel: str, provider_id: str) -> str | None:
        return self.held.get((channel, provider_id))
