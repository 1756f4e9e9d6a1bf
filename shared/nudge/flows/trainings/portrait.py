"""What the card of a propensity says beyond the contest: golden rows, the people it is for, segments, what each input means.

In: a challenger, the slices it was made from, the history. Out: entries of the card. Here learn, score and profile meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from nudge import score
from nudge.flows.training_rows import History
from nudge.learn import Recipe, Trained, drift
from nudge.learn.features import Feature, rounded
from nudge.learn.segments import by_segment
from nudge.profile.explained import explained
from nudge.score import golden
from nudge.vocabulary import Goal, Vector

GOLDEN = 8
"""Rows of the last slice that are kept with the model."""
SCORED = 1_000
"""People whose score is looked at: a sample of them where there are more."""


def portrait(
    goal: Goal, history: History, made: Trained, artefact: Mapping[str, Any], recipe: Recipe
) -> dict[str, Any]:
    """`golden reference segments definitions`."""
    features = artefact["features"]
    scorer = score.load(artefact)
    people = history.filled(sample(history.population(goal), recipe.seed))
    return {
        "golden": golden.kept(scorer, _some(made), [feature["name"] for feature in features]),
        "reference": drift.reference(people, features, scores(scorer, people, features)),
        "segments": by_segment(
            made.test, features, made.probability, made.rows, confidence=recipe.confidence, seed=recipe.seed
        ),
        "definitions": {feature["name"]: explained(feature["name"]) for feature in features},
    }


def sample(people: pl.DataFrame, seed: int) -> pl.DataFrame:
    """At most `SCORED` of the rows, drawn by the seed."""
    if people.height <= SCORED:
        return people
    return people[np.sort(np.random.default_rng(seed).choice(people.height, SCORED, replace=False))]


def scores(scorer: score.Scorer, rows: pl.DataFrame, features: Sequence[Feature]) -> np.ndarray:
    """What a model says of each row, as online; of numbers without the last bits, in which runs differ."""
    held = rows.select(feature["name"] for feature in features if feature["name"] in rows.columns)
    near = [
        pl.Series(one.name, rounded(one.cast(pl.Float64).fill_null(float("nan")).to_numpy())).fill_nan(None)
        for one in held
        if one.dtype.is_numeric()
    ]
    return np.array([scorer.probability(row) for row in held.with_columns(near).iter_rows(named=True)])


def plain(row: Mapping[str, Any]) -> Vector:
    """A row as a vector, without the last bits of its numbers, in which runs differ."""
    return {
        name: float(rounded(np.array(float(value)))) if isinstance(value, int | float) else value
        for name, value in row.items()
    }


def _some(made: Trained) -> list[Vector]:
    """Rows of the last slice, from the least to the most likely."""
    order = made.probability.argsort(kind="stable")
    places = [int(order[place * (len(order) - 1) // (GOLDEN - 1)]) for place in range(GOLDEN)]
    return [plain(made.test.row(number, named=True)) for number in places]
