"""Clicks, told with adapters in memory: the reader goes on, the click is kept; a machine's is kept as a machine's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nudge.act import link
from nudge.adapters.clicks import MOST, MemoryClicks
from nudge.adapters.memory import MemorySigner
from nudge.errors import Unavailable
from nudge.flows.click import Click
from nudge.vocabulary import SECOND, Micros
from tests.acting import NOON
from tests.unit.flows.test_deliver import World
from tests.unit.flows.test_feedback import Acting, event

MINUTE: Micros = 60 * SECOND
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
PAGE = "".join(f'<a href="https://shop.example/{n}?token=x">{n}</a>' for n in range(4))


class Clicking(Acting):
    """A mail with four links was sent at noon."""

    def __init__(self) -> None:
        super().__init__()
        self.objects.put("templates/discount.json", json.dumps({"subject": "Hi", "text": "Hi", "html": PAGE}).encode())
        self.click = Click(self.ledger, self.objects, MemoryClicks(), link.keys(MemorySigner().sign))
        assert self.deliver(self.name) == "sent"
        parts = self.mailer.sent[0].html.split('href="https://nudge.example/c/')[1:]
        self.tokens = [part.partition('"')[0] for part in parts]

    def follow(self, number: int, now: Micros, agent: str = FIREFOX) -> str | None:
        return self.click.note(self.click.look(self.tokens[number], now=now), agent=agent, now=now)


@pytest.fixture
def world() -> Clicking:
    return Clicking()


def test_a_mail_that_is_sent_carries_links_that_lead_where_it_pointed(world: Clicking) -> None:
    found = [world.click.look(token, now=NOON) for token in world.tokens]
    assert [one.decision_id for one in found] == [world.name] * 4
    assert found[3].target.startswith("https://shop.example/3?token=x&utm_source=nudge&utm_medium=email")


def test_a_click_is_kept_once_a_second_without_an_address(world: Clicking) -> None:
    for now in (NOON + MINUTE, NOON + MINUTE + 1, NOON + 2 * MINUTE):
        assert world.follow(0, now) is None
    rows = world.rows()
    assert [(row["event_type"], row["user_id"], row["decision_id"]) for row in rows] == [
        ("email_click", "ana", world.name)
    ] * 2
    assert (rows[0]["click"]["number"], rows[0]["click"]["of"]) == (1, 4)
    assert "machine" not in rows[0]


@pytest.mark.parametrize(
    ("agent", "after", "reason"),
    [
        (FIREFOX, 2 * SECOND, "too_soon"),
        ("Barracuda Sentinel", MINUTE, "agent"),
        ("Mozilla/5.0", MINUTE, "privacy_proxy"),
    ],
)
def test_a_machines_click_is_kept_as_one(world: Clicking, agent: str, after: Micros, reason: str) -> None:
    assert world.follow(1, NOON + after, agent) == reason
    (row,) = world.rows()
    assert (row["event_type"], row["machine"], row["machine_reason"]) == ("email_machine_click", True, reason)
    assert row["click"]["userAgent"] == agent


def test_who_follows_three_links_at_once_is_a_machine_and_who_takes_time_is_not(world: Clicking) -> None:
    said = [world.follow(number, NOON + MINUTE + number * SECOND) for number in range(4)]
    assert said == [None, None, "many_links", "many_links"]
    assert [world.follow(number, NOON + (5 + number) * MINUTE) for number in range(4)] == [None] * 4


def test_a_link_of_a_message_that_is_long_gone_still_leads_on(world: Clicking) -> None:
    world.ledger.messages.clear()
    assert world.follow(0, NOON + MINUTE) is None
    assert world.rows() == []


def test_a_message_that_is_followed_without_end_fills_no_row(world: Clicking) -> None:
    clicks = MemoryClicks()
    for number in range(3 * MOST):
        noted = clicks.note("d", "1", at=NOON + number)
    assert len(noted) == MOST
    assert len({name for _, name in noted}) == MOST


def test_the_links_of_a_receipt_are_left_alone(world: Clicking) -> None:
    page = json.dumps({"subject": "Receipt", "text": "Hi", "html": PAGE}).encode()
    world.objects.put("templates/receipt.json", page)
    assert world.deliver(world.message(activity="receipt", key="r")) == "sent"
    assert "https://shop.example/0?token=x" in world.mailer.sent[-1].html


def test_without_its_key_no_marketing_mail_goes_out_and_it_comes_again(world: Clicking) -> None:
    def down(_: int) -> bytes:
        raise Unavailable("kms")

    name = world.message(key="other")
    with pytest.raises(Unavailable):
        world.deliver(name, link_key=down)
    assert (len(world.mailer.sent), world.deliver(name, NOON + 3 * MINUTE)) == (1, "sent")


# ── what SES tells ───────────────────────────────────────────────────────────────────────────────────────────────────
def told(world: World, kind: str, name: str, at: str, **detail: Any) -> dict[str, Any]:
    assert isinstance(world, Acting)
    (row,) = world.feedback(event(kind, name, timestamp=f"2026-11-18T{at}Z", **detail), now=NOON + 3600 * SECOND)
    return row


@pytest.mark.parametrize(
    ("kind", "at", "agent", "kind_kept", "reason"),
    [
        ("Open", "11:30:00", FIREFOX, "email_open", None),
        ("Open", "11:06:43", FIREFOX, "email_machine_open", "too_soon"),
        ("Open", "11:30:00", "Mozilla/5.0", "email_machine_open", "privacy_proxy"),
        ("Open", "11:06:59", "(via ggpht.com GoogleImageProxy)", "email_machine_open", "prefetch"),
        ("Open", "12:30:00", "(via ggpht.com GoogleImageProxy)", "email_open", None),
        ("Click", "11:30:00", "Proofpoint URL Defense", "email_machine_click", "agent"),
        ("Click", "11:30:00", FIREFOX, "email_click", None),
    ],
)
def test_openings_and_clicks_that_ses_tells_of_are_judged(
    world: Clicking, kind: str, at: str, agent: str, kind_kept: str, reason: str | None
) -> None:
    row = told(world, kind, world.name, at, userAgent=agent)
    assert (row["event_type"], row.get("machine_reason"), row.get("machine")) == (
        kind_kept,
        reason,
        True if reason else None,
    )
    assert row["ses"]["userAgent"] == agent


def test_three_links_that_ses_tells_of_in_ten_seconds_are_a_machines(world: Clicking) -> None:
    kinds = [
        told(world, "Click", world.name, f"11:30:0{n}", link=f"https://shop.example/{n}", userAgent=FIREFOX)[
            "event_type"
        ]
        for n in range(4)
    ]
    assert kinds == ["email_click", "email_click", "email_machine_click", "email_machine_click"]


def test_a_click_that_comes_twice_has_one_id_and_one_verdict(world: Clicking) -> None:
    rows = [told(world, "Click", world.name, "11:30:00", userAgent=FIREFOX) for _ in range(5)]
    assert rows == [rows[0]] * 5
