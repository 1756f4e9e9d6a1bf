"""Unsubscribe tokens: ours or nothing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.act import token
from nudge.adapters.memory import MemorySigner
from nudge.errors import NotFound
from tests.acting import NOON

SIGNER = MemorySigner()


def make(user: str = "ana") -> str:
    return token.make(user, "email", "d" * 32, now=NOON, sign=SIGNER.sign)


@given(st.text(min_size=1, max_size=256).filter(lambda text: text.isprintable()))
def test_a_token_tells_whose_wish_it_carries(user: str) -> None:
    wish = token.read(make(user), verify=SIGNER.verify)
    assert (wish.user_id, wish.channel, wish.scope, wish.decision_id) == (user, "email", "marketing", "d" * 32)
    assert wish.issued_day == NOON // 86_400_000_000


def test_a_token_holds_no_address_and_fits_a_url() -> None:
    made = make()
    assert "@" not in base64.urlsafe_b64decode(made.split(".")[0] + "==").decode()
    assert all(letter.isalnum() or letter in "-_." for letter in made)


@given(st.integers(0, 200), st.sampled_from("abcAZ09-_."))
def test_a_token_with_one_letter_changed_is_unknown(at: int, letter: str) -> None:
    made = make()
    at %= len(made)
    changed = made[:at] + letter + made[at + 1 :]
    if changed != made:
        with pytest.raises(NotFound):
            token.read(changed, verify=SIGNER.verify)


@pytest.mark.parametrize(
    "text", ["", ".", "a.b", "a" * 5000, "../../etc.passwd", make() + ".x", make().split(".")[0], "é.é"]
)
def test_anything_else_is_unknown(text: str) -> None:
    with pytest.raises(NotFound):
        token.read(text, verify=SIGNER.verify)


def test_another_mac_of_the_same_key_is_no_token() -> None:
    payload, _ = make().split(".")
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    forged = base64.urlsafe_b64encode(SIGNER.sign(raw)).rstrip(b"=").decode()
    with pytest.raises(NotFound):
        token.read(f"{payload}.{forged}", verify=SIGNER.verify)
