"""What each activity of a goal changes: logged decisions, compared as their propensities and holdouts allow → effects → the gate."""

from __future__ import annotations

from collections.abc import Mapping

from nudge.errors import BadInput, NotReady
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Answer, Recipe, labels, moments, uplift
from nudge.learn.gate import BETTER, Gate
from nudge.learn.uplift import Shares, Trained
from nudge.profile.spec import absent
from nudge.score import uplift as scoring
from nudge.vocabulary import Micros, Plan, Vector


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """A challenger for the effects on a goal. Raises NotReady with what is missing."""
    goal = task.goal
    assert goal is not None, "an uplift has a goal"  # noqa: S101  tasks_of sees to it
    tell("making rows")
    decided = labels.decided(history.log.decisions, goal, history.end)
    if goal.after is not None:
        decided = moments.linked(decided, moments.following(history.events, goal))
    if not decided.height:
        raise NotReady(
            f"{goal.name}: no decision whose {goal.within_days:g} days are over; effects are learned from decisions",
            missing={"decisions": 0},
        )
    decided = history.log.recorded(decided)
    frame = labels.logged(decided, labels.happened(history.events, goal), goal, None)
    pairs, shares = uplift.comparable(decided, _planned(task.plan, goal.name))
    tell("fitting")
    made = uplift.train(
        frame,
        pairs,
        goal,
        name=task.name,
        lifts={one.name: one.expected_lift for one in task.plan.activities.values()},
        design={"held_out": {"everything": shares.everything, **shares.coins}, "decisions": decided.height},
        end=history.end,
        data=history.data([]),
        recipe=recipe,
        load=scoring.load,
        absent=absent,
    )
    tell("judging")
    verdict = uplift.better(made, _said(made, present), recipe)
    parity = Gate("parity", True, "the stored effects are those of scikit-learn to 1e-9")
    answer = Answer((Gate(BETTER, verdict.passed, verdict.reason), parity))
    return Made(made.version, "uplift", made.model, made.card, made.metrics, answer.passed, answer.reason, answer.gates)


def _planned(plan: Plan, goal: str) -> Shares:
    activities = [one for one in plan.activities.values() if one.goal == goal]
    return Shares(
        plan.policy.holdout,
        {one.name: one.holdout for one in activities},
        frozenset(one.name for one in activities if one.transactional),
        {one.name: one.holdout for one in plan.campaigns.values() if one.goal == goal},
    )


def _said(made: Trained, present: Present) -> uplift.Present | None:
    """What the effects in force say of the rows that are judged by; None when there are none that can be used."""
    if present is None:
        return None
    try:
        scorer = scoring.load(present[1])
    except BadInput:
        return None
    told: dict[str, list[float]] = {}
    for activity, places in made.places.items():
        if activity in scorer.averages:
            rows = made.frame[places.tolist()].iter_rows(named=True)
            told[activity] = [scorer.effects(_vector(row))[activity] for row in rows]
    return uplift.Present(present[0], scorer.until, told)


def _vector(row: Mapping[str, object]) -> Vector:
    return {name: value for name, value in row.items() if value is None or isinstance(value, float | str)}
