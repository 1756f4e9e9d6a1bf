"""The port `Journeys` in the table `Ledger` of DynamoDB.

A row `journey#<campaign>/<user_id>` holds the journey as a `text` (see `journey_rows`), its `version`, and, while it has not ended,
`due_shard` (`journey <n>`) and `due_at`, by which the index `due` finds it. A row `journeys#<campaign>` counts what became of
the campaign's journeys, each in the transaction that writes the journey.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.adapters.journey_rows import SHARDS, journey_of, shard_of, text_of
from nudge.decide.journey import Journey
from nudge.errors import Unavailable
from nudge.ports import Traveller
from nudge.vocabulary import DAY, SECOND, Micros

INDEX = "due"
PREFIX, COUNTS = "journey#", "journeys#"
KEPT: Micros = 180 * DAY
"""How long a journey is remembered after it ended, or after it should have gone on."""
TRIES = 8
BUSY = {"TransactionConflict", "TransactionInProgressException", "ThrottlingError", "ProvisionedThroughputExceeded"}
_WORD = re.compile(r"[a-z_]{1,40}")


class DynamoJourneys:
    """`Journeys` over one table and a low-level client."""

    shards = SHARDS

    def __init__(self, dynamodb: Any, table: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._pause = pause

    def get_many(self, travellers: Iterable[Traveller]) -> dict[Traveller, Journey]:
        found: dict[Traveller, Journey] = {}
        for some in batched(dict.fromkeys(travellers), 100, strict=False):
            keys = [{"id": {"S": _id(one)}} for one in some]
            for attempt in range(TRIES):
                asked = {self._table: {"Keys": keys, "ConsistentRead": True}}
                page = self._call("batch_get_item", RequestItems=asked)
                rows = (journey_of(row["text"]["S"]) for row in page["Responses"].get(self._table, []))
                found |= {(one.campaign, one.user_id): one for one in rows}
                keys = page.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
                if not keys:
                    break
                self._pause(0.05 * 2**attempt)
            else:
                raise Unavailable("the ledger is too busy to read journeys")
        return found

    def save(self, journey: Journey, *, tally: str | None = None) -> bool:
        text = text_of(journey._replace(version=journey.version + 1))
        put = self._put(journey, text)
        steps: list[dict[str, Any]] = [{"Put": put}]
        if tally is not None:
            steps.append({"Update": self._count(journey.campaign, tally)})
        for attempt in range(TRIES):
            try:
                self._dynamodb.transact_write_items(TransactItems=steps)
            except ClientError as error:
                if _refused(error):
                    row = self._call("get_item", TableName=self._table, Key=_key(journey), ConsistentRead=True)
                    return bool(row.get("Item", {}).get("text", {}).get("S") == text)  # ours, whose answer was lost?
                if not _busy(error):
                    raise Unavailable(f"writing a journey: the ledger answered {code(error)}") from error
                self._pause(0.02 * 2**attempt)
            except BotoCoreError as error:
                raise Unavailable(f"writing a journey: the ledger did not answer ({type(error).__name__})") from error
            else:
                return True
        raise Unavailable("the ledger is too busy to write a journey")

    def _put(self, journey: Journey, text: str) -> dict[str, Any]:
        item: dict[str, Any] = {
            **_key(journey),
            "text": {"S": text},
            "version": {"N": str(journey.version + 1)},
            "expires": {"N": str((max(journey.due_at, journey.changed_at) + KEPT) // SECOND)},
        }
        if journey.state != "ended":
            shard = _shard(shard_of(journey.campaign, journey.user_id))
            item |= {"due_shard": {"S": shard}, "due_at": {"N": str(journey.due_at)}}
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        put["ConditionExpression"] = "#version = :version" if journey.version else "attribute_not_exists(#version)"
        put["ExpressionAttributeNames"] = {"#version": "version"}
        if journey.version:
            put["ExpressionAttributeValues"] = {":version": {"N": str(journey.version)}}
        return put

    def _count(self, campaign: str, tally: str) -> dict[str, Any]:
        if not _WORD.fullmatch(tally):
            raise ValueError(f"{tally!r} is no word to count by")
        return {
            "TableName": self._table,
            "Key": {"id": {"S": COUNTS + campaign}},
            "UpdateExpression": "ADD #n :one",
            "ExpressionAttributeNames": {"#n": f"n_{tally}"},
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }

    def due(self, shard: int, *, now: Micros, limit: int = 100) -> list[Traveller]:
        return self._waiting(shard, now, limit)

    def under_way(self, campaign: str) -> Iterator[Journey]:
        for shard in range(SHARDS):
            mine = [one for one in self._waiting(shard, None, None) if one[0] == campaign]
            found = self.get_many(mine).values()
            yield from (one for one in found if one.state != "ended")

    def tallies(self, campaign: str) -> dict[str, int]:
        key = {"id": {"S": COUNTS + campaign}}
        row = self._call("get_item", TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        return {name[2:]: int(value["N"]) for name, value in sorted(row.items()) if name.startswith("n_")}

    def _waiting(self, shard: int, now: Micros | None, limit: int | None) -> list[Traveller]:
        """Who waits in a shard, those first that are due first; until `now`, and at most `limit`, where these are given."""
        asked: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#due_shard = :shard" + ("" if now is None else " AND #due_at <= :now"),
            "ExpressionAttributeNames": {"#due_shard": "due_shard"} | ({} if now is None else {"#due_at": "due_at"}),
            "ExpressionAttributeValues": {":shard": {"S": _shard(shard)}}
            | ({} if now is None else {":now": {"N": str(now)}}),
        }
        found: list[Traveller] = []
        while limit is None or len(found) < limit:
            page = self._call("query", **asked, **({} if limit is None else {"Limit": limit - len(found)}))
            for row in page["Items"]:
                campaign, _, user_id = row["id"]["S"].removeprefix(PREFIX).partition("/")
                found.append((campaign, user_id))
            if "LastEvaluatedKey" not in page:
                break
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return found

    def _call(self, operation: str, **asked: Any) -> Any:
        try:
            return getattr(self._dynamodb, operation)(**asked)
        except ClientError as error:
            raise Unavailable(f"journeys: the ledger answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"journeys: the ledger did not answer ({type(error).__name__})") from error


def _id(traveller: Traveller) -> str:
    """A campaign's name holds no slash."""
    return PREFIX + "/".join(traveller)


def _key(journey: Journey) -> dict[str, Any]:
    return {"id": {"S": _id((journey.campaign, journey.user_id))}}


def _shard(number: int) -> str:
    return f"journey {number}"


def _reasons(error: ClientError) -> set[str]:
    told: Any = error.response.get("CancellationReasons", [])
    return {code(error), *(str(one.get("Code")) for one in told)}


def _refused(error: ClientError) -> bool:
    """Whether the version is another by now."""
    return "ConditionalCheckFailed" in _reasons(error)


def _busy(error: ClientError) -> bool:
    """Whether somebody else writes the same rows (the campaign's counts) at this moment."""
    return bool(BUSY & _reasons(error))
