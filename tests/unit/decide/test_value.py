"""What a goal is worth for a person, and the prior of what no model has seen."""

from __future__ import annotations

import pytest

from nudge.decide.value import UNKNOWN_VALUE, goal_value, lifted, net
from nudge.vocabulary import Activity, Goal

FROM_EVENT = Goal("purchase", "purchase", 7)
SPENT = {"count.purchase.90d": 2.0, "value.purchase.90d": 60.0}


@pytest.mark.parametrize(
    ("goal", "vector", "typical", "worth"),
    [
        (Goal("visit", "view", 3, value=0.2), SPENT, 20.0, 0.2),
        (FROM_EVENT, SPENT, None, 30.0),
        (FROM_EVENT, SPENT, 15.0, 25.0),
        (FROM_EVENT, {}, 15.0, 15.0),
        (FROM_EVENT, {}, None, UNKNOWN_VALUE),
        (Goal("purchase", "purchase", 7, typical_value=21.0), {}, 15.0, 21.0),
        (FROM_EVENT, {"count.purchase.90d": 1.0, "value.purchase.90d": -50.0}, None, 0.0),
        (FROM_EVENT, {"count.purchase.90d": float("nan"), "value.purchase.90d": float("inf")}, 9.0, 9.0),
    ],
)
def test_a_goal_is_worth_what_the_plan_the_person_or_everybody_says(
    goal: Goal, vector: dict[str, float | str | None], typical: float | None, worth: float
) -> None:
    assert goal_value(goal, vector, typical) == pytest.approx(worth)


@pytest.mark.parametrize(("lift", "p"), [(0.0, 0.5), (0.2, 0.6), (-0.5, 0.25), (-1.0, 0.0), (9.0, 0.99)])
def test_the_prior_of_an_unseen_activity_is_its_expected_lift(lift: float, p: float) -> None:
    assert lifted(0.5, Activity("a", "g", "inline", None, 0.0, expected_lift=lift)) == pytest.approx(p)


def test_net_value_is_probability_times_worth_minus_cost() -> None:
    assert net(0.1, 30.0, 0.5) == pytest.approx(2.5)
