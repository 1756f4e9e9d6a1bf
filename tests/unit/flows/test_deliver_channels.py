"""Deliver over channels other than e-mail: the plan picks the channel; doubt is repeated only where the receiver can tell."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from nudge.adapters.memory_sender import MemorySender
from nudge.decide import dead, eligible
from nudge.flows.deliver import REPEATED_FOR, STALE
from nudge.ports import Refused, Throttled, Unsure
from nudge.vocabulary import DAY, SECOND, Consent, Micros, Parcel, Profile, Suppression
from tests.acting import NOON, person, put_person
from tests.dying import Dies, Killed
from tests.unit.flows.test_deliver import World

ENDPOINT = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/shop/0a1b"
ACTIVITIES = {
    "text": {"goal": "purchase", "channel": "sms", "template": "short"},
    "app": {"goal": "purchase", "channel": "push", "template": "short"},
    "call": {"goal": "purchase", "channel": "webhook", "consent": "email"},
    "tell": {"goal": "purchase", "channel": "event", "consent": "none"},
}
CHANNELS = {
    "sms": {"origination": "pool-1"},
    "push": {},
    "webhook": {"url": "https://hooks.shop.example/", "secret_name": "hooks"},
    "event": {"bus": "shop"},
}
SHORT = b'{"subject": "Hi", "text": "Hi {{ first_name }}, 10 % off. STOP to end"}'


class Channels(World):
    def __init__(self) -> None:
        super().__init__()
        self.data["activities"] |= ACTIVITIES
        self.data["channels"] |= CHANNELS
        self.objects.put("templates/short.json", SHORT)
        self.parcels: dict[str, MemorySender[Parcel]] = {
            name: MemorySender(repeats=name in ("webhook", "event")) for name in CHANNELS
        }
        put_person(self.profiles, person("bo", phone="+49 151 12345678", push=ENDPOINT))
        for channel in ("sms", "push"):
            self.profiles.consent("bo", channel, Consent(True, 1, "form"))

    def send(self, activity: str, now: Micros = NOON, name: str | None = None) -> tuple[str, str]:
        channel = str(ACTIVITIES[activity]["channel"])
        name = name or self.message("bo", activity, channel=channel)
        return self.deliver(name, now, senders=lambda one: self.parcels[one]), name


@pytest.fixture
def world() -> Channels:
    return Channels()


@pytest.mark.parametrize(
    ("activity", "to", "text"),
    [
        ("text", "+4915112345678", "Hi Ana, 10 % off. STOP to end"),
        ("app", ENDPOINT, "Hi Ana, 10 % off. STOP to end"),
        ("call", "", None),
        ("tell", "", None),
    ],
)
def test_each_channel_gets_its_message_once(world: Channels, activity: str, to: str, text: str | None) -> None:
    state, name = world.send(activity)
    assert state == "sent"
    assert world.send(activity, name=name)[0] == "sent"
    (sent,) = world.parcels[str(ACTIVITIES[activity]["channel"])].sent
    assert (sent.delivery_id, sent.to, sent.texts.get("text")) == (name, to, text)
    assert sent.facts["data"]["activity"] == activity


@pytest.mark.parametrize(
    ("activity", "channel", "reason"),
    [
        ("text", "sms", "no_consent"),
        ("app", "push", "no_consent"),
        ("call", "email", "no_consent"),
        ("tell", "x", None),
    ],
)
def test_the_consent_that_counts_is_asked_again_before_sending(
    world: Channels, activity: str, channel: str, reason: str | None
) -> None:
    world.profiles.consent("bo", channel, Consent(False, NOON, "form"))
    state, name = world.send(activity)
    assert (state, world.reason(name)) == (("skipped", reason) if reason else ("sent", None))


def test_a_phone_number_that_is_suppressed_gets_nothing(world: Channels) -> None:
    world.profiles.suppress_address("sms", "+49 151 12345678", Suppression("complaint", NOON))
    state, name = world.send("text")
    assert (state, world.reason(name)) == ("skipped", "suppressed")


def test_a_person_without_a_phone_number_gets_none(world: Channels) -> None:
    world.profiles.consent("ana", "sms", Consent(True, 1, "form"))
    name = world.message("ana", "text", channel="sms")
    assert (world.deliver(name), world.reason(name)) == ("skipped", "no_address")


def test_a_channel_that_left_the_plan_ends_its_messages(world: Channels) -> None:
    del world.data["channels"]["push"]
    world.data["activities"] = {name: one for name, one in world.data["activities"].items() if name != "app"}
    state, name = world.send("app")
    assert (state, world.reason(name)) == ("skipped", "withdrawn")


def raising(error: Exception) -> Any:
    def answer(_: Parcel) -> None:
        raise error

    return answer


@pytest.mark.parametrize(("activity", "state"), [("text", "sending"), ("app", "sending"), ("call", "pending")])
def test_doubt_is_sent_again_only_where_the_receiver_knows_the_id(world: Channels, activity: str, state: str) -> None:
    sender = world.parcels[str(ACTIVITIES[activity]["channel"])]
    sender.after = raising(Unsure("http_500"))
    first, name = world.send(activity)
    assert first == state
    sender.after = None
    world.send(activity, NOON + DAY // 8, name)
    ids = [one.delivery_id for one in sender.sent]
    assert ids == [name] * (2 if activity == "call" else 1)


def test_repetitions_grow_rarer_and_end_as_unknown_after_a_day(world: Channels) -> None:
    world.parcels["webhook"].after = raising(Unsure("http_503"))
    name, now, pauses = world.message("bo", "call", channel="webhook"), NOON, []
    while (state := world.send("call", now, name)[0]) in ("pending", "held"):
        message = world.ledger.message(name)
        assert message is not None
        pauses += [message.due_at - now] if state == "pending" else []
        now = message.due_at
    assert (world.send("call", now, name)[0], world.reason(name)) == ("unknown", "http_503")
    assert now - NOON < REPEATED_FOR + 2 * 3600 * SECOND
    assert pauses == sorted(pauses)
    assert 10 < len(pauses) < 60
    assert len(world.parcels["webhook"].sent) == len(pauses) + 1


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [(Refused("http_410"), "failed", "http_410"), (Throttled("http_429"), "pending", None)],
)
def test_refused_is_final_and_throttled_is_later(
    world: Channels, error: Exception, state: str, reason: str | None
) -> None:
    world.parcels["webhook"].before = raising(error)
    told, name = world.send("call")
    assert (told, world.reason(name)) == (state, reason)
    world.parcels["webhook"].before = None
    assert world.send("call", NOON + 300 * SECOND, name)[0] == ("sent" if state == "pending" else "failed")


def test_a_receiver_that_is_never_there_ends_as_stale(world: Channels) -> None:
    world.parcels["webhook"].before = raising(Throttled("dns_gaierror"))
    _, name = world.send("call")
    assert (world.send("call", NOON + STALE + SECOND, name)[0], world.reason(name)) == ("skipped", "stale")


# ── what a refusal says of an address ────────────────────────────────────────────────────────────────────────────────
def refusing(world: Channels, channel: str, reason: str) -> None:
    def no(_: Parcel) -> None:
        raise Refused(reason)

    world.parcels[channel].before = no


def bo(world: Channels) -> Profile:
    found = world.profiles.get("bo")
    assert found is not None
    return found


@pytest.mark.parametrize("reason", ["endpoint_disabled", "no_endpoint"])
def test_an_endpoint_that_is_off_is_not_tried_again_and_reachability_says_why(world: Channels, reason: str) -> None:
    refusing(world, "push", reason)
    state, first = world.send("app")
    assert (state, world.reason(first)) == ("failed", reason)
    assert eligible.barred("push", bo(world)) == "suppressed"
    assert eligible.barred("sms", bo(world)) is None
    assert "email" not in bo(world).suppressions
    world.parcels["push"].before = None
    again = world.message("bo", "app", key="later", channel="push")
    assert world.send("app", name=again)[0] == "skipped"
    assert world.reason(again) == "suppressed"
    assert world.parcels["push"].sent == []


@pytest.mark.parametrize("told", [ENDPOINT, ENDPOINT + "-new"])
def test_an_app_that_comes_back_is_written_to_again(world: Channels, told: str) -> None:
    refusing(world, "push", "endpoint_disabled")
    world.send("app")
    world.parcels["push"].before = None
    world.profiles.save([bo(world)._replace(traits={"push": (told, NOON + SECOND), "first_name": ("Bo", 1)})])
    assert eligible.barred("push", bo(world)) is None
    assert world.send("app", NOON + 2 * SECOND, world.message("bo", "app", key="later", channel="push"))[0] == "sent"


def test_an_endpoint_of_which_only_the_address_is_known_to_be_off_is_skipped_once_and_then_known(
    world: Channels,
) -> None:
    world.profiles.suppress_address("push", ENDPOINT, dead.suppression("disabled", NOON, "push", ENDPOINT))
    assert eligible.barred("push", bo(world)) is None
    assert world.send("app")[0] == "skipped"
    assert eligible.barred("push", bo(world)) == "suppressed"


def test_a_number_whose_owner_wrote_stop_to_the_carrier_is_left_alone_until_they_write_start(world: Channels) -> None:
    refusing(world, "sms", "opted_out")
    assert world.send("text")[0] == "failed"
    world.parcels["sms"].before = None
    assert bo(world).suppressions == {"sms": Suppression("stop", NOON)}
    assert world.profiles.is_address_suppressed("sms", "+4915112345678")
    assert world.send("text", name=world.message("bo", "text", key="later", channel="sms"))[0] == "skipped"
    assert world.profiles.lift("bo", "sms", at=NOON + 1)
    assert world.profiles.lift_address("sms", "+4915112345678", at=NOON + 1)
    assert world.send("text", name=world.message("bo", "text", key="last", channel="sms"))[0] == "sent"


def test_what_is_known_of_an_address_is_stored_before_the_message_ends(world: Channels) -> None:
    refusing(world, "push", "endpoint_disabled")
    name = world.message("bo", "app", channel="push")
    countdown = [0]
    for number in range(1, 40):
        countdown[0] = number
        profiles = Dies(world.profiles, countdown, after=False)
        with suppress(Killed):
            world.deliver(name, senders=lambda one: world.parcels[one], profiles=profiles)
            break
        world.ledger.messages[name] = world.ledger.messages[name]._replace(state="pending", owner=None)
    assert eligible.barred("push", bo(world)) == "suppressed"
    assert world.profiles.is_address_suppressed("push", ENDPOINT)
