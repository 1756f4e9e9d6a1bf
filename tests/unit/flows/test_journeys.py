"""Journeys, told with adapters in memory: what begins them, what is done step by step, what ends them; and killed anywhere."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nudge import plan as plans
from nudge.adapters.journey_rows import shard_of
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue, MemorySigner
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.models import StoredModels
from nudge.adapters.templates import StoredTemplates
from nudge.decide.journey import Journey
from nudge.errors import BadInput
from nudge.flows.campaign_runs import Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.decide import Decide
from nudge.flows.journey_events import Overheard
from nudge.flows.profiles import ApplyEvents
from nudge.flows.retell import Retell
from nudge.vocabulary import DAY, SECOND, Decision, Event, Micros
from tests.acting import NOON, PLAN, TEMPLATES, person, put_person
from tests.dying import Dies, Killed

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


def test_without_a_plan_or_a_campaign_that_listens_events_become_profile_state_alone(world: World) -> None:
    for plan in (None, plan_of("")):
        world.plans = MemoryPlans(plan)
        assert world.happen("add_to_cart")
    held = world.profiles.get("ana")
    assert held is not None
    assert held.state["e"]["add_to_cart"][2] == 2
    assert world.journeys.rows == {}


def test_what_is_heard_of_a_month_late_is_counted_and_wakes_nobody(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    before = world.journey()
    world.happen("email_open", at=world.now - 31 * DAY, decision_id=world.made()[0].decision_id)
    assert world.journey() == before


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


def test_messages_that_wait_for_the_morning_are_not_sent_to_who_has_bought_by_then() -> None:
    world = World(CART.replace("      - do: discount_mail\n", "      - do: discount_mail\n      - do: letter\n"))
    world.now += 8 * HOUR
    world.happen("add_to_cart")
    world.wait(2 * HOUR)
    assert [(one.state, one.due_at > world.now) for one in world.ledger.messages.values()] == [("held", True)] * 2
    world.happen("purchase")
    world.wait(10 * MINUTE)
    assert [(one.state, one.reason) for one in world.ledger.messages.values()] == [("skipped", "goal_reached")] * 2


def test_the_clock_of_a_branch_starts_when_the_message_goes_out(world: World) -> None:
    world.now += 8 * HOUR  # the mail is decided at 22:06 in Berlin and goes out at 8:00
    world.happen("add_to_cart")
    world.wait(2 * HOUR)
    goes_out = world.made()[0].due_at
    journey = world.journey()
    assert journey is not None
    assert goes_out is not None
    assert journey.due_at == goes_out + 2 * DAY


@pytest.mark.parametrize(("kind", "what"), [("converted", {}), ("page_view", {}), ("clicked", {})])
def test_a_branch_asks_for_the_goal_an_event_or_a_click(kind: str, what: dict[str, Any]) -> None:
    world = World(CART.replace("      - stop_on: goal\n", "").replace("on: opened", f"on: {kind}"))
    world.happen("page_view")
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    event = {"converted": "purchase", "clicked": "email_click"}.get(kind, kind)
    world.happen(event, decision_id=world.made()[0].decision_id)
    world.wait(DAY + HOUR, every=HOUR)
    assert [step for step, _ in world.steps()] == ["1", "2.yes.2", "3"]


def test_a_goal_that_only_some_events_reach_is_reached_by_those() -> None:
    goal = "purchase, within_days: 7, value: from_event, typical_value: 20, category: Shoes}"
    world = World(**{"purchase, within_days: 7, value: from_event, typical_value: 20}": goal})
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    world.happen("purchase", category="Hats")
    world.wait(HOUR)
    assert world.reason() is None
    world.happen("purchase", category="Shoes")
    world.wait(HOUR)
    assert world.reason() == "goal"


def test_a_step_that_may_not_be_done_is_passed_and_says_why() -> None:
    world = World(**{"per_day: 0": "per_day: 1"})
    world.happen("add_to_cart")
    world.wait(2 * HOUR + 2 * DAY + 10 * MINUTE, every=HOUR)
    assert world.steps() == [("2", "discount_mail"), ("3.no.1", "nudge"), ("4", "nothing")]
    (why,) = [one.removed for one in world.made()[-1].candidates if one.activity == "last_call"]
    assert why == "cap_day"


# ── holdouts, limits ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_who_is_held_out_stays_so_over_all_steps() -> None:
    people = [f"user {number}" for number in range(40)]
    world = World(CART.replace("holdout: 0", "holdout: 0.5"), people=people)
    for one in people:
        world.happen("add_to_cart", user=one)
    world.wait(5 * DAY, every=HOUR)
    groups = [{made.group for made in world.made(one)} for one in people]
    assert all(len(one) == 1 for one in groups)
    assert 10 < sum(one == {"holdout"} for one in groups) < 30
    for one in people:
        made = world.made(one)
        assert [held.step for held in made] == ["2", "3.no.1", "4"]
        assert all((held.activity == "nothing") is (held.group == "holdout") for held in made)
    assert len(world.ledger.messages) == 3 * sum(one == {"treatment"} for one in groups)


@pytest.mark.parametrize(("limit", "most"), [("capacity: 5", 5), ("budget_per_run: 0.25", 5), ("budget: 0.35", 7)])
def test_limits_of_a_run_bind_the_day_and_those_of_the_campaign_everything(limit: str, most: int) -> None:
    people = [f"user {number}" for number in range(12)]
    world = World(CART + f"    {limit}\n", people=people)
    for one in people:
        world.happen("add_to_cart", user=one)
    world.wait(3 * HOUR)
    assert len(world.ledger.messages) == most
    world.wait(4 * DAY, every=HOUR)
    assert len(world.ledger.messages) == most  # a journey belongs to the day on which it began


# ── pausing, plans that change ───────────────────────────────────────────────────────────────────────────────────────
def test_a_paused_campaign_takes_nobody_on_and_goes_on_where_it_was(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    world.campaigns().runs.pause("cart", at=world.now, why="the landing page is down")
    world.happen("add_to_cart", user="bo")
    world.wait(3 * DAY, every=HOUR)
    assert len(world.made()) == 1
    assert (world.made("bo"), world.reason("bo")) == ([], "paused")
    world.campaigns().runs.resume("cart")
    world.wait(2 * HOUR)
    assert [step for step, _ in world.steps()] == ["2", "3.no.1", "4"]


def test_a_changed_plan_changes_no_journey_that_is_under_way(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    world.plans = MemoryPlans(plan_of(CART.replace("do: last_call", "do: letter").replace("2 days", "1 day")))
    world.happen("add_to_cart", user="bo")
    world.wait(5 * DAY, every=HOUR)
    assert world.steps()[-2:] == [("3.no.1", "nudge"), ("4", "last_call")]
    assert world.steps("bo")[-1] == ("4", "letter")


def test_a_step_whose_activity_the_plan_has_no_more_is_passed(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    told = plan_of(CART.replace("do: nudge", "do: letter"))
    del told["activities"]["nudge"]
    world.plans = MemoryPlans(told)
    world.wait(3 * DAY, every=HOUR)
    assert [step for step, _ in world.steps()] == ["2", "4"]


@pytest.mark.parametrize(
    ("campaigns", "reason"),
    [
        ("", "removed"),
        (CART.replace("    holdout: 0\n", "    holdout: 0\n    ends_at: 2026-11-19T00:00:00Z\n"), "over"),
        (
            CART[: CART.index("    when:")] + "    activities: [letter]\n    schedule: {every: day, at: '09:00'}\n",
            "removed",
        ),
    ],
)
def test_a_campaign_that_left_the_plan_or_has_ended_ends_its_journeys(
    campaigns: str, reason: str, world: World
) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    world.plans = MemoryPlans(plan_of(campaigns))
    world.wait(3 * DAY, every=HOUR)
    assert world.reason() == reason
    assert [one.step for one in world.made() if one.run == "20261118T0000"] == ["2"]


def test_a_person_who_is_gone_ends_the_journey(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    world.profiles._people.clear()  # as an erasure would
    world.wait(3 * DAY, every=HOUR)
    assert world.reason() == "no_person"


def test_a_campaign_that_has_not_started_is_begun_by_nothing() -> None:
    world = World(CART + "    starts_at: 2026-11-19T00:00:00Z\n")
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    assert world.journeys.rows == {}


def test_what_nobody_looked_at_for_a_day_is_not_begun_any_more(world: World) -> None:
    world.happen("add_to_cart")
    world.now += 27 * HOUR
    world.work()
    assert (world.steps(), world.reason()) == ([], "late")


# ── by the clock, a date, a prediction ───────────────────────────────────────────────────────────────────────────────
DAILY = """
campaigns:
  winback:
    goal: purchase
    audience: country = DE
    schedule: {every: day, at: "13:00"}
    steps: [{do: letter}, {wait: 2 days}, {stop_on: goal}, {do: last_call}]
    holdout: 0
    policy: rules
"""


def test_members_of_a_run_walk_the_steps_one_journey_at_a_time() -> None:
    world = World(DAILY)
    put_person(world.profiles, person("cy", country="FR"))
    world.wait(HOUR)
    assert world.steps() == world.steps("bo") == [("1", "letter")]
    assert world.made()[0].run == "20261118T1300"
    assert world.steps("cy") == []
    world.wait(2 * DAY + HOUR, every=15 * MINUTE)
    assert [(one.step, one.run) for one in world.made()] == [("1", "20261118T1300"), ("4", "20261118T1300")]
    world.wait(DAY, every=15 * MINUTE)
    assert [(one.step, one.run) for one in world.made()][2:] == [("1", "20261121T1300")]
    runs = Runs(world.objects)
    told = {one.run: list(runs.all_progress(one)) for one in runs.all("winback")}
    counted = {run: (sum(one.begun for one in each), sum(one.under_way for one in each)) for run, each in told.items()}
    assert counted == {
        "20261118T1300": (2, 0),
        "20261119T1300": (0, 2),
        "20261120T1300": (0, 2),
        "20261121T1300": (2, 0),
    }


def test_a_run_that_is_paused_before_its_first_steps_takes_them_afterwards() -> None:
    world = World(DAILY)
    world.wait(55 * MINUTE)
    world.campaigns().runs.pause("winback", at=world.now, why="test")
    world.wait(4 * HOUR, every=15 * MINUTE)
    assert world.made() == world.made("bo") == []
    world.campaigns().runs.resume("winback")
    world.campaigns().send_out(world.campaigns().runs.get("winback", "20261118T1300"), now=world.now)
    world.wait(2 * HOUR, every=15 * MINUTE)
    assert world.steps() == world.steps("bo") == [("1", "letter")]


def test_a_date_in_a_person_s_own_zone_begins_a_sequence() -> None:
    world = World(
        """
campaigns:
  birthday:
    goal: purchase
    when: {date: birthday, at: "09:00"}
    steps: [{do: letter}, {wait: 1 day}, {do: last_call}]
    holdout: 0
    policy: rules
"""
    )
    put_person(world.profiles, person("cy", birthday="1990-11-19", timezone="America/New_York"))
    world.wait(3 * DAY, every=30 * MINUTE)
    made = world.made("cy")
    assert [one.step for one in made] == ["1", "3"]
    nine = NOON - NOON % DAY + DAY + 14 * HOUR  # 9:00 in New York on the 19th
    assert made[0].due_at == nine
    assert made[1].decided_at >= nine + DAY


# ── killed anywhere, by two at once ──────────────────────────────────────────────────────────────────────────────────
class Dying(World):
    """A world whose workers die at their n-th call of a store; n is drawn anew for each worker."""

    def __init__(self, seed: int, *, after: bool, people: Sequence[str]) -> None:
        super().__init__(people=people)
        self.chance, self.after, self.deaths = random.Random(seed), after, 0
        self._whole = {name: getattr(self, name) for name in ("profiles", "ledger", "objects", "mails", "journeys")}

    def until_done(self, work: Callable[[], Any]) -> None:
        """A worker, and others after it, until one lives to the end."""
        for attempt in range(200):
            countdown = [self.chance.randrange(1, 30) if attempt < 199 else -1]
            for name, inner in self._whole.items():
                setattr(self, name, Dies(inner, countdown, after=self.after))
            try:
                work()
            except Killed:
                self.deaths += 1
                continue
            finally:
                for name, inner in self._whole.items():
                    setattr(self, name, inner)
            return

    def happen(self, *kinds: str, user: str = "ana", at: Micros | None = None, **more: Any) -> list[Event]:
        made = [Event(f"{user} {kind} {self.now}", user, kind, at or self.now, **more) for kind in kinds]
        self.until_done(lambda: self.overheard()(made, now=self.now))
        return made

    def work(self) -> Counter[str]:
        self.until_done(lambda: self.campaigns().tick(now=self.now))
        while self.tasks.sent:
            task, _ = self.tasks.sent.pop(self.chance.randrange(len(self.tasks.sent)))
            self.until_done(lambda task=task: self.campaigns().go_on(task, now=self.now, left=lambda: 900.0))
        return Counter()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_workers_killed_anywhere_decide_each_step_once(seed: int, after: bool) -> None:
    people = [f"user {number}" for number in range(6)]
    world = Dying(seed, after=after, people=people)
    for one in people:
        world.happen("add_to_cart", user=one)
    world.wait(3 * HOUR, every=HOUR)
    opens, buys = people[:3], people[3:4]
    for one in opens:
        world.happen("email_open", user=one, decision_id=world.made(one)[0].decision_id)
    for one in buys:
        world.happen("purchase", user=one)
    world.wait(4 * DAY, every=6 * HOUR)
    assert world.deaths > 10
    for one in people:
        steps = ["2", "3.yes.2", "4"] if one in opens else ["2"] if one in buys else ["2", "3.no.1", "4"]
        assert [step for step, _ in world.steps(one)] == steps
        assert world.reason(one) == ("goal" if one in buys else "finished")
    assert world.journeys.tallies("cart") == {"begun": 6, "finished": 5, "goal": 1}


def test_two_workers_on_the_same_shards_decide_each_step_once() -> None:
    people = [f"user {number}" for number in range(30)]
    world = World(people=people)
    for one in people:
        world.happen("add_to_cart", user=one)
    for _ in range(4):
        world.now += DAY
        with ThreadPoolExecutor(6) as pool:
            tasks = [{"stage": "walk", "shard": shard} for shard in range(world.journeys.shards)] * 2
            list(pool.map(lambda task: world.campaigns().go_on(task, now=world.now, left=lambda: 900.0), tasks))
            again = [world.happen("add_to_cart", user=one, at=NOON) for one in people[:5]]
            list(pool.map(lambda some: world.overheard()(some, now=world.now), again * 2))
    for one in people:
        assert [step for step, _ in world.steps(one)] == ["2", "3.no.1", "4"]
    assert world.journeys.tallies("cart") == {"begun": 30, "finished": 30}


def test_one_person_who_cannot_be_taken_on_keeps_nobody_else() -> None:
    people = [f"user {number}" for number in range(60)]
    world = World(people=people)
    for one in people:
        world.happen("add_to_cart", user=one)
    world.now += 2 * HOUR
    record = world.ledger.record

    def broken(decision: Decision, **how: Any) -> None:
        if decision.user_id == people[7]:
            raise ValueError("a number that is none")
        record(decision, **how)

    world.ledger.record = broken  # type: ignore[method-assign]
    shard = shard_of("cart", people[7])
    with pytest.raises(ValueError, match="none"):
        world.campaigns().go_on({"stage": "walk", "shard": shard}, now=world.now, left=lambda: 900.0)
    world.ledger.record = record  # type: ignore[method-assign]
    in_it = [one for one in people if shard_of("cart", one) == shard]
    assert len(in_it) > 1
    assert [one for one in in_it if not world.made(one)] == [people[7]]
    assert world.journeys.due(shard, now=world.now) == [("cart", people[7])]
    world.work()
    assert world.steps(people[7]) == [("2", "discount_mail")]


def test_a_shard_with_more_than_fits_the_time_is_handed_on(world: World) -> None:
    world.happen("add_to_cart")
    world.now += 2 * HOUR
    world.campaigns().tick(now=world.now)
    ((task, _),) = world.tasks.sent
    world.tasks.sent.clear()
    assert world.campaigns().go_on(task, now=world.now, left=lambda: 5.0) == "out of time"
    assert [one for one, _ in world.tasks.sent] == [task]
    assert world.made() == []


@pytest.mark.parametrize("shard", [None, -1, 16, "3"])
def test_a_task_for_a_shard_that_is_none_is_refused(world: World, shard: Any) -> None:
    with pytest.raises(BadInput):
        world.campaigns().go_on({"stage": "walk", "shard": shard}, now=world.now, left=lambda: 900.0)


def test_an_explained_decision_names_campaign_and_step(world: World) -> None:
    world.happen("add_to_cart")
    world.wait(3 * HOUR)
    (made,) = world.made()
    retell = Retell(
        world.ledger, StoredModels(world.objects, MemorySigner(), clock=lambda: NOON), lambda _: plan_of(CART)
    )
    assert ", for step 2 of the run 20261118T0000 of the campaign cart" in next(retell.explain(made.decision_id))
    assert retell.replay(made.decision_id)["same"]
