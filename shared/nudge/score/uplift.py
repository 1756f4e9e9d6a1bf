"""What each activity changes for a person: p(goal | activity done) − p(goal | nothing done).

In: an `uplift` artefact. Out: for each activity it knows its effect on a vector, in the standard library alone. Where no
heterogeneity was detectable the effect is the average of the activity. Knows no policy and no money.

    effect = average + slope · (Σ weight · link(sum or trees) − center), kept between −1 and 1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nudge.score import linear, trees, verify
from nudge.score.calibration import sigmoid
from nudge.score.inputs import ACTIVITY
from nudge.score.verify import finite, require
from nudge.vocabulary import Vector

READERS = {"boosting": trees.raw, "logistic": linear.raw}
LINKS = ("identity", "logistic")
MOST_TERMS = 16


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an artefact completely. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    try:
        _check(artefact)
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        raise verify.bad(type(wrong).__name__, str(wrong)[:80]) from None


def _check(artefact: Mapping[str, Any]) -> None:
    require(artefact["format"] == verify.FORMAT, "format", f"this code reads format {verify.FORMAT}")
    require(artefact["kind"] == "uplift", "kind", "must be uplift")
    require(isinstance(artefact["name"], str), "name", "must be text")
    require(artefact["until"].__class__ is int, "until", "must be a moment in microseconds")
    features = artefact["features"]
    require(isinstance(features, list), "features", "must be a list")
    names = [feature["name"] for feature in features]
    require(len(set(names)) == len(names), "features", "a name stands twice")
    require(ACTIVITY not in names, "features", "an effect is of an activity: none is read")
    for feature in features:
        verify._feature(feature)
    activities = artefact["activities"]
    require(isinstance(activities, dict) and len(activities) > 0, "activities", "must be named")
    for name, one in activities.items():
        _check_activity(f"activities.{name}", features, one)


def _check_activity(where: str, features: Sequence[Mapping[str, Any]], one: Mapping[str, Any]) -> None:
    for key in ("average", "low", "high", "center", "slope"):
        require(finite(one[key]), f"{where}.{key}", "must be a finite number")
    require(-1 <= one["average"] <= 1, f"{where}.average", "must lie between -1 and 1")
    require(isinstance(one["heterogeneous"], bool), f"{where}.heterogeneous", "must be true or false")
    terms = one["terms"]
    require(isinstance(terms, list) and len(terms) <= MOST_TERMS, f"{where}.terms", f"must be at most {MOST_TERMS}")
    require(bool(terms) == one["heterogeneous"], f"{where}.terms", "must be there where effects differ, and only there")
    for term in terms:
        require(finite(term["weight"]), f"{where}.terms", "weight must be a finite number")
        require(term["link"] in LINKS, f"{where}.terms", f"link must be one of {', '.join(LINKS)}")
        require(term["kind"] in READERS, f"{where}.terms", f"kind must be one of {', '.join(READERS)}")
        {"boosting": verify._trees, "logistic": verify._linear}[term["kind"]](features, term["model"])


class Uplift:
    """One model in memory. `heterogeneous`: does any activity's effect differ between people? `averages` has each activity's
    average effect as (value, low, high); `until` is the last decision that was learned from (µs)."""

    __slots__ = ("_activities", "averages", "features", "heterogeneous", "until")

    def __init__(self, artefact: Mapping[str, Any]) -> None:
        features = artefact["features"]
        held = artefact["activities"]
        self.until: int = artefact["until"]
        self.features: tuple[str, ...] = tuple(feature["name"] for feature in features)
        self.heterogeneous: bool = any(one["heterogeneous"] for one in held.values())
        self.averages: dict[str, tuple[float, float, float]] = {
            name: (float(one["average"]), float(one["low"]), float(one["high"])) for name, one in held.items()
        }
        self._activities = [(name, _effect(features, one)) for name, one in held.items()]

    def effects(self, vector: Vector) -> dict[str, float]:
        """Activity → difference in p(goal) against nothing. Names the model does not know are ignored."""
        return {name: effect(vector) for name, effect in self._activities}


def _effect(features: Sequence[Mapping[str, Any]], one: Mapping[str, Any]) -> Callable[[Vector], float]:
    average, slope, center = float(one["average"]), float(one["slope"]), float(one["center"])
    if not one["heterogeneous"]:
        return lambda vector: average
    terms = [
        (float(term["weight"]), term["link"] == "logistic", READERS[term["kind"]](features, term["model"]))
        for term in one["terms"]
    ]

    def effect(vector: Vector) -> float:
        total = 0.0
        for weight, squashed, raw in terms:
            said = raw(vector, (None,))[0]
            total += weight * (sigmoid(said) if squashed else said)
        found = average + slope * (total - center)
        return min(max(found, -1.0), 1.0) if found == found else average

    return effect


def load(artefact: Mapping[str, Any]) -> Uplift:
    """A scorer of an artefact. Raises BadInput when the artefact is not whole (see `structure`)."""
    structure(artefact)
    return Uplift(artefact)
