"""Journeys, told with adapters in memory: what begins them, what is done step by step, what ends them; and killed anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from nudge import plan as plans
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue, MemorySigner
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.models import StoredModels
from nudge.adapters.templates import StoredTemplates
from nudge.decide.journey import Journey
from nudge.flows.campaign_runs import Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.decide import Decide
from nudge.flows.journey_events import Overheard
from nudge.flows.profiles import ApplyEvents
from nudge.vocabulary import DAY, SECOND, Decision, Event, Micros
from tests.acting import NOON, PLAN, TEMPLATES, person, put_person

MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE

CART = """
campaigns:
  cart:
    goal: purchase
    when: {event: add_to_cart, without: purchase, within: 2h}
    steps:
      - stop_on: goal
      - do: discount_mail
      - branch: {on: opened, within: 2 days, yes: [{wait: 1 day}, {do: letter}], no: [{do: nudge}]}
      - do: last_call
    holdout: 0
    policy: rules
"""
MORE = """
  letter: {goal: purchase, channel: email, template: discount, cost: 0.05, holdout: 0}
  nudge: {goal: purchase, channel: email, template: discount, cost: 0.05, holdout: 0}
  last_call: {goal: purchase, channel: email, template: discount, cost: 0.05, holdout: 0}
policy:"""


def plan_of(campaigns: str, **changes: str) -> dict[str, Any]:
    text = PLAN.replace("\npolicy:", MORE).replace("per_day: 1, per_week: 3", "per_day: 0")
    for old, new in changes.items():
        text = text.replace(old, new)
    return plans.parse(text + campaigns)


class World:
    """A few people, their events, and a clock that a test moves."""

    def __init__(self, campaigns: str = CART, people: Sequence[str] = ("ana", "bo"), **changes: str) -> None:
        self.profiles, self.ledger, self.objects = MemoryProfiles(), MemoryLedger(), MemoryObjects()
        self.mails, self.tasks, self.journeys = MemoryQueue(), MemoryQueue(), MemoryJourneys()
        for name, template in TEMPLATES.items():
            self.objects.put(f"templates/{name}.json", json.dumps(template).encode())
        self.plans = MemoryPlans(plan_of(campaigns, **changes))
        self.now = NOON
        self.ids = 0
        for one in people:
            put_person(self.profiles, person(one, country="DE"))

    def campaigns(self) -> Campaigns:
        decide = Decide(
            profiles=self.profiles,
            plan=PlanInForce(self.plans),
            champions=Champions(StoredModels(self.objects, MemorySigner(), clock=lambda: NOON)),
            templates=StoredTemplates(self.objects, clock=lambda: NOON),
            ledger=self.ledger,
            queue=self.mails,
        )
        return Campaigns(decide, self.profiles, Runs(self.objects), self.tasks, self.journeys, 4)

    def overheard(self) -> Overheard:
        return Overheard(ApplyEvents(self.profiles), self.journeys, PlanInForce(self.plans))

    def happen(self, *kinds: str, user: str = "ana", at: Micros | None = None, **more: Any) -> list[Event]:
        """Events that happen now (or happened `at`) and are heard of now."""
        made = []
        for kind in kinds:
            self.ids += 1
            made.append(Event(f"e{self.ids}", user, kind, self.now if at is None else at, **more))
        self.overheard()(made, now=self.now)
        return made

    def work(self) -> Counter[str]:
        """A tick, and its tasks until there are none."""
        said: Counter[str] = Counter()
        self.campaigns().tick(now=self.now)
        while self.tasks.sent:
            task, _ = self.tasks.sent.pop(0)
            said[self.campaigns().go_on(task, now=self.now, left=lambda: 900.0)] += 1
        return said

    def wait(self, time: Micros, every: Micros = 5 * MINUTE) -> None:
        """The clock goes on, ticking."""
        until = self.now + time
        while self.now < until:
            self.now = min(self.now + every, until)
            self.work()

    def made(self, user: str = "ana") -> list[Decision]:
        held = [self.ledger.find(one) for one in self.ledger.decisions]
        found = [one[0] for one in held if one is not None and one[0].user_id == user]
        return sorted(found, key=lambda one: (one.decided_at, one.step or ""))

    def steps(self, user: str = "ana") -> list[tuple[str | None, str]]:
        return [(one.step, one.activity) for one in self.made(user)]

    def journey(self, user: str = "ana", campaign: str = "cart") -> Journey | None:
        return self.journeys.get_many([(campaign, user)]).get((campaign, user))

    def reason(self, user: str = "ana", campaign: str = "cart") -> str | None:
        held = self.journey(user, campaign)
        return None if held is None else held.reason


@pytest.fixture
def world() -> World:
    return World()


# ── what begins one ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_cart_without_a_purchase_is_answered_when_its_time_has_passed(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(2 * HOUR - MINUTE)
    assert world.steps() == []
    world.wait(5 * MINUTE)
    assert world.steps() == [("2", "discount_mail")]
    (made,) = world.made()
    assert (made.campaign, made.run, made.group) == ("cart", "20261118T0000", "treatment")
    assert world.steps("bo") == []


def test_a_cart_that_was_bought_is_left_alone(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(HOUR)
    world.happen("purchase")
    world.wait(3 * HOUR)
    assert world.steps() == []
    assert world.reason() == "answered"


def test_a_purchase_that_was_heard_of_before_the_cart_counts(world: World) -> None:
    cart = world.now
    world.now += HOUR
    world.happen("purchase")
    world.happen("add_to_cart", at=cart)
    world.wait(3 * HOUR)
    assert world.steps() == []


def test_a_second_cart_after_the_purchase_has_its_own_time(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(HOUR)
    world.happen("purchase")
    world.wait(30 * MINUTE)
    world.happen("add_to_cart")
    world.wait(HOUR + 55 * MINUTE)
    assert world.steps() == []
    world.wait(10 * MINUTE)
    assert world.steps() == [("2", "discount_mail")]


def test_an_event_told_twice_or_late_begins_nothing_twice(world: World) -> None:
    first = world.happen("add_to_cart")
    world.overheard()(first, now=world.now)
    world.wait(3 * HOUR)
    world.overheard()(first, now=world.now)
    world.happen("add_to_cart", at=NOON - HOUR)
    world.happen("add_to_cart", at=NOON + MINUTE)
    world.wait(5 * DAY, every=HOUR)
    assert world.reason() == "finished"
    world.overheard()(first, now=world.now)
    world.now -= 2 * DAY
    world.happen("add_to_cart", at=NOON + 2 * DAY)
    world.wait(2 * DAY, every=HOUR)
    assert [step for step, _ in world.steps()] == ["2", "3.no.1", "4"]
    assert world.journeys.tallies("cart") == {"begun": 1, "finished": 1}


def test_after_the_end_a_new_cart_begins_a_new_journey(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(5 * DAY, every=HOUR)
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    assert [(one.step, one.run) for one in world.made()][-1] == ("2", "20261123T0000")
    assert world.journeys.tallies("cart") == {"begun": 2, "finished": 1}


def test_news_of_long_ago_begins_nothing(world: World) -> None:
    world.happen("add_to_cart", at=world.now - 27 * HOUR)
    world.happen("add_to_cart", at=world.now - 365 * DAY, user="bo")
    world.wait(3 * HOUR)
    assert world.journeys.rows == {}
    world.happen("add_to_cart", at=world.now - 25 * HOUR)
    world.wait(5 * MINUTE)
    assert world.steps() == [("2", "discount_mail")]


def test_an_event_alone_begins_a_choice_among_the_activities() -> None:
    world = World(
        """
campaigns:
  hello:
    goal: purchase
    when: {event: signup}
    audience: country = DE
    activities: [letter, discount_mail]
    holdout: 0
    policy: rules
"""
    )
    put_person(world.profiles, person("cy", country="FR"))
    world.happen("signup")
    world.happen("signup", user="cy")
    world.wait(5 * MINUTE)
    assert world.steps() == [(None, "discount_mail")]
    assert world.steps("cy") == []
    assert (world.reason(campaign="hello"), world.reason("cy", "hello")) == ("finished", "audience")
    world.wait(DAY, every=HOUR)
    world.happen("signup")
    world.wait(5 * MINUTE)
    assert len(world.made()) == 2


# ── step by step ─────────────────────────────────────────────────────────────────────────────────────────────────────
def opened(world: World, decision: Decision, kind: str = "email_open") -> None:
    world.happen(kind, decision_id=decision.decision_id)


def test_who_opens_takes_the_branch_yes_as_soon_as_that_is_known(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    (mail,) = world.made()
    opened(world, mail)
    world.wait(23 * HOUR, every=MINUTE)
    assert len(world.made()) == 1
    world.wait(HOUR + 2 * MINUTE, every=MINUTE)
    assert [step for step, _ in world.steps()] == ["2", "3.yes.2", "4"]
    assert world.reason() == "finished"


def test_who_does_not_open_takes_the_branch_no_when_its_time_has_passed(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(2 * HOUR + 2 * DAY - 5 * MINUTE)
    assert len(world.made()) == 1
    world.wait(10 * MINUTE)
    assert [step for step, _ in world.steps()] == ["2", "3.no.1", "4"]


@pytest.mark.parametrize("kind", ["email_machine_open", "email_machine_click", "email_delivery"])
def test_machines_open_nothing(world: World, kind: str) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    opened(world, world.made()[0], kind)
    world.wait(2 * DAY, every=HOUR)
    assert [step for step, _ in world.steps()] == ["2", "3.no.1", "4"]


def test_only_the_message_before_the_branch_counts(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    world.happen("email_open", decision_id="of another campaign")
    world.happen("email_open")
    world.wait(2 * DAY, every=HOUR)
    assert [step for step, _ in world.steps()] == ["2", "3.no.1", "4"]


def test_who_clicks_has_opened(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    opened(world, world.made()[0], "email_click")
    world.wait(DAY + HOUR, every=HOUR)
    assert [step for step, _ in world.steps()] == ["2", "3.yes.2", "4"]


def test_the_journey_ends_when_the_goal_is_reached(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    world.happen("purchase")
    world.wait(5 * MINUTE)
    assert world.reason() == "goal"
    world.wait(5 * DAY, every=HOUR)
    assert len(world.made()) == 1


def test_a_message_that_waits_for_the_morning_is_not_sent_to_who_has_bought_by_then(world: World) -> None:
    world.now += 8 * HOUR
    world.happen("add_to_cart")
    world.wait(2 * HOUR)
    (mail,) = world.made()
    held = world.ledger.message(mail.decision_id)
    assert held is not None
    assert (held.state, held.due_at > world.now) == ("held", True)
    world.happen("purchase")
    world.wait(10 * MINUTE)
    held = world.ledger.message(mail.decision_id)
    assert held is not None
    assert (held.state, held.reason) == ("skipped", "goal_reached")


def test_the_clock_of_a_branch_starts_when_the_message_goes_out(world: World) -> None:
    world.now += 8 * HOUR  # the mail is decided at 22:06 in Berlin and goes out at 8:00
    world.happen("add_to_cart")
    world.wait(2 * HOUR)
    goes_out = world.made()[0].due_at
    journey = world.journey()
    assert journey is not None
    assert goes_out is not None
    assert journey.due_at == goes_out + 2 * DAY
