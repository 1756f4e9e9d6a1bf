"""How a webhook is signed. In: id, time, body, secret. Out: headers; and, for who receives one, whether they are true.

The scheme is Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, so that its public libraries verify ours. A secret
is `whsec_` and base64, or several with blanks between while keys are being changed: one signature each. Knows no network.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping

from nudge.errors import BadInput

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
SHORTEST_KEY = 24


def headers(delivery_id: str, body: bytes, *, seconds: int, secret: str) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp`, `webhook-signature`. Raises BadInput `bad_secret`."""
    signed = " ".join(f"v1,{_mac(key, delivery_id, seconds, body)}" for key in keys(secret))
    return {"webhook-id": delivery_id, "webhook-timestamp": str(seconds), "webhook-signature": signed}


def keys(secret: str) -> tuple[bytes, ...]:
    """The keys of a secret. Raises BadInput `bad_secret`; the text is never in it."""
    made = tuple(_keys(secret))
    if not made or any(len(key) < SHORTEST_KEY for key in made):
        raise BadInput(f"a webhook secret is whsec_ and base64 of {SHORTEST_KEY} bytes or more", reason="bad_secret")
    return made


def _keys(secret: str) -> Iterator[bytes]:
    for one in secret.split():
        try:
            yield base64.b64decode(one.removeprefix(PREFIX), validate=True) if one.startswith(PREFIX) else b""
        except (ValueError, binascii.Error):
            yield b""


def is_true(said: Mapping[str, str], body: bytes, *, seconds: int, secret: str) -> bool:
    """Whether a request is signed by one of the secret's keys, and not older (or newer) than five minutes.

    `said` are the headers, names in lower case. Receivers also drop a `webhook-id` that they know already.
    """
    told = said.get("webhook-timestamp", "")
    if not told.isascii() or not told.isdecimal() or len(told) > 12 or abs(seconds - int(told)) > TOLERANCE_SECONDS:
        return False
    wanted = [_mac(key, said.get("webhook-id", ""), int(told), body) for key in keys(secret)]
    given = [one.partition(",") for one in said.get("webhook-signature", "").split(" ")[:8]]
    return any(
        hmac.compare_digest(mac.encode(), one.encode())
        for version, _, mac in given
        if version == "v1"
        for one in wanted
    )


def _mac(key: bytes, delivery_id: str, seconds: int, body: bytes) -> str:
    signed = f"{delivery_id}.{seconds}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
