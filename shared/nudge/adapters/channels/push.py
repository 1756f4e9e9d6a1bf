"""Mobile push through SNS, to the endpoint whose ARN is the person's trait `push`. One call is one attempt."""

from __future__ import annotations

import json
from typing import Any

from nudge.adapters.channels.attempt import attempt
from nudge.adapters.clients import client
from nudge.vocabulary import Parcel

REFUSALS = {
    "EndpointDisabled": "endpoint_disabled",
    "EndpointDisabledException": "endpoint_disabled",
    "NotFound": "no_endpoint",
    "NotFoundException": "no_endpoint",
    "InvalidParameter": "bad_request",
    "InvalidParameterException": "bad_request",
    "ParameterValueInvalid": "bad_request",
    "InvalidParameterValueException": "bad_request",
    "ValidationException": "bad_request",
}
"""About this endpoint or text. A disabled platform application, or a key that fails, is ours: later."""


def make(**_: Any) -> PushSender:
    """The sender of this function's surroundings."""
    return PushSender(client("sns", attempts=1))


class PushSender:
    """`Sender[Parcel]`. The app finds the decision beside the texts, and names it in the events that it sends."""

    repeats = False

    def __init__(self, sns: Any) -> None:
        self._sns = sns

    def send(self, parcel: Parcel, /) -> str:
        asked = {"TargetArn": parcel.to, "Message": payload(parcel), "MessageStructure": "json"}
        return str(attempt(lambda: self._sns.publish(**asked), REFUSALS)["MessageId"])


def payload(parcel: Parcel) -> str:
    """What SNS hands to each platform: Apple's form, Google's (HTTP v1), and the plain text for any other."""
    title, text = parcel.texts.get("subject"), parcel.texts["text"]
    shown = {"body": text} | ({"title": title} if title else {})
    data = {"decision_id": parcel.delivery_id}
    apple = json.dumps({"aps": {"alert": shown}, **data}, ensure_ascii=False)
    google = json.dumps({"fcmV1Message": {"message": {"notification": shown, "data": data}}}, ensure_ascii=False)
    return json.dumps({"default": text, "APNS": apple, "APNS_SANDBOX": apple, "GCM": google}, ensure_ascii=False)
