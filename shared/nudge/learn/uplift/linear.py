"""The linear base: regularised logistic and ridge regression on squeezed, standardised numbers and one-hot levels.

In: a table and its features. Out: fitted weights that `score.linear` reads as they are. Numbers: sign(x)·log(1 + |x|),
standardised, missing = mean plus an indicator; categories: a weight a level, one for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge

from nudge.learn.features import Feature


@dataclass(frozen=True, slots=True)
class Design:
    """How a table becomes a matrix: means and spreads of the squeezed numbers, by feature."""

    features: Sequence[Feature]
    centers: dict[str, float]
    scales: dict[str, float]

    @classmethod
    def of(cls, table: pd.DataFrame, features: Sequence[Feature]) -> Design:
        """From the rows that are learned from."""
        centers, scales = {}, {}
        for feature in features:
            if feature["type"] == "number":
                values = _squeeze(table[feature["name"]].to_numpy())
                known = values[~np.isnan(values)]
                centers[feature["name"]] = float(known.mean()) if len(known) else 0.0
                spread = float(known.std()) if len(known) else 0.0
                scales[feature["name"]] = spread if spread > 1e-9 else 1.0
        return cls(features, centers, scales)

    def matrix(self, table: pd.DataFrame) -> np.ndarray:
        """The columns, in the order in which `model` reads their weights."""
        columns: list[np.ndarray] = []
        for feature in self.features:
            name = feature["name"]
            if feature["type"] == "number":
                values = (_squeeze(table[name].to_numpy()) - self.centers[name]) / self.scales[name]
                missing = np.isnan(values)
                columns += [np.where(missing, 0.0, values), missing.astype(float)]
            else:
                codes = table[name].cat.codes.to_numpy()
                columns += [(codes == code).astype(float) for code in range(-1, len(feature["levels"]))]
        return np.column_stack(columns) if columns else np.zeros((len(table), 0))

    def model(self, weights: np.ndarray, intercept: float) -> dict[str, Any]:
        """Weights of the columns as the `model` of a `logistic` artefact."""
        told = iter(float(weight) for weight in weights)
        terms: list[dict[str, Any]] = []
        for feature in self.features:
            name = feature["name"]
            if feature["type"] == "number":
                weight = next(told) / self.scales[name]
                terms.append({"weight": weight, "center": self.centers[name], "missing": next(told)})
            else:
                terms.append({"other": next(told), "levels": [next(told) for _ in feature["levels"]]})
        return {"intercept": float(intercept), "terms": terms, "interactions": []}


def _squeeze(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.copysign(np.log1p(np.abs(values)), values))


def logistic(design: np.ndarray, label: np.ndarray, weight: np.ndarray, strength: float) -> tuple[np.ndarray, float]:
    """Weights and intercept of a logistic regression with an L2 penalty (`strength` is scikit-learn's C)."""
    fitted = LogisticRegression(C=strength, max_iter=300, tol=1e-6).fit(design, label, sample_weight=weight)
    return fitted.coef_[0], float(fitted.intercept_[0])


def ridge(design: np.ndarray, target: np.ndarray, weight: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Weights and intercept of a ridge regression."""
    fitted = Ridge(alpha=penalty).fit(design, target, sample_weight=weight)
    return np.asarray(fitted.coef_), float(fitted.intercept_)
