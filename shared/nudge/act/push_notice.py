"""What SNS says of an app's endpoint. In: one application event. Out: the endpoint that is gone, and since when; or None.

Source of the shape: SNS developer guide, "Application event notifications". SNS knows endpoints alone: no event names a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nudge.act.notice import micros
from nudge.vocabulary import Micros

GONE = frozenset({"EndpointNotFound", "EndpointDisabled", "InvalidPlatformToken"})
"""Failures that are about the endpoint. Any other (a key that expired, a text too long) is ours, or passes."""


class Endpoint(NamedTuple):
    arn: str
    at: Micros


def read(event: Mapping[str, Any]) -> Endpoint | None:
    """The endpoint that nothing reaches any more; None for every event that does not say so."""
    gone = event.get("EventType") == "EndpointDeleted" or (
        event.get("EventType") == "DeliveryFailure" and event.get("FailureType") in GONE
    )
    arn, at = event.get("EndpointArn"), micros(event.get("Time"))
    return Endpoint(arn, at) if gone and isinstance(arn, str) and arn and at is not None else None
