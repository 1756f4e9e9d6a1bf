"""What each person will still be worth: vectors as of several cuts and what came after → a forecast, the better one out of time."""

from __future__ import annotations

import polars as pl

from nudge.errors import BadInput
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Recipe
from nudge.learn.lifetime.gate import gates
from nudge.learn.lifetime.train import Rows, train
from nudge.learn.lifetime.windows import followed, outcomes, sampled, steady, windows
from nudge.profile.spec import absent
from nudge.score import lifetime
from nudge.vocabulary import DAY, Micros


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """A challenger for the value of people. Raises NotReady with what is missing."""
    event, horizon = str(task.options["event"]), float(task.options["horizon_days"])
    days, cuts = windows(history.first, history.end, horizon)
    tell("making rows")
    rows = Rows(
        event=event,
        days=days,
        cuts=tuple(cuts),
        followed=tuple(_followed(history, event, cut, days, recipe) for cut in cuts),
        now=_known(history, history.end, recipe.rows, recipe.seed),
        end=history.end,
    )
    tell("fitting")
    data = history.data(cuts)
    made = train(rows, task.name, horizon, data=data, recipe=recipe, load=lifetime.load, absent=absent)
    tell("judging")
    answer = gates(made, _scorer(present), recipe)
    return Made(
        made.version, made.kind, made.model, made.card, made.metrics, answer.passed, answer.reason, answer.gates
    )


def _followed(history: History, event: str, cut: Micros, days: int, recipe: Recipe) -> pl.DataFrame:
    known = _known(history, cut, recipe.later_rows, recipe.seed)
    return followed(known, outcomes(history.events, event, cut, cut + days * DAY))


def _known(history: History, at: Micros, most: int, seed: int) -> pl.DataFrame:
    return steady(history.known(sampled(history.people(at), most, seed)))


def _scorer(present: Present) -> tuple[str, lifetime.Lifetime] | None:
    """The model in force, or None when it cannot be used: then any honest model is better."""
    try:
        return None if present is None else (present[0], lifetime.load(present[1]))
    except BadInput:
        return None
