"""What the end of one attempt at an AWS service means. In: the call. Out: its answer, or Refused, Throttled, Unsure.

Decided once for every channel. About *this message*: refused, never again. About *our account or the moment* (throttling, quota, a
paused or suspended account, a missing identity, our own permissions): later, nothing was sent. No answer, or an answer that
something broke on their side: unsure. Codes only: what a service says may hold an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from nudge.adapters.clients import code
from nudge.ports import Refused, Throttled, Unsure

BROKEN = {
    "InternalFailure",
    "InternalError",
    "InternalErrorException",
    "InternalException",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceErrorException",
    "ServiceUnavailable",
}
"""They do not say whether the message left."""

NEVER_LEFT = (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError)
"""No byte of the request reached the service."""


def attempt[Answer](call: Callable[[], Answer], refusals: Mapping[str, str]) -> Answer:
    """Call once. `refusals` are the service's error codes (or `code/Reason`) that are about this message, with our reason."""
    try:
        return call()
    except ClientError as error:
        raise _meaning(error, refusals) from None
    except ParamValidationError:
        raise Refused("bad_request") from None
    except NEVER_LEFT as error:
        raise Throttled(type(error).__name__) from None
    except BotoCoreError as error:
        raise Unsure(type(error).__name__) from None


def _meaning(error: ClientError, refusals: Mapping[str, str]) -> Exception:
    name = code(error)
    answer: Mapping[str, Any] = error.response
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    reason = refusals.get(f"{name}/{answer.get('Reason')}") or refusals.get(name)
    if reason is not None:
        return Refused(reason)
    if name in BROKEN or status >= 500:
        return Unsure(name)
    return Throttled(name)
