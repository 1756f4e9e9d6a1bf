"""Campaigns, told with adapters in memory: who is meant, when, in which order, within which limits; and killed anywhere."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge import plan as plans
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.templates import StoredTemplates
from nudge.errors import BadInput, NotFound, Unavailable
from nudge.flows.campaign_members import line_through
from nudge.flows.campaign_runs import Member, Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champion, PlanInForce
from nudge.flows.decide import Decide
from nudge.vocabulary import DAY, SECOND, Consent, Micros, Profile, Vector
from tests.acting import NOON, PLAN, TEMPLATES, person, put_person
from tests.dying import Dies, Killed

MORNING: Micros = NOON - NOON % DAY + 8 * 3600 * SECOND
"""Nine in Berlin on 18 November 2026, a Wednesday."""

CAMPAIGNS = """
campaigns:
  spring:
    goal: purchase
    audience: country in [DE, AT]
    activities: [discount_mail]
    schedule: {every: day, at: "09:00"}
    holdout: 0
    policy: greedy
"""


class Tastes:
    """A model: how much a person likes mail stands in the profile."""

    def probabilities(self, vector: Vector, activities: Sequence[str]) -> dict[str, float]:
        liking = float(vector.get("trait.liking") or 0.0)
        return {one: 0.1 if one == "nothing" else 0.1 + liking for one in activities}

    def probability(self, vector: Vector) -> float:
        return float(vector.get("trait.liking") or 0.0)

    def knows(self, activity: str) -> bool:
        return True


class World:
    """Forty people: ten in each of four countries; whose `liking` grows with their number."""

    def __init__(self, campaigns: str = CAMPAIGNS, people: int = 40, segments: int = 4) -> None:
        self.profiles, self.ledger, self.objects = MemoryProfiles(), MemoryLedger(), MemoryObjects()
        self.mails, self.tasks, self.journeys = MemoryQueue(), MemoryQueue(), MemoryJourneys()
        for name, template in TEMPLATES.items():
            self.objects.put(f"templates/{name}.json", json.dumps(template).encode())
        self.plans = MemoryPlans(plans.parse(PLAN.replace("per_day: 1, per_week: 3", "per_day: 0") + campaigns))
        self.champions: Callable[[str], Champion | None] = lambda name: (
            Champion("m1", Tastes()) if name in ("purchase", "visit") else None
        )
        for number in range(people):
            country = ("DE", "AT", "FR", "IT")[number % 4]
            born = f"19{number % 60 + 30}-11-{18 + number % 5}"
            traits = {"country": country, "liking": (number + 1) / 100, "birthday": born}
            put_person(self.profiles, person(f"user {number:03d}", **traits))
        self.segments = segments

    def campaigns(self, **changes: Any) -> Campaigns:
        decide = Decide(
            profiles=self.profiles,
            plan=PlanInForce(self.plans),
            champions=self.champions,  # type: ignore[arg-type]
            templates=StoredTemplates(self.objects, clock=lambda: NOON),
            ledger=self.ledger,
            queue=self.mails,
        )
        runs = Runs(self.objects)
        return replace(Campaigns(decide, self.profiles, runs, self.tasks, self.journeys, self.segments), **changes)

    def tick(self, now: Micros = MORNING) -> list[str]:
        return [run.run for run in self.campaigns().tick(now=now)]

    def work(self, now: Micros = MORNING, left: float = 900.0) -> Counter[str]:
        """Take tasks until there are none; what came of them."""
        said: Counter[str] = Counter()
        while self.tasks.sent:
            task, _ = self.tasks.sent.pop(0)
            said[self.campaigns().go_on(task, now=now, left=lambda: left)] += 1
        return said

    def mailed(self) -> list[str]:
        """Who gets a message, each once for each message."""
        return sorted(one.user_id for one in self.ledger.messages.values())


@pytest.fixture
def world() -> World:
    return World()


def numbers(*countries: str, people: int = 40) -> list[str]:
    return [f"user {n:03d}" for n in range(people) if ("DE", "AT", "FR", "IT")[n % 4] in countries]


def test_a_run_that_is_due_reaches_every_member_of_its_audience_once(world: World) -> None:
    assert world.tick() == ["20261118T0900"]
    assert world.work() == {"frozen": 4, "decided": 4}
    assert world.mailed() == numbers("DE", "AT")
    assert sorted(body["decision_id"] for body, _ in world.mails.sent) == sorted(world.ledger.messages)


def test_nothing_is_due_before_the_time_or_long_after_it(world: World) -> None:
    assert world.tick(MORNING - SECOND) == []
    assert world.tick(MORNING + 2 * 3600 * SECOND) == []
    assert world.tick(MORNING + 3599 * SECOND) == ["20261118T0900"]


def test_a_tick_that_comes_again_sends_nothing_again_until_the_run_has_halted(world: World) -> None:
    world.tick()
    sent = len(world.tasks.sent)
    world.tick(MORNING + 300 * SECOND)
    assert len(world.tasks.sent) == sent
    world.tick(MORNING + 1800 * SECOND)
    assert len(world.tasks.sent) == 2 * sent
    world.work()
    assert world.mailed() == numbers("DE", "AT")
    world.tick(MORNING + 3700 * SECOND)
    assert world.tasks.sent == []


def test_tasks_that_come_twice_or_in_any_order_decide_once(world: World) -> None:
    world.tick()
    world.tasks.sent = world.tasks.sent[::-1] * 2
    world.work()
    assert world.mailed() == numbers("DE", "AT")
    told = list(Runs(world.objects).all_progress(Runs(world.objects).get("spring", "20261118T0900")))
    assert sum(one.done for one in told) == sum(one.members for one in told) == 20
    assert sum((one.activities for one in told), Counter()) == {"discount_mail": 20}


def test_membership_is_frozen_when_the_run_begins(world: World) -> None:
    world.tick()
    for _ in range(world.segments):
        world.campaigns().go_on(world.tasks.sent.pop(0)[0], now=MORNING, left=lambda: 900.0)
    put_person(world.profiles, person("late", country="DE", liking=0.5))
    world.work()
    assert "late" not in world.mailed()
    assert world.tick(MORNING + DAY) == ["20261119T0900"]
    world.work(MORNING + DAY)
    assert world.mailed().count("late") == 1


def test_a_worker_whose_time_is_over_hands_on(world: World) -> None:
    world.tick()
    for _ in range(world.segments):
        world.campaigns().go_on(world.tasks.sent.pop(0)[0], now=MORNING, left=lambda: 900.0)
    task = world.tasks.sent.pop(0)[0]
    assert world.campaigns().go_on(task, now=MORNING, left=lambda: 5.0) == "out of time"
    assert world.tasks.sent[-1][0] == task
    world.work()
    assert world.mailed() == numbers("DE", "AT")


def test_a_paused_campaign_decides_for_nobody_and_goes_on_where_it_was(world: World) -> None:
    world.tick()
    runs = Runs(world.objects)
    runs.pause("spring", at=MORNING, why="the landing page is down")
    assert world.work() == {"paused": 4}
    assert world.tick() == []
    runs.resume("spring")
    world.campaigns().send_out(runs.get("spring", "20261118T0900"), now=MORNING)
    world.work()
    assert world.mailed() == numbers("DE", "AT")


def test_a_campaign_that_left_the_plan_is_over(world: World) -> None:
    world.tick()
    world.plans = MemoryPlans(plans.parse(PLAN))
    assert world.work() == {"over": 4}
    assert world.mailed() == []


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"campaign": "spring", "run": "20261118T0900", "stage": "decide"},
        {"campaign": "spring", "run": "20261118T0900", "stage": "dance", "segment": 0},
        {"campaign": "spring", "run": "20261118T0900", "stage": "decide", "segment": 4},
        {"campaign": "spring", "run": "other", "stage": "decide", "segment": 0},
    ],
)
def test_what_is_no_task_is_refused(world: World, task: dict[str, Any]) -> None:
    world.tick()
    with pytest.raises(BadInput):
        world.campaigns().go_on(task, now=MORNING, left=lambda: 900.0)


def test_a_campaign_that_the_plan_does_not_have_cannot_be_begun(world: World) -> None:
    with pytest.raises(NotFound, match="spring"):
        world.campaigns().begin("autumn", "x", now=MORNING)


def test_a_campaign_that_an_event_begins_has_no_runs() -> None:
    lines = [line for line in CAMPAIGNS.splitlines(keepends=True) if "schedule" not in line]
    world = World("".join(lines) + "    when: {event: add_to_cart}\n")
    assert world.tick() == []
    with pytest.raises(BadInput, match="it has no runs"):
        world.campaigns().begin("spring", "x", now=MORNING)


def test_a_campaign_whose_name_no_header_could_carry_is_run_too() -> None:
    world = World(CAMPAIGNS.replace("spring", "春のセール"))
    world.tick()
    assert world.work() == {"frozen": 4, "decided": 4}
    assert world.mailed() == numbers("DE", "AT")


# ── the most valuable first ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("limit", ["capacity: 5", "budget_per_run: 0.25", "budget: 0.25"])
def test_where_not_everybody_can_be_reached_the_most_valuable_are(limit: str) -> None:
    world = World(CAMPAIGNS + f"    {limit}\n")
    world.tick()
    world.work()
    assert world.mailed() == numbers("DE", "AT")[-5:]
    told = list(Runs(world.objects).all_progress(Runs(world.objects).get("spring", "20261118T0900")))
    assert sum(one.left_out for one in told) == 15


def test_a_budget_of_the_whole_campaign_is_spent_over_its_runs() -> None:
    world = World(CAMPAIGNS + "    budget: 0.40\n")
    for day in range(3):
        world.tick(MORNING + day * DAY)
        world.work(MORNING + day * DAY)
    assert len(world.mailed()) == 8
    assert world.ledger.counts(["campaign/spring/all_budget"]) == {"campaign/spring/all_budget": pytest.approx(0.4)}


def test_who_would_lose_money_by_it_is_not_asked_where_there_are_limits() -> None:
    world = World(CAMPAIGNS + "    capacity: 40\n")
    put_person(world.profiles, person("cold", country="DE", liking=-0.05))
    world.tick()
    world.work()
    assert "cold" not in world.mailed()
    assert world.mailed() == numbers("DE", "AT")


@given(
    st.lists(st.tuples(st.floats(-5, 50), st.floats(0, 3)), max_size=60),
    st.none() | st.integers(1, 50),
    st.none() | st.floats(0.1, 60),
    st.floats(0.3, 1.0),
)
def test_a_line_reaches_as_many_as_the_limits_let_and_never_one_who_is_worth_less(
    worth: list[tuple[float, float]], capacity: int | None, money: float | None, served: float
) -> None:
    members = [Member(f"u{n}", gain, cost) for n, (gain, cost) in enumerate(worth)]
    line = line_through(members, capacity=capacity, money=money, served=served)
    ranked = sorted(members, key=lambda one: -one.gain)
    reached = [one for one in ranked if line is None or one.gain >= line]
    surely = ranked[:-1] if line is None else [one for one in ranked if one.gain > line]
    if capacity is not None:
        assert len(surely) * served < capacity or not surely
    if money is not None:
        assert sum(one.cost for one in surely) * served < money + 1e-9 or not surely
    assert all(one.gain > 0 for one in reached)


@settings(max_examples=15)
@given(st.integers(1, 12), st.floats(0.05, 0.6), st.integers(0, 2**31))
def test_no_limit_is_ever_exceeded_by_workers_side_by_side(capacity: int, budget: float, seed: int) -> None:
    world = World(CAMPAIGNS + f"    capacity: {capacity}\n    budget: {budget}\n", people=60, segments=6)
    world.tick()
    chance = random.Random(seed)
    for _ in range(2):
        tasks = [task for task, _ in world.tasks.sent] * 2
        chance.shuffle(tasks)
        world.tasks.sent = []
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda task: world.campaigns().go_on(task, now=MORNING, left=lambda: 900.0), tasks))
    mailed = world.mailed()
    assert len(mailed) == len(set(mailed)) <= capacity
    assert len(mailed) * 0.05 <= budget + 1e-9


# ── triggers by date and by prediction ───────────────────────────────────────────────────────────────────────────────
def test_a_birthday_calls_those_whose_it_is_at_their_own_time() -> None:
    world = World(
        """
campaigns:
  birthday:
    goal: purchase
    activities: [discount_mail]
    when: {date: birthday, at: "09:00"}
    holdout: 0
    policy: greedy
"""
    )
    first = MORNING - 13 * 3600 * SECOND  # nine on Kiritimati
    assert world.tick(first) == ["20261118T0900"]
    world.work(first)
    assert world.mailed() == [f"user {n:03d}" for n in range(0, 40, 5)]
    assert {one.due_at for one in world.ledger.messages.values()} == {MORNING}


def test_a_prediction_calls_once_until_it_has_fallen_back() -> None:
    world = World(
        """
campaigns:
  at_risk:
    goal: purchase
    activities: [discount_mail]
    when: {predicted: visit, above: 0.365}
    holdout: 0
    policy: greedy
"""
    )
    six = MORNING - 3 * 3600 * SECOND
    told = []
    for day, liking in enumerate((0.9, 0.9, 0.1, 0.9)):
        held = world.profiles.get("user 000")
        assert held is not None
        world.profiles.save([replace(held, traits={**held.traits, "liking": (liking, day + 2)})])
        world.tick(six + day * DAY)
        world.work(six + day * DAY)
        told.append(Counter(world.mailed()))
    assert told[0] == Counter(["user 000", "user 036", "user 037", "user 038", "user 039"])
    assert [one["user 000"] for one in told] == [1, 1, 1, 2]
    assert [one["user 036"] for one in told] == [1, 1, 1, 1]


# ── killed anywhere ──────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("after", [False, True])
def test_two_workers_killed_at_random_leave_each_member_with_exactly_one_message(after: bool) -> None:
    for seed in range(20):
        world = World(CAMPAIGNS + "    capacity: 12\n", people=40)
        chance = random.Random(seed)
        world.tick()
        for _ in range(500):
            if not world.tasks.sent:
                break
            task, _ = world.tasks.sent.pop(chance.randrange(len(world.tasks.sent)))
            countdown = [chance.randrange(1, 60)]
            flow = world.campaigns()
            dying = {
                name: Dies(getattr(world, name), countdown, after=after) for name in ("ledger", "profiles", "mails")
            }
            decide = replace(flow.decide, ledger=dying["ledger"], profiles=dying["profiles"], queue=dying["mails"])
            runs = Runs(Dies(world.objects, countdown, after=after))  # type: ignore[arg-type]
            flow = replace(flow, decide=decide, profiles=dying["profiles"], runs=runs)
            try:
                flow.go_on(task, now=MORNING, left=lambda: 900.0)
            except Killed:
                world.tasks.sent.append((task, 0))
        assert world.tasks.sent == []
        mailed = world.mailed()
        assert len(mailed) == len(set(mailed)) == 12, seed
        run = Runs(world.objects).get("spring", "20261118T0900")
        assert Runs(world.objects).undecided(run) == []
        assert sum(one.done for one in Runs(world.objects).all_progress(run)) == 20


def test_a_store_that_is_down_leaves_the_task_to_come_again(world: World) -> None:
    class Down:
        def get_many(self, users: Any) -> Mapping[str, Profile]:
            raise Unavailable("down")

        def all(self, *, part: tuple[int, int]) -> Any:
            return world.profiles.all(part=part)

    world.tick()
    task = world.tasks.sent[0][0] | {"stage": "decide"}
    for number in range(world.segments):
        world.campaigns().go_on(task | {"stage": "freeze", "segment": number}, now=MORNING, left=lambda: 900.0)
    with pytest.raises(Unavailable):
        world.campaigns(profiles=Down()).go_on(task, now=MORNING, left=lambda: 900.0)
    world.work()
    assert world.mailed() == numbers("DE", "AT")


def test_a_person_without_consent_is_a_member_to_whom_nothing_is_sent(world: World) -> None:
    world.profiles.consent("user 000", "email", Consent(False, NOON, "form"))
    world.tick()
    world.work()
    assert "user 000" not in world.mailed()
    run = Runs(world.objects).get("spring", "20261118T0900")
    told = list(Runs(world.objects).all_progress(run))
    assert sum((one.removed for one in told), Counter()) == {"no_consent": 1}
    assert sum((one.activities for one in told), Counter()) == {"discount_mail": 19, "nothing": 1}
