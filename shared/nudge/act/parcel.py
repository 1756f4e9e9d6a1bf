"""Compose a message for any channel but e-mail. In: rendered texts, the person's address, the decision. Out: a `Parcel`, or a refusal.

What machines read is a CloudEvent 1.0 (so EventBridge's `detail` is one too); it holds the person's id, never an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from nudge.errors import BadInput
from nudge.vocabulary import CHANNELS, SECOND, Activity, Channel, Decision, Micros, Parcel

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
ENDPOINT = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:endpoint/[A-Za-z0-9_./-]{1,256}")
STOP = re.compile(r"\bSTOP\b")
LONGEST = {"sms": 1600, "push": 3000, "webhook": 200_000, "event": 200_000}
"""Bytes of the text, or of the facts: what carriers, platforms and EventBridge take, with room for what goes around it."""


def _phone(value: str) -> str:
    return re.sub(r"[ ()./-]", "", value)


ADDRESSES: Mapping[str, tuple[re.Pattern[str], Callable[[str], str]]] = {
    "phone": (PHONE, _phone),
    "push": (ENDPOINT, str.strip),
}


def compose(
    decision: Decision,
    texts: Mapping[str, str],
    *,
    activity: Activity,
    channel: Channel,
    to: Any,
    unsubscribe: str,
    now: Micros,
) -> Parcel:
    """The message of a decision on a channel.

    Raises
    ------
    BadInput
        `bad_address`, `no_text`, `no_opt_out` (a marketing SMS must say STOP or carry the unsubscribe link), `too_large`,
        `bad_facts`.
    """
    form = CHANNELS[channel.name]
    if any(not texts.get(name, "").strip() for name in form.texts):
        raise BadInput(f"this channel needs {', '.join(form.texts)}", reason="no_text")
    if channel.name == "sms" and not activity.transactional and not _lets_go(texts["text"], unsubscribe):
        raise BadInput("a marketing SMS must say STOP, or carry unsubscribe_url", reason="no_opt_out")
    facts = _facts(decision, activity, texts)
    measured = texts["text"].encode() if form.texts else _bytes(facts)
    if len(measured) > LONGEST[channel.name]:
        raise BadInput(f"more than {LONGEST[channel.name]} bytes", reason="too_large")
    return Parcel(
        delivery_id=decision.decision_id,
        channel=channel,
        to=_address(form.address, to),
        texts=dict(texts),
        facts=facts,
        at=now,
        transactional=activity.transactional,
    )


def _address(trait: str | None, value: Any) -> str:
    """The address as the channel wants it; the refusal does not carry it."""
    if trait is None:
        return ""
    pattern, made = ADDRESSES[trait]
    text = made(value) if isinstance(value, str) else ""
    if not pattern.fullmatch(text):
        raise BadInput(f"{trait} is not one that a message can be sent to", reason="bad_address")
    return text


def _lets_go(text: str, unsubscribe: str) -> bool:
    return unsubscribe in text or STOP.search(text) is not None


def _facts(decision: Decision, activity: Activity, texts: Mapping[str, str]) -> dict[str, Any]:
    moment = datetime.fromtimestamp(decision.decided_at // SECOND, UTC)
    return {
        "specversion": "1.0",
        "id": decision.decision_id,
        "source": "nudge",
        "type": "nudge.decision",
        "subject": decision.user_id,
        "time": moment.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "decision_id": decision.decision_id,
            "user_id": decision.user_id,
            "activity": activity.name,
            "goal": decision.goal,
            "channel": activity.channel,
            "context": dict(decision.context),
            "items": [dict(one) for one in decision.items],
            "texts": dict(texts),
        },
    }


def _bytes(facts: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(facts, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError):
        raise BadInput("the decision has no JSON form", reason="bad_facts") from None
