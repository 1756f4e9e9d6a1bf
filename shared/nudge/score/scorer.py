"""A checked artefact, ready to score: `load(artefact).probability(vector)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nudge.score import blend
from nudge.score.blend import Additions, LogOdds
from nudge.score.calibration import calibrated
from nudge.score.inputs import ACTIVITY
from nudge.score.verify import structure
from nudge.vocabulary import NOTHING, Vector

READERS = {**blend.READERS, "blend": blend}


class Scorer:
    """One model in memory. `features` are the names it reads of a vector; `activities` those it was trained with."""

    __slots__ = ("_activities", "_artefact", "_calibrate", "_explained", "_log_odds", "features", "goal", "kind")

    def __init__(self, artefact: Mapping[str, Any]) -> None:
        self.kind: str = artefact["kind"]
        self.goal: str = artefact["name"]
        self.features: tuple[str, ...] = tuple(feature["name"] for feature in artefact["features"])
        self._artefact = artefact
        self._activities = frozenset(artefact["activities"])
        self._log_odds: LogOdds = READERS[self.kind].raw(artefact["features"], artefact["model"])
        self._calibrate = calibrated(artefact["calibration"])
        self._explained: Additions | None = None

    def probability(self, vector: Vector) -> float:
        """p(goal | vector), 0 < p < 1. Names the model does not know are ignored; absent ones have their standard
        value (0 for counts and sums, missing for recencies, `nothing` for the activity)."""
        return self._calibrate(self._log_odds(vector, (vector.get(ACTIVITY, NOTHING),))[0])

    def probabilities(self, vector: Vector, activities: Sequence[str]) -> dict[str, float]:
        """p(goal | vector, activity) for each activity, the person encoded once: what `probability` gives, cheaper."""
        chances = map(self._calibrate, self._log_odds(vector, activities))
        return dict(zip(activities, chances, strict=True))

    def contributions(self, vector: Vector, activity: str) -> tuple[float, dict[str, float]]:
        """Why this score: base log-odds, and what each feature adds to them. Together they are the log-odds before calibration
        (to 1e-9); trees name only the features they asked for. Prepared when first asked for."""
        if self._explained is None:
            self._explained = READERS[self.kind].explained(self._artefact["features"], self._artefact["model"])
        return self._explained(vector, activity)

    def log_odds(self, vector: Vector, activity: str) -> float:
        """What the model says before calibration."""
        return self._log_odds(vector, (activity,))[0]

    def knows(self, activity: str) -> bool:
        """Did training see this activity often enough to tell it from doing nothing?"""
        return activity in self._activities


def load(artefact: Mapping[str, Any]) -> Scorer:
    """A scorer of an artefact. Raises BadInput when the artefact is not whole (see `verify.structure`)."""
    structure(artefact)
    return Scorer(artefact)
