"""p(goal | person, activity): rows as of several moments and of logged decisions → the better model kind → the gates."""

from __future__ import annotations

import json
from typing import Any

from nudge import score
from nudge.errors import BadInput
from nudge.flows.training_rows import History
from nudge.flows.trainings.portrait import portrait
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Answer, Recipe, gate, slices, train
from nudge.learn.export import canonical
from nudge.learn.gate import MISCALIBRATED, Gate, leak, positives
from nudge.learn.labels import window_of
from nudge.profile.spec import absent
from nudge.vocabulary import Goal, Micros


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """A challenger for a goal. Raises NotReady with what is missing."""
    goal = task.goal
    assert goal is not None, "a propensity has a goal"  # noqa: S101  tasks_of sees to it
    tell("making rows")
    drawn, cuts = _drawn(goal, history, recipe)
    cut = drawn.filled(history.filled)
    tell("fitting")
    made = train(cut, goal, end=history.end, data=history.data(cuts), recipe=recipe, load=score.load, absent=absent)
    tell("judging")
    artefact = json.loads(made.model)
    told = portrait(goal, history, made, artefact, recipe)
    most = task.plan.learn.get("drift", {}).get("calibration", MISCALIBRATED)
    judged = gate(made, _scorer(present), recipe, miscalibrated=most).gates
    answer = Answer(
        (*judged, positives(cut.said, recipe), leak(cut.train, artefact["features"]), _finite(told["golden"]))
    )
    card = canonical(json.loads(made.card) | told)
    return Made(made.version, made.kind, made.model, card, made.metrics, answer.passed, answer.reason, answer.gates)


def _drawn(goal: Goal, history: History, recipe: Recipe) -> tuple[slices.Slices, list[Micros]]:
    """The rows that are learned from, before they have features: those of everybody at every moment would not fit into memory."""
    parts, cuts = history.rows(goal, recipe)
    return slices.split(parts, goal, cuts, window_of(goal), recipe), cuts


def _scorer(present: Present) -> tuple[str, score.Scorer] | None:
    """The model in force, or None when it cannot be used: then any honest model is better."""
    try:
        return None if present is None else (present[0], score.load(present[1]))
    except BadInput:
        return None


def _finite(rows: list[dict[str, Any]]) -> Gate:
    wrong = [row for row in rows if not 0 <= row["probability"] <= 1]
    said = f"{len(rows) - len(wrong)} of {len(rows)} golden rows have a probability"
    return Gate("golden", not wrong, said)
