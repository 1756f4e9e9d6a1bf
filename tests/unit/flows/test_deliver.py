"""Deliver, told with adapters in memory: one mail or a reason, and doubt that is never resolved by sending again."""

from __future__ import annotations

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import replace
from typing import Any

import pytest

from nudge.act import link
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue, MemorySigner
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_pace import MemoryPace
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.memory_sender import MemorySender
from nudge.adapters.templates import StoredTemplates
from nudge.decide import chance
from nudge.decide.policy import Question, choose
from nudge.errors import BadInput, Unavailable
from nudge.flows.campaign_runs import Runs
from nudge.flows.champions import PlanInForce
from nudge.flows.compose import Compose
from nudge.flows.deliver import MOST_AT_ONCE, STALE, UNSURE_FOR, Deliver, Sweep
from nudge.flows.pauses import Pauses
from nudge.ports import Closed, Refused, Throttled, Unsure
from nudge.vocabulary import DAY, SECOND, Candidate, Consent, Message, Micros, Suppression
from tests.acting import NOON, TEMPLATES, person, plan_data, put_person
from tests.acting import plan as plan_of

HOUR: Micros = 3600 * SECOND


class World:
    def __init__(self) -> None:
        self.profiles, self.ledger, self.queue = MemoryProfiles(), MemoryLedger(), MemoryQueue()
        self.mailer, self.objects, self.data = MemorySender[Any](), MemoryObjects(), plan_data()
        for name, template in TEMPLATES.items():
            self.objects.put(f"templates/{name}.json", json.dumps(template).encode())
        put_person(self.profiles, person("ana"))
        self.attempts = 0
        self.pace, self.waited = MemoryPace(), list[float]()

    def message(
        self, user: str = "ana", activity: str = "discount_mail", key: str = "k", items: Any = (), **changes: Any
    ) -> str:
        """A decision and its message, as `decide` records them."""
        name = chance.decision_id(user, key)
        candidates = (Candidate("nothing", 0.0, removed="transactional"), Candidate(activity, 0.5))
        asked = Question(
            name, user, NOON, "purchase", 20.0, candidates, {activity: NOON}, {}, {}, None, items={activity: items}
        )
        made = choose(asked, plan_of())
        held = Message(name, user, activity, "purchase", "email", "pending", NOON, changed_at=NOON)
        self.ledger.record(
            made, request_hash="h", answer={}, message=replace(held, **changes), caps={}, budgets=(), expires_at=NOON
        )
        return name

    def flow(self, **changes: Any) -> Deliver:
        composing = Compose(
            templates=StoredTemplates(self.objects, clock=lambda: NOON),
            signer=MemorySigner(),
            link_key=link.keys(MemorySigner().sign),
            public_url="https://nudge.example",
        )
        made = Deliver(
            ledger=self.ledger,
            profiles=self.profiles,
            plan=PlanInForce(MemoryPlans(self.data)),
            compose=composing,
            senders=lambda _: self.mailer,
            pace=self.pace,
            pauses=Pauses(Runs(self.objects)),
            wait=self.waited.append,
        )
        of_composing = {name: changes.pop(name) for name in list(changes) if hasattr(composing, name)}
        return replace(made, **({"compose": replace(composing, **of_composing)} | changes))

    def deliver(self, name: str, now: Micros = NOON, **changes: Any) -> str:
        self.attempts += 1
        return self.flow(**changes)(name, owner=f"attempt {self.attempts}", now=now)

    def reason(self, name: str) -> str | None:
        message = self.ledger.message(name)
        assert message is not None
        return message.reason


@pytest.fixture
def world() -> World:
    return World()


def test_a_message_is_sent_once_however_often_it_is_delivered(world: World) -> None:
    name = world.message()
    assert [world.deliver(name) for _ in range(3)] == ["sent", "sent", "sent"]
    mail = world.mailer.sent[0]
    assert len(world.mailer.sent) == 1
    assert (mail.to, mail.subject) == ("ana@customer.example", "10 % for you, Ana")
    assert mail.tags["decision_id"] == name
    assert "https://nudge.example/u/" in mail.headers["List-Unsubscribe"]
    message = world.ledger.message(name)
    assert message is not None
    assert (message.state, message.provider_id) == ("sent", "message-1")


def test_a_mail_shows_the_items_that_the_decision_chose(world: World) -> None:
    text = (
        "Hi {{ first_name }}{% for one in items %}, {{ one.title }} at {{ one.price }}{% endfor %}; {{ item.item_id }}"
    )
    world.objects.put("templates/discount.json", json.dumps({**TEMPLATES["discount"], "text": text}).encode())
    items = ({"item_id": "b-1", "title": "Boots", "price": 79.9}, {"item_id": "s-1", "title": "Socks", "price": 5.0})
    assert world.deliver(world.message(items=items)) == "sent"
    assert "Hi Ana, Boots at 79.9, Socks at 5.0; b-1" in world.mailer.sent[0].text
    assert world.deliver(name := world.message(key="none")) == "failed"
    assert world.reason(name) == "missing_variable"


def test_sixteen_workers_at_once_send_one_mail(world: World) -> None:
    name, flow = world.message(), world.flow()
    with ThreadPoolExecutor(16) as pool:
        states = Counter(pool.map(lambda n: flow(name, owner=f"w{n}", now=NOON), range(16)))
    assert states["sent"] >= 1
    assert len(world.mailer.sent) == 1


def test_a_message_that_is_not_due_waits(world: World) -> None:
    name = world.message(state="held", due_at=NOON + HOUR)
    assert world.deliver(name) == "held"
    assert world.mailer.sent == []
    assert world.deliver(name, NOON + HOUR) == "sent"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.consent("ana", "email", Consent(False, NOON, "link")), "no_consent"),
        (lambda p: p.suppress("ana", "email", Suppression("bounce", NOON)), "suppressed"),
        (lambda p: p.suppress_address("email", "ANA@customer.example", Suppression("complaint", 1)), "suppressed"),
    ],
)
def test_who_says_no_after_the_decision_gets_no_mail(world: World, change: Any, reason: str) -> None:
    name = world.message()
    change(world.profiles)
    assert (world.deliver(name), world.reason(name)) == ("skipped", reason)
    assert world.deliver(name) == "skipped"
    assert world.mailer.sent == []


def test_who_says_no_between_claim_and_sending_gets_no_mail(world: World) -> None:
    name = world.message()
    claim = world.ledger.claim

    def claimed(decision_id: str, *, owner: str, now: Micros) -> bool:
        done = claim(decision_id, owner=owner, now=now)
        world.profiles.consent("ana", "email", Consent(False, now, "link"))
        return done

    world.ledger.claim = claimed  # type: ignore[method-assign]
    assert world.deliver(name) == "skipped"
    assert world.mailer.sent == []


@pytest.mark.parametrize("method", ["get", "is_address_suppressed"])
def test_when_consent_cannot_be_read_nothing_is_sent_and_the_message_is_due_again(world: World, method: str) -> None:
    name = world.message()
    real = getattr(world.profiles, method)

    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("profiles")

    setattr(world.profiles, method, down)
    with pytest.raises(Unavailable):
        world.deliver(name)
    assert world.mailer.sent == []
    setattr(world.profiles, method, real)
    assert world.deliver(name) == "pending"
    assert world.deliver(name, NOON + 180 * SECOND) == "sent"


def test_throttling_is_later_and_never_failed(world: World) -> None:
    name = world.message()

    def busy(_: Any) -> None:
        raise Throttled("TooManyRequestsException")

    world.mailer.before = busy
    assert world.deliver(name) == "pending"
    assert world.deliver(name) == "pending"
    world.mailer.before = None
    assert world.ledger.due(now=NOON + 59 * SECOND) == []
    assert world.deliver(name, NOON + 120 * SECOND) == "sent"
    assert len(world.mailer.sent) == 1


def test_a_refused_mail_failed_and_says_why(world: World) -> None:
    name = world.message()

    def no(_: Any) -> None:
        raise Refused("rejected")

    world.mailer.before = no
    assert (world.deliver(name), world.reason(name)) == ("failed", "rejected")


def test_doubt_is_never_sent_again_and_becomes_unknown(world: World) -> None:
    name = world.message()

    def silent(_: Any) -> None:
        raise Unsure("ReadTimeoutError")

    world.mailer.after = silent
    sweep = Sweep(world.ledger, world.queue)
    assert world.deliver(name) == "sending"
    assert world.deliver(name) == "sending"
    assert sweep(now=NOON + UNSURE_FOR) == {"queued": 0, "unknown": 0}
    assert sweep(now=NOON + UNSURE_FOR + 1) == {"queued": 0, "unknown": 1}
    assert sweep(now=NOON + UNSURE_FOR + 2) == {"queued": 0, "unknown": 0}
    assert (world.deliver(name, NOON + 2 * UNSURE_FOR), world.reason(name)) == ("unknown", "no_answer")
    assert len(world.mailer.sent) == 1
    assert world.ledger.settle(name, provider_id="message-1", now=NOON + 3 * UNSURE_FOR)
    assert world.deliver(name, NOON + 4 * UNSURE_FOR) == "sent"


def test_a_worker_that_dies_right_after_sending_leaves_doubt_and_no_second_mail(world: World) -> None:
    name = world.message()

    class Died(BaseException):
        pass

    def die(_: Any) -> None:
        raise Died

    world.mailer.after = die
    with pytest.raises(Died):
        world.deliver(name)
    world.mailer.after = None
    assert world.deliver(name) == "sending"
    assert len(world.mailer.sent) == 1


def test_a_record_that_fails_after_sending_leaves_doubt_and_no_second_mail(world: World) -> None:
    name = world.message()
    finish = world.ledger.finish

    def down(*_: Any, **__: Any) -> bool:
        raise Unavailable("ledger")

    world.ledger.finish = down  # type: ignore[method-assign]
    assert world.deliver(name) == "sending"
    world.ledger.finish = finish  # type: ignore[method-assign]
    assert world.deliver(name, NOON + HOUR) == "sending"
    assert len(world.mailer.sent) == 1


@pytest.mark.parametrize(
    ("activity", "edit", "later", "reason"),
    [
        ("discount_mail", {"ends_at": "2026-11-18T12:00:00Z"}, HOUR, "expired"),
        ("discount_mail", None, HOUR, "withdrawn"),
        ("discount_mail", {}, STALE + HOUR, "stale"),
    ],
)
def test_what_is_too_late_is_skipped(world: World, activity: str, edit: Any, later: Micros, reason: str) -> None:
    name = world.message()
    if edit is None:
        del world.data["activities"][activity]
    else:
        world.data["activities"][activity] |= edit
    assert (world.deliver(name, NOON + later), world.reason(name)) == ("skipped", reason)


def test_a_message_that_waited_into_the_night_is_held_until_morning(world: World) -> None:
    name = world.message()
    assert world.deliver(name, NOON + 10 * HOUR) == "held"  # 22:06 in Berlin
    message = world.ledger.message(name)
    assert message is not None
    assert message.due_at == NOON + 20 * HOUR - 400 * SECOND  # 08:00 there
    assert world.deliver(name, message.due_at) == "sent"


@pytest.mark.parametrize(
    ("traits", "template", "reason"),
    [
        ({"first_name": ""}, None, "missing_variable"),
        ({"first_name": "Ana\r\nBcc: all@evil.example"}, None, "bad_header"),
        ({"email": "not an address"}, None, "bad_address"),
        ({}, b'{"subject": "{% set a = 1 %}", "text": "x", "html": "x"}', "bad_template"),
        ({}, b"{}", "no_template"),
    ],
)
def test_a_mail_that_cannot_be_written_is_not_sent(world: World, traits: Any, template: Any, reason: str) -> None:
    put_person(world.profiles, person("eve", **traits))
    if template is not None:
        world.objects.put("templates/discount.json", template)
    name = world.message("eve")
    assert (world.deliver(name), world.reason(name)) == ("failed", reason)
    assert world.mailer.sent == []


def test_a_task_that_names_no_message_is_refused(world: World) -> None:
    with pytest.raises(BadInput):
        world.deliver("nobody")


def test_the_sweep_queues_what_is_due_but_not_what_the_queue_has_already(world: World) -> None:
    due = world.message(key="a")
    world.message(key="b", state="held", due_at=NOON + HOUR)
    sweep = Sweep(world.ledger, world.queue)
    assert sweep(now=NOON + SECOND)["queued"] == 0
    assert sweep(now=NOON + 60 * SECOND)["queued"] == 1
    assert world.queue.take() == [{"decision_id": due}]


def test_the_sweep_does_not_fill_a_queue_that_drains_slowly_with_copies(world: World) -> None:
    for number in range(3):
        world.message(key=str(number))
    sweep = Sweep(world.ledger, world.queue)
    world.queue.send([{"decision_id": "x"}] * (MOST_AT_ONCE - 2))
    assert sweep(now=NOON + 60 * SECOND)["queued"] == 2
    assert sweep(now=NOON + 60 * SECOND)["queued"] == 0


# ── pace ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_worker_waits_for_its_slot_before_it_asks_what_holds_of_the_person(world: World) -> None:
    name = world.message()
    world.pace.answer = lambda _: 1.5

    def unsubscribes(seconds: float) -> None:
        assert seconds == 1.5
        world.profiles.consent("ana", "email", Consent(False, NOON + 1, "link"))

    assert (world.deliver(name, wait=unsubscribes), world.reason(name)) == ("skipped", "no_consent")
    assert world.mailer.sent == []


@pytest.mark.parametrize(
    ("error", "soonest", "latest"),
    [(Throttled("rate"), 60, 120), (Closed("daily_quota"), 900, 1800), (Closed("stopped"), 900, 1800)],
)
def test_without_a_slot_a_message_is_later_and_nothing_is_sent(
    world: World, error: Exception, soonest: int, latest: int
) -> None:
    name = world.message()

    def refuse(_: bool) -> float:
        raise error

    world.pace.answer = refuse
    assert world.deliver(name) == "pending"
    message = world.ledger.message(name)
    assert message is not None
    assert soonest * SECOND <= message.due_at - NOON <= latest * SECOND
    world.pace.answer = lambda _: 0.0
    assert (len(world.mailer.sent), world.deliver(name, message.due_at)) == (0, "sent")


def test_a_pace_that_nobody_knows_sends_nothing_and_the_message_comes_again(world: World) -> None:
    name = world.message()

    def down(_: bool) -> float:
        raise Unavailable("SES")

    world.pace.answer = down
    with pytest.raises(Unavailable):
        world.deliver(name)
    assert world.mailer.sent == []
    world.pace.answer = lambda _: 0.0
    assert world.deliver(name, NOON + 300 * SECOND) == "sent"


def test_the_breaker_is_told_what_is_transactional(world: World) -> None:
    world.deliver(world.message())
    world.deliver(world.message(activity="receipt", key="r"))
    assert world.pace.asked == [False, True]


# ── whom it reaches (E2, E11, E12) ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("other", "state"),
    [
        ("ana@customer.example", "skipped"),
        (" ANA@Customer.Example. ", "skipped"),
        ("ａｎａ@customer.example", "skipped"),
        ("ana+shop@customer.example", "sent"),
        ("anna@customer.example", "sent"),
    ],
)
def test_two_accounts_with_one_address_get_one_mail(world: World, other: str, state: str) -> None:
    put_person(world.profiles, person("twin", email=other))
    assert world.deliver(world.message()) == "sent"
    name = world.message("twin")
    assert world.deliver(name) == state
    assert len(world.mailer.sent) == (2 if state == "sent" else 1)
    assert world.reason(name) == ("same_address" if state == "skipped" else None)


def test_the_same_person_may_be_written_to_again_and_receipts_always(world: World) -> None:
    put_person(world.profiles, person("twin", email="ana@customer.example"))
    said = [world.deliver(world.message(key=key)) for key in ("a", "b")]
    said += [world.deliver(world.message(user, "receipt", key="r")) for user in ("ana", "twin")]
    assert said == ["sent"] * 4
    assert world.deliver(world.message("twin", key="next day"), NOON + DAY) == "sent"


@pytest.mark.parametrize("written", ["ana@customer.example", " Ana@Customer.EXAMPLE ", "ANA@CUSTOMER.EXAMPLE"])
def test_a_suppressed_address_is_suppressed_however_it_is_written(world: World, written: str) -> None:
    world.profiles.suppress_address("email", written, Suppression("complaint", NOON))
    name = world.message()
    assert (world.deliver(name), world.reason(name)) == ("skipped", "suppressed")


@pytest.mark.parametrize("method", ["get", "is_address_suppressed"])
def test_a_store_of_people_that_is_down_sends_nothing(world: World, method: str) -> None:
    name = world.message()

    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("profiles")

    setattr(world.profiles, method, down)
    with pytest.raises(Unavailable):
        world.deliver(name)
    assert world.mailer.sent == []
    message = world.ledger.message(name)
    assert message is not None
    assert message.state == "pending"


def test_what_was_unsubscribed_while_it_waited_in_the_queue_is_not_sent(world: World) -> None:
    name = world.message()
    world.profiles.suppress("ana", "email", Suppression("unsubscribe", NOON + 1))
    assert (world.deliver(name, NOON + 2), world.reason(name)) == ("skipped", "suppressed")


def test_a_message_for_a_channel_that_nobody_knows_does_nothing(world: World) -> None:
    name = world.message(channel="pigeon")

    def none(_: str) -> Any:
        raise Refused("no_channel")

    assert (world.deliver(name, senders=none), world.reason(name)) == ("failed", "no_channel")
    assert world.mailer.sent == []


# ── killed at random (E5) ────────────────────────────────────────────────────────────────────────────────────────────
class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("seed", range(5))
def test_workers_killed_twenty_times_leave_everyone_in_one_final_state_and_nobody_written_to_twice(
    world: World, seed: int
) -> None:
    chance, kills = random.Random(seed), [20]
    people = [f"p{number}" for number in range(150)]
    for user in people:
        put_person(world.profiles, person(user, consent=chance.random() < 0.9))
    names = [world.message(user) for user in people]

    def strike(_: Any) -> None:
        if kills[0] and chance.random() < 0.12:
            kills[0] -= 1
            raise Killed

    def answer(_: Any) -> None:
        strike(_)
        if chance.random() < 0.1:
            raise chance.choice([Throttled("rate"), Refused("rejected"), Unsure("timeout")])

    world.mailer.before, world.mailer.after = answer, strike
    world.pace.answer = lambda _: strike(None) or 0.0
    now, queue = NOON, [*names, *names]  # each task is delivered twice
    while any(one.state in ("pending", "held") for one in world.ledger.messages.values()):
        chance.shuffle(queue)
        for name in queue:
            with suppress(Killed):
                world.deliver(name, now)
        now += 120 * SECOND
        Sweep(world.ledger, world.queue)(now=now)
        queue = [task["decision_id"] for task in world.queue.take()]
    Sweep(world.ledger, world.queue)(now=now + 2 * UNSURE_FOR)
    messages = list(world.ledger.messages.values())
    assert {one.state for one in messages} == {"sent", "skipped", "failed", "unknown"}
    assert kills == [0]
    left = Counter(mail.to for mail in world.mailer.sent)
    assert set(left.values()) == {1}
    sent = {f"{one.user_id}@customer.example" for one in messages if one.state == "sent"}
    doubted = {f"{one.user_id}@customer.example" for one in messages if one.state == "unknown"}
    assert sent <= set(left) <= sent | doubted
    assert world.ledger.unknown(limit=1000) == sorted(
        (one.decision_id for one in messages if one.state == "unknown"),
        key=lambda name: (world.ledger.messages[name].due_at, name),
    )
