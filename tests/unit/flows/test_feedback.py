"""Feedback and unsubscribe, told with adapters in memory."""

from __future__ import annotations

import json
from copy import replace
from typing import Any

import pytest

from nudge.act import notice as notices
from nudge.act import token
from nudge.act.reputation import Figures
from nudge.adapters.clicks import MemoryClicks
from nudge.adapters.memory import MemorySigner
from nudge.adapters.memory_pace import MemoryReputation
from nudge.decide import eligible
from nudge.errors import BadInput, NotFound
from nudge.flows.feedback import Feedback
from nudge.flows.unsubscribe import Unsubscribe
from tests.acting import NOON, TOPIC
from tests.unit.flows.test_deliver import World

ADDRESS = "ana@customer.example"
DETAIL: dict[str, tuple[str, dict[str, Any]]] = {
    "Bounce": (
        "bounce",
        {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "timestamp": "2026-11-18T11:10:00.000Z",
            "bouncedRecipients": [
                {"emailAddress": ADDRESS, "diagnosticCode": f"550 5.1.1 <{ADDRESS}> unknown from 192.0.2.7"},
                {"emailAddress": "old@customer.example"},
            ],
        },
    ),
    "Complaint": (
        "complaint",
        {"timestamp": "2026-11-18T11:10:00.000Z", "complainedRecipients": [{"emailAddress": ADDRESS}]},
    ),
    "Delivery": ("delivery", {"timestamp": "2026-11-18T11:10:00.000Z", "recipients": [ADDRESS]}),
    "Send": ("send", {}),
    "Reject": ("reject", {"reason": "Bad content"}),
    "Open": ("open", {"timestamp": "2026-11-18T11:10:00.000Z", "ipAddress": "192.0.2.1", "userAgent": "Mail/1"}),
    "Click": (
        "click",
        {"timestamp": "2026-11-18T11:10:00.000Z", "ipAddress": "192.0.2.1", "link": "https://shop.example/a"},
    ),
    "Rendering Failure": ("failure", {"templateName": "t", "errorMessage": "x"}),
    "DeliveryDelay": ("deliveryDelay", {"timestamp": "2026-11-18T11:10:00.000Z", "delayType": "MailboxFull"}),
    "Subscription": ("subscription", {"timestamp": "2026-11-18T11:10:00.000Z", "contactList": "c"}),
}


def event(kind: str, name: str | None, shape: str = "eventType", **changes: Any) -> dict[str, Any]:
    part, detail = DETAIL[kind]
    tags = {"decision_id": [name], "ses:configuration-set": ["mails"]} if name else {}
    mail = {
        "timestamp": "2026-11-18T11:06:41.000Z",
        "messageId": "ses-1",
        "source": "news@shop.example",
        "destination": [ADDRESS],
        "tags": tags,
    }
    return {shape: kind, "mail": mail, part: {**detail, **changes}}


class Acting(World):
    def __init__(self) -> None:
        super().__init__()
        self.reputation = MemoryReputation()
        self.feedback = Feedback(self.profiles, self.ledger, self.objects, MemoryClicks(), self.reputation)
        self.unsubscribe = Unsubscribe(self.profiles, self.ledger, self.objects, MemorySigner())
        self.name = self.message()

    def rows(self) -> list[dict[str, Any]]:
        keys = [one.key for one in self.objects.list("inbox/outcomes/")]
        return [json.loads(line) for key in keys for line in self.objects.get(key).splitlines()]


@pytest.fixture
def world() -> Acting:
    return Acting()


@pytest.mark.parametrize("shape", ["eventType", "notificationType"])
@pytest.mark.parametrize("kind", [*DETAIL])
def test_every_kind_in_either_shape_is_taken(world: Acting, kind: str, shape: str) -> None:
    rows = world.feedback(event(kind, world.name, shape), now=NOON)
    assert world.rows() == sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
    expected = 0 if kind == "Send" else 2 if kind == "Bounce" else 1
    assert len(rows) == expected
    for row in rows:
        assert (row["user_id"], row["decision_id"], row["channel"]) == ("ana", world.name, "email")
        assert row["event_type"].startswith("email_")
    text = json.dumps(rows)
    assert "customer.example" not in text
    assert "192.0.2." not in text


@pytest.mark.parametrize(
    ("kind", "changes", "suppressed"),
    [
        ("Bounce", {}, True),
        ("Bounce", {"bounceType": "Transient"}, False),
        ("Bounce", {"bounceType": "Undetermined"}, False),
        ("Complaint", {}, True),
        ("Complaint", {"complaintFeedbackType": "abuse"}, True),
        ("Complaint", {"complaintFeedbackType": "not-spam"}, False),
        ("DeliveryDelay", {}, False),
        ("Open", {}, False),
    ],
)
def test_permanent_bounces_and_complaints_suppress_at_once(
    world: Acting, kind: str, changes: dict[str, Any], suppressed: bool
) -> None:
    for _ in range(2):
        world.feedback(event(kind, world.name, **changes), now=NOON)
    profile = world.profiles.get("ana")
    assert profile is not None
    assert (eligible.barred("email", profile) == "suppressed") is suppressed
    assert world.profiles.is_address_suppressed("email", ADDRESS.upper()) is suppressed
    assert world.deliver(world.name) == ("skipped" if suppressed else "sent")


@pytest.mark.parametrize(("kind", "said"), [("Bounce", None), ("Complaint", "suppressed")])
def test_a_new_address_is_believed_after_a_bounce_and_not_after_a_complaint(
    world: Acting, kind: str, said: str | None
) -> None:
    world.feedback(event(kind, world.name), now=NOON)
    profile = world.profiles.get("ana")
    assert profile is not None
    moved = replace(profile, traits=profile.traits | {"email": ("ana@new.example", NOON + 1)})
    assert eligible.barred("email", moved) == said
    retold = replace(profile, traits=profile.traits | {"email": (ADDRESS.upper(), NOON + 1)})
    assert eligible.barred("email", retold) == "suppressed"


def test_every_recipient_of_a_list_is_suppressed(world: Acting) -> None:
    world.feedback(event("Bounce", world.name), now=NOON)
    assert world.profiles.is_address_suppressed("email", "old@customer.example")


def test_a_bounce_of_a_mail_that_is_not_ours_suppresses_the_address_and_is_kept(world: Acting) -> None:
    assert world.feedback(event("Bounce", None, "notificationType"), now=NOON) == []
    assert world.profiles.is_address_suppressed("email", ADDRESS)
    assert len(list(world.objects.list("quarantine/feedback/"))) == 1


def test_identity_feedback_without_tags_is_known_by_our_header(world: Acting) -> None:
    told = event("Bounce", None, "notificationType")
    told["mail"]["headers"] = [{"name": "X-Nudge-Decision", "value": world.name}]
    assert len(world.feedback(told, now=NOON)) == 2


def test_a_notice_twice_is_one_event_and_two_clicks_are_two(world: Acting) -> None:
    click = event("Click", world.name)
    again = event("Click", world.name, timestamp="2026-11-18T11:11:00.000Z")
    other = event("Click", world.name, link="https://shop.example/b")
    ids = [world.feedback(one, now=NOON + n)[0]["event_id"] for n, one in enumerate((click, click, again, other))]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1]


def test_the_same_batch_again_writes_the_same_object(world: Acting) -> None:
    rows = world.feedback.take(event("Open", world.name), now=NOON)
    assert world.feedback.keep(rows) == world.feedback.keep(list(reversed(rows)))
    assert world.feedback.keep([]) is None


@pytest.mark.parametrize("kind", ["Send", "Delivery", "Open", "Click", "Bounce"])
def test_the_channels_event_settles_doubt(world: Acting, kind: str) -> None:
    world.ledger.claim(world.name, owner="me", now=NOON)
    world.feedback(event(kind, world.name), now=NOON + 1)
    message = world.ledger.message(world.name)
    assert message is not None
    assert (message.state, message.provider_id) == ("sent", "ses-1")


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"eventType": "Teleport", "mail": {"messageId": "x"}},
        {"eventType": "Bounce"},
        {"eventType": "Bounce", "mail": {"messageId": 7}},
        {"eventType": "Bounce", "mail": {"messageId": "x"}, "bounce": "broken"},
        {"eventType": "Open", "mail": {"messageId": "x", "timestamp": "yesterday"}, "open": {"timestamp": None}},
    ],
)
def test_what_we_do_not_understand_is_kept_and_acknowledged(world: Acting, strange: dict[str, Any]) -> None:
    for _ in range(2):
        assert world.feedback(strange, now=NOON) == []
    (kept,) = world.objects.list("quarantine/feedback/")
    assert json.loads(world.objects.get(kept.key)) == strange


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("nonsense", "not_a_notice"),
        ("[]", "not_a_notice"),
        (json.dumps({"Type": "Notification", "TopicArn": TOPIC + "2", "Message": "{}"}), "foreign_topic"),
        (json.dumps({"Type": "Notification", "Message": "{}"}), "foreign_topic"),
        (json.dumps({"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "Message": "{}"}), "not_a_notice"),
        (json.dumps({"Type": "Notification", "TopicArn": TOPIC, "Message": "Successfully validated"}), "not_a_notice"),
    ],
)
def test_only_notifications_of_our_topic_are_read(body: str, reason: str) -> None:
    with pytest.raises(BadInput) as wrong:
        notices.opened(body, (TOPIC,))
    assert wrong.value.reason == reason


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 <ana@x.example> no", "550 <[address]> no"),
        ("from 192.0.2.1 and 2001:db8::1:2", "from [ip] and [ip]"),
        ("https://x.example/?e=ana%40x.example&b=1", "https://x.example/?e=[address]&b=1"),
        ("https://n.example/u/abc-_1.def-_2", "https://n.example/u/[token]"),
        ("at 12:30:45 on 2026-11-18", "at 12:30:45 on 2026-11-18"),
    ],
)
def test_no_address_stays_in_a_sentence(said: str, kept: str) -> None:
    assert notices.clean({"text": [said], "ipAddress": "192.0.2.1"}) == {"text": [kept]}


# ── unsubscribe ──────────────────────────────────────────────────────────────────────────────────────────────────────
def link(world: Acting) -> str:
    return token.make("ana", "email", world.name, now=NOON, sign=MemorySigner().sign)


def test_a_thousand_looks_change_nothing(world: Acting) -> None:
    made, before = link(world), (world.profiles.get("ana"), world.objects.writes)
    for _ in range(1000):
        world.unsubscribe.look(made)
    assert (world.profiles.get("ana"), world.objects.writes) == before
    assert world.deliver(world.name) == "sent"


def test_a_post_withdraws_the_consent_and_a_second_changes_nothing_more(world: Acting) -> None:
    made = link(world)
    world.unsubscribe(made, now=NOON + 1)
    world.unsubscribe(made, now=NOON + 2)
    profile = world.profiles.get("ana")
    assert profile is not None
    assert not profile.consents["email"].granted
    assert world.deliver(world.name, NOON + 3) == "skipped"
    (row,) = world.rows()
    assert (row["event_type"], row["user_id"], row["decision_id"]) == ("email_unsubscribe", "ana", world.name)


def test_a_link_of_a_decision_that_is_long_gone_still_works(world: Acting) -> None:
    world.ledger.messages.clear()
    world.unsubscribe(link(world), now=NOON)
    profile = world.profiles.get("ana")
    assert profile is not None
    assert eligible.unreachable(world.flow().plan().activities["discount_mail"], profile) == "no_consent"
    assert "activity" not in world.rows()[0]


def test_a_token_that_is_not_ours_changes_nothing_and_says_nothing(world: Acting) -> None:
    forged = token.make("ana", "email", world.name, now=NOON, sign=MemorySigner(b"another key").sign)
    for attempt in (forged, "x.y", ""):
        with pytest.raises(NotFound) as unknown:
            world.unsubscribe(attempt, now=NOON)
        assert str(unknown.value) == "there is no such page"
    assert world.rows() == []


# ── reputation ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("kind", "before", "verdict"),
    [
        ("Bounce", Figures(1000, 23), "good"),
        ("Bounce", Figures(1000, 24), "warn"),
        ("Bounce", Figures(1000, 39), "stop"),
        ("Complaint", Figures(10_000, 0, 4), "warn"),
        ("Complaint", Figures(10_000, 0, 7), "stop"),
        ("Bounce", Figures(50, 49), "good"),
    ],
)
def test_the_event_that_is_too_much_stops_marketing_mail_at_once(
    world: Acting, kind: str, before: Figures, verdict: str
) -> None:
    world.reputation.counted = before
    for _ in range(3):
        world.feedback(event(kind, world.name), now=NOON)
    assert world.feedback.watch(now=NOON) == verdict
    assert (world.reputation.stopped is not None) is (verdict == "stop")


def test_every_mail_that_left_is_counted_and_a_passing_bounce_is_none(world: Acting) -> None:
    for _ in range(4):
        world.feedback(event("Send", world.name), now=NOON)
    world.feedback(event("Bounce", world.name, bounceType="Transient"), now=NOON)
    world.feedback(event("Bounce", None), now=NOON)
    assert world.reputation.counted == Figures(4, 1)
