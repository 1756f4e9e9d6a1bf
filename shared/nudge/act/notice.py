"""What SES says became of a mail. In: one event, in either of its shapes. Out: a `Notice`: rows for the lake, and whom to suppress.

`eventType` comes from a configuration set, `notificationType` from an identity; the rest is the same. Addresses are read, hashed and
named for suppression, and are in no row; neither are IP addresses, nor the tokens of unsubscribe links.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from nudge.errors import BadInput
from nudge.vocabulary import SECOND, Message, Micros

DETAIL = {
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Delivery": "delivery",
    "Send": "send",
    "Reject": "reject",
    "Open": "open",
    "Click": "click",
    "Rendering Failure": "failure",
    "RenderingFailure": "failure",
    "DeliveryDelay": "deliveryDelay",
    "Subscription": "subscription",
}
"""SES's event types, and where each keeps its detail."""

EVENT_TYPE = {
    "Bounce": "email_bounce",
    "Complaint": "email_complaint",
    "Delivery": "email_delivery",
    "Reject": "email_reject",
    "Open": "email_open",
    "Click": "email_click",
    "Rendering Failure": "email_rendering_failure",
    "RenderingFailure": "email_rendering_failure",
    "DeliveryDelay": "email_delivery_delay",
    "Subscription": "email_subscription",
}
"""Our names. `Send` has no row: the ledger's own `email_sent` says it."""

LEFT_US = frozenset({"Send", "Delivery", "DeliveryDelay", "Bounce", "Complaint", "Open", "Click"})
"""These prove that SES took the mail."""

RECIPIENTS = ("bouncedRecipients", "complainedRecipients", "delayedRecipients", "recipients")
PRIVATE = frozenset({*RECIPIENTS, "emailAddress", "ipAddress", "sourceIp", "destination", "headers", "commonHeaders"})
IN_TEXT = (
    (re.compile(r"[^\s<>\"',;:=?&/]{1,64}(?:@|%40)[A-Za-z0-9._-]+", re.IGNORECASE), "[address]"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}\b", re.IGNORECASE), "[ip]"),
    (re.compile(r"/(u|c)/[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"), r"/\1/[token]"),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One event. `to` are the addresses it is about; `suppress` why they must not be written to any more, or None; `sent_at` is
    when SES took the mail."""

    kind: str
    message_id: str
    decision_id: str | None
    at: Micros
    to: tuple[str, ...]
    detail: Mapping[str, Any]
    suppress: str | None
    sent_at: Micros | None = None

    @property
    def proves_sending(self) -> bool:
        return self.kind in LEFT_US


class Told(NamedTuple):
    """What SNS passed on: from which topic, what, and when it was told."""

    topic_arn: str
    event: dict[str, Any]
    at: Micros | None


def opened(body: str, topic_arns: Collection[str]) -> Told:
    """The event in an SNS envelope in a queue message.

    Raises
    ------
    BadInput
        `foreign_topic` when it does not come from one of our topics, `not_a_notice` when it is no notification at all.
    """
    envelope = _object(body, "the queue message")
    topic_arn = envelope.get("TopicArn")
    if not isinstance(topic_arn, str) or topic_arn not in topic_arns:
        raise BadInput("the message does not come from a topic of ours", reason="foreign_topic")
    if envelope.get("Type") != "Notification" or not isinstance(envelope.get("Message"), str):
        raise BadInput("the envelope holds no notification", reason="not_a_notice")
    return Told(topic_arn, _object(envelope["Message"], "the notification"), micros(envelope.get("Timestamp")))


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadInput(f"{what} is not a JSON object", reason="not_a_notice")
    return value


def read(event: Mapping[str, Any]) -> Notice | None:
    """The notice of an SES event; None for a type that we do not know, or an event that is not whole."""
    kind = event.get("eventType") or event.get("notificationType")
    mail = event.get("mail")
    if kind not in DETAIL or not isinstance(mail, Mapping) or not isinstance(mail.get("messageId"), str):
        return None
    detail = event.get(DETAIL[kind])
    detail = detail if isinstance(detail, Mapping) else {}
    at = micros(detail.get("timestamp")) or micros(mail.get("timestamp"))
    if at is None:
        return None
    return Notice(
        kind=kind,
        message_id=mail["messageId"],
        decision_id=_decision_id(mail),
        at=at,
        to=_recipients(detail) or tuple(one for one in _list(mail.get("destination")) if isinstance(one, str)),
        detail=detail,
        suppress=_suppression(kind, detail),
        sent_at=micros(mail.get("timestamp")),
    )


def _decision_id(mail: Mapping[str, Any]) -> str | None:
    """From the tag, whose values are lists; else from our own header, which identity feedback may carry."""
    tags = mail.get("tags")
    tagged = _list(tags.get("decision_id")) if isinstance(tags, Mapping) else []
    named = [
        one.get("value")
        for one in _list(mail.get("headers"))
        if isinstance(one, Mapping) and str(one.get("name")).lower() == "x-nudge-decision"
    ]
    return next((one for one in (*tagged, *named) if isinstance(one, str) and one), None)


def _recipients(detail: Mapping[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for name in RECIPIENTS:
        for one in _list(detail.get(name)):
            address = one.get("emailAddress") if isinstance(one, Mapping) else one
            if isinstance(address, str) and address:
                found.append(address)
    return tuple(dict.fromkeys(found))


def _suppression(kind: str, detail: Mapping[str, Any]) -> str | None:
    if kind == "Bounce" and detail.get("bounceType") == "Permanent":
        return "bounce"
    if kind == "Complaint" and detail.get("complaintFeedbackType") != "not-spam":
        return "complaint"
    return None


def rows(notice: Notice, message: Message, received_at: Micros) -> Iterator[dict[str, Any]]:
    """Rows for `inbox/outcomes/`, one for each recipient: columns of events; the rest of the notice in `properties`.

    The id of a row is made of the mail, the kind, the time, the recipient and the link, so that a notice that comes twice
    is one row, and two clicks are two.
    """
    if notice.kind not in EVENT_TYPE:
        return
    for address in notice.to or ("",):
        parts = (notice.message_id, notice.kind, notice.at, address.lower(), notice.detail.get("link"))
        yield outcome(
            message,
            EVENT_TYPE[notice.kind],
            event_id="s" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24],
            at=notice.at,
            received_at=received_at,
            properties={"provider_id": notice.message_id, "ses": clean(notice.detail)},
        )


def outcome(
    message: Message, event_type: str, *, event_id: str, at: Micros, received_at: Micros, properties: Mapping[str, Any]
) -> dict[str, Any]:
    """One row about a message, in the columns of an event file."""
    return {
        "user_id": message.user_id,
        "event_id": event_id,
        "event_type": event_type,
        "event_time": _iso(at),
        "channel": message.channel,
        "decision_id": message.decision_id,
        "received_at": _iso(received_at),
        "activity": message.activity,
        "goal": message.goal,
        **properties,
    }


def clean(value: Any) -> Any:
    """The same without addresses, IP addresses and tokens, whether they stand alone or in a sentence."""
    if isinstance(value, Mapping):
        return {name: clean(one) for name, one in value.items() if name not in PRIVATE}
    if isinstance(value, list):
        return [clean(one) for one in value]
    if isinstance(value, str):
        for pattern, instead in IN_TEXT:
            value = pattern.sub(instead, value)
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def micros(value: Any) -> Micros | None:
    """The time of an ISO 8601 text with a zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * SECOND)


def _iso(at: Micros) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND).isoformat().replace("+00:00", "Z")
