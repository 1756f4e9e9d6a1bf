"""Mails: headers that cannot be broken out of, an unsubscribe link in each, a postal address in each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.act import email
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
