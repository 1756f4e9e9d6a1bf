"""Decide, told with adapters in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from dataclasses import dataclass, field
from typing import Any

import pytest

from nudge import plan as plans
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.templates import StoredTemplates
from nudge.decide import policy
from nudge.errors import BadInput, Conflict, NotReady, Unavailable
from nudge.flows.champions import Champion, Champions, PlanInForce
from nudge.flows.decide import Decide
from nudge.vocabulary import DAY, SECOND, Micros, Vector
from tests.acting import NOON, TEMPLATES, person, plan_data, put_person

HOUR: Micros = 3600 * SECOND


class NoModels:
    def champion(self, goal: str) -> tuple[str, dict[str, Any]]:
        raise NotReady("none")


@dataclass
class Oracle:
    """A scorer that answers as it is told."""

    chances: Mapping[str, float]
    seen: list[Vector] = field(default_factory=list)

    def probabilities(self, vector: Vector, activities: Sequence[str]) -> dict[str, float]:
        return {one: self._probability(vector | {"activity": one}) for one in activities}

    def _probability(self, vector: Vector) -> float:
        self.seen.append(dict(vector))
        return self.chances[str(vector["activity"])]

    def knows(self, activity: str) -> bool:
        return activity in self.chances

    def contributions(self, vector: Vector, activity: str) -> tuple[float, dict[str, float]]:
        return -2.0, {f"f{n}": (-1) ** n * n / 10 for n in range(8)} | {f"activity is {activity}": 3.0}


class World:
    def __init__(self, **changes: Any) -> None:
        self.profiles, self.ledger, self.queue = MemoryProfiles(), MemoryLedger(), MemoryQueue()
        self.objects = MemoryObjects()
        for name, template in TEMPLATES.items():
            self.objects.put(f"templates/{name}.json", json.dumps(template).encode())
        self.data = plan_data(**changes)
        self.champions: Callable[[str], Champion | None] = Champions(NoModels())  # type: ignore[arg-type]
        put_person(self.profiles, person("ana"))

    def flow(self) -> Decide:
        return Decide(
            profiles=self.profiles,
            plan=PlanInForce(MemoryPlans(self.data)),
            champions=self.champions,  # type: ignore[arg-type]
            templates=StoredTemplates(self.objects, clock=lambda: NOON),
            ledger=self.ledger,
            queue=self.queue,
        )

    def ask(self, user: str = "ana", key: str | None = "k", now: Micros = NOON, **more: Any) -> dict[str, Any]:
        return self.flow()({"user_id": user, **more}, key=key, now=now)


@pytest.fixture
def world() -> World:
    return World()


def removed(answer: dict[str, Any]) -> dict[str, str | None]:
    return {one["activity"]: one["removed"] for one in answer["why"]["candidates"]}


def test_the_best_activity_is_chosen_recorded_and_queued(world: World) -> None:
    answer = world.ask()
    assert (answer["activity"], answer["channel"], answer["group"]) == ("discount_mail", "email", "treatment")
    assert answer["predicted"] == {
        "nothing": 0.05,
        "activity": pytest.approx(0.075),
        "value_of_nothing": pytest.approx(1.0),
        "value": pytest.approx(1.45),
    }
    assert answer["rules"] == "plan"
    assert world.queue.take() == [{"decision_id": answer["decision_id"]}]
    found = world.ledger.find(answer["decision_id"])
    assert found is not None
    assert policy.replay(found[0], plans.load(world.data)) == found[0]


def test_the_same_request_twice_has_one_effect_even_a_day_later(world: World) -> None:
    first = world.ask()
    assert world.ask(now=NOON + 30 * HOUR) == first
    assert len(world.queue.take()) == 1
    assert len(world.ledger.messages) == 1


def test_twenty_at_once_with_one_key_have_one_effect(world: World) -> None:
    flow = world.flow()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: flow({"user_id": "ana"}, key="k", now=NOON + n), range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert len(world.ledger.messages) == len(world.queue.take()) == 1
    assert world.ledger.counters["cap/email/ana/day/2026-11-18"] == 1


def test_twenty_at_once_with_twenty_keys_stay_under_the_cap() -> None:
    world = World(caps={"email": {"per_day": 3}})
    flow = world.flow()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: flow({"user_id": "ana"}, key=f"k{n}", now=NOON), range(20)))
    assert Counter(answer["activity"] for answer in answers) == {"discount_mail": 3, "banner": 17}


def test_a_key_for_another_request_is_refused(world: World) -> None:
    world.ask()
    with pytest.raises(Conflict) as lost:
        world.ask(context={"page": "x"})
    assert lost.value.reason == "key_reused"


def test_a_dry_run_shows_what_the_key_would_do_and_leaves_no_trace(world: World) -> None:
    shown = world.ask(dry_run=True)
    assert not world.ledger.decisions
    assert not world.ledger.counters
    assert world.queue.take() == []
    assert replace_flag(shown) == world.ask()
    assert world.ask(key=None, dry_run=True)["dry_run"] is True


def replace_flag(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "dry_run": False}


def test_a_message_in_quiet_hours_is_held_until_the_persons_morning(world: World) -> None:
    put_person(world.profiles, person("yuki", timezone="Asia/Tokyo"))
    answer = world.ask("yuki", now=NOON + 2 * HOUR)  # 22:06 in Tokyo
    assert answer["activity"] == "discount_mail"
    assert answer["send_at"] == "2026-11-18T23:00:00.000Z"
    assert world.queue.take() == []
    message = world.ledger.messages[answer["decision_id"]]
    assert (message.state, message.due_at > NOON) == ("held", True)
    assert "cap/email/yuki/day/2026-11-19" in world.ledger.counters


def test_inline_is_answered_rendered_and_counts_as_shown(world: World) -> None:
    answer = world.ask(candidates=["banner"], now=NOON + 12 * HOUR)
    assert (answer["activity"], answer["channel"]) == ("banner", "inline")
    assert answer["content"] == {"text": "Hi Ana", "html": "<b>Hi Ana</b>"}
    assert world.ledger.messages[answer["decision_id"]].state == "sent"
    assert world.queue.take() == []


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda world: world.objects.delete(["templates/banner.json"]), "no_template"),
        (lambda world: world.objects.put("templates/banner.json", b'{"text": "{{ nick }}"}'), "missing_variable"),
        (lambda world: world.objects.put("templates/banner.json", b'{"text": "{% if x %}"}'), "bad_template"),
        (lambda world: world.objects.put("templates/banner.json", b"[]"), "no_template"),
    ],
)
def test_inline_content_that_cannot_be_made_is_no_candidate(world: World, break_it: Any, reason: str) -> None:
    break_it(world)
    answer = world.ask(candidates=["banner"])
    assert (answer["activity"], removed(answer)["banner"]) == ("nothing", reason)


def test_an_unknown_person_gets_priors_and_the_answer_says_so(world: World) -> None:
    world.champions = lambda goal: pytest.fail("no model is asked")
    answer = world.ask("stranger")
    assert (answer["cold_start"], answer["rules"], answer["activity"]) == (True, "plan", "nothing")
    assert removed(answer) == {"nothing": None, "discount_mail": "no_address", "banner": "missing_variable"}


def test_the_champion_decides_and_unseen_activities_get_their_prior(world: World) -> None:
    oracle = Oracle({"nothing": 0.2, "discount_mail": 0.25})
    world.champions = {"purchase": Champion("m7", oracle, 40.0)}.get
    answer = world.ask(context={"page": "shoes", "basket": 3})
    assert (answer["rules"], answer["model_version"]) == ("model", "m7")
    chances = {one["activity"]: one["probability"] for one in answer["why"]["candidates"]}
    assert chances == {"nothing": 0.2, "discount_mail": 0.25, "banner": pytest.approx(0.22)}
    assert oracle.seen[0]["context.page"] == "shoes"
    assert oracle.seen[0]["context.basket"] == 3.0
    assert not any("email" in name or "first_name" in name for name in oracle.seen[0])


@pytest.mark.parametrize(
    ("said", "rules"), [(float("nan"), "plan"), (float("inf"), "plan"), (-3.0, "model"), (7.0, "model")]
)
def test_a_model_that_talks_nonsense_is_clamped_or_not_heard(world: World, said: float, rules: str) -> None:
    world.champions = {"purchase": Champion("m7", Oracle({"nothing": said, "discount_mail": 0.1}))}.get
    answer = world.ask()
    assert answer["rules"] == rules
    assert all(one["probability"] is None or 0 <= one["probability"] <= 1 for one in answer["why"]["candidates"])
    json.dumps(answer, allow_nan=False)


def test_what_is_owed_is_sent_when_it_is_named_whatever_the_caps_say(world: World) -> None:
    put_person(world.profiles, person("bob", consent=None))
    night = NOON + 12 * HOUR
    answers = [world.ask("bob", f"k{n}", night, goal="visit", candidates=["receipt"]) for n in range(3)]
    assert [answer["activity"] for answer in answers] == ["receipt"] * 3
    assert len(world.queue.take()) == 3
    assert world.ask("bob", "other", goal="visit")["activity"] == "nothing"


def test_the_budget_of_the_day_is_not_overspent() -> None:
    world = World(budget_per_day=0.12)
    for number in range(5):
        put_person(world.profiles, person(f"u{number}"))
    answers = [world.ask(f"u{number}") for number in range(5)]
    assert Counter(answer["activity"] for answer in answers) == {"discount_mail": 2, "banner": 3}
    assert removed(answers[4])["discount_mail"] == "budget"
    assert world.ask("u4", "tomorrow", NOON + DAY)["activity"] == "discount_mail"


def test_a_queue_that_is_down_loses_nothing_because_the_sweep_finds_it(world: World) -> None:
    class Down:
        def send(self, bodies: Any, *, delay_seconds: int = 0) -> None:
            raise Unavailable("queue")

    world.queue = Down()  # type: ignore[assignment]
    answer = world.ask()
    assert world.ledger.due(now=NOON) == [answer["decision_id"]]


def test_without_a_plan_nothing_is_decided(world: World) -> None:
    flow = replace(world.flow(), plan=PlanInForce(MemoryPlans(None)))
    with pytest.raises(NotReady):
        flow({"user_id": "ana"}, key="k", now=NOON)


def test_a_key_is_needed_unless_it_is_a_dry_run(world: World) -> None:
    with pytest.raises(BadInput) as wrong:
        world.ask(key=None)
    assert wrong.value.reason == "key_missing"


def test_a_model_store_that_is_down_keeps_the_champion_that_was_loaded() -> None:
    class Flaky:
        up = False

        def champion(self, goal: str) -> tuple[str, dict[str, Any]]:
            raise Unavailable("s3")

    with pytest.raises(Unavailable):
        Champions(Flaky())("purchase")  # type: ignore[arg-type]
    kept = Champion("m1", Oracle({}))
    assert Champions(Flaky(), {"purchase": kept})("purchase") is kept  # type: ignore[arg-type]
