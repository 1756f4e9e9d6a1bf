"""Followed links of recent messages as the port `Clicks`: a row `clicks#<decision>` of the Ledger table, gone after some days."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.errors import Unavailable
from nudge.vocabulary import DAY, SECOND, Micros

KEPT: Micros = 3 * DAY
MOST = 100
"""A message whose links were followed so often needs no more rows to be judged by."""


class DynamoClicks:
    """`Clicks` over the Ledger table and a low-level client: one write a click."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def note(self, decision_id: str, link: str, *, at: Micros) -> list[tuple[Micros, str]]:
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": f"clicks#{decision_id}"}},
                UpdateExpression="ADD #links :link SET #expires = :expires",
                ConditionExpression="attribute_not_exists(#links) OR size(#links) < :most",
                ExpressionAttributeNames={"#links": "links", "#expires": "expires"},
                ExpressionAttributeValues={
                    ":link": {"SS": [f"{at}/{link}"]},
                    ":most": {"N": str(MOST)},
                    ":expires": {"N": str((at + KEPT) // SECOND)},
                },
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                return [(at, str(number)) for number in range(MOST)]
            raise Unavailable(f"the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the ledger did not answer ({type(error).__name__})") from error
        return [_read(one) for one in answer["Attributes"]["links"]["SS"]]


def _read(text: str) -> tuple[Micros, str]:
    at, _, link = text.partition("/")
    return int(at), link


class MemoryClicks:
    """`Clicks` in this process's memory."""

    def __init__(self) -> None:
        self.held: dict[str, set[tuple[Micros, str]]] = {}

    def note(self, decision_id: str, link: str, *, at: Micros) -> list[tuple[Micros, str]]:
        held = self.held.setdefault(decision_id, set())
        if len(held) < MOST:
            held.add((at, link))
        elif (at, link) not in held:
            return [(at, str(number)) for number in range(MOST)]
        return sorted(held)
