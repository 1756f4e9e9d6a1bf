"""`Profiles` over one DynamoDB table. Knows the rows and DynamoDB's error names; knows nothing of what a state means.

A row `person#<user_id>` has `numbers` and `traits` (JSON texts), `seen` (bytes), and for each channel `consent_<channel>`
and `suppressed_<channel>`, maps with the time `at` by which the latest wins. Every write raises `version`. Flags are
written wherever the row stands; `save` puts the whole row, flags as they were read, if the version is still the one that
was read: so a flag written meanwhile makes it read again, and none is lost. A row `address#<channel>#<sha256>` holds a
suppression of an address. `writer` is a hash of what `save` put: a refused write whose hash is found there is our own,
whose answer was lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.adapters.profile_rows import (
    PERSON,
    address_id,
    consent_map,
    holds,
    person,
    row,
    suppression_map,
    suppression_of,
)
from nudge.errors import BadInput, Unavailable
from nudge.vocabulary import LIFTED, STOP, Consent, Micros, Profile, Suppression

LIFTABLE = "#flag.#reason IN (:stop, :lifted)"
REFUSED = "ConditionalCheckFailedException"
LARGEST_ROW = 390_000
TRIES = 8


def translated(error: Exception, what: str) -> Exception:
    """Our error for one of botocore's."""
    if isinstance(error, ClientError):
        return Unavailable(f"{what}: DynamoDB answered {code(error)}")
    return Unavailable(f"{what}: DynamoDB did not answer ({type(error).__name__})")


class DynamoProfiles:
    """`Profiles` over a table. `workers` > 1 writes in parallel (a round trip to AWS is mostly waiting)."""

    def __init__(
        self, dynamodb: Any, table: str, *, workers: int = 1, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._workers = workers
        self._pause = pause

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def get(self, user_id: str, *, consistent: bool = False) -> Profile | None:
        item = self._item(PERSON + user_id, consistent=consistent)
        return None if item is None else person(item)

    def _item(self, key: str, *, consistent: bool) -> dict[str, Any] | None:
        answer = self._call("get_item", "reading", Key={"id": {"S": key}}, ConsistentRead=consistent)
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def get_many(self, user_ids: Iterable[str]) -> dict[str, Profile]:
        found: dict[str, Profile] = {}
        for some in batched(dict.fromkeys(user_ids), 100, strict=False):
            keys = [{"id": {"S": PERSON + user_id}} for user_id in some]
            found |= {one.user_id: one for one in map(person, self._batch(keys))}
        return found

    def _batch(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for attempt in range(TRIES):
            request = {self._table: {"Keys": keys, "ConsistentRead": True}}
            try:
                answer = self._dynamodb.batch_get_item(RequestItems=request)
            except (ClientError, BotoCoreError) as error:
                raise translated(error, "reading people") from error
            yield from answer.get("Responses", {}).get(self._table, ())
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return
            self._pause(0.05 * 2**attempt)
        raise Unavailable(f"reading people: {len(keys)} still unprocessed after {TRIES} tries")

    def all(self, *, part: tuple[int, int] = (0, 1)) -> Iterator[Profile]:
        start: dict[str, Any] = {} if part[1] == 1 else {"Segment": part[0], "TotalSegments": part[1]}
        while True:
            page = self._call(
                "scan",
                "reading everybody",
                ConsistentRead=True,
                FilterExpression="begins_with(#id, :person)",
                ExpressionAttributeNames={"#id": "id"},
                ExpressionAttributeValues={":person": {"S": PERSON}},
                **start,
            )
            yield from map(person, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def forget(self, user_id: str) -> None:
        self._call("delete_item", "forgetting somebody", Key={"id": {"S": PERSON + user_id}})

    # ── numbers: one writer at a time ────────────────────────────────────────────────────────────────────────────────
    def save(self, profiles: Sequence[Profile]) -> list[str]:
        if self._workers == 1 or len(profiles) < 2:
            saved = [self._save(profile) for profile in profiles]
        else:
            from concurrent.futures import ThreadPoolExecutor  # only prepare writes many; the others start without it

            with ThreadPoolExecutor(self._workers) as pool:
                saved = list(pool.map(self._save, profiles))
        return [profile.user_id for profile, done in zip(profiles, saved, strict=True) if not done]

    def _save(self, profile: Profile) -> bool:
        item, weight = row(profile)
        if weight > LARGEST_ROW:
            raise BadInput(f"a profile of {weight} bytes does not fit a row", reason="profile_too_large")
        request: dict[str, Any] = {
            "Item": item,
            "ConditionExpression": "attribute_not_exists(#version)",
            "ExpressionAttributeNames": {"#version": "version"},
        }
        if profile.version:
            request["ConditionExpression"] = "#version = :version"
            request["ExpressionAttributeValues"] = {":version": {"N": str(profile.version)}}
        there = self._conditional("put_item", request)
        return there is None or there.get("writer") == item["writer"]  # refused, but ours: only the answer was lost

    def _conditional(self, call: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """None when it was written; else the row as it is."""
        try:
            getattr(self._dynamodb, call)(
                TableName=self._table, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request
            )
        except ClientError as error:
            if code(error) == REFUSED:
                there: Any = error.response.get("Item", {})
                return dict(there)
            raise translated(error, "writing a person") from error
        except BotoCoreError as error:
            raise translated(error, "writing a person") from error
        return None

    # ── flags: many writers, the latest wins ─────────────────────────────────────────────────────────────────────────
    def consent(self, user_id: str, channel: str, consent: Consent) -> None:
        """A withdrawal wins a tie."""
        older = "<" if consent.granted else "<="
        self._flag(PERSON + user_id, f"consent_{channel}", consent_map(consent), older)

    def suppress(self, user_id: str, channel: str, suppression: Suppression) -> None:
        self._suppress(PERSON + user_id, f"suppressed_{channel}", suppression)

    def suppress_address(self, channel: str, address: str, suppression: Suppression) -> None:
        self._suppress(address_id(channel, address), "suppressed", suppression)

    def lift(self, user_id: str, channel: str, *, at: Micros) -> bool:
        return self._lift(PERSON + user_id, f"suppressed_{channel}", at)

    def lift_address(self, channel: str, address: str, *, at: Micros) -> bool:
        return self._lift(address_id(channel, address), "suppressed", at)

    def is_address_suppressed(self, channel: str, address: str, *, told_at: Micros = 0) -> bool:
        item = self._item(address_id(channel, address), consistent=True)
        return item is not None and holds(suppression_of(item["suppressed"]), told_at)

    def _suppress(self, key: str, name: str, suppression: Suppression) -> None:
        if suppression.reason != STOP:
            self._flag(key, name, suppression_map(suppression), "<=")
        else:
            self._liftable(key, name, suppression, f"attribute_not_exists(#flag) OR (#flag.#at <= :at AND {LIFTABLE})")

    def _lift(self, key: str, name: str, at: Micros) -> bool:
        """A lifting that finds itself there is one whose answer was lost."""
        older = f"#flag.#at < :at AND {LIFTABLE} OR #flag = :flag"
        return self._liftable(key, name, Suppression(LIFTED, at), older)

    def _liftable(self, key: str, name: str, suppression: Suppression, condition: str) -> bool:
        """Write a suppression that can be lifted, or that it was."""
        request = {
            "Key": {"id": {"S": key}},
            "UpdateExpression": "SET #flag = :flag ADD #version :one",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#flag": name, "#at": "at", "#reason": "reason", "#version": "version"},
            "ExpressionAttributeValues": {
                ":flag": suppression_map(suppression),
                ":at": {"N": str(suppression.at)},
                ":stop": {"S": STOP},
                ":lifted": {"S": LIFTED},
                ":one": {"N": "1"},
            },
        }
        return self._conditional("update_item", request) is None

    def _flag(self, key: str, name: str, flag: dict[str, Any], older: str) -> None:
        """Write a flag unless a later one is there (then there is nothing to do)."""
        request = {
            "Key": {"id": {"S": key}},
            "UpdateExpression": "SET #flag = :flag ADD #version :one",
            "ConditionExpression": f"attribute_not_exists(#flag) OR #flag.#at {older} :at",
            "ExpressionAttributeNames": {"#flag": name, "#at": "at", "#version": "version"},
            "ExpressionAttributeValues": {":flag": flag, ":at": flag["M"]["at"], ":one": {"N": "1"}},
        }
        self._conditional("update_item", request)

    def _call(self, call: str, what: str, **request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._dynamodb, call)(TableName=self._table, **request)
        except (ClientError, BotoCoreError) as error:
            raise translated(error, what) from error
        return answer
