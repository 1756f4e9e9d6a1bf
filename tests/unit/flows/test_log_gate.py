"""Before a model or a plan decides, the log is asked: what does harm is refused, what cannot be judged by a log that explored is too, and where
nothing was logged nothing stands in the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from nudge import plan as plans
from nudge.adapters.memory import MemoryPlans
from nudge.decide import record
from nudge.errors import NotFound
from nudge.flows.champions import Champion
from nudge.flows.log_gate import Judged, with_challenger
from nudge.flows.policy_evaluation import PolicyEvaluation
from nudge.flows.training_rows import DECIDED
from nudge.measure import frames
from nudge.vocabulary import NOTHING, Decision, Plan, Vector
from tests.unit.flows import test_policy_evaluation as logs
from tests.unit.flows.test_policy_evaluation import GUESS, NOW, Shelf
from tests.unit.learn import shop
from tests.unit.measure import world

TRUTH = {NOTHING: 0.10, "discount_mail": 0.02, "reminder_mail": 0.30}
PLAN: Plan = plans.load(world.PLAN)


class Says:
    """A model that says the same of everybody."""

    def __init__(self, **chances: float) -> None:
        self.chances = chances

    def probabilities(self, vector: Vector, activities: Sequence[str]) -> dict[str, float]:
        return {name: self.chances[name] for name in activities}

    def knows(self, activity: str) -> bool:
        return activity in self.chances


def judged(shelf: Shelf, scorer: Any, **more: Any) -> Judged:
    panel = with_challenger(PLAN.goals["purchase"], PLAN, "purchase", scorer, lambda name: None)
    return PolicyEvaluation(shelf, MemoryPlans(world.PLAN), **more).of_model("purchase", panel, now=NOW)


@pytest.fixture(scope="module")
def log() -> Shelf:
    return logs.lake(1500, GUESS, TRUTH)


def test_a_model_that_would_do_harm_is_refused(log: Shelf) -> None:
    told = judged(log, Says(nothing=0.05, discount_mail=0.5, reminder_mail=0.04))
    assert not told.passed
    assert told.said.startswith("refused by the log: its interval lies below the value of the policy that ran")


def test_a_model_that_knows_better_passes_and_its_figures_are_said(log: Shelf) -> None:
    told = judged(log, Says(nothing=0.1, discount_mail=0.02, reminder_mail=0.3))
    assert told.passed
    assert told.said.startswith("better by the log: ")
    assert "1500 decisions, worth" in told.said


def test_a_model_that_says_what_was_said_before_is_no_worse(log: Shelf) -> None:
    said = {name: value / 40 + PLAN.activities[name].cost / 40 for name, value in GUESS.items() if name != NOTHING}
    gamma = {**world.PLAN, "policy": {**world.PLAN["policy"], "exploration": 5.0}}
    panel = with_challenger(PLAN.goals["purchase"], PLAN, "purchase", Says(nothing=0.1, **said), lambda name: None)
    told = PolicyEvaluation(log, MemoryPlans(gamma)).of_model("purchase", panel, now=NOW)
    assert told.passed
    assert told.compared is not None
    assert told.compared.difference == pytest.approx(0.0, abs=1e-9)


def test_support_that_is_too_thin_is_refused() -> None:
    sure = logs.lake(800, GUESS, TRUTH, gamma=2000.0)
    told = judged(sure, Says(nothing=0.1, discount_mail=0.02, reminder_mail=0.9))
    assert not told.passed
    assert "fewer than 30" in told.said


def test_where_too_little_was_logged_nothing_stands_in_the_way() -> None:
    harmful = Says(nothing=0.05, discount_mail=0.5, reminder_mail=0.04)
    for shelf in (Shelf({}), logs.lake(DECIDED - 1, GUESS, TRUTH)):
        told = judged(shelf, harmful)
        assert told.passed
        assert told.said.startswith("nothing logged to judge by")


def test_decisions_that_left_nothing_to_chance_judge_nobody() -> None:
    told = judged(
        rewritten(logs.lake(300, GUESS, TRUTH), _without_chance),
        Says(nothing=0.05, discount_mail=0.5, reminder_mail=0.04),
    )
    assert (told.passed, told.said[:32]) == (True, "nothing logged to judge by: 0 de")


def rewritten(shelf: Shelf, change: Callable[[Decision], Decision]) -> Shelf:
    rows = frames.read(shelf.bodies["decisions"], {**frames.DECISIONS, "record": pl.String()})
    texts = [record.dumps(change(record.loads(text))) for text in rows["record"]]
    return Shelf({**shelf.bodies, "decisions": [shop.parquet(rows.with_columns(record=pl.Series(texts)))]})


def _without_chance(one: Decision) -> Decision:
    sure = tuple(part._replace(propensity=float(part.activity == one.chosen)) for part in one.candidates)
    return one._replace(candidates=sure, propensity=1.0)


def _guessed(one: Decision) -> Decision:
    """With the probability that makes the value what was guessed."""
    costs = {name: activity.cost for name, activity in PLAN.activities.items()}
    said = tuple(
        part._replace(probability=((part.value or 0.0) + costs.get(part.activity, 0.0)) / 40) for part in one.candidates
    )
    return one._replace(candidates=said)


def test_a_record_that_cannot_be_read_is_left_out(log: Shelf) -> None:
    rows = frames.read(log.bodies["decisions"], {**frames.DECISIONS, "record": pl.String()})
    texts = ["{}" if number % 3 else text for number, text in enumerate(rows["record"])]
    shelf = Shelf({**log.bodies, "decisions": [shop.parquet(rows.with_columns(record=pl.Series(texts)))]})
    assert "500 decisions, worth" in judged(shelf, Says(nothing=0.1, discount_mail=0.02, reminder_mail=0.3)).said


def test_holdouts_are_those_of_the_plan_by_which_was_decided(log: Shelf) -> None:
    later = json.loads(json.dumps(world.PLAN)) | {"version": "plan-2"}
    later["policy"]["holdout"] = 0.6
    kept = {"plan-1": world.PLAN | {"version": "plan-1"}}

    def plan_of(version: str) -> dict[str, Any]:
        if version not in kept:
            raise NotFound(version)
        return kept[version]

    at_hand = PolicyEvaluation(log, MemoryPlans(later), plan_of).logged("purchase", NOW)
    without = PolicyEvaluation(log, MemoryPlans(later)).logged("purchase", NOW)
    as_it_was = PolicyEvaluation(log, MemoryPlans(world.PLAN)).logged("purchase", NOW)
    assert np.array_equal(at_hand.log.propensity, as_it_was.log.propensity)
    assert not np.array_equal(without.log.propensity, as_it_was.log.propensity)


def test_an_uplift_is_judged_with_the_model_of_the_goal_that_is_in_force() -> None:
    asked: list[str] = []

    def champions(name: str) -> Champion | None:
        asked.append(name)
        return Champion("v1", Says())

    panel = with_challenger(PLAN.goals["purchase"], PLAN, "uplift.purchase", Says(), champions)
    assert (asked, panel.uplift and panel.uplift.version) == (["purchase"], "challenger")


@pytest.mark.parametrize(("exploration", "passes"), [(5.0, True), (5000.0, False)])
def test_a_plan_that_would_follow_wrong_guesses_blindly_is_refused(
    log: Shelf, exploration: float, passes: bool
) -> None:
    """The guesses say that the discount is best; it does harm."""
    shelf = rewritten(log, _guessed)
    wanted = json.loads(json.dumps(world.PLAN))
    wanted["policy"]["exploration"] = exploration
    told = dict(PolicyEvaluation(shelf, MemoryPlans(world.PLAN)).of_plan(plans.load(wanted), now=NOW))
    assert told["purchase"].passed is passes
