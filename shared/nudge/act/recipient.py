"""Who a message reaches, whatever id asked for it. In: an address as it was told. Out: a name for its owner that nobody can turn back.

Case, width and surrounding blanks do not make another person, nor do the blanks in a phone number; dots and `+` tags do, since only some
providers ignore them. The name is a MAC: a list of addresses is of no use to who has the table.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

from nudge.vocabulary import SECOND, Decision, Micros

DAY_SECONDS = 86_400


def name(channel: str, address: str, *, key: bytes) -> str:
    """The owner of an address on a channel: 32 hex digits.

    >>> name("email", " Ana@Shop.Example", key=b"k") == name("email", "ana@shop.example ", key=b"k")
    True
    """
    text = unicodedata.normalize("NFKC", address).strip().casefold()
    if channel == "email":
        local, _, domain = text.rpartition("@")
        text = f"{local}@{_ascii(domain.rstrip('.'))}"
    elif channel == "sms":
        text = re.sub(r"[^0-9]", "", text)
    return hmac.new(key, f"{channel}\n{text}".encode(), hashlib.sha256).hexdigest()[:32]


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def occasion(decision: Decision, now: Micros) -> str:
    """What one person is written to once for: the run of a campaign; else the activity's day (UTC)."""
    if decision.campaign is not None:
        return f"{decision.campaign}/{decision.run}/{decision.activity}"
    return f"{decision.activity}/{now // SECOND // DAY_SECONDS}"
