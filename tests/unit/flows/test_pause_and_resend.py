"""A campaign that is stopped sends nothing; what failed is sent again when a person says so, and nothing else is."""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import suppress
from copy import replace
from typing import Any

import pytest

from nudge import plan as plans
from nudge.act import link
from nudge.adapters.memory import MemoryPlans, MemorySigner
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_pace import MemoryPace
from nudge.adapters.memory_sender import MemorySender
from nudge.adapters.templates import StoredTemplates
from nudge.errors import NotFound, Unavailable
from nudge.flows.campaign_runs import Runs
from nudge.flows.champions import PlanInForce
from nudge.flows.compose import Compose
from nudge.flows.deliver import LONGEST_HALT, STALE, Deliver
from nudge.flows.pauses import FRESH_FOR, Pauses
from nudge.flows.resend import Resend, Resent
from nudge.ports import Refused, Unsure
from nudge.vocabulary import DAY, FINAL_STATES, SECOND, Consent, Micros, Suppression
from tests.acting import PLAN
from tests.unit.flows.test_campaigns import CAMPAIGNS, MORNING, Dies, Killed
from tests.unit.flows.test_campaigns import World as Campaign

RUN = "20261118T0900"
MINUTE: Micros = 60 * SECOND


def address_of(user_id: str) -> str:
    return user_id.replace(" ", "-") + "@customer.example"


class World(Campaign):
    """Ten people of two countries, their mails decided and waiting; a channel that can refuse."""

    def __init__(self, campaigns: str = CAMPAIGNS, caps: str = "per_day: 0") -> None:
        super().__init__(campaigns, people=20)
        self.plans = MemoryPlans(plans.parse(PLAN.replace("per_day: 1, per_week: 3", caps) + campaigns))
        for one in list(self.profiles.all()):
            address = (address_of(one.user_id), 1)
            self.profiles.save([replace(one, traits={**one.traits, "email": address})])
        self.mailer, self.attempts = MemorySender[Any](), 0
        self.pauses = Pauses(Runs(self.objects))
        self.tick()
        self.work()

    def deliverer(self, **changes: Any) -> Deliver:
        compose = Compose(
            StoredTemplates(self.objects, clock=lambda: MORNING),
            MemorySigner(),
            link.keys(MemorySigner().sign),
            "https://nudge.example",
        )
        plan, wait = PlanInForce(self.plans), lambda _: None
        parts: dict[str, Any] = {"ledger": self.ledger, "profiles": self.profiles, "pauses": self.pauses}
        made: dict[str, Any] = {
            "plan": plan,
            "compose": compose,
            "senders": lambda _: self.mailer,
            "pace": MemoryPace(),
            "wait": wait,
        }
        return Deliver(**(made | parts | changes))

    def deliver(self, now: Micros = MORNING, **changes: Any) -> Counter[str]:
        """Everything that is due; what state each is left in."""
        said: Counter[str] = Counter()
        for name in self.ledger.due(now=now, limit=1000):
            self.attempts += 1
            said[self.deliverer(**changes)(name, owner=f"attempt {self.attempts}", now=now)] += 1
        return said

    def resend(self, now: Micros = MORNING, by: str = "ana", **changes: Any) -> Resent:
        run = changes.pop("run", None)
        parts: dict[str, Any] = {"ledger": self.ledger, "runs": Runs(self.objects), "plan": PlanInForce(self.plans)}
        parts["journeys"] = MemoryJourneys()
        return Resend(**(parts | changes))("spring", run, by=by, now=now)

    def refuse(self, *people: int) -> None:
        """The channel refuses mails to these people."""
        names = {address_of(f"user {number:03d}") for number in people}

        def check(mail: Any) -> None:
            if mail.to in names:
                raise Refused("MessageRejected")

        self.mailer.before = check

    def accept(self) -> None:
        self.mailer.before = None

    def states(self) -> Counter[str]:
        return Counter(one.state for one in self.ledger.messages.values())


@pytest.fixture
def world() -> World:
    return World()


# ── pause ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def pause(world: World, at: Micros = MORNING) -> None:
    Runs(world.objects).pause("spring", at=at, why="a typo")


def test_messages_of_a_paused_campaign_wait_and_go_on_when_it_is_resumed(world: World) -> None:
    pause(world)
    assert world.deliver() == {"pending": 10}
    assert world.mailer.sent == []
    assert world.ledger.due(now=MORNING + MINUTE) == []
    Runs(world.objects).resume("spring")
    assert world.deliver(MORNING + 3 * MINUTE) == {"sent": 10}
    assert len(world.mailer.sent) == 10


def test_a_message_of_no_campaign_goes_out_while_one_is_paused(world: World) -> None:
    pause(world)
    answer = world.campaigns().decide(
        {"user_id": "user 000", "candidates": ["receipt"], "goal": "visit", "explain": False}, key="shop", now=MORNING
    )
    assert answer["activity"] == "receipt"
    assert world.deliver() == {"pending": 10, "sent": 1}


def test_a_pause_is_obeyed_ten_seconds_later_at_the_latest(world: World) -> None:
    first, *_ = world.ledger.due(now=MORNING)
    assert world.deliverer()(first, owner="a", now=MORNING) == "sent"
    pause(world)
    assert FRESH_FOR == 10 * SECOND
    assert world.deliver(MORNING + FRESH_FOR) == {"pending": 9}


def test_a_pause_that_cannot_be_read_stops_sending(world: World) -> None:
    class Down:
        def paused(self, campaign: str) -> Any:
            raise Unavailable("S3 did not answer")

    with pytest.raises(Unavailable):
        world.deliver(pauses=Pauses(Down()))  # type: ignore[arg-type]
    world.objects.put("campaigns/spring/paused.json", b"{")
    with pytest.raises(Unavailable):
        world.deliver()
    assert world.mailer.sent == []
    assert world.states() == {"pending": 10}


def test_a_long_pause_is_looked_at_ever_more_seldom_and_never_less_than_every_two_hours(world: World) -> None:
    pause(world)
    looked, now = 0, MORNING
    while now < MORNING + 8 * 60 * MINUTE:
        looked += len(world.ledger.due(now=now, limit=1000))
        world.deliver(now)
        now += MINUTE
    assert looked < 10 * 20
    Runs(world.objects).resume("spring")
    assert world.deliver(now + 2 * LONGEST_HALT) == {"sent": 10}


def test_what_waited_too_long_is_skipped_and_says_so(world: World) -> None:
    pause(world)
    world.deliver()
    Runs(world.objects).resume("spring")
    assert world.deliver(MORNING + STALE + MINUTE) == {"skipped": 10}
    assert {one.reason for one in world.ledger.messages.values()} == {"stale"}


def test_a_campaign_that_ended_while_it_was_paused_sends_nothing_more() -> None:
    world = World(CAMPAIGNS + "    ends_at: 2026-11-19T00:00:00+01:00\n")
    pause(world)
    world.deliver()
    Runs(world.objects).resume("spring")
    assert world.deliver(MORNING + DAY) == {"skipped": 10}
    assert {one.reason for one in world.ledger.messages.values()} == {"expired"}


def test_what_goes_out_on_another_day_counts_for_that_day_and_breaks_no_cap() -> None:
    world = World(caps="per_day: 1")
    pause(world)
    world.deliver()
    tomorrow = MORNING + DAY
    body = {"user_id": "user 000", "goal": "purchase", "candidates": ["discount_mail"], "explain": False}
    assert world.campaigns().decide(body, key="shop", now=tomorrow)["activity"] == "discount_mail"
    Runs(world.objects).resume("spring")
    assert world.deliver(tomorrow) == {"sent": 10, "skipped": 1}
    assert Counter(one.to for one in world.mailer.sent).most_common(1)[0][1] == 1
    assert [one.reason for one in world.ledger.messages.values() if one.state == "skipped"] == ["cap"]
    again = world.campaigns().decide(body | {"user_id": "user 001"}, key="shop", now=tomorrow)
    assert again["activity"] == "nothing"


# ── resend ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_what_failed_goes_again_once_and_what_was_sent_does_not(world: World) -> None:
    world.refuse(0, 1)
    assert world.deliver() == {"sent": 8, "failed": 2}
    world.accept()
    told = world.resend(MORNING + MINUTE)
    assert (told.again, told.left) == ({"MessageRejected": 2}, {})
    held = [one for one in world.ledger.messages.values() if one.attempt == 2]
    assert [(one.state, one.resent_by, one.resent_at) for one in held] == [("pending", "ana", MORNING + MINUTE)] * 2
    assert world.deliver(MORNING + MINUTE) == {"sent": 2}
    assert len({one.to for one in world.mailer.sent}) == len(world.mailer.sent) == 10
    assert world.resend(MORNING + 2 * MINUTE).plain() == {"again": {}, "left": {}, "other_runs": {}}


def test_the_same_call_twice_moves_nothing_twice(world: World) -> None:
    world.refuse(*range(20))
    world.deliver()
    assert world.resend().again.total() == 10
    assert world.resend().plain() == {"again": {}, "left": {}, "other_runs": {}}
    world.deliver(MORNING + MINUTE)
    assert {one.attempt for one in world.ledger.messages.values()} == {2}


def test_one_run_can_be_named(world: World) -> None:
    world.refuse(*range(20))
    world.deliver()
    world.tick(MORNING + DAY)
    world.work(MORNING + DAY)
    world.deliver(MORNING + DAY)
    assert world.states() == {"failed": 20}
    told = world.resend(MORNING + DAY, run=RUN)
    assert (told.again.total(), told.other_runs) == (10, {"20261119T0900": 10})
    assert world.resend(MORNING + DAY, run=RUN).again.total() == 0
    with pytest.raises(NotFound, match=r"20261119T0900 \(10\)"):
        world.resend(run="20300101T0900")
    with pytest.raises(NotFound):
        Resend(world.ledger, Runs(world.objects), PlanInForce(world.plans), MemoryJourneys())(
            "autumn", by="ana", now=MORNING
        )


def test_what_is_unknown_or_skipped_is_never_sent_again(world: World) -> None:
    world.profiles.consent("user 000", "email", Consent(False, MORNING, "link"))

    def silent(_: Any) -> None:
        raise Unsure("ReadTimeout")

    world.mailer.before = silent
    world.deliver()
    for name in world.ledger.stuck(before=MORNING + DAY):
        world.ledger.finish(name, owner=None, state="unknown", now=MORNING, reason="no_answer")
    world.accept()
    assert world.states() == {"unknown": 9, "skipped": 1}
    assert world.resend().plain() == {"again": {}, "left": {"unknown": 9}, "other_runs": {}}
    assert world.deliver(MORNING + DAY) == {}


def test_who_said_no_meanwhile_gets_nothing_when_it_is_sent_again(world: World) -> None:
    world.refuse(0, 1, 4)
    world.deliver()
    world.accept()
    world.profiles.consent("user 000", "email", Consent(False, MORNING, "link"))
    world.profiles.suppress("user 001", "email", Suppression("bounce", MORNING))
    assert world.resend().again.total() == 3
    assert world.deliver() == {"skipped": 2, "sent": 1}
    assert world.mailer.sent[-1].to == address_of("user 004")


@pytest.mark.parametrize(
    ("later", "more", "reason"),
    [(STALE + MINUTE, "", "stale"), (DAY, "    ends_at: 2026-11-19T00:00:00+01:00\n", "expired")],
)
def test_what_is_too_late_stays_and_says_why(later: Micros, more: str, reason: str) -> None:
    world = World(CAMPAIGNS + more)
    world.refuse(0)
    world.deliver()
    assert world.resend(MORNING + later).left == {reason: 1}
    assert world.states() == {"sent": 9, "failed": 1}


def test_what_the_plan_has_no_more_stays(world: World) -> None:
    world.refuse(0)
    world.deliver()
    data = json.loads(json.dumps(world.plans.current()))
    del data["activities"]["discount_mail"]
    del data["campaigns"]
    world.plans = MemoryPlans(data)
    assert world.resend().left == {"withdrawn": 1}


def test_sent_again_on_a_day_that_is_full_it_is_skipped() -> None:
    world = World(caps="per_day: 1")
    world.refuse(0)
    world.deliver()
    world.accept()
    tomorrow = MORNING + DAY
    body = {"user_id": "user 000", "goal": "purchase", "candidates": ["discount_mail"], "explain": False}
    assert world.campaigns().decide(body, key="shop", now=tomorrow)["activity"] == "discount_mail"
    world.resend(tomorrow)
    assert world.deliver(tomorrow) == {"sent": 1, "skipped": 1}


@pytest.mark.parametrize("after", [False, True])
def test_two_people_killed_anywhere_while_they_send_again_send_nothing_twice(after: bool) -> None:
    for seed in range(12):
        world, chance = World(), random.Random(seed)
        world.refuse(*range(20))
        world.deliver()
        world.accept()
        for number in range(6):
            countdown = [chance.randrange(1, 30)]
            ledger = Dies(world.ledger, countdown, after=after)
            runs = Runs(Dies(world.objects, countdown, after=after))
            with suppress(Killed):
                world.resend(MORNING + number, by=f"person {number % 2}", ledger=ledger, runs=runs)
            for name in world.ledger.due(now=MORNING + number, limit=chance.randrange(4)):
                world.deliverer()(name, owner=f"{seed} {number} {name}", now=MORNING + number)
        world.resend(MORNING + MINUTE)
        world.deliver(MORNING + MINUTE)
        assert world.states() == {"sent": 10}
        assert len(world.mailer.sent) == len({one.to for one in world.mailer.sent}) == 10
        assert {one.attempt for one in world.ledger.messages.values()} == {2}
        assert all(one.state in FINAL_STATES for one in world.ledger.messages.values())


def test_a_message_that_is_being_sent_when_the_campaign_is_paused_ends_as_it_would(world: World) -> None:
    name, *_ = world.ledger.due(now=MORNING)
    assert world.ledger.claim(name, owner="a", now=MORNING)
    pause(world)
    assert world.deliverer()(name, owner="b", now=MORNING) == "sending"
    held = world.ledger.message(name)
    assert held is not None
    assert replace(held, state="sending") == held
