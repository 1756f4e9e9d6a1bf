"""A checked artefact, ready to score: `load(artefact).probability(vector)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nudge.score import linear, trees
from nudge.score.calibration import calibrated
from nudge.score.inputs import ACTIVITY
from nudge.score.verify import structure
from nudge.vocabulary import NOTHING, Vector


class Scorer:
    """One model in memory. `features` are the names it reads of a vector; `activities` those it was trained with."""

    __slots__ = ("_activities", "_calibrate", "_log_odds", "features", "goal", "kind")

    def __init__(self, artefact: Mapping[str, Any]) -> None:
        build = {"boosting": trees.raw, "logistic": linear.raw}[artefact["kind"]]
        self.kind: str = artefact["kind"]
        self.goal: str = artefact["name"]
        self.features: tuple[str, ...] = tuple(feature["name"] for feature in artefact["features"])
        self._activities = frozenset(artefact["activities"])
        self._log_odds = build(artefact["features"], artefact["model"])
        self._calibrate = calibrated(artefact["calibration"])

    def probability(self, vector: Vector) -> float:
        """p(goal | vector), 0 < p < 1. Names the model does not know are ignored; absent ones have their standard
        value (0 for counts and sums, missing for recencies, `nothing` for the activity)."""
        return self._calibrate(self._log_odds(vector, (vector.get(ACTIVITY, NOTHING),))[0])

    def probabilities(self, vector: Vector, activities: Sequence[str]) -> dict[str, float]:
        """p(goal | vector, activity) for each activity, the person encoded once: what `probability` gives, cheaper."""
        chances = map(self._calibrate, self._log_odds(vector, activities))
        return dict(zip(activities, chances, strict=True))

    def knows(self, activity: str) -> bool:
        """Did training see this activity often enough to tell it from doing nothing?"""
        return activity in self._activities


def load(artefact: Mapping[str, Any]) -> Scorer:
    """A scorer of an artefact. Raises BadInput when the artefact is not whole (see `verify.structure`)."""
    structure(artefact)
    return Scorer(artefact)
