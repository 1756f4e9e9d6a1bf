"""What End User Messaging says of a text message, and what its reader answers. In: one event of either kind. Out: a `Receipt`, a `Reply`.

Source of the shapes: the service's user guide, "Example event data" and "Example of a two-way SMS message payload". Numbers are read,
for suppression, and are in no row; neither is what somebody wrote, beyond the word that we understood.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from nudge.act.notice import outcome
from nudge.vocabulary import Message, Micros

ON_THE_WAY = frozenset({"TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT"})
"""These prove that it was taken, and say no more: no row."""

OUTCOME = {
    "TEXT_DELIVERED": "sms_delivery",
    "TEXT_SUCCESSFUL": "sms_delivery",
    "TEXT_INVALID": "sms_bounce",
    "TEXT_INVALID_MESSAGE": "sms_bounce",
    "TEXT_UNREACHABLE": "sms_bounce",
    "TEXT_CARRIER_UNREACHABLE": "sms_bounce",
    "TEXT_BLOCKED": "sms_bounce",
    "TEXT_CARRIER_BLOCKED": "sms_bounce",
    "TEXT_PROTECT_BLOCKED": "sms_bounce",
    "TEXT_SPAM": "sms_bounce",
    "TEXT_TTL_EXPIRED": "sms_bounce",
    "TEXT_UNKNOWN": "sms_no_receipt",
}
"""Our names. In some countries a carrier tells that it took a message (`SUCCESSFUL`), in others that the phone has it: either counts."""

INVALID = "TEXT_INVALID"
"""The number is none: it is not written to again. Every other failure may pass."""

KEPT = (
    "isFinal",
    "isoCountryCode",
    "mcc",
    "mnc",
    "carrierName",
    "messageStatus",
    "messageStatusDescription",
    "messageEncoding",
    "totalMessageParts",
    "totalMessagePrice",
    "totalCarrierFee",
)
"""What of a receipt is in the row; everything else is the number, ours or theirs, or is said by the row itself."""

type Wish = Literal["stop", "start", "help", "other"]

STOPS = frozenset(
    {
        "stop",
        "stopp",
        "stopall",
        "arret",
        "cancel",
        "end",
        "optout",
        "quit",
        "remove",
        "revoke",
        "td",
        "unsubscribe",
        "退订",
    }
)
"""The service's required opt-out keywords, and those of the carriers' association (CTIA) beside them. Signs and blanks are left out."""
STOPS_AT_ONCE = frozenset({"stop", "stopp", "stopall", "unsubscribe", "optout"})
"""Whoever begins with one of these means it, whatever follows; `end` or `cancel` may begin a sentence."""
STARTS = frozenset({"start", "unstop"})
HELPS = frozenset({"help", "info"})
REPLY_OUTCOME: Mapping[Wish, str] = {
    "stop": "sms_unsubscribe",
    "start": "sms_subscribe",
    "help": "sms_help",
    "other": "sms_reply",
}


class Receipt(NamedTuple):
    """What became of one message. `to` is its number; `decision_id` what we gave along as its context."""

    kind: str
    message_id: str
    decision_id: str | None
    at: Micros
    to: str
    detail: Mapping[str, Any]


class Reply(NamedTuple):
    """What somebody wrote to a number of ours: `answers` is the service's id of the message before, where there was one."""

    wish: Wish
    number: str
    message_id: str
    answers: str | None


def read_receipt(event: Mapping[str, Any]) -> Receipt | None:
    """The receipt of an event; None for a type that we do not know, or an event that is not whole."""
    kind, message_id, at = event.get("eventType"), event.get("messageId"), event.get("eventTimestamp")
    if kind not in OUTCOME and kind not in ON_THE_WAY:
        return None
    if not isinstance(message_id, str) or not isinstance(at, int) or isinstance(at, bool):
        return None
    context = event.get("context")
    decision_id = context.get("decision_id") if isinstance(context, Mapping) else None
    to = event.get("destinationPhoneNumber")
    return Receipt(
        kind=str(kind),
        message_id=message_id,
        decision_id=decision_id if isinstance(decision_id, str) and decision_id else None,
        at=at * 1000,
        to=to if isinstance(to, str) else "",
        detail={name: event[name] for name in KEPT if isinstance(event.get(name), str | int | float)},
    )


def read_reply(event: Mapping[str, Any]) -> Reply | None:
    """What somebody wrote; None for anything else."""
    number, message_id = event.get("originationNumber"), event.get("inboundMessageId")
    body, keyword = event.get("messageBody"), event.get("messageKeyword")
    if not isinstance(number, str) or not isinstance(message_id, str) or not isinstance(body, str):
        return None
    answers = event.get("previousPublishedMessageId")
    wish = _wish(keyword if isinstance(keyword, str) else "", body)
    return Reply(wish, number, message_id, answers if isinstance(answers, str) and answers else None)


def _wish(keyword: str, body: str) -> Wish:
    """What is wanted. Doubt between stopping and anything else is a stop; only the one word, and nothing beside it, starts again."""
    words = {_word(keyword), _word(body)}
    first = _word(next(iter(body.split()), ""))
    if words & STOPS or first in STOPS_AT_ONCE:
        return "stop"
    if words & STARTS:
        return "start"
    return "help" if words & HELPS or first in HELPS else "other"


def _word(text: str) -> str:
    """A text as one word: letters alone, small, without accents.

    >>> _word(" Opt-Out! "), _word("STOP ALL"), _word("Arrêt")
    ('optout', 'stopall', 'arret')
    """
    return re.sub(r"[\W\d_]", "", unicodedata.normalize("NFKD", text.casefold()))


def receipt_row(receipt: Receipt, message: Message, received_at: Micros) -> dict[str, Any]:
    """A row for `inbox/outcomes/`; the same receipt twice has one id."""
    told = f"{receipt.message_id}/{receipt.kind}/{receipt.at}"
    return outcome(
        message,
        OUTCOME[receipt.kind],
        event_id="t" + hashlib.sha256(told.encode()).hexdigest()[:24],
        at=receipt.at,
        received_at=received_at,
        properties={"provider_id": receipt.message_id, "sms": {"kind": receipt.kind, **receipt.detail}},
    )


def reply_row(reply: Reply, message: Message, *, at: Micros, received_at: Micros) -> dict[str, Any]:
    """A row for `inbox/outcomes/`: that somebody answered, and which word it was."""
    return outcome(
        message,
        REPLY_OUTCOME[reply.wish],
        event_id="t" + hashlib.sha256(reply.message_id.encode()).hexdigest()[:24],
        at=at,
        received_at=received_at,
        properties={"provider_id": reply.answers},
    )
