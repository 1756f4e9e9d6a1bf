"""What an activity is worth. In: a goal, a vector, probabilities. Out: money in the plan's currency.

value = p(goal | person, activity) × what the goal is worth for this person − what the activity costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from nudge.vocabulary import Activity, Goal

HALF_LIFE = "90d"
"""Over this half-life a person's past events say what one is worth."""

UNKNOWN_VALUE = 1.0
"""Where neither the plan, the person nor the model says what a goal is worth, one counts as one unit of the currency."""

LARGEST_PROBABILITY = 0.99


def goal_value(goal: Goal, vector: Mapping[str, float | str | None], typical: float | None = None) -> float:
    """What reaching the goal is worth for a person.

    The plan's value, or else the mean of the person's own past events of that type (exponentially decayed), drawn
    towards the typical value by the weight of one event: (sum + typical) / (count + 1). Without a typical value the plain
    mean; without either, `UNKNOWN_VALUE`.

    Parameters
    ----------
    typical
        The mean value over all people, as the model knows it; the plan's `typical_value` goes before it.
    """
    if goal.value is not None:
        return goal.value
    prior = goal.typical_value if goal.typical_value is not None else typical
    count = _number(vector.get(f"count.{goal.event}.{HALF_LIFE}"))
    total = _number(vector.get(f"value.{goal.event}.{HALF_LIFE}"))
    if prior is not None:
        return max((total + prior) / (count + 1.0), 0.0)
    return max(total / count, 0.0) if count > 0 else UNKNOWN_VALUE


def _number(value: float | str | None) -> float:
    return float(value) if isinstance(value, int | float) and isfinite(value) else 0.0


def lifted(nothing: float, activity: Activity) -> float:
    """The prior of an activity that no model has seen: p(nothing) × (1 + expected lift), at most 0.99."""
    return min(max(nothing * (1.0 + activity.expected_lift), 0.0), LARGEST_PROBABILITY)


def net(probability: float, worth: float, cost: float) -> float:
    """p × value − cost."""
    return probability * worth - cost
