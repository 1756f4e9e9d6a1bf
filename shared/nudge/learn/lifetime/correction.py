"""What is learned beside a model of buying: trees that give the logarithm of the factor by which a person buys more than it says.

In: frames of vectors as of earlier moments with what came after, and what the model of buying expected. Out: a `Correction`.
Poisson boosting with the expectation as exposure, so that nothing learned is a factor of 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor

from nudge.learn.boosting import Boosting
from nudge.learn.lifetime.customers import Numbers, column
from nudge.learn.recipe import Absent, Recipe

OUTCOMES = ("user_id", "purchases", "worth")
ALIVE, RATE = "lifetime.alive", "lifetime.rate"
FURTHEST = 2.0
"""As in `score.lifetime`: the parity gate holds them equal."""
FEATURES = 40
BINS = 100
LEAF = 40
"""Rows of a leaf at least. What fewer have tells these trees nothing; and if all of them are held back to stop early, scikit-learn
cannot bin it."""
SMALLEST = 1e-4
"""Expectations below this part of the mean weigh as this part."""


@dataclass(frozen=True, slots=True)
class Correction:
    """`days` is what it was learned over: it says nothing of what comes after."""

    features: list[dict[str, Any]]
    estimator: HistGradientBoostingRegressor
    days: float

    @classmethod
    def learned(
        cls, rows: pl.DataFrame, alive: Numbers, expected: Numbers, days: float, recipe: Recipe, absent: Absent
    ) -> Correction | None:
        """From rows with outcomes and what the model of buying said of them. None where too few bought."""
        came = rows["purchases"].to_numpy()
        if np.count_nonzero(came) < recipe.positives:
            return None
        expected = np.maximum(expected, SMALLEST * float(np.mean(expected)) + 1e-12)
        features = _features(rows, came / (came + expected), absent)
        estimator = HistGradientBoostingRegressor(
            loss="poisson",
            learning_rate=0.06,
            max_iter=recipe.iterations,
            max_leaf_nodes=8,
            min_samples_leaf=LEAF,
            l2_regularization=5.0,
            max_bins=110,
            early_stopping=True,
            n_iter_no_change=8,
            validation_fraction=0.2,
            random_state=recipe.seed,
        )
        table = _coarse(_matrix(rows, features, alive, expected / days))
        estimator.fit(table, came / expected, sample_weight=expected)
        return cls(features, estimator, days)

    def log_factor(self, rows: pl.DataFrame, alive: Numbers, rate: Numbers) -> Numbers:
        """Within ± `FURTHEST`."""
        found = self.estimator._raw_predict(_matrix(rows, self.features, alive, rate)).ravel()
        within: Numbers = np.clip(found, -FURTHEST, FURTHEST)
        return within

    def export(self, weight: float) -> Mapping[str, Any]:
        """As `score.lifetime` reads it."""
        trees = Boosting(self.features, self.estimator).export()
        return {"weight": weight, "days": float(self.days), "features": self.features, "model": trees}


def _features(rows: pl.DataFrame, label: Numbers, absent: Absent) -> list[dict[str, Any]]:
    """The numbers of the vector that move most with buying more than expected (correlation of ranks), and the model's
    own."""
    label = _ranks(label)
    found = []
    for name in sorted(set(rows.columns) - set(OUTCOMES)):
        if not rows[name].dtype.is_numeric():
            continue
        missing = None if name.startswith("trait.") else absent(name)
        values = column(rows, name, np.nan if missing is None else missing)
        if np.count_nonzero(~np.isnan(values)) < min(LEAF, len(values)):
            continue
        ranks = _ranks(np.where(np.isnan(values), -1.0, values))
        strength = abs(float(ranks @ label)) / (np.linalg.norm(ranks) * np.linalg.norm(label) + 1e-12)
        if strength > 1e-6:
            found.append((-round(strength, 9), name, missing))
    chosen = sorted((name, missing) for _, name, missing in sorted(found, key=lambda one: one[:2])[:FEATURES])
    named = [{"name": name, "type": "number", "absent": missing} for name, missing in chosen]
    return [*named, *({"name": name, "type": "number", "absent": 0.0} for name in (ALIVE, RATE))]


def _ranks(values: Numbers) -> Numbers:
    ranks = pl.Series(values).rank("average").to_numpy()
    return ranks - ranks.mean()


def _coarse(table: Numbers) -> Numbers:
    """Each column with at most `BINS` values: scikit-learn looks for bins by weighted quantiles otherwise, which takes
    ten times as long as all the rest. Splits lie between values, so what is predicted reads the plain numbers."""
    table = table.copy()
    for place in range(table.shape[1]):
        held = np.isfinite(table[:, place])
        values = table[held, place]
        if len(values) and len(np.unique(values)) > BINS:
            edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS), method="lower"))
            table[held, place] = edges[np.searchsorted(edges, values, side="right") - 1]
    return table


def _matrix(rows: pl.DataFrame, features: Sequence[dict[str, Any]], alive: Numbers, rate: Numbers) -> Numbers:
    own = {ALIVE: alive, RATE: rate}
    columns = [
        own[one["name"]]
        if one["name"] in own
        else column(rows, one["name"], np.nan if one["absent"] is None else one["absent"])
        for one in features
    ]
    return np.column_stack(columns)
