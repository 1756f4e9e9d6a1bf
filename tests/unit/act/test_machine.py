"""Machines that open and click: known by what they say, when they come and how much they follow."""

from __future__ import annotations

import pytest

from nudge.act import machine
from nudge.vocabulary import SECOND

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


@pytest.mark.parametrize(
    ("kind", "agent", "seconds", "burst", "reason"),
    [
        ("email_click", FIREFOX, 3600, 1, None),
        ("email_click", IPHONE, 5, 2, None),
        ("email_open", FIREFOX, 600, 1, None),
        ("email_click", None, 600, 1, None),
        ("email_click", FIREFOX, 4, 1, "too_soon"),
        ("email_open", IPHONE, 0, 1, "too_soon"),
        ("email_open", FIREFOX, -60, 1, "too_soon"),
        ("email_click", FIREFOX, 3600, 3, "many_links"),
        ("email_click", FIREFOX, None, 3, "many_links"),
        ("email_click", FIREFOX, None, 1, None),
        ("email_open", "Mozilla/5.0", 7200, 1, "privacy_proxy"),
        ("email_click", " mozilla/5.0 ", 7200, 1, "privacy_proxy"),
        ("email_open", GMAIL, 10, 1, "prefetch"),
        ("email_open", GMAIL, 3600, 1, None),
        ("email_open", YAHOO, 20, 1, "prefetch"),
        ("email_click", "Barracuda Sentinel (EE)", 3600, 1, "agent"),
        ("email_click", "Mozilla/5.0 (compatible; bingbot/2.0)", 3600, 1, "agent"),
        ("email_click", "python-requests/2.32", 3600, 1, "agent"),
        ("email_click", "Mozilla/5.0 (X11) HeadlessChrome/120.0", 3600, 1, "agent"),
        ("email_click", "Mozilla/5.0 (Linux; Android 14; CUBOT X30) Chrome/120.0", 3600, 1, None),
        ("email_bounce", "python-requests/2.32", 0, 9, None),
        ("email_delivery", None, 0, 1, None),
    ],
)
def test_the_verdict(kind: str, agent: str | None, seconds: int | None, burst: int, reason: str | None) -> None:
    since = None if seconds is None else seconds * SECOND
    assert machine.verdict(kind, agent=agent, since=since, burst=burst) == reason


def test_a_burst_counts_different_links_close_in_time() -> None:
    followed = [(0, "a"), (SECOND, "a"), (2 * SECOND, "b"), (9 * SECOND, "c"), (60 * SECOND, "d")]
    assert machine.burst(followed, 5 * SECOND) == 3
    assert machine.burst(followed, 60 * SECOND) == 1
