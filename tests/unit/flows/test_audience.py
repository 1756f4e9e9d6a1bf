"""Who would be reached, told before anything is launched: with adapters in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nudge import plan as plans
from nudge.adapters.memory import MemoryPlans
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.decide import chance
from nudge.decide.limits import claims
from nudge.decide.quiet import zone
from nudge.errors import BadInput, NotReady
from nudge.flows.audience import Audience
from nudge.flows.champions import Champion, PlanInForce
from nudge.flows.prospect import Prospect
from nudge.measure.lift import Arm, smallest_detectable
from nudge.measure.planned import smallest_change
from nudge.vocabulary import Consent, Suppression, Vector
from tests.acting import NOON, PLAN, person, put_person
from tests.unit.flows.test_campaigns import MORNING
from tests.unit.flows.test_campaigns import World as Shop

SIGNAL = """activities:
  signal: {goal: purchase, channel: event, template: signal, cost: 0, expected_lift: 0.1, holdout: 0, consent: none}
"""
BUS = "  event: {bus: shop}\n"

CAMPAIGNS = """
campaigns:
  spring:
    goal: purchase
    audience: country in [DE, AT] and liking > 0.1
    activities: [discount_mail, signal]
    schedule: {every: day, at: "09:00"}
    holdout: 0.2
    capacity: 5
    budget: 100
"""

GREEDY = """
campaigns:
  spring:
    goal: purchase
    audience: country in [DE, AT]
    activities: [discount_mail]
    schedule: {every: day, at: "09:00"}
    holdout: 0.2
    policy: greedy
"""


class Tastes:
    """A model: the person's liking is the chance."""

    def probability(self, vector: Vector) -> float:
        return float(vector.get("trait.liking") or 0.0)


class World:
    """Two hundred people of four countries, one in two with a consent for mail."""

    def __init__(self) -> None:
        self.profiles, self.ledger = MemoryProfiles(), MemoryLedger()
        self.champions: Callable[[str], Champion | None] = lambda name: None
        self.text = (
            PLAN.replace("  holdout: 0\n", "  holdout: 0.1\n").replace("activities:\n", SIGNAL) + BUS + CAMPAIGNS
        )
        for number in range(200):
            country = ("DE", "AT", "FR", None)[number % 4]
            one = person(f"u{number:03d}", country=country, liking=number / 400, consent=number % 3 != 0)
            put_person(self.profiles, one)

    def asked(self, who: str) -> Prospect:
        plan = PlanInForce(MemoryPlans(plans.parse(self.text)))
        return Audience(self.profiles, plan, self.champions, self.ledger)(who, now=NOON)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World()


def test_size_reachability_groups_and_what_could_be_seen(world: World) -> None:
    found = world.asked("spring")
    members = [number for number in range(41, 200) if number % 4 in (0, 1)]
    consenting = [number for number in members if number % 3 != 0]
    assert (found.people, found.size) == (200, len(members))
    assert found.known == {"trait.country": 150, "trait.liking": 200}
    assert found.channels["email"].reachable == len(consenting)
    assert found.channels["email"].why_not == {"no_consent": len(members) - len(consenting)}
    assert found.channels["event (none)"] == (len(members), {})
    assert found.reachable == sum(found.groups.values()) == len(members)
    outside = [number for number in members if not chance.in_global_holdout(f"u{number:03d}", 0.1)]
    held = [number for number in outside if chance.in_campaign_holdout("spring", f"u{number:03d}", 0.2)]
    assert found.groups == {
        "treatment": len(outside) - len(held),
        "holdout": len(held),
        "global_holdout": len(members) - len(outside),
    }
    assert (found.rate, found.by_model) == (pytest.approx(0.05), False)
    expected = smallest_change(0.05, found.groups["treatment"], found.groups["holdout"])
    assert found.smallest == pytest.approx(expected)
    assert found.worth == pytest.approx(20)
    assert found.limits == {"capacity": 5, "budget": 100.0}


def test_a_prediction_is_asked_of_the_model_in_force_and_is_unknown_without_one(world: World) -> None:
    assert (world.asked("purchase > 40%").size, world.asked("purchase is not known").size) == (0, 200)
    world.champions = lambda name: Champion("m1", Tastes(), 30.0) if name == "purchase" else None
    found = world.asked("purchase > 40% and visit is not known")
    assert found.size == len([number for number in range(200) if number / 400 > 0.4])
    assert found.known == {"predicted.purchase": 200, "predicted.visit": 0}
    assert found.by_model
    assert found.rate == pytest.approx(np.mean([number / 400 for number in range(161, 200) if number % 3 != 0]))


def test_why_a_person_cannot_be_reached_is_told_by_reason(world: World) -> None:
    world.profiles.suppress("u001", "email", Suppression("bounce", 5))
    world.profiles.suppress("u004", "email", Suppression("unsubscribe", 5))
    world.profiles.consent("flags only", "email", Consent(True, 1, "form"))
    plan = PlanInForce(MemoryPlans(plans.parse(world.text)))()
    full = claims(plan.activities["discount_mail"], plan, "u002", NOON, zone("Europe/Berlin")).caps
    world.ledger.counters |= dict.fromkeys((key for key in full if "/day/" in key), 1.0)
    found = world.asked("liking >= 0 or liking is not known").channels["email"]
    assert found.why_not == {"no_consent": 67, "suppressed": 2, "cap_day": 1, "no_address": 1}
    assert found.reachable + sum(found.why_not.values()) == 201


def test_flags_are_no_names_to_be_known_and_nobody_is_no_division(world: World) -> None:
    found = world.asked("country = XX and has consent(email)")
    assert found.known == {"trait.country": 150}
    assert (found.size, found.reachable, found.rate, found.smallest, found.worth) == (0, 0, None, None, None)
    assert found.plain()["channels"] == {"email": {"reachable": 0, "why_not": {}}}


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("summer", r"neither a campaign \(spring\) nor an audience: column 7"),
        ("purchese > 1", "did you mean 'purchase'"),
        ("context.page = home", "here is no request"),
    ],
)
def test_what_is_neither_is_refused_with_both_readings(world: World, who: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        world.asked(who)


def test_without_a_plan_there_is_nothing_to_ask(world: World) -> None:
    nothing: Any = PlanInForce(MemoryPlans(None))
    with pytest.raises(NotReady, match="nudge plan apply"):
        Audience(world.profiles, nothing, world.champions, world.ledger)("spring", now=NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize(("treated", "held", "buyers"), [(900, 100, 50), (50, 50, 9), (5000, 20, 251)])
def test_what_could_be_seen_before_is_what_can_be_seen_after(treated: int, held: int, buyers: int) -> None:
    def arm(size: int, converted: int) -> Arm:
        done = np.arange(size) < converted
        return Arm(done.astype(float), done, np.zeros(size))

    share = round(buyers * held / (treated + held))
    _, after = smallest_detectable(arm(treated, buyers - share), arm(held, share))
    assert smallest_change(buyers / (treated + held), treated, held) == pytest.approx(after)


@pytest.mark.parametrize(("rate", "treated", "held"), [(0.1, 1, 50), (0.1, 50, 0), (0.0, 50, 50), (1.0, 50, 50)])
def test_where_nothing_could_be_seen_none_is_said(rate: float, treated: int, held: int) -> None:
    assert smallest_change(rate, treated, held) is None


def test_what_was_told_before_launch_is_what_the_run_does() -> None:
    shop = Shop(GREEDY, people=80)
    decide = shop.campaigns().decide
    told = Audience(shop.profiles, decide.plan, decide.champions, decide.ledger)("spring", now=MORNING)
    shop.tick()
    shop.work()
    assert told.size == 40
    assert 0 < told.groups["holdout"] < 20
    assert len(shop.mailed()) == told.groups["treatment"]
