"""Whether a person or a machine opened or clicked. In: who says so, when, which links. Out: why it is a machine's, or None.

Mail security follows links within seconds of delivery, many at once; Apple's Mail Privacy Protection fetches every image, read or not.
Such events are kept, under another type, so that nothing which counts openings and clicks (reports, features, models) takes them
for a person's. Knows no store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nudge.vocabulary import SECOND, Micros

TYPES = {"email_open": "email_machine_open", "email_click": "email_machine_click"}
"""An event's type, and the type of the same by a machine."""

TOO_SOON: Micros = 5 * SECOND
PREFETCHED: Micros = 30 * SECOND
MANY_LINKS = 3
BURST: Micros = 10 * SECOND
"""No reader follows three different links of one mail in ten seconds."""

SCANNERS = re.compile(
    r"(?<!cu)bot\b|crawler|spider|barracuda|mimecast|proofpoint|safelinks|ironport|symantec|trendmicro|scanner|preview|urlscan"
    r"|python|curl/|wget|headless|phantomjs|go-http|okhttp|java/|libwww|axios",
    re.IGNORECASE,
)
PRIVACY = "mozilla/5.0"
"""All that Apple's Mail Privacy Protection says of itself, and some link scanners too."""

PROXIES = re.compile(r"googleimageproxy|yahoomailproxy", re.IGNORECASE)
"""They fetch when a person looks, and sometimes before: only what comes at once is taken for a machine's."""


def verdict(kind: str, *, agent: str | None, since: Micros | None, burst: int = 1) -> str | None:
    """Why an event is a machine's: `agent`, `privacy_proxy`, `prefetch`, `too_soon`, `many_links`; None when a person may have done it.

    Parameters
    ----------
    kind
        `email_open` or `email_click`; nothing else is judged.
    since
        Time since the mail was sent, where it is known.
    burst
        Of a click: how many different links of the mail were followed within `BURST`, this one included.

    >>> verdict("email_click", agent="Mozilla/5.0 (Windows NT 10.0) Firefox/144.0", since=2 * SECOND)
    'too_soon'
    """
    if kind not in TYPES:
        return None
    said = (agent or "").strip()
    if SCANNERS.search(said):
        return "agent"
    if said.lower() == PRIVACY:
        return "privacy_proxy"
    if since is not None and since < TOO_SOON:
        return "too_soon"
    if kind == "email_open" and PROXIES.search(said) and since is not None and since < PREFETCHED:
        return "prefetch"
    return "many_links" if burst >= MANY_LINKS else None


def burst(followed: Iterable[tuple[Micros, str]], at: Micros) -> int:
    """How many different links were followed close to a moment: `followed` are (time, link)."""
    return len({link for time, link in followed if abs(time - at) <= BURST})
