"""Unsubscribe tokens. In: whose wish, on which channel. Out: an opaque text for a URL, and back. Knows no key.

A token is payload and MAC, both base64url: `{"u": user, "c": channel, "s": scope, "d": day issued, "m": decision}`. There is no
address in it. It does not expire: a mail that is found a year later must still let its reader go.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from nudge.errors import NotFound
from nudge.vocabulary import DAY, Micros

SHAPE = re.compile(r"[A-Za-z0-9_-]{1,1500}\.[A-Za-z0-9_-]{16,128}")
PURPOSE = b"nudge unsubscribe 1\n"
"""Signed before the payload, so that no other MAC of this key is ever a token."""

MARKETING = "marketing"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who may stop what with this token: the person, the channel, the scope; and the decision whose message carried it."""

    user_id: str
    channel: str
    scope: str
    issued_day: int
    decision_id: str


def make(user_id: str, channel: str, decision_id: str, *, now: Micros, sign: Callable[[bytes], bytes]) -> str:
    """The token of a message. `sign` is the Signer port's; it raises Unavailable."""
    held = {"u": user_id, "c": channel, "s": MARKETING, "d": now // DAY, "m": decision_id}
    payload = json.dumps(held, separators=(",", ":"), ensure_ascii=False).encode()
    return f"{_encode(payload)}.{_encode(sign(PURPOSE + payload))}"


def read(token: str, *, verify: Callable[[bytes, bytes], bool]) -> Wish:
    """The wish of a token that we made.

    Raises
    ------
    NotFound
        For anything else; it does not say why.
    """
    wrong = NotFound("there is no such page")
    if not SHAPE.fullmatch(token):
        raise wrong
    try:
        payload, mac = (_decode(part) for part in token.split("."))
    except (ValueError, binascii.Error):
        raise wrong from None
    if not verify(PURPOSE + payload, mac):
        raise wrong
    try:
        held = json.loads(payload)
        return Wish(held["u"], held["c"], held["s"], held["d"], held["m"])
    except (ValueError, KeyError, TypeError):
        raise wrong from None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(data) != text:
        raise ValueError("not the canonical form")
    return data
