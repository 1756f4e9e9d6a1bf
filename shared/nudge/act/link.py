"""Click links. In: a page of HTML, a decision, a key. Out: the page with links that come back to us, signed; and a link read again.

A token is payload and MAC, both base64url: `{"d": decision, "t": day, "n": number of the link, "o": of how many, "u": target}`. The target is
under the MAC: the redirect goes only where a mail of ours pointed. The key is of one day, made from the key of tokens by the
Signer port, so that a mail of ten links costs no call more than a mail of none. There is no address in a token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from nudge.errors import NotFound
from nudge.vocabulary import DAY, Decision, Micros

ANCHOR = re.compile(r"""(<a\b)([^<>]*?)(\bhref\s*=\s*)(["'])([^"'<>]*)\4""", re.IGNORECASE)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
SHAPE = re.compile(r"[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{43}")
PURPOSE = b"nudge click 1\n"
LONGEST_TARGET = 2000
OLDEST_DAYS, NEWEST_DAYS = 800, 2
"""A link is followed so long after its mail; a token of another day asks for no key."""

NO_TRACK = "ses:no-track"
"""SES leaves a link with this attribute alone, so that a click is told once."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a click goes, and which link (`number` of `of`) of which decision's mail it was."""

    decision_id: str
    target: str
    number: int
    of: int


def key_of(day: int, *, sign: Callable[[bytes], bytes]) -> bytes:
    """The key of a day (days since the epoch). `sign` is the Signer port's; it raises Unavailable."""
    return sign(b"nudge click key 1\n" + str(day).encode())


def keys(sign: Callable[[bytes], bytes]) -> Callable[[int], bytes]:
    """The key of each day, asked for once and kept while the function is warm."""
    return lru_cache(maxsize=64)(lambda day: key_of(day, sign=sign))


def track(page: str, decision: Decision, *, public_url: str, key: bytes, now: Micros) -> str:
    """The page with each outer link replaced: UTM parameters (what the marketer wrote there stays), then our redirect.

    Links to ourselves (unsubscribe), to anything but http and https, inside comments, or too long are left as they are.
    """
    home = public_url.rstrip("/") + "/"
    hidden = [one.span() for one in COMMENT.finditer(page)]
    found = [one for one in ANCHOR.finditer(page) if _is_outer(html.unescape(one[5]), home) and not _in(one, hidden)]
    pieces, at = [], 0
    for number, one in enumerate(found, 1):
        target = tagged(html.unescape(one[5]), decision)
        made = home + "c/" + make(Link(decision.decision_id, target, number, len(found)), key=key, now=now)
        pieces += [page[at : one.start()], f"{one[1]} {NO_TRACK}{one[2]}{one[3]}{one[4]}{made}{one[4]}"]
        at = one.end()
    return "".join([*pieces, page[at:]])


def _in(one: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(first <= one.start() < last for first, last in spans)


def _is_outer(target: str, home: str) -> bool:
    return is_web(target) and not target.startswith(home) and len(target) <= LONGEST_TARGET


def is_web(target: str) -> bool:
    """Whether a browser may be sent there: http or https, a host, and nothing that could end a header's line."""
    if not target.isascii() or not target.isprintable() or " " in target or "\\" in target:
        return False
    try:
        parts = urlsplit(target)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def tagged(target: str, decision: Decision) -> str:
    """The target with `utm_source`, `utm_medium`, `utm_campaign` and `utm_content`, where it does not name them itself."""
    parts = urlsplit(target)
    there = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    said = {
        "utm_source": "nudge",
        "utm_medium": decision.channel or "",
        "utm_campaign": decision.campaign or decision.goal,
        "utm_content": decision.activity,
    }
    more = urlencode({name: value for name, value in said.items() if name not in there})
    return urlunsplit(parts._replace(query="&".join(one for one in (parts.query, more) if one)))


def make(link: Link, *, key: bytes, now: Micros) -> str:
    """The token of a link, under the key of the day of `now`."""
    held = {"d": link.decision_id, "t": now // DAY, "n": link.number, "o": link.of, "u": link.target}
    payload = json.dumps(held, separators=(",", ":")).encode()
    return f"{_encode(payload)}.{_encode(_mac(key, payload))}"


def read(token: str, *, key: Callable[[int], bytes], now: Micros) -> Link:
    """The link of a token that we made. `key` gives a day's key; it raises Unavailable.

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
        held = json.loads(payload)
        day, link = held["t"], Link(held["d"], held["u"], held["n"], held["o"])
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        raise wrong from None
    if type(day) is not int or not -OLDEST_DAYS <= day - now // DAY <= NEWEST_DAYS:
        raise wrong
    if not hmac.compare_digest(_mac(key(day), payload), mac) or not is_web(link.target):
        raise wrong
    return link


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.new(key, PURPOSE + payload, hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(data) != text:
        raise ValueError("not the canonical form")
    return data
