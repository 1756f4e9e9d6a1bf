"""A message of the Segment spec becomes a row of ours. One JSON object comes in; its kind and a row, or `BadInput`, go out.

`track`, `page`, `screen`, `group` and `alias` are rows of events, `identify` is a row of users. Where the spec and our
columns meet: `messageId` is the event_id; the person is `userId`, else `anonymousId`; the time is `timestamp`, else
`receivedAt - (sentAt - originalTimestamp)` (which takes a wrong clock of the sender out), else when it came. A track's
event_type is its name in snake case ("Order Completed" → `order_completed`); `revenue`, else `value`, else `total` is the
value; `product_id` or `sku` (or those of the only one of `products`) the item. The other properties stay, `products` too.
Dittofeed, RudderStack and PostHog speak it too. Knows no request and no store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from nudge.collect.aliases import naming
from nudge.errors import BadInput
from nudge.vocabulary import DAY, Kind, Micros

TYPES: Final = ("identify", "track", "page", "screen", "group", "alias")
LARGEST_MESSAGE: Final = 32 * 1024
LARGEST_BATCH: Final = 500 * 1024
DEEPEST: Final = 16
LONGEST_NAME: Final = 200
LONGEST_ID: Final = 512

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN: Final = re.compile(r"[\W_]+")
_CONTEXT: Final = ("timezone", "locale")


def row_of(message: Any, *, received_at: Micros) -> tuple[Kind, dict[str, Any]]:
    """The kind and row of a message as it came over HTTP.

    Raises
    ------
    BadInput
        With a reason and, in `where`, the field: `not_an_object`, `too_large`, `too_deep`, `unknown_type`, `no_user_id`,
        `no_message_id`, `no_event`, `bad_id`, `bad_time`, `in_future`, `bad_object`, `bad_value`.
    """
    if not isinstance(message, dict):
        raise BadInput("a message is a JSON object", reason="not_an_object")
    if _depth(message) > DEEPEST:
        raise BadInput(f"nested deeper than {DEEPEST}", reason="too_deep")
    if len(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")) > LARGEST_MESSAGE:
        raise BadInput(f"a message has at most {LARGEST_MESSAGE // 1024} KB", reason="too_large")
    if not _text(message, "messageId"):
        raise BadInput("a message needs an id, so that it counts once", reason="no_message_id", where="messageId")
    return _row(message, _moment(received_at), received_at)


def flatten(row: dict[str, Any]) -> tuple[Kind | None, dict[str, Any]]:
    """The kind and row of one JSON object of a file: of a Segment message as above, of any other (None, as it is).

    Raises BadInput as `row_of` does; a message in a file may lack `messageId` (its content then gives the event_id).
    """
    if row.get("type") not in TYPES or not ("userId" in row or "anonymousId" in row):
        return None, row
    if "event_time" in row or "event_type" in row:
        return None, row
    return _row(row, None, None)


def event_type_of(name: str) -> str:
    """The event_type of a track's name.

    >>> event_type_of("Order Completed"), event_type_of("productViewed"), event_type_of("signup")
    ('order_completed', 'product_viewed', 'signup')
    """
    return _BETWEEN.sub("_", _WORDS.sub("_", name).lower()).strip("_")


def _row(message: Mapping[str, Any], received: str | None, received_at: Micros | None) -> tuple[Kind, dict[str, Any]]:
    kind = message.get("type")
    if kind not in TYPES:
        raise BadInput(f"type is one of {', '.join(TYPES)}", reason="unknown_type", where="type")
    person = _text(message, "userId") or _text(message, "anonymousId")
    if not person:
        raise BadInput("userId or anonymousId must say who it is", reason="no_user_id", where="userId")
    at = _time(message, received_at)
    if at and received_at is not None and at > _moment(received_at + DAY):
        raise BadInput("the time is more than a day ahead", reason="in_future", where="timestamp")
    if kind == "identify":
        return "users", _person_row(message, person, at)
    event_type, properties = _said(kind, message)
    received = received or _text(message, "receivedAt")
    row = {
        "event_id": _text(message, "messageId"),
        "user_id": person,
        "event_type": event_type,
        "event_time": at,
        **_columns(properties),
        "channel": _text(message, "channel"),
        "received_at": received,
        "properties": properties,
    }
    return "events", {name: value for name, value in row.items() if value not in (None, "", {})}


def _said(kind: str, message: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """event_type and properties by type of message."""
    properties = dict(_object(message, "traits" if kind == "group" else "properties"))
    if kind == "track":
        name = _text(message, "event")
        if not name or not event_type_of(name):
            raise BadInput("a track needs the name of its event", reason="no_event", where="event")
        if len(name) > LONGEST_NAME:
            raise BadInput(f"an event's name has at most {LONGEST_NAME} characters", reason="bad_id", where="event")
        return event_type_of(name), properties
    beside = {"page": "name", "screen": "name", "group": "groupId", "alias": "previousId"}[kind]
    if (value := _text(message, beside)) and beside not in properties:
        properties[{"groupId": "group_id", "previousId": "previous_id"}.get(beside, beside)] = value
    return kind, properties


def _columns(properties: dict[str, Any]) -> dict[str, Any]:
    """What of the properties are columns of ours; taken out of them, but for `products`, `revenue` and `total`."""
    products = properties.get("products")
    only = products[0] if isinstance(products, list) and len(products) == 1 and isinstance(products[0], dict) else {}
    value = next((properties[name] for name in ("revenue", "value", "total") if properties.get(name) is not None), None)
    if isinstance(value, dict | list | bool):
        raise BadInput("revenue, value and total are numbers", reason="bad_value", where="properties.value")
    found = {"value": value}
    for ours, theirs in {
        "item_id": ("item_id", "product_id", "sku"),
        "category": ("category",),
        "currency": ("currency",),
        "decision_id": ("decision_id", "decisionId"),
        "event_action": ("event_action",),
    }.items():
        name = next((name for name in theirs if _scalar(properties.get(name))), None)
        found[ours] = properties.pop(name) if name else None
        if found[ours] is None and ours in ("item_id", "category"):
            found[ours] = next((only[name] for name in theirs if _scalar(only.get(name))), None)
    properties.pop("value", None)
    return found


def _person_row(message: Mapping[str, Any], person: str, at: str | None) -> dict[str, Any]:
    """A row of users: known traits under our names, the others as `attributes`."""
    context = _object(message, "context")
    row: dict[str, Any] = {"user_id": person, "updated_at": at}
    row |= {name: context[name] for name in _CONTEXT if _scalar(context.get(name))}
    attributes: dict[str, Any] = {}
    name_of = naming("users")
    for name, value in {**_object(context, "traits"), **_object(message, "traits")}.items():
        ours = name_of(name)
        if ours in ("user_id", "anonymous_id", "updated_at") or ours is None or not _scalar(value):
            attributes[name] = value
        elif ours in ("first_name", "last_name"):
            attributes[ours] = value
        else:
            row[ours] = value
    row["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    return {name: value for name, value in row.items() if value not in (None, "", {})}


def _time(message: Mapping[str, Any], received_at: Micros | None) -> str | None:
    """ISO 8601 in UTC; None where neither the message nor its receipt says when."""
    if (said := _parsed(message, "timestamp")) is not None:
        return _iso(said)
    original, sent = _parsed(message, "originalTimestamp"), _parsed(message, "sentAt")
    received = (
        _EPOCH + timedelta(microseconds=received_at) if received_at is not None else _parsed(message, "receivedAt")
    )
    if original is None:
        return _iso(received) if received is not None else None
    if sent is None or received is None:
        return _iso(original)
    try:
        return _iso(received - (sent - original))
    except OverflowError:
        raise BadInput("sentAt and originalTimestamp are ages apart", reason="bad_time", where="sentAt") from None


def _parsed(message: Mapping[str, Any], field: str) -> datetime | None:
    text = message.get(field)
    if text is None or text == "":
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise BadInput("a time is ISO 8601, such as 2026-11-22T09:00:00Z", reason="bad_time", where=field) from None


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.year >= 1000 else moment.isoformat()


def _moment(at: Micros) -> str:
    return _iso(_EPOCH + timedelta(microseconds=at))


def _text(message: Mapping[str, Any], field: str) -> str | None:
    """An id or name: a text, or a number written as one (0 counts: some shops number people from there)."""
    value = message.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput("an id is a text", reason="bad_id", where=field)
    text = str(value).strip()
    if len(text) > LONGEST_ID or any(character < " " for character in text):
        raise BadInput(
            f"an id has at most {LONGEST_ID} characters, none of them a control", reason="bad_id", where=field
        )
    return text or None


def _object(message: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = message.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput("this is a JSON object", reason="bad_object", where=field)
    return value


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and value != ""


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            one
            for held in level
            for one in (held.values() if isinstance(held, dict) else held if isinstance(held, list) else ())
        ]
    return depth
