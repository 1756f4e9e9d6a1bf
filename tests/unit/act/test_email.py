"""Mails: headers that cannot be broken out of, an unsubscribe link in each, a postal address in each."""

from __future__ import annotations

import json
from copy import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.act import email
from nudge.act.render import render
from nudge.act.words import item_words
from nudge.errors import BadInput
from nudge.vocabulary import Channel, Email, Message

LINK = "https://nudge.example/u/abc.def"
CHANNEL = Channel("email", "Sample Shop <news@shop.example>", "help@shop.example", "1 Market Street")
MESSAGE = Message("d" * 32, "ana", "discount mail", "purchase", "email", "sending", 0)
TEXTS = {"subject": "Hello", "text": "Hi.", "html": "<html><body><p>Hi.</p></body></html>"}


def compose(texts: dict[str, str] | None = None, **changes: Any) -> Email:
    held: dict[str, Any] = {"to": "ana@customer.example", "channel": CHANNEL, "unsubscribe": LINK}
    return email.compose(MESSAGE, TEXTS | (texts or {}), **(held | changes))


def test_every_mail_has_both_one_click_headers_a_link_and_a_postal_address() -> None:
    made = compose()
    assert made.headers["List-Unsubscribe"] == f"<{LINK}>"
    assert made.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for body in (made.text, made.html):
        assert LINK in body
        assert "1 Market Street" in body
    assert made.html.endswith("</body></html>")
    assert made.tags == {"decision_id": "d" * 32, "activity": "discount_mail"}


def test_a_template_that_places_them_itself_gets_no_second_footer() -> None:
    own = {"text": f"Hi. {LINK} 1 Market Street", "html": f'<p><a href="{LINK}">x</a> 1 Market Street</p>'}
    made = compose(own)
    assert (made.text, made.html) == (own["text"], own["html"])


@pytest.mark.parametrize("breaker", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_a_line_break_in_any_header_is_refused(breaker: str) -> None:
    bad = f"x{breaker}Bcc: all@evil.example"
    for attempt in (
        lambda: compose({"subject": bad}),
        lambda: compose(channel=replace(CHANNEL, sender=f"{bad} <news@shop.example>")),
        lambda: compose(channel=replace(CHANNEL, reply_to=f"{bad} <news@shop.example>")),
        lambda: compose(to=f"ana@customer.example{breaker}Bcc: all@evil.example"),
        lambda: email.unsubscribe_url("https://nudge.example", bad),
    ):
        with pytest.raises(BadInput):
            attempt()


@given(st.text())
def test_no_header_of_a_composed_mail_holds_more_than_one_line(subject: str) -> None:
    try:
        made = compose({"subject": subject})
    except BadInput:
        return
    for value in (made.to, made.sender, made.subject, *made.headers.values(), *made.tags.values()):
        assert len(value.splitlines()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "@x.example",
        "a b@x.example",
        "a@b@x.example",
        "ana@localhost",
        "a,b@x.example",
        "<a@x.example>",
        "a@x..example",
        ".a@x.example",
        "a@-x.example",
        "ana@x\n.example",
        "a" * 65 + "@x.example",
        None,
        7,
        "a@1.2.3.4",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address: Any) -> None:
    with pytest.raises(BadInput) as wrong:
        email.address(address)
    assert wrong.value.reason == "bad_address"
    assert not address or str(address) not in str(wrong.value)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [(" ana+news@Customer.example ", "ana+news@Customer.example"), ("ana@bücher.example", "ana@xn--bcher-kva.example")],
)
def test_addresses_are_kept_as_they_are_and_domains_become_ascii(typed: str, sent: str) -> None:
    assert email.address(typed) == sent


@pytest.mark.parametrize(
    ("texts", "changes", "reason"),
    [
        ({"subject": " "}, {}, "no_subject"),
        ({"text": ""}, {}, "no_text"),
        ({"html": " "}, {}, "no_text"),
        ({}, {"channel": replace(CHANNEL, postal_address=None)}, "no_postal_address"),
        ({}, {"channel": replace(CHANNEL, sender=None)}, "bad_address"),
    ],
)
def test_half_a_mail_is_not_sent(texts: dict[str, str], changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput) as wrong:
        compose(texts, **changes)
    assert wrong.value.reason == reason


def test_a_transactional_mail_needs_no_postal_address() -> None:
    assert compose(channel=replace(CHANNEL, postal_address=None), transactional=True).headers["List-Unsubscribe"]


@pytest.mark.parametrize("url", ["http://nudge.example", "ftp://x", "", "http://localhost.evil.example"])
def test_the_unsubscribe_address_is_https(url: str) -> None:
    with pytest.raises(BadInput):
        email.unsubscribe_url(url, "t.m")


def test_the_laptops_own_address_may_be_plain() -> None:
    assert email.unsubscribe_url("http://127.0.0.1:8000/", "t.m") == "http://127.0.0.1:8000/u/t.m"


# ── refused without a way out ────────────────────────────────────────────────────────────────────────────────────────
SHIPPED = sorted(Path(__file__).parents[3].glob("local/*/templates/*.json"))
MAILS = [path for path in SHIPPED if "subject" in json.loads(path.read_text())]


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_template_that_we_ship_makes_a_mail_that_lets_its_reader_go(path: Path) -> None:
    said: dict[str, Any] = {"unsubscribe_url": LINK, "postal_address": "1 Market Street", "first_name": "Ana"}
    said |= item_words([{"item_id": "a", "title": "Boots", "price": 20, "url": "https://shop.example/a"}])
    made = compose(render(json.loads(path.read_text()), said))
    email.must_unsubscribe(made)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = made.subject, made.sender, made.to
    for name, value in made.headers.items():
        message[name] = value
    message.set_content(made.text)
    message.add_alternative(made.html, subtype="html")
    held = message_from_bytes(bytes(message), policy=policy.default)
    assert held["List-Unsubscribe"] == f"<{LINK}>"
    assert held["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        body = held.get_body((kind,))
        assert body is not None
        assert body.get_content().count(LINK) == 1
        assert "1 Market Street" in body.get_content()


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {}},
        {"headers": {"List-Unsubscribe": f"<{LINK}>"}},
        {"headers": {"List-Unsubscribe": LINK, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}},
        {"headers": {"List-Unsubscribe": f"<{LINK}>", "List-Unsubscribe-Post": "List-Unsubscribe=Two-Clicks"}},
        {
            "headers": {
                "List-Unsubscribe": "<http://nudge.example/u/t>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        },
        {"text": "Hi"},
        {"html": "<p>Hi</p>"},
        {"html": f"<p>{LINK}</p>"},
        {"html": f'<!-- <a href="{LINK}">stop</a> -->'},
        {"html": f'<!-- <a href="{LINK}">stop</a>'},
        {"html": f'<a href="{LINK}x">stop</a>'},
    ],
)
def test_a_marketing_mail_that_its_reader_cannot_leave_is_refused(changes: dict[str, Any]) -> None:
    whole = compose()
    email.must_unsubscribe(whole)
    with pytest.raises(BadInput) as wrong:
        email.must_unsubscribe(replace(whole, **changes))
    assert wrong.value.reason == "no_unsubscribe"
    email.must_unsubscribe(replace(whole, transactional=True, **changes))


def test_a_link_that_hides_in_a_comment_does_not_replace_the_footer() -> None:
    made = compose({"subject": "Hi", "text": "Hi", "html": f'<p>Hi</p><!-- <a href="{LINK}">x</a> -->'})
    email.must_unsubscribe(made)
    assert made.html.count(LINK) == 2
