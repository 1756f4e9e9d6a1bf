"""SMS through AWS End User Messaging (`pinpoint-sms-voice-v2`; not the Pinpoint that ended). One call is one attempt."""

from __future__ import annotations

from typing import Any

from nudge.adapters.channels.attempt import attempt
from nudge.adapters.clients import client
from nudge.vocabulary import Parcel

REFUSALS = {
    "ValidationException": "bad_request",
    "ConflictException/DESTINATION_PHONE_NUMBER_OPTED_OUT": "opted_out",
    "ConflictException/DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "not_verified",
    "ConflictException/DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": "country_blocked",
    "ConflictException/DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": "number_blocked",
}
"""About this number or text. Every other conflict is about our own numbers and pools: later."""

LIVES_SECONDS = 86_400
"""A carrier that cannot deliver it within a day gives up: tomorrow it is no longer what was decided."""


def make(*, text_configuration_set: str, **_: Any) -> SmsSender:
    """The sender of this function's surroundings."""
    return SmsSender(client("pinpoint-sms-voice-v2", attempts=1), text_configuration_set)


class SmsSender:
    """`Sender[Parcel]`. `channel.origination` is a phone number, sender id or pool of ours, by id or ARN; the configuration
    set's event destination tells what becomes of each message, with the context that we give along."""

    repeats = False

    def __init__(self, sms: Any, configuration_set: str) -> None:
        self._sms = sms
        self._configuration_set = configuration_set

    def send(self, parcel: Parcel, /) -> str:
        asked = {
            "DestinationPhoneNumber": parcel.to,
            "OriginationIdentity": parcel.channel.origination or "",
            "MessageBody": parcel.texts["text"],
            "MessageType": "TRANSACTIONAL" if parcel.transactional else "PROMOTIONAL",
            "TimeToLive": LIVES_SECONDS,
            "ConfigurationSetName": self._configuration_set,
            "Context": {"decision_id": parcel.delivery_id},
        }
        return str(attempt(lambda: self._sms.send_text_message(**asked), REFUSALS)["MessageId"])
