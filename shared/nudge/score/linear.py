"""A logistic regression as sums of looked-up weights.

In: features and the numbers of a `logistic` artefact. Out: a function vector → log-odds before calibration, and one that says
what each feature added to them.
A number enters as sign(x)·log(1 + |x|), kept between `low` and `high`, less its mean (`center`), times its weight, and where the model has a curve of it (`x`,
`y`), with the height of the curve there: straight between its points, level beyond them. A missing number adds `missing`
instead; a category adds the weight of its level, or `other` when the level is rare, unknown or missing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from math import copysign, inf, log1p
from typing import Any

from nudge.score.inputs import ACTIVITY, absent, category, number
from nudge.vocabulary import Vector


def squeeze(value: float) -> float:
    """sign(x)·log(1 + |x|): counts and money on one scale, finite for every finite number."""
    return copysign(log1p(abs(value)), value)


def height(xs: Sequence[float], ys: Sequence[float], value: float) -> float:
    """The curve at a value: straight between its points (`xs` rise), level beyond them."""
    place = bisect_right(xs, value)
    if place == 0:
        return ys[0]
    if place == len(xs):
        return ys[-1]
    low = xs[place - 1]
    return ys[place - 1] + (value - low) / (xs[place] - low) * (ys[place] - ys[place - 1])


def raw(
    features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]
) -> Callable[[Vector, Sequence[str | float | None]], list[float]]:
    """The log-odds function of a checked `logistic` artefact: of one person, for each of some activities.

    What does not depend on the activity is added up once for all of them.
    """
    numbers, categories = _terms(features, model)
    fixed = [one for one in categories if one[0] != ACTIVITY]
    own = [one for one in categories if one[0] == ACTIVITY]
    intercept = float(model["intercept"])

    def log_odds(vector: Vector, activities: Sequence[str | float | None]) -> list[float]:
        total = intercept
        get = vector.get
        bent = []
        for name, standard, table, other in fixed:
            level = category(get(name, standard))
            total += other if level is None else table.get(level, other)
        for name, missing, weight, (low, center, high), if_missing, curve, moves in numbers:
            value = number(get(name), missing)
            if value != value:
                total += if_missing
                continue
            squeezed = squeeze(value)
            squeezed = low if squeezed < low else high if squeezed > high else squeezed
            scaled = squeezed - center
            total += weight * scaled
            if curve is not None:
                total += height(*curve, squeezed)
            for category_name, standard, slopes in moves:
                if category_name == ACTIVITY:
                    bent.append((slopes, scaled))
                elif (level := category(get(category_name, standard))) is not None:
                    total += slopes.get(level, 0.0) * scaled
        return [total + _of_activity(category(one), own, bent) for one in activities]

    return log_odds


def explained(
    features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]
) -> Callable[[Vector, str | float | None], tuple[float, dict[str, float]]]:
    """What each feature adds: its term, and for a number what categories bend of it. The intercept is the base."""
    numbers, categories = _terms(features, model)
    intercept = float(model["intercept"])

    def additions(vector: Vector, activity: str | float | None) -> tuple[float, dict[str, float]]:
        asked = vector | {ACTIVITY: activity}
        found: dict[str, float] = {}
        for name, standard, table, other in categories:
            level = category(asked.get(name, standard))
            found[name] = other if level is None else table.get(level, other)
        for name, missing, weight, (low, center, high), if_missing, curve, moves in numbers:
            value = number(asked.get(name), missing)
            if value != value:
                found[name] = if_missing
                continue
            squeezed = min(max(squeeze(value), low), high)
            for category_name, standard, slopes in moves:
                level = category(asked.get(category_name, standard))
                weight += 0.0 if level is None else slopes.get(level, 0.0)
            found[name] = weight * (squeezed - center) + (0.0 if curve is None else height(*curve, squeezed))
        return intercept, found

    return additions


type _Move = tuple[str, str | None, dict[str, float]]
type _Curve = tuple[list[float], list[float]] | None
type _Number = tuple[str, float, float, tuple[float, float, float], float, _Curve, list[_Move]]
type _Category = tuple[str, str | None, dict[str, float], float]


def _of_activity(level: str | None, own: Sequence[_Category], bent: Sequence[tuple[dict[str, float], float]]) -> float:
    """What an activity adds: its own weight, and what it bends."""
    if level is None:
        return sum(one[3] for one in own)
    return sum(table.get(level, other) for _, _, table, other in own) + sum(
        slopes.get(level, 0.0) * scaled for slopes, scaled in bent
    )


def _terms(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> tuple[list[_Number], list[_Category]]:
    """Numbers and categories, each with all that its term needs."""
    numbers: list[_Number] = []
    categories: list[_Category] = []
    for place, (feature, term) in enumerate(zip(features, model["terms"], strict=True)):
        if feature["type"] == "number":
            curve = (term["x"], term["y"]) if term.get("x") else None
            moves = _moves(place, features, model["interactions"])
            bounds = (term.get("low", -inf), term["center"], term.get("high", inf))
            held = (term["weight"], bounds, term["missing"])
            numbers.append((feature["name"], absent(feature), *held, curve, moves))
        else:
            table = dict(zip(feature["levels"], term["levels"], strict=True))
            categories.append((feature["name"], feature.get("absent"), table, term["other"]))
    return numbers, categories


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
