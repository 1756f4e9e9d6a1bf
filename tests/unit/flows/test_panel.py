"""What the models in force say of a case, and how a decision uses it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from nudge import plan as plans
from nudge.decide import policy, record
from nudge.errors import NotReady
from nudge.flows.champions import Champion, Champions
from nudge.flows.panel import Panel, asked
from nudge.vocabulary import DAY, Decision, Vector
from tests.acting import NOON, person, plan, plan_data, put_person
from tests.unit.flows.test_decide import HOUR, Oracle, World, removed

BASE = Oracle({"nothing": 0.2, "discount_mail": 0.25})
HERE = plan()
GOAL, ACTIVITIES = HERE.goals["purchase"], [HERE.activities[name] for name in ("discount_mail", "banner")]


class Lift:
    """An uplift that answers as it is told."""

    heterogeneous = True

    def __init__(self, **effects: float) -> None:
        self.averages = self._effects = effects

    def effects(self, vector: Vector) -> dict[str, float]:
        return dict(self._effects)


class Worth:
    def value(self, vector: Vector) -> dict[str, float]:
        return {"alive": 0.75, "purchases": 1.5, "spend": 60.0, "typical": 1.2}


class Shelf:
    """A recommender of three items."""

    bought, events = "purchase", {"purchase": 2.0, "page_view": 0.5}

    def __init__(self, *items: str) -> None:
        self.items, self.asked = items, dict[str, Any]()

    def top(self, recent: Mapping[str, int], n: int, **how: Any) -> list[tuple[str, float]]:
        self.asked = {"recent": dict(recent), "n": n, **how}
        return [(item, 1.0) for item in self.items[:n]]

    def about(self, item: str) -> dict[str, Any]:
        return {"item_id": item, "title": item.title(), "price": 9.5}


class Clock:
    """A model of hours that always names the same one."""

    def __init__(self, later: int) -> None:
        self.later, self.asked = later, dict[str, Any]()

    def best(self, state: Any, segment: Mapping[str, Any], *, now: int, zone: Any) -> tuple[int, float]:
        self.asked = {"segment": dict(segment), "now": now, "zone": str(zone)}
        return now + self.later, 1.25


def world_with(models: Mapping[str, Any], **activity: Any) -> World:
    """A world whose discount mail is described by `activity`, and these models in force."""
    world = World()
    world.data["activities"]["discount_mail"] |= activity
    assert plans.check(world.data) == []
    world.champions = {name: Champion(f"v-{name}", model) for name, model in models.items()}.get
    return world


def decided(world: World, answer: Mapping[str, Any]) -> Decision:
    """The decision of an answer, after its record has been read again and replayed to itself."""
    found = world.ledger.find(answer["decision_id"])
    assert found is not None
    assert policy.replay(found[0], plans.load(world.data)) == found[0]
    assert record.loads(record.dumps(found[0])) == found[0]
    return found[0]


# ── which models are asked for ───────────────────────────────────────────────────────────────────────────────────────
def names_asked(activities: Sequence[Any], *, known: bool = True, learn: Mapping[str, Any] | None = None) -> list[str]:
    seen: list[str] = []
    here = HERE if learn is None else plans.load({**plan_data(), "learn": learn})
    Panel.of(lambda name: seen.append(name), here, GOAL, activities, known=known)
    return seen


def test_a_model_is_read_only_when_the_plan_uses_it() -> None:
    off = {"uplift": False, "value": False}
    assert names_asked(ACTIVITIES) == ["purchase", "uplift.purchase", "value.purchase"]
    assert names_asked(ACTIVITIES, learn=off) == ["purchase"]
    choosing = [ACTIVITIES[0].__class__(**_fields(ACTIVITIES[0]) | {"recommended": 3, "send_time": "best"})]
    assert names_asked(choosing, learn=off) == ["purchase", "recommend.purchase", "send_time.email"]
    assert names_asked(choosing, known=False) == ["recommend.purchase"]
    assert names_asked([], learn={"value": False}) == ["purchase"]


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one._fields}


def test_a_champion_of_another_kind_is_loaded_by_its_module() -> None:
    artefact = {
        **{"format": 1, "kind": "uplift", "name": "uplift.purchase", "features": [], "until": 0},
        "activities": {
            "banner": {
                **{"average": 0.02, "low": 0.0, "high": 0.04, "center": 0.0, "slope": 1.0},
                "heterogeneous": False,
                "terms": [],
            }
        },
    }

    class One:
        def champion(self, name: str) -> tuple[str, dict[str, Any]]:
            if name != "uplift.purchase":
                raise NotReady(name)
            return "v1", artefact

    champions = Champions(One())  # type: ignore[arg-type]
    held = champions("uplift.purchase")
    assert held is not None
    assert held.scorer.effects({}) == {"banner": 0.02}
    assert champions("uplift.purchase") is held
    assert champions("value.purchase") is None


# ── uplift ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def chances(answer: Mapping[str, Any]) -> dict[str, float]:
    return {one["activity"]: one["probability"] for one in answer["why"]["candidates"]}


def test_an_uplift_is_added_to_the_probability_of_nothing() -> None:
    world = world_with({"purchase": BASE, "uplift.purchase": Lift(discount_mail=0.1)})
    answer = world.ask()
    assert chances(answer) == {"nothing": 0.2, "discount_mail": pytest.approx(0.3), "banner": pytest.approx(0.22)}
    assert answer["model_version"] == "v-purchase+uplift/v-uplift.purchase"
    assert answer["models"] == {"propensity": "v-purchase", "uplift": "v-uplift.purchase"}
    assert decided(world, answer).model_version == answer["model_version"]


@pytest.mark.parametrize(("effect", "chance"), [(2.0, 1.0), (-2.0, 0.0), (float("nan"), 0.25)])
def test_an_uplift_that_talks_nonsense_is_clamped_or_not_heard(effect: float, chance: float) -> None:
    panel = Panel(propensity=Champion("m", BASE), uplift=Champion("u", Lift(discount_mail=effect)))
    found, version = panel.probabilities({}, ACTIVITIES, 0.05)
    assert found["discount_mail"] == chance
    assert version == ("m" if effect != effect else "m+uplift/u")


def test_without_a_propensity_model_the_uplift_stands_on_the_plan_s_base_rate() -> None:
    found, version = Panel(uplift=Champion("u", Lift(discount_mail=0.1))).probabilities({}, ACTIVITIES, 0.05)
    assert found == {"nothing": 0.05, "discount_mail": pytest.approx(0.15), "banner": pytest.approx(0.055)}
    assert version == "uplift/u"


def test_an_uplift_of_other_activities_takes_no_part() -> None:
    panel = Panel(propensity=Champion("m", BASE), uplift=Champion("u", Lift(letter=0.1)))
    assert panel.probabilities({}, ACTIVITIES, 0.05)[1] == "m"


# ── why ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_contributions_add_up_and_the_largest_are_named() -> None:
    world = world_with({"purchase": BASE})
    answer = world.ask()
    why = answer["why"]["contributions"]
    assert [one["feature"] for one in why["reasons"]] == ["activity is discount_mail", "f7", "f6", "f5", "f4"]
    total = why["base"] + sum(one["effect"] for one in why["reasons"]) + why["others"]
    base, added = BASE.contributions({}, "discount_mail")
    assert total == pytest.approx(base + sum(added.values()))
    made = decided(world, answer)
    assert made.why is not None
    assert made.why.reasons[0].feature == "activity is discount_mail"


@pytest.mark.parametrize(
    ("asked_for", "told"),
    [({}, True), ({"explain": False}, False), ({"candidates": ["banner"]}, False)],
)
def test_what_is_only_shown_inline_is_explained_when_asked(asked_for: dict[str, Any], told: bool) -> None:
    world = world_with({"purchase": BASE})
    assert (world.ask(**asked_for)["why"]["contributions"] is not None) == told
    assert world.ask(key="other", **asked_for | {"explain": True})["why"]["contributions"] is not None


def test_a_score_that_the_activity_did_not_enter_is_that_of_nothing() -> None:
    lifted = world_with({"purchase": BASE, "uplift.purchase": Lift(discount_mail=0.1)}).ask()
    assert lifted["why"]["contributions"]["reasons"][0]["feature"] == "activity is nothing"
    unseen = world_with({"purchase": Oracle({"nothing": 0.2})}).ask()
    assert unseen["why"]["contributions"]["reasons"][0]["feature"] == "activity is nothing"


def test_without_a_model_there_is_nothing_to_explain() -> None:
    assert World().ask(explain=True)["why"]["contributions"] is None


# ── items ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_recommended_items_are_answered_and_recorded() -> None:
    shelf = Shelf("boots", "socks", "laces", "polish")
    world = world_with({"recommend.purchase": shelf}, items="recommended")
    answer = world.ask()
    assert [one["item_id"] for one in answer["items"]] == ["boots", "socks", "laces"]
    assert answer["models"] == {"recommend": "v-recommend.purchase"}
    assert list(decided(world, answer).items) == answer["items"]
    assert shelf.asked["n"] == 3
    assert shelf.asked["now"] == NOON


def test_an_inline_activity_shows_the_first_item() -> None:
    world = world_with({"recommend.purchase": Shelf("boots", "socks")})
    world.data["activities"]["banner"]["items"] = {"recommended": 1}
    world.objects.put("templates/banner.json", json.dumps({"text": "{{ first_name }}: {{ item.title }}"}).encode())
    answer = world.ask(candidates=["banner"])
    assert answer["content"] == {"text": "Ana: Boots"}
    assert [one["item_id"] for one in answer["items"]] == ["boots"]


@pytest.mark.parametrize("models", [{}, {"recommend.purchase": Shelf()}])
def test_an_activity_without_items_is_no_candidate(models: dict[str, Any]) -> None:
    world = world_with(models, items="recommended")
    answer = world.ask()
    assert removed(answer)["discount_mail"] == "no_items"
    assert answer["items"] == []


def test_a_recommender_is_asked_with_what_was_met_how_and_what_was_bought() -> None:
    state = {"i": {"page_view": {"a": 5, "b": 9}, "purchase": {"a": 7}, "search": {"c": 1}}}
    assert asked(Shelf(), state) == {
        "recent": {"a": 7, "b": 9, "c": 1},
        "strength": {"a": 2.0, "b": 0.5, "c": 1.0},
        "bought": {"a": 7},
    }
    assert asked(Shelf(), {}) == {"recent": {}, "strength": {}, "bought": ()}


# ── send time ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_message_waits_for_the_best_hour_and_one_in_ten_is_drawn() -> None:
    clock = Clock(3 * HOUR)
    world = world_with({"purchase": BASE, "send_time.email": clock}, send_time="best")
    world.data["policy"]["caps"] = {}
    answers = [world.ask(key=f"k{n}") for n in range(60)]
    waiting = [one for one in answers if not one["send_time"]["drawn"]]
    assert {one["send_at"] for one in waiting} == {"2026-11-18T14:06:40.000Z"}
    assert {one["send_time"]["gain"] for one in waiting} == {1.25}
    assert 0 < len(answers) - len(waiting) < 20
    for one in answers:
        made = decided(world, one)
        assert made.send_time is not None
        assert made.due_at == made.send_time.at == world.ledger.messages[made.decision_id].due_at
        assert NOON <= made.due_at < NOON + DAY
    assert clock.asked["segment"]["first_name"] == "Ana"
    assert clock.asked["zone"] == "Europe/Berlin"


def test_an_activity_that_does_not_wait_goes_now_and_says_nothing_of_hours() -> None:
    answer = world_with({"purchase": BASE, "send_time.email": Clock(3 * HOUR)}).ask()
    assert (answer["send_time"], answer["send_at"]) == (None, "2026-11-18T11:06:40.000Z")


def test_without_a_model_of_hours_a_message_goes_at_once_but_for_the_hours_that_are_drawn() -> None:
    world = world_with({}, send_time="best")
    world.data["policy"]["caps"] = {}
    answers = [world.ask(key=f"k{n}") for n in range(60)]
    assert {one["send_at"] for one in answers if not one["send_time"]["drawn"]} == {"2026-11-18T11:06:40.000Z"}
    assert any(one["send_time"]["drawn"] for one in answers)


# ── what a person is worth ───────────────────────────────────────────────────────────────────────────────────────────
def test_a_person_s_worth_is_answered_recorded_and_never_in_the_vector() -> None:
    world = world_with({"value.purchase": Worth()})
    answer = world.ask()
    assert answer["person"] == {"alive": 0.75, "purchases": 1.5, "spend": 60.0}
    made = decided(world, answer)
    assert made.person == answer["person"]
    assert not any(name.startswith(("predicted.", "model.")) for name in made.vector)


@pytest.mark.parametrize(("bound", "reason"), [(0.5, None), (0.8, "audience")])
def test_an_audience_may_ask_for_what_is_predicted(bound: float, reason: str | None) -> None:
    only = [{"name": "predicted.alive", "at_least": bound}]
    assert removed(world_with({"value.purchase": Worth()}, audience=only).ask())["discount_mail"] == reason
    assert removed(world_with({}, audience=only).ask())["discount_mail"] == "audience"


def test_a_worth_that_is_no_number_is_not_told() -> None:
    broken = SimpleNamespace(value=lambda vector: {"alive": float("nan"), "purchases": 1.0, "spend": 1.0})
    assert world_with({"value.purchase": broken}).ask()["person"] is None


class Leaving:
    """A model of another goal: the chance is an attribute."""

    def probability(self, vector: Vector) -> float:
        return float(vector.get("trait.restless") or 0.0)


@pytest.mark.parametrize(("restless", "why"), [(0.7, None), (0.5, "audience"), (None, "audience")])
def test_an_audience_may_ask_for_the_prediction_of_another_goal(restless: float | None, why: str | None) -> None:
    world = World()
    put_person(world.profiles, person("bo", restless=restless))
    world.data["activities"]["discount_mail"]["audience"] = "visit > 60%"
    world.champions = lambda name: {"purchase": Champion("p1", BASE), "visit": Champion("v1", Leaving())}.get(name)
    answer = world.ask("bo")
    assert removed(answer)["discount_mail"] == why
    found = world.ledger.find(answer["decision_id"])
    assert found is not None
    assert found[0].models == {"propensity": "p1", "audience.visit": "v1"}


def test_where_no_model_predicts_what_an_audience_asks_nobody_belongs() -> None:
    world = World()
    world.data["activities"]["discount_mail"]["audience"] = "visit > 0 or visit <= 0"
    assert removed(world.ask())["discount_mail"] == "audience"
    assert "audience.visit" not in Panel.of(lambda name: None, HERE, GOAL, ACTIVITIES, known=True).versions()
