"""What failed on somebody's way through a campaign is sent again, unless the person has moved on since."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from nudge.act import link
from nudge.adapters.memory import MemorySigner
from nudge.adapters.memory_pace import MemoryPace
from nudge.adapters.memory_sender import MemorySender
from nudge.adapters.templates import StoredTemplates
from nudge.errors import NotFound
from nudge.flows.campaign_runs import Runs
from nudge.flows.champions import PlanInForce
from nudge.flows.compose import Compose
from nudge.flows.deliver import Deliver
from nudge.flows.pauses import Pauses
from nudge.flows.resend import Resend, Resent
from nudge.ports import Refused
from nudge.vocabulary import DAY, FINAL_STATES
from tests.acting import NOON
from tests.dying import Dies, Killed
from tests.unit.flows.test_journeys import CART, HOUR, MINUTE, opened
from tests.unit.flows.test_journeys import World as Journeys

HELLO = """
campaigns:
  hello:
    goal: purchase
    when: {event: signup}
    activities: [discount_mail]
    holdout: 0
    policy: rules
"""


class World(Journeys):
    """People on their way, whose mails are delivered when a test says so, by a channel that may refuse them all."""

    def __init__(self, campaigns: str = CART, **changes: Any) -> None:
        super().__init__(campaigns, **changes)
        self.mailer, self.attempts = MemorySender[Any](), 0
        self.refuse()

    def refuse(self) -> None:
        def no(_: Any) -> None:
            raise Refused("MessageRejected")

        self.mailer.before = no

    def accept(self) -> None:
        self.mailer.before = None

    def deliver(self, limit: int = 100) -> Counter[str]:
        compose = Compose(
            StoredTemplates(self.objects, clock=lambda: NOON),
            MemorySigner(),
            link.keys(MemorySigner().sign),
            "https://nudge.example",
        )
        flow = Deliver(
            self.ledger,
            self.profiles,
            PlanInForce(self.plans),
            compose,
            lambda _: self.mailer,
            MemoryPace(),
            Pauses(Runs(self.objects)),
            lambda _: None,
        )
        said: Counter[str] = Counter()
        for name in self.ledger.due(now=self.now, limit=limit):
            self.attempts += 1
            said[flow(name, owner=f"attempt {self.attempts}", now=self.now)] += 1
        return said

    def resend(
        self, campaign: str = "cart", run: str | None = None, ledger: Any = None, journeys: Any = None
    ) -> Resent:
        parts = (ledger or self.ledger, Runs(self.objects), PlanInForce(self.plans), journeys or self.journeys)
        return Resend(*parts)(campaign, run, by="ana", now=self.now)


def failed(world: World) -> None:
    """The first step is decided, and its mail refused."""
    world.happen("add_to_cart")
    world.wait(2 * HOUR + 5 * MINUTE)
    assert world.deliver() == {"failed": 1}
    world.accept()


# ── days instead of runs ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("day", ["20261118T0000", "20261118", "2026-11-18"])
def test_of_what_an_event_begins_one_day_can_be_named(day: str) -> None:
    world = World(HELLO)
    for name in ("ana", "bo"):
        world.happen("signup", user=name)
        world.wait(5 * MINUTE)
        assert world.deliver() == {"failed": 1}
        world.now += DAY
    world.accept()
    told = world.resend("hello", day)
    assert (told.again, told.other_runs) == ({"MessageRejected": 1}, {"20261119T0000": 1})
    world.deliver()
    assert [one.to for one in world.mailer.sent] == ["ana@customer.example"]


def test_a_day_of_which_nothing_failed_is_said_with_the_days_of_which_something_did() -> None:
    world = World(HELLO)
    world.happen("signup")
    world.wait(5 * MINUTE)
    world.deliver()
    assert world.resend("hello", "2026-11-20").plain() == {
        "again": {},
        "left": {},
        "other_runs": {"20261118T0000": 1},
    }
    with pytest.raises(NotFound, match="there is no campaign"):
        world.resend("goodbye")
    with pytest.raises(NotFound, match="goodbye has no run 20261118T0000"):
        world.resend("goodbye", "2026-11-18")


def test_a_run_that_begins_journeys_is_named_like_any_other() -> None:
    world = World(
        CART.replace("when: {event: add_to_cart, without: purchase, within: 2h}", 'schedule: {every: day, at: "12:00"}')
    )
    world.work()
    world.wait(5 * MINUTE)
    assert world.deliver() == {"failed": 2}
    world.accept()
    assert world.resend(run="20261118T1200").again.total() == 2
    assert world.deliver() == {"sent": 2}


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_step_that_failed_goes_again_once_and_the_journey_hears_of_it() -> None:
    world = World()
    failed(world)
    assert world.resend().plain() == {"again": {"MessageRejected": 1}, "left": {}, "other_runs": {}}
    assert world.deliver() == {"sent": 1}
    assert world.resend().plain() == {"again": {}, "left": {}, "other_runs": {}}
    (mail,) = world.made()
    opened(world, mail)
    world.wait(DAY + HOUR, every=HOUR)
    assert [step for step, _ in world.steps()] == ["2", "3.yes.2", "4"]


def test_who_has_reached_the_goal_since_is_not_written_to() -> None:
    world = World()
    failed(world)
    world.happen("purchase")
    world.wait(5 * MINUTE)
    assert world.reason() == "goal"
    assert world.resend().left == {"goal_reached": 1}
    assert world.deliver() == {}
    assert world.mailer.sent == []


def test_who_reaches_the_goal_before_it_went_out_again_is_not_written_to() -> None:
    world = World()
    failed(world)
    assert world.resend().again.total() == 1
    world.happen("purchase")
    world.wait(5 * MINUTE)
    assert world.deliver() == {}
    assert [(one.state, one.reason) for one in world.ledger.messages.values()] == [("skipped", "goal_reached")]


def test_a_step_is_not_sent_after_the_step_that_follows_it() -> None:
    world = World()
    failed(world)
    world.wait(2 * DAY, every=HOUR)
    assert [step for step, _ in world.steps()] == ["2", "3.no.1", "4"]
    world.refuse()
    assert world.deliver() == {"failed": 2}
    world.accept()
    told = world.resend()
    assert (told.again.total(), told.left) == (2, {"overtaken": 1})


def test_steps_of_one_moment_do_not_overtake_each_other() -> None:
    world = World(CART.replace("      - do: discount_mail\n", "      - do: discount_mail\n      - do: letter\n"))
    world.happen("add_to_cart")
    world.wait(2 * HOUR + 5 * MINUTE)
    assert world.deliver() == {"failed": 2}
    assert world.resend().again.total() == 2


def test_a_later_step_that_sent_nothing_overtakes_nothing() -> None:
    world = World(
        CART.replace("within: 2 days, yes", "within: 1 day, yes"), **{"per_day: 0": "per_day: 1, per_week: 1"}
    )
    failed(world)
    world.wait(DAY + HOUR, every=HOUR)
    assert [activity for _, activity in world.steps()] == ["discount_mail", "nothing", "nothing"]
    assert world.resend().again.total() == 1


def test_of_two_journeys_only_the_last_ones_message_goes_again() -> None:
    world = World(HELLO)
    for _ in range(2):
        world.happen("signup")
        world.wait(5 * MINUTE)
        world.now += HOUR
        world.deliver()
    world.accept()
    told = world.resend("hello")
    assert (told.again.total(), told.left) == (1, {"begun_again": 1})
    assert world.deliver() == {"sent": 1}


@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_while_steps_are_sent_again_nobody_has_one_twice(after: bool) -> None:
    for seed in range(6):
        world, chance = World(), random.Random(seed)
        for name in ("ana", "bo"):
            world.happen("add_to_cart", user=name)
        world.wait(2 * HOUR + 5 * MINUTE)
        world.deliver()
        world.accept()
        for _ in range(6):
            countdown = [chance.randrange(1, 12)]
            ledger, journeys = (Dies(one, countdown, after=after) for one in (world.ledger, world.journeys))
            with suppress(Killed):
                world.resend(ledger=ledger, journeys=journeys)
            world.deliver(chance.randrange(2))
        world.resend()
        world.now += 2 * MINUTE
        world.deliver()
        assert sorted(one.to for one in world.mailer.sent) == ["ana@customer.example", "bo@customer.example"]
        assert {(one.state, one.attempt) for one in world.ledger.messages.values()} == {("sent", 2)}
        assert {one.state for one in world.ledger.messages.values()} <= set(FINAL_STATES)


def test_a_message_of_a_journey_that_nobody_remembers_goes_again() -> None:
    world = World()
    failed(world)
    world.journeys.rows.clear()
    assert world.resend().again.total() == 1
