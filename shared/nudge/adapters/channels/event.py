"""An event on an EventBridge bus: `source` nudge, the decision in `detail` as a CloudEvent. A receiver tells a repetition by `detail.id`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from nudge.adapters.channels.attempt import BROKEN, attempt
from nudge.adapters.clients import client
from nudge.ports import Refused, Throttled, Unsure
from nudge.vocabulary import SECOND, Parcel

SOURCE, DETAIL_TYPE = "nudge", "Nudge Decision"
REFUSALS = {"ValidationException": "bad_request"}
REFUSED_ENTRIES = {
    "InvalidArgument": "bad_request",
    "MalformedDetail": "bad_request",
    "NotAuthorizedForSourceException": "bad_source",
}


def make(**_: Any) -> EventSender:
    """The sender of this function's surroundings."""
    return EventSender(client("events", attempts=1))


class EventSender:
    """`Sender[Parcel]`. `channel.bus` is the name or ARN of the bus."""

    repeats = True

    def __init__(self, events: Any) -> None:
        self._events = events

    def send(self, parcel: Parcel, /) -> str:
        entry = {
            "Time": datetime.fromtimestamp(parcel.at // SECOND, UTC),
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(parcel.facts, ensure_ascii=False, allow_nan=False),
            "EventBusName": parcel.channel.bus or "default",
        }
        answer = attempt(lambda: self._events.put_events(Entries=[entry]), REFUSALS)
        taken = answer["Entries"][0]
        if "EventId" in taken:
            return str(taken["EventId"])
        name = str(taken.get("ErrorCode", ""))
        if name in REFUSED_ENTRIES:
            raise Refused(REFUSED_ENTRIES[name])
        raise Unsure(name) if name in BROKEN else Throttled(name)
