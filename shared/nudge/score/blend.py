"""Several models of one person, averaged in log-odds: so what their features add, adds up too.

In: features and the `parts` of a `blend` artefact, each with its kind, its weight and its own numbers. Out: the weighted sum
of what the parts say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nudge.score import linear, trees
from nudge.vocabulary import Vector

type LogOdds = Callable[[Vector, Sequence[str | float | None]], list[float]]
type Additions = Callable[[Vector, str | float | None], tuple[float, dict[str, float]]]

READERS = {"boosting": trees, "forest": trees, "logistic": linear}


def raw(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> LogOdds:
    """The log-odds function of a checked `blend` artefact: of one person, for each of some activities."""
    parts = [(float(one["weight"]), READERS[one["kind"]].raw(features, one["model"])) for one in model["parts"]]

    def log_odds(vector: Vector, activities: Sequence[str | float | None]) -> list[float]:
        total = [0.0] * len(activities)
        for weight, part in parts:
            total = [held + weight * z for held, z in zip(total, part(vector, activities), strict=True)]
        return total

    return log_odds


def explained(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> Additions:
    """The weighted sums of the bases, and of what each feature adds."""
    parts = [(float(one["weight"]), READERS[one["kind"]].explained(features, one["model"])) for one in model["parts"]]

    def additions(vector: Vector, activity: str | float | None) -> tuple[float, dict[str, float]]:
        base, found = 0.0, dict[str, float]()
        for weight, part in parts:
            start, added = part(vector, activity)
            base += weight * start
            for name, value in added.items():
                found[name] = found.get(name, 0.0) + weight * value
        return base, found

    return additions
