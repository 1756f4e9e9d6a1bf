"""The body of a request becomes messages. A JSON object and the name of its route come in; single messages go out.

`batch` holds many under `batch`; the other routes are one message whose type is the route. What stands beside `batch` and
is about all of them (`sentAt`, `context`) is given to each. Knows no message's rules (see `segment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nudge.collect.segment import LARGEST_BATCH
from nudge.errors import BadInput

MOST_MESSAGES: Final = 5_000


def messages_of(route: str, body: Mapping[str, Any], *, size: int) -> list[Any]:
    """The messages of a body of `size` bytes that came over `route` (`batch`, or a type of message).

    Raises
    ------
    BadInput
        `too_large` (more than 500 KB or 5,000 messages), `bad_batch`, `unknown_type` (a type that is not the route's).
    """
    if size > LARGEST_BATCH:
        raise BadInput(f"a request has at most {LARGEST_BATCH // 1024} KB", reason="too_large")
    if route != "batch":
        if body.get("type", route) != route:
            raise BadInput(f"this route takes messages of the type {route}", reason="unknown_type", where="type")
        return [{**body, "type": route}]
    listed = body.get("batch")
    if not isinstance(listed, list):
        raise BadInput("batch is a list of messages", reason="bad_batch", where="batch")
    if len(listed) > MOST_MESSAGES:
        raise BadInput(f"a batch has at most {MOST_MESSAGES} messages", reason="too_large", where="batch")
    return [_with_shared(one, body) for one in listed]


def _with_shared(message: Any, body: Mapping[str, Any]) -> Any:
    if not isinstance(message, dict):
        return message
    shared: dict[str, Any] = {"sentAt": body["sentAt"]} if "sentAt" in body else {}
    ours, theirs = body.get("context"), message.get("context", {})
    if isinstance(ours, dict) and isinstance(theirs, dict):
        shared["context"] = ours
        message = {**message, "context": {**ours, **theirs}}
    return {**shared, **message}
