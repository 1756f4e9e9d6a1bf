"""What comes back of texts and apps: receipts, STOP and START, endpoints that are gone; told with adapters in memory."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from nudge.act import text_notice as texts
from nudge.adapters.sent import MemorySent
from nudge.decide import eligible
from nudge.flows.text_feedback import PushFeedback, TextFeedback
from nudge.vocabulary import SECOND, Consent, Micros, Profile
from tests.acting import NOON
from tests.dying import Dies, Killed
from tests.unit.flows.test_deliver_channels import ENDPOINT, Channels

PHONE = "+4915112345678"
LATER: Micros = NOON + 600 * SECOND


class World(Channels):
    """Bo has a text on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = MemorySent()
        self.name = self.message("bo", "text", channel="sms", state="sending", owner="a")

    def receipt(self, kind: str = "TEXT_DELIVERED", **changes: Any) -> dict[str, Any]:
        told = {
            "eventType": kind,
            "eventVersion": "1.0",
            "eventTimestamp": LATER // 1000,
            "isFinal": True,
            "originationPhoneNumber": "+4915200000000",
            "destinationPhoneNumber": PHONE,
            "isoCountryCode": "DE",
            "messageId": "sms-1",
            "messageStatus": kind.removeprefix("TEXT_"),
            "context": {"decision_id": self.name},
            "totalMessageParts": 1,
            "totalMessagePrice": 0.0754,
        }
        return told | changes

    def take(self, event: dict[str, Any], at: Micros = LATER, **changes: Any) -> list[dict[str, Any]]:
        parts = {"profiles": self.profiles, "ledger": self.ledger, "inbox": self.objects, "sent": self.sent}
        return TextFeedback(**(parts | changes)).take(event, at=at, now=LATER)

    def write(self, body: str, at: Micros = LATER, number: str = PHONE, **changes: Any) -> list[dict[str, Any]]:
        told = {
            "originationNumber": number,
            "destinationNumber": "+4915200000000",
            "messageKeyword": "KEYWORD_123456789012",
            "messageBody": body,
            "inboundMessageId": f"in-{body}-{at}",
            "previousPublishedMessageId": "sms-1",
        }
        return self.take(told | changes, at)

    def bo(self) -> Profile:
        found = self.profiles.get("bo")
        assert found is not None
        return found

    def aside(self) -> list[dict[str, Any]]:
        return [json.loads(self.objects.get(one.key)) for one in self.objects.list("quarantine/feedback/")]


@pytest.fixture
def world() -> World:
    return World()


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("kind", [*texts.OUTCOME, *sorted(texts.ON_THE_WAY)])
def test_every_receipt_settles_its_message_and_holds_no_number(world: World, kind: str) -> None:
    twice = [world.take(world.receipt(kind)) for _ in range(2)]
    held = world.ledger.message(world.name)
    assert held is not None
    assert (held.state, held.provider_id) == ("sent", "sms-1")
    assert world.sent.find("sms", "sms-1") == world.name
    if kind in texts.ON_THE_WAY:
        assert twice == [[], []]
        return
    ((row,), (again,)) = twice
    assert row == again
    assert (row["event_type"], row["user_id"], row["channel"]) == (texts.OUTCOME[kind], "bo", "sms")
    assert (row["decision_id"], row["sms"]["kind"], row["sms"]["totalMessagePrice"]) == (world.name, kind, 0.0754)
    assert row["event_time"] == "2026-11-18T11:16:40Z"
    assert "+49" not in json.dumps(row)
    assert world.aside() == []


@pytest.mark.parametrize("kind", [*texts.OUTCOME])
def test_only_a_number_that_is_none_is_suppressed(world: World, kind: str) -> None:
    world.take(world.receipt(kind))
    suppressed = kind == texts.INVALID
    assert world.profiles.is_address_suppressed("sms", "+49 151 12345678") is suppressed
    assert eligible.barred("sms", world.bo()) == ("suppressed" if suppressed else None)
    assert eligible.barred("push", world.bo()) is None
    new = world.bo()._replace(traits={"phone": ("+4915299999999", 2)})
    assert eligible.barred("sms", new) is None


def test_a_late_receipt_settles_what_was_unknown_and_takes_nothing_back(world: World) -> None:
    assert world.ledger.finish(world.name, owner=None, state="unknown", now=NOON, reason="no_answer")
    world.take(world.receipt("TEXT_QUEUED"))
    world.take(world.receipt("TEXT_TTL_EXPIRED"))
    held = world.ledger.message(world.name)
    assert held is not None
    assert held.state == "sent"


@pytest.mark.parametrize(
    "changes",
    [
        {"eventType": "TEXT_NOVELTY"},
        {"eventType": "RCS_READ"},
        {"eventTimestamp": "yesterday"},
        {"messageId": None},
        {"context": {"decision_id": "of nobody"}},
        {"context": None},
    ],
)
def test_what_we_do_not_understand_is_kept_and_acknowledged(world: World, changes: dict[str, Any]) -> None:
    told = world.receipt() | changes
    assert world.take(told) == []
    assert world.aside() == [told]


def test_a_number_that_is_none_is_suppressed_even_where_the_message_is_not_ours(world: World) -> None:
    assert world.take(world.receipt("TEXT_INVALID", context={})) == []
    assert world.profiles.is_address_suppressed("sms", PHONE)
    assert eligible.barred("sms", world.bo()) is None


# ── what people write ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("keyword", "body", "wish"),
    [
        ("STOP", "STOP", "stop"),
        ("KEYWORD_1", " stop. ", "stop"),
        ("KEYWORD_1", "Stop sending me this", "stop"),
        ("KEYWORD_1", "STOP ALL", "stop"),
        ("KEYWORD_1", "Opt-out", "stop"),
        ("KEYWORD_1", "opt out", "stop"),
        ("KEYWORD_1", "UNSUBSCRIBE please", "stop"),
        ("KEYWORD_1", "Arrêt", "stop"),
        ("KEYWORD_1", "Stopp!", "stop"),
        ("KEYWORD_1", "退订", "stop"),
        ("KEYWORD_1", "TD", "stop"),
        ("END", "End", "stop"),
        ("KEYWORD_1", "End of the month is fine", "other"),
        ("KEYWORD_1", "Cancel my order of Monday", "other"),
        ("KEYWORD_1", "stopover in Rome?", "other"),
        ("START", "Start", "start"),
        ("KEYWORD_1", "unstop", "start"),
        ("KEYWORD_1", "start again tomorrow", "other"),
        ("STOP", "start", "stop"),
        ("HELP", "HELP", "help"),
        ("KEYWORD_1", "help me", "help"),
        ("KEYWORD_1", "", "other"),
        ("KEYWORD_1", "thanks", "other"),
    ],
)
def test_what_is_written_has_its_meaning(keyword: str, body: str, wish: str) -> None:
    told = {"originationNumber": PHONE, "inboundMessageId": "in-1", "messageKeyword": keyword, "messageBody": body}
    reply = texts.read_reply(told)
    assert reply is not None
    assert reply.wish == wish


def test_a_stop_suppresses_texts_at_once_and_nothing_else(world: World) -> None:
    world.take(world.receipt())
    for _ in range(2):
        (row,) = world.write("STOP")
    assert (row["event_type"], row["user_id"], row["decision_id"]) == ("sms_unsubscribe", "bo", world.name)
    assert PHONE not in json.dumps(row)
    assert eligible.barred("sms", world.bo()) == "suppressed"
    assert (eligible.barred("push", world.bo()), eligible.barred("email", world.bo())) == (None, None)
    waiting = world.message("bo", "text", key="waiting", channel="sms")
    assert world.send("text", name=waiting)[0] == "skipped"
    assert world.parcels["sms"].sent == []


def test_a_stop_is_obeyed_where_nobody_knows_whose_number_it_is(world: World) -> None:
    told = world.write("STOP", previousPublishedMessageId=None)
    assert told == []
    assert [one["messageBody"] for one in world.aside()] == ["STOP"]
    assert world.send("text", name=world.message("bo", "text", key="waiting", channel="sms"))[0] == "skipped"


def test_start_lifts_a_stop_and_no_other_suppression(world: World) -> None:
    world.take(world.receipt())
    world.write("STOP")
    world.write("START", LATER - 1)
    assert eligible.barred("sms", world.bo()) == "suppressed"
    (row,) = world.write("START", LATER + 1)
    assert row["event_type"] == "sms_subscribe"
    world.write("STOP")
    assert eligible.barred("sms", world.bo()) is None
    assert not world.profiles.is_address_suppressed("sms", PHONE)
    world.take(world.receipt("TEXT_INVALID", eventTimestamp=LATER // 1000 + 10_000))
    world.write("STOP", LATER + 20 * SECOND)
    world.write("START", LATER + 30 * SECOND)
    assert eligible.barred("sms", world.bo()) == "suppressed"
    assert world.profiles.is_address_suppressed("sms", PHONE)


def test_start_gives_no_consent_that_was_not_there(world: World) -> None:
    world.take(world.receipt())
    world.profiles.consent("bo", "sms", Consent(False, NOON, "form"))
    world.write("STOP")
    world.write("START", LATER + 1)
    assert eligible.barred("sms", world.bo()) == "no_consent"


@pytest.mark.parametrize(("body", "kind", "kept"), [("HELP", "sms_help", 0), ("When do you open?", "sms_reply", 1)])
def test_what_else_is_written_changes_nothing_and_a_persons_words_are_in_no_row(
    world: World, body: str, kind: str, kept: int
) -> None:
    world.take(world.receipt())
    (row,) = world.write(body)
    assert row["event_type"] == kind
    assert body not in json.dumps(row)
    assert len(world.aside()) == kept
    assert eligible.barred("sms", world.bo()) is None


@pytest.mark.parametrize("after", [False, True])
def test_a_stop_has_all_its_effects_wherever_the_worker_dies(after: bool) -> None:
    for number in range(1, 8):
        world, countdown = World(), [number]
        world.take(world.receipt())
        stores = {
            "profiles": Dies(world.profiles, countdown, after=after),
            "sent": Dies(world.sent, countdown, after=after),
            "ledger": Dies(world.ledger, countdown, after=after),
        }
        told = {
            "originationNumber": PHONE,
            "messageBody": "STOP",
            "inboundMessageId": "in-1",
            "previousPublishedMessageId": "sms-1",
        }
        with suppress(Killed):
            world.take(told, **stores)
        world.take(told)
        assert eligible.barred("sms", world.bo()) == "suppressed"
        assert world.profiles.is_address_suppressed("sms", PHONE)


# ── apps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
GONE = {"EventType": "DeliveryFailure", "FailureType": "InvalidPlatformToken", "EndpointArn": ENDPOINT}


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, True),
        ({"FailureType": "EndpointNotFound"}, True),
        ({"FailureType": "EndpointDisabled"}, True),
        ({"EventType": "EndpointDeleted", "FailureType": None}, True),
        ({"FailureType": "InvalidPlatformCredentials"}, False),
        ({"EventType": "EndpointUpdated"}, False),
        ({"EventType": "Novelty"}, False),
        ({"Time": "yesterday"}, False),
        ({"EndpointArn": None}, False),
    ],
)
def test_an_endpoint_that_is_gone_is_suppressed_and_mail_is_not(
    world: World, changes: dict[str, Any], gone: bool
) -> None:
    told = GONE | {"Time": "2026-11-18T11:10:00.000Z"} | changes
    for _ in range(2):
        PushFeedback(world.profiles, world.objects).take(told)
    assert world.profiles.is_address_suppressed("push", ENDPOINT) is gone
    assert not world.profiles.is_address_suppressed("email", ENDPOINT)
    assert world.aside() == ([] if gone else [told])
    assert world.bo().suppressions == {}
    name = world.message("bo", "app", key="later", channel="push")
    assert world.send("app", LATER, name)[0] == ("skipped" if gone else "sent")
    assert eligible.barred("push", world.bo()) == ("suppressed" if gone else None)
    assert eligible.barred("sms", world.bo()) is None
