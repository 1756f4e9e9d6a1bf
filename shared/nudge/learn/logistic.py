"""Regularised logistic regression: the mean of a plain one and of one with curves.

In: a table, labels, weights. Out: a fitted model that gives scikit-learn's own log-odds, and exports it as numbers. The plain
one sees each number as sign(x)·log(1 + |x|); the other also draws a curve through quantiles of the strongest numbers. Both are
sums of terms, so their mean is one, too: it bends less than the one and more than the other. The activity also bends the
few strongest numbers, so that its effect may differ between people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from nudge.learn.design import Design
from nudge.learn.features import Feature
from nudge.learn.labels import ACTIVITY
from nudge.learn.recipe import Recipe

BENT = 3
POINTS = 8
MOST_STEPS = 400


@dataclass(frozen=True, slots=True)
class Logistic:
    """Fitted members: a design and its regression each."""

    features: list[Feature]
    members: tuple[tuple[Design, LogisticRegression], ...]
    strength: float
    kind: str = "logistic"

    def log_odds(self, table: pd.DataFrame) -> np.ndarray:
        """The mean of scikit-learn's decision functions, before calibration."""
        found = [estimator.decision_function(design.matrix(table)) for design, estimator in self.members]
        return np.asarray(sum(found) / len(found))

    def export(self) -> dict[str, Any]:
        """The `model` part of the artefact, as `score.linear` reads it: terms of members are averaged."""
        parts = [design.terms(estimator.coef_[0] / len(self.members)) for design, estimator in self.members]
        intercept = sum(float(one.intercept_[0]) for _, one in self.members) / len(self.members)
        terms = [_sum(list(terms)) for terms in zip(*(part["terms"] for part in parts), strict=True)]
        interactions = [one for part in parts for one in part["interactions"]]
        return {"intercept": intercept, "terms": terms, "interactions": interactions}


def fit(
    table: pd.DataFrame,
    label: np.ndarray,
    weight: np.ndarray,
    features: list[Feature],
    recipe: Recipe,
    strength: float = 1.0,
) -> Logistic:
    """Fit both members with the inverse penalty `strength` (see `strengths`); with activities each twice: first without bends,
    to find the strongest numbers."""
    curved = _strongest(table, label, weight, features, recipe.curves)
    members = []
    for names in ((), curved):
        design = Design.of(table, features, names, POINTS)
        matrix = design.matrix(table)
        estimator = _fitted(matrix, label, weight, strength)
        if any(feature["name"] == ACTIVITY for feature in features):
            design = design.bending(_bent(design, estimator))
            bent = design.bends(matrix, table)
            estimator = _fitted(np.column_stack([matrix, bent]), label, weight, strength, estimator)
        members.append((design, estimator))
        if not curved:
            break
    return Logistic(features, tuple(members), strength)


@dataclass(frozen=True, slots=True)
class Path:
    """The plain member on one part, and what it is asked: fitted with one penalty after the other, each from where the one before
    ended."""

    matrix: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    asked: np.ndarray
    before: list[LogisticRegression]

    @classmethod
    def of(
        cls, table: pd.DataFrame, label: np.ndarray, weight: np.ndarray, features: list[Feature], held: pd.DataFrame
    ) -> Self:
        """To be fitted on a table, and asked of held rows."""
        design = Design.of(table, features, (), POINTS)
        return cls(design.matrix(table), label, weight, design.matrix(held), [])

    def log_odds(self, strength: float) -> np.ndarray:
        """Of held rows, with this inverse penalty."""
        start = self.before.pop() if self.before else None
        estimator = _fitted(self.matrix, self.label, self.weight, strength, start)
        self.before.append(estimator)
        return np.asarray(estimator.decision_function(self.asked))


def _fitted(
    matrix: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    strength: float,
    start: LogisticRegression | None = None,
) -> LogisticRegression:
    """Fitted from the coefficients of `start` on, those of new columns 0."""
    if not matrix.shape[1]:
        matrix = np.zeros((len(matrix), 1))
    made = LogisticRegression(C=strength, max_iter=MOST_STEPS, tol=1e-4, warm_start=start is not None)
    if start is not None:
        made.coef_ = np.zeros((1, matrix.shape[1]))
        made.coef_[:, : start.coef_.shape[1]] = start.coef_
        made.intercept_ = start.intercept_
    return made.fit(matrix, label, sample_weight=weight)


def _sum(terms: list[dict[str, Any]]) -> dict[str, Any]:
    """One term that adds what all of these add: they belong to one feature, and differ in weights and curves only."""
    made = dict(terms[0])
    for term in terms[1:]:
        if "levels" in made:
            made["levels"] = [a + b for a, b in zip(made["levels"], term["levels"], strict=True)]
            made["other"] += term["other"]
        else:
            made["weight"] += term["weight"]
            made["missing"] += term["missing"]
            made |= {key: term[key] for key in ("x", "y") if key in term}
    return made


def _strongest(
    table: pd.DataFrame, label: np.ndarray, weight: np.ndarray, features: list[Feature], most: int
) -> tuple[str, ...]:
    """The numbers that are worth a curve: the `most` whose deciles differ most in how often people did it."""
    found = []
    overall = np.average(label, weights=weight)
    for feature in features:
        if feature["type"] == "number":
            values = table[feature["name"]].to_numpy()
            known = ~np.isnan(values)
            edges = np.unique(np.quantile(values[known], np.linspace(0.1, 0.9, 9))) if known.any() else np.empty(0)
            bins = np.searchsorted(edges, values[known], side="left")
            rows = np.bincount(bins, weight[known])
            came = np.bincount(bins, (weight * label)[known])
            gap = came - overall * rows
            found.append((-float(np.round((gap**2 / np.maximum(rows, 1.0)).sum(), 9)), str(feature["name"])))
    return tuple(name for strength, name in sorted(found)[:most] if strength < 0)


def _bent(design: Design, estimator: LogisticRegression) -> tuple[str, ...]:
    strength, at = {}, 0
    for feature in design.features:
        if feature["type"] == "number":
            strength[str(feature["name"])] = abs(float(estimator.coef_[0][at]))
            at += design.numbers[feature["name"]].width
        else:
            at += len(feature["levels"]) + 1
    return tuple(sorted(strength, key=lambda name: (-strength[name], name))[:BENT])
