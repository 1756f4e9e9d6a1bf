"""Messages for every channel but e-mail: whole, addressed, allowed to be left, or refused with a reason."""

from __future__ import annotations

from contextlib import nullcontext
from copy import replace
from typing import Any

import pytest

from nudge.act import parcel
from nudge.decide.policy import Question, choose
from nudge.errors import BadInput
from nudge.vocabulary import Activity, Candidate, Channel, Decision
from tests.acting import NOON
from tests.acting import plan as plan_of

LINK = "https://nudge.example/u/t"
ENDPOINT = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/shop/0a1b"


def decision(**changes: Any) -> Decision:
    candidates = (Candidate("nothing", 0.0, removed="transactional"), Candidate("discount_mail", 0.5))
    made = choose(
        Question("0d", "ana", NOON, "purchase", 20.0, candidates, {"discount_mail": NOON}, {}, {}, None), plan_of()
    )
    return made._replace(**changes)


def compose(name: str, texts: dict[str, str], to: Any = None, *, transactional: bool = False, **changes: Any) -> Any:
    activity = Activity("offer", "purchase", name, "t", 0.0, transactional=transactional)
    return parcel.compose(
        decision(**changes), texts, activity=activity, channel=Channel(name), to=to, unsubscribe=LINK, now=NOON
    )


def test_a_decision_is_told_to_machines_as_a_cloud_event() -> None:
    made = compose("webhook", {}, context={"page": "shoes"}, items=({"item_id": "a"},))
    assert made.facts == {
        "specversion": "1.0",
        "id": "0d",
        "source": "nudge",
        "type": "nudge.decision",
        "subject": "ana",
        "time": "2026-11-18T11:06:40Z",
        "datacontenttype": "application/json",
        "data": {
            "decision_id": "0d",
            "user_id": "ana",
            "activity": "offer",
            "goal": "purchase",
            "channel": "webhook",
            "context": {"page": "shoes"},
            "items": [{"item_id": "a"}],
            "texts": {},
        },
    }
    assert (made.delivery_id, made.to) == ("0d", "")


@pytest.mark.parametrize("written", ["+49 151 1234-5678", "+4915112345678", " +49(151)12345678"])
def test_a_phone_number_is_written_as_carriers_want_it(written: str) -> None:
    assert compose("sms", {"text": "Hi. STOP to end"}, written).to == "+4915112345678"


@pytest.mark.parametrize(
    ("name", "to"),
    [
        *(("sms", to) for to in ("0151 1234567", "+0151", "12345678", "", None, 49, "+49 x", "+4915112345678901234")),
        *(("push", to) for to in ("arn:aws:sns:eu-central-1:123456789012:topic", "token", "", None, f"{ENDPOINT}\n x")),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_and_not_repeated(name: str, to: Any) -> None:
    with pytest.raises(BadInput) as wrong:
        compose(name, {"text": "Hi. STOP to end"}, to)
    assert wrong.value.reason == "bad_address"
    assert not to or str(to) not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "transactional", "reason"),
    [
        ("10 % off", False, "no_opt_out"),
        ("We never stop! UNSTOPPABLE", False, "no_opt_out"),
        ("10 % off. Reply STOP to end", False, None),
        (f"10 % off. {LINK}", False, None),
        ("Your code is 123", True, None),
        ("  ", True, "no_text"),
        ("ü" * 801, True, "too_large"),
    ],
)
def test_a_marketing_sms_says_how_to_end_it(text: str, transactional: bool, reason: str | None) -> None:
    with pytest.raises(BadInput) if reason else nullcontext() as wrong:
        compose("sms", {"text": text}, "+4915112345678", transactional=transactional)
    assert reason is None or wrong.value.reason == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"context": {"x": "y" * 200_000}}, "too_large"), ({"context": {"x": float("nan")}}, "bad_facts")],
)
def test_what_no_receiver_takes_is_not_sent(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput) as wrong:
        compose("event", {}, **changes)
    assert wrong.value.reason == reason


def test_a_push_without_a_text_is_refused() -> None:
    with pytest.raises(BadInput, match="text"):
        compose("push", {"subject": "Hi"}, ENDPOINT)
    assert replace(compose("push", {"text": "Hi"}, ENDPOINT)).to == ENDPOINT
