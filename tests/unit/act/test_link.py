"""Click links: signed, of one decision, tagged, and to nowhere but where the mail pointed."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.act import link
from nudge.adapters.memory import MemorySigner
from nudge.errors import NotFound, Unavailable
from nudge.vocabulary import DAY, Micros
from tests.acting import NOON
from tests.unit.act.test_parcel import decision

HOME = "https://nudge.example"
SIGN = MemorySigner().sign
KEYS = link.keys(SIGN)


def track(page: str) -> str:
    return link.track(page, decision(), public_url=HOME, key=KEYS(NOON // DAY), now=NOON)


def targets(page: str) -> list[link.Link]:
    tokens = [part.partition('"')[0].partition("'")[0] for part in page.split(f"{HOME}/c/")[1:]]
    return [link.read(token, key=KEYS, now=NOON) for token in tokens]


def test_each_outer_link_comes_back_to_us_with_its_decision_and_number() -> None:
    page = track(
        "<a href=\"https://shop.example/a?x=1&amp;y=2#top\">a</a> <A class=b HREF = 'http://shop.example/b'>b</A>"
    )
    first, second = targets(page)
    assert (first.decision_id, first.number, first.of, second.number, second.of) == (decision().decision_id, 1, 2, 2, 2)
    parts = urlsplit(first.target)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "shop.example", "/a", "top")
    assert parse_qs(parts.query) == {
        **{"x": ["1"], "y": ["2"], "utm_source": ["nudge"], "utm_medium": ["email"]},
        **{"utm_campaign": ["purchase"], "utm_content": ["discount_mail"]},
    }
    assert page.count(link.NO_TRACK) == 2
    assert "shop.example" not in page


def test_what_the_marketer_tagged_stays_and_a_campaign_names_itself() -> None:
    told = decision(campaign="spring")
    made = link.tagged("https://shop.example/?utm_source=news&utm_campaign=", told)
    assert parse_qs(urlsplit(made).query, keep_blank_values=True) == {
        **{"utm_source": ["news"], "utm_campaign": [""]},
        **{"utm_medium": ["email"], "utm_content": ["discount_mail"]},
    }
    assert "utm_campaign=spring" in link.tagged("https://shop.example/", told)


@pytest.mark.parametrize(
    "page",
    [
        f'<a href="{HOME}/u/abc.def">stop</a>',
        '<a href="mailto:help@shop.example">mail</a>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="/relative">x</a>',
        '<a href="https://user@shop.example/">x</a>',
        '<a href="https://shop.example/a b">x</a>',
        '<a href="https://shop.example/' + "x" * 2000 + '">x</a>',
        '<!-- <a href="https://shop.example/">x</a> -->',
        '<img src="https://shop.example/i.png">',
        "<p>https://shop.example/</p>",
    ],
)
def test_other_links_are_left_as_they_are(page: str) -> None:
    assert track(page) == page


def token(target: str = "https://shop.example/", key: bytes = KEYS(NOON // DAY), now: Micros = NOON) -> str:
    return link.make(link.Link("0d", target, 1, 1), key=key, now=now)


def test_a_link_is_followed_for_years_and_its_key_is_asked_for_once() -> None:
    asked: list[bytes] = []

    def sign(message: bytes) -> bytes:
        asked.append(message)
        return SIGN(message)

    keys = link.keys(sign)
    for day in (0, 1, 700):
        assert link.read(token(), key=keys, now=NOON + day * DAY).target == "https://shop.example/"
    assert len(asked) == 1
    with pytest.raises(NotFound):
        link.read(token(), key=keys, now=NOON + 801 * DAY)


def test_a_store_of_keys_that_is_down_is_said_and_not_remembered() -> None:
    down = [True]

    def sign(message: bytes) -> bytes:
        if down[0]:
            raise Unavailable("kms")
        return SIGN(message)

    keys = link.keys(sign)
    with pytest.raises(Unavailable):
        link.read(token(), key=keys, now=NOON)
    down[0] = False
    assert link.read(token(), key=keys, now=NOON)


def forged(**changes: object) -> str:
    """Our own payload with changes, under the MAC of what it was before."""
    payload, _, mac = token().partition(".")
    held = json.loads(link._decode(payload)) | changes
    return f"{link._encode(json.dumps(held, separators=(',', ':')).encode())}.{mac}"


@pytest.mark.parametrize(
    "bad",
    [
        forged(u="https://evil.example/"),
        forged(d="other"),
        forged(n=2),
        forged(t=NOON // DAY + 1),
        forged(t="x"),
        forged(t=True),
        token(key=b"another key"),
        token("javascript:alert(1)"),
        token("https://shop.example/\r\nSet-Cookie: a=b"),
        token("https://shop.example\\@evil.example/"),
        token() + "A",
        token()[:-1],
        *("", ".", "x.y", "a" * 5000, "e30." + "A" * 43, "bnVsbA." + "A" * 43, "W10." + "A" * 43),
    ],
)
def test_a_token_that_is_not_ours_leads_nowhere(bad: str) -> None:
    with pytest.raises(NotFound) as unknown:
        link.read(bad, key=KEYS, now=NOON)
    assert str(unknown.value) == "there is no such page"


@given(st.text(max_size=200))
def test_no_text_leads_anywhere(text: str) -> None:
    with pytest.raises(NotFound):
        link.read(text, key=KEYS, now=NOON)


@given(st.text(alphabet="<a href=\"'>!-/:htps.x&;", max_size=120))
def test_no_page_breaks_the_rewriting(page: str) -> None:
    track(page)
