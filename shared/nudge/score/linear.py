"""A logistic regression as sums of looked-up weights.

In: features and the numbers of a `logistic` artefact. Out: a function vector → log-odds before calibration.
A number enters as sign(x)·log(1 + |x|) less its mean (`center`), times its weight; a missing one adds `missing` instead;
a category adds the weight of its level, or `other` when the level is rare, unknown or missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import copysign, log1p
from typing import Any

from nudge.score.inputs import ACTIVITY, absent, category, number
from nudge.vocabulary import Vector


def squeeze(value: float) -> float:
    """sign(x)·log(1 + |x|): counts and money on one scale, finite for every finite number."""
    return copysign(log1p(abs(value)), value)


def raw(
    features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]
) -> Callable[[Vector, Sequence[str | float | None]], list[float]]:
    """The log-odds function of a checked `logistic` artefact: of one person, for each of some activities."""
    numbers = []
    categories = []
    for place, (feature, term) in enumerate(zip(features, model["terms"], strict=True)):
        if feature["type"] == "number":
            moves = _moves(place, features, model["interactions"])
            numbers.append((feature["name"], absent(feature), term["weight"], term["center"], term["missing"], moves))
        else:
            table = dict(zip(feature["levels"], term["levels"], strict=True))
            categories.append((feature["name"], feature.get("absent"), table, term["other"]))
    intercept = float(model["intercept"])

    def log_odds(vector: Vector) -> float:
        total = intercept
        get = vector.get
        for name, standard, table, other in categories:
            level = category(get(name, standard))
            total += other if level is None else table.get(level, other)
        for name, missing, weight, center, if_missing, moves in numbers:
            value = number(get(name), missing)
            if value != value:
                total += if_missing
                continue
            scaled = squeeze(value) - center
            total += weight * scaled
            for category_name, standard, slopes in moves:
                level = category(get(category_name, standard))
                if level is not None:
                    total += slopes.get(level, 0.0) * scaled
        return total

    return lambda vector, activities: [log_odds(vector | {ACTIVITY: one}) for one in activities]


def _moves(
    place: int, features: Sequence[Mapping[str, Any]], interactions: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str | None, dict[str, float]]]:
    """By how much each level of a category changes the weight of the number at `place`."""
    found = []
    for pair in interactions:
        if pair["number"] == place:
            by = features[pair["category"]]
            slopes = dict(zip(by["levels"], pair["levels"], strict=True))
            found.append((by["name"], by.get("absent"), slopes))
    return found
