"""Addresses that nothing reaches any more. In: a person, a channel, an address. Out: whether it is known to be dead.

That a number is no number, or that an app is gone from a phone, is true of the address and not of the person: it is kept with a hash of
the address, and a new address is believed. An app that comes back has its old endpoint: told anew, that is believed too.
"""

from __future__ import annotations

import hashlib
import re

from nudge.vocabulary import CHANNELS, Profile, Suppression

RETOLD = frozenset({"disabled"})
"""Reasons that hold until the address is told again."""


def normal(channel: str, address: str) -> str:
    """An address as addresses are compared: neither case nor blanks matter, nor do the signs between the digits of a number.

    >>> normal("sms", "+49 151/123-45"), normal("email", " Ana@Shop.Example")
    ('4915112345', 'ana@shop.example')
    """
    return re.sub(r"[^0-9]", "", address) if channel == "sms" else address.strip().lower()


def fingerprint(channel: str, address: str) -> str:
    """What a suppression keeps of an address: 16 hex digits."""
    return hashlib.sha256(normal(channel, address).encode()).hexdigest()[:16]


def scope(channel: str) -> str:
    """Under which a person's suppressions hold what is true of the address alone."""
    return f"{channel} address"


def suppression(reason: str, at: int, channel: str, address: str) -> Suppression:
    """That an address is dead, since when, and which."""
    return Suppression(reason, at, fingerprint(channel, address))


def is_dead(profile: Profile, channel: str) -> bool:
    """Whether the person's address on the channel is known to be dead."""
    held = profile.suppressions.get(scope(channel))
    form = CHANNELS.get(channel)
    if held is None or form is None or form.address is None:
        return False
    address, told_at = profile.traits.get(form.address, (None, 0))
    if held.reason in RETOLD and told_at > held.at:
        return False
    return held.of == fingerprint(channel, str(address))
