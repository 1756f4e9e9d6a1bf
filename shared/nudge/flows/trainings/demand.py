"""Demand by day or week: events of one kind → a series a category or item → forecasts, and how the last ones did.

Days are those of the plan's time zone. A fresh forecast takes the place of an older one, for it is about later days: what the gate
asks is whether the method beats the naive forecast, and where it does not, the naive forecast is what is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from nudge.errors import BadInput
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Gate, Recipe
from nudge.score import demand
from nudge.vocabulary import Micros

if TYPE_CHECKING:
    from nudge.learn.demand.counted import Counted
    from nudge.learn.demand.rolling import Choice


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """Forecasts of every series of the task. Raises NotReady with what is missing."""
    from nudge.learn.demand import series_of, train  # late: brings statsmodels

    tell("counting")
    zone = ZoneInfo(task.plan.timezone)
    counted = series_of(history.events, history.items, task.options, zone, min(history.end, now))
    total = len(counted.series)
    made = train(
        task.name,
        counted,
        task.options,
        data=history.data([]),
        recipe=recipe,
        load=demand.load,
        tell=lambda done: tell(f"forecasting {done} of {total}"),
    )
    metrics = made.metrics | _in_force(present, counted)
    reason = _reason(made.group.choice, metrics)
    gates = (Gate("better", True, reason),)
    return Made(made.version, made.kind, made.model, made.card, metrics, True, reason, gates)


def _in_force(present: Present, counted: Counted) -> dict[str, list[float]]:
    """How the forecast in force did on what came since: its error against the naive one's, and how much its intervals held."""
    if present is None:
        return {}
    try:
        held = demand.load(present[1])
    except BadInput:
        return {}
    errors, naive, inside = [], [], []
    for name in held.series:
        if name not in counted.series:
            continue
        known = counted.dated(name, held.every)
        for row in held.forecast(name):
            if row["at"] in known:
                actual = known[row["at"]]
                errors.append(abs(actual - row["value"]))
                naive.append(abs(actual - row["naive"]))
                inside.append(row["low"] <= actual <= row["high"])
    if not errors:
        return {}
    found = {
        "in_force_error": np.mean(errors),
        "in_force_naive_error": np.mean(naive),
        "in_force_coverage": np.mean(inside),
    }
    return {name: [float(f"{value:.6g}")] * 3 for name, value in found.items()}


def _reason(choice: Choice, metrics: Mapping[str, list[float]]) -> str:
    if not choice.losses:
        return "too short to be judged: the naive forecast, with a wide interval"
    size = f"error {choice.losses[choice.taken]:.3f} of a naive step"
    if choice.taken == choice.naive:
        return f"nothing beats the naive forecast by more than noise: {choice.naive} is published, {size}"
    low, high = metrics["gain"][1:]
    return f"{choice.taken} beats {choice.naive} on the pasts by {choice.gain:.3f} [{low:.3f}, {high:.3f}], {size}"
