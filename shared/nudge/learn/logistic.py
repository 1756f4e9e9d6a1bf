"""The baseline: regularised logistic regression on squeezed, scaled numbers and one-hot levels.

In: a table, labels, weights. Out: a fitted model that gives scikit-learn's own log-odds, and exports them as numbers.
Numbers: sign(x)·log(1 + |x|), standardised, missing = mean plus an indicator. Categories: a weight a level, one for the
rest. The activity also bends the few strongest numbers, so that its effect may differ between people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from nudge.learn.features import Feature
from nudge.learn.labels import ACTIVITY
from nudge.learn.recipe import Recipe

STRENGTH = 0.1
BENT = 3


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted baseline; `centers` and `scales` by number, `bent` the numbers that the activity bends."""

    features: list[Feature]
    estimator: LogisticRegression
    centers: dict[str, float]
    scales: dict[str, float]
    bent: tuple[str, ...]
    kind: str = "logistic"

    def log_odds(self, table: pd.DataFrame) -> np.ndarray:
        """scikit-learn's decision function, before calibration."""
        design = _design(table, self.features, self.centers, self.scales, self.bent)
        return np.asarray(self.estimator.decision_function(design))

    def export(self) -> dict[str, Any]:
        """The `model` part of the artefact, as `score.linear` reads it."""
        weights = iter(float(weight) for weight in self.estimator.coef_[0])
        terms: list[dict[str, Any]] = []
        for feature in self.features:
            name = feature["name"]
            if feature["type"] == "number":
                term = {"weight": next(weights) / self.scales[name], "center": self.centers[name]}
                terms.append({**term, "missing": next(weights)})
            else:
                terms.append({"levels": [next(weights) for _ in feature["levels"]], "other": next(weights)})
        places = {feature["name"]: place for place, feature in enumerate(self.features)}
        interactions = []
        for name in self.bent:
            levels = [next(weights) / self.scales[name] for _ in self.features[places[ACTIVITY]]["levels"]]
            interactions.append({"number": places[name], "category": places[ACTIVITY], "levels": levels})
        return {"intercept": float(self.estimator.intercept_[0]), "terms": terms, "interactions": interactions}


def fit(
    table: pd.DataFrame, label: np.ndarray, weight: np.ndarray, features: list[Feature], recipe: Recipe
) -> Logistic:
    """Fit twice when there are activities: first without bends, to find the strongest numbers."""
    centers, scales = _scaling(table, features)
    plain = Logistic(
        features, _fitted(_design(table, features, centers, scales, ()), label, weight), centers, scales, ()
    )
    if all(feature["name"] != ACTIVITY for feature in features):
        return plain
    strength = {
        feature["name"]: abs(term["weight"] * scales[feature["name"]])
        for feature, term in zip(features, plain.export()["terms"], strict=True)
        if feature["type"] == "number"
    }
    bent = tuple(sorted(strength, key=lambda name: (-strength[name], name))[:BENT])
    estimator = _fitted(_design(table, features, centers, scales, bent), label, weight)
    return Logistic(features, estimator, centers, scales, bent)


def _fitted(design: np.ndarray, label: np.ndarray, weight: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-5).fit(design, label, sample_weight=weight)


def _squeeze(values: np.ndarray) -> np.ndarray:
    squeezed: np.ndarray = np.copysign(np.log1p(np.abs(values)), values)
    return squeezed


def _scaling(table: pd.DataFrame, features: list[Feature]) -> tuple[dict[str, float], dict[str, float]]:
    centers, scales = {}, {}
    for feature in features:
        if feature["type"] == "number":
            squeezed = _squeeze(table[feature["name"]].to_numpy())
            known = squeezed[~np.isnan(squeezed)]
            centers[feature["name"]] = float(known.mean()) if len(known) else 0.0
            spread = float(known.std()) if len(known) else 0.0
            scales[feature["name"]] = spread if spread > 1e-9 else 1.0
    return centers, scales


def _design(
    table: pd.DataFrame,
    features: list[Feature],
    centers: dict[str, float],
    scales: dict[str, float],
    bent: tuple[str, ...],
) -> np.ndarray:
    """The matrix, column by column in the order in which `export` reads the weights."""
    columns: list[np.ndarray] = []
    held: dict[str, np.ndarray] = {}
    for feature in features:
        name = feature["name"]
        if feature["type"] == "number":
            values = (_squeeze(table[name].to_numpy()) - centers[name]) / scales[name]
            missing = np.isnan(values)
            held[name] = np.where(missing, 0.0, values)
            columns += [held[name], missing.astype(float)]
        else:
            codes = table[name].cat.codes.to_numpy()
            columns += [(codes == code).astype(float) for code in range(len(feature["levels"]))]
            columns.append((codes < 0).astype(float))
    for name in bent:
        codes = table[ACTIVITY].cat.codes.to_numpy()
        columns += [held[name] * (codes == code) for code in range(len(table[ACTIVITY].cat.categories))]
    return np.column_stack(columns) if columns else np.zeros((len(table), 0))
