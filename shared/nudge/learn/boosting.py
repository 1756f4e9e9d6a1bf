"""The challenger: histogram gradient boosting, categories native, stopped early on the later slice.

In: tables, labels, weights. Out: a fitted model that gives scikit-learn's own log-odds, and exports its trees as flat
arrays. It reads scikit-learn's private trees; that is safe because of the parity gate (`export.parity`): if a release
changes them, nothing is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from nudge.learn.features import Feature
from nudge.learn.recipe import Recipe

LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class Boosting:
    """Fitted trees."""

    features: list[Feature]
    estimator: HistGradientBoostingClassifier
    kind: str = "boosting"

    def log_odds(self, table: pd.DataFrame) -> np.ndarray:
        """scikit-learn's raw prediction, before calibration."""
        return np.asarray(self.estimator.decision_function(table))

    def export(self) -> dict[str, Any]:
        """The `model` part of the artefact, as `score.trees` reads it: parents first, a leaf is `~number`."""
        forest = _Forest(self.features, _order(self.features, self.estimator), _known(self.estimator))
        for (predictor,) in self.estimator._predictors:
            forest.add(predictor)
        return {"base": float(self.estimator._baseline_prediction.ravel()[0]), **forest.arrays}


def fit(
    table: pd.DataFrame,
    label: np.ndarray,
    weight: np.ndarray,
    later: tuple[pd.DataFrame, np.ndarray, np.ndarray],
    features: list[Feature],
    recipe: Recipe,
) -> Boosting:
    """Fit on the training slice; stop when the log loss on the later slice no longer falls."""
    estimator = _estimator(recipe).set_params(early_stopping=True, n_iter_no_change=12)
    later_table, later_label, later_weight = later
    weights = {"sample_weight": weight, "sample_weight_val": later_weight}
    if np.all(weight == 1.0) and np.all(later_weight == 1.0):  # ones make binning six times as slow for nothing
        weights = {}
    estimator.fit(table, label, X_val=later_table, y_val=later_label, **weights)
    return Boosting(features, estimator)


def fit_for(
    iterations: int, table: pd.DataFrame, label: np.ndarray, weight: np.ndarray, features: list[Feature], recipe: Recipe
) -> Boosting:
    """Fit so many trees."""
    estimator = _estimator(recipe).set_params(early_stopping=False, max_iter=iterations)
    estimator.fit(table, label, sample_weight=None if np.all(weight == 1.0) else weight)
    return Boosting(features, estimator)


def _estimator(recipe: Recipe) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=recipe.learning_rate,
        max_iter=recipe.iterations,
        max_leaf_nodes=recipe.leaves,
        min_samples_leaf=40,
        l2_regularization=1.0,
        max_bins=127,
        random_state=recipe.seed,
    )


def _order(features: list[Feature], estimator: HistGradientBoostingClassifier) -> list[int]:
    """scikit-learn moves categories to the front: its feature number → ours."""
    if estimator._preprocessor is None:
        return list(range(len(features)))
    categories = [place for place, feature in enumerate(features) if feature["type"] == "category"]
    return categories + [place for place, feature in enumerate(features) if feature["type"] == "number"]


def _known(estimator: HistGradientBoostingClassifier) -> dict[int, list[str]]:
    """For each category, in scikit-learn's own numbering: the levels that it saw, in the order of its codes."""
    if estimator._preprocessor is None:
        return {}
    found = estimator._preprocessor.named_transformers_["encoder"].categories_
    return {place: [level for level in levels if isinstance(level, str)] for place, levels in enumerate(found)}


class _Forest:
    """Flat arrays, filled tree by tree."""

    def __init__(self, features: list[Feature], order: list[int], known: dict[int, list[str]]) -> None:
        self.arrays: dict[str, list[Any]] = {
            name: [] for name in ("root", "feature", "threshold", "missing_left", "left", "right", "leaf", "sets")
        }
        self._features = features
        self._order = order
        self._known = known
        self._sets: dict[tuple[int, ...], int] = {}

    def add(self, predictor: Any) -> None:
        """Append one tree: its inner nodes in scikit-learn's order, which has parents first."""
        nodes = predictor.nodes
        names = {}
        inner, leaves = len(self.arrays["feature"]), len(self.arrays["leaf"])
        for place, node in enumerate(nodes):
            if node["is_leaf"]:
                names[place] = ~leaves
                leaves += 1
            else:
                names[place] = inner
                inner += 1
        for node in nodes:
            if node["is_leaf"]:
                self.arrays["leaf"].append(float(node["value"]))
            else:
                self._split(node, predictor, names)
        self.arrays["root"].append(names[0])

    def _split(self, node: Any, predictor: Any, names: dict[int, int]) -> None:
        theirs = int(node["feature_idx"])
        ours = self._order[theirs]
        if node["is_categorical"]:
            bits = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
            threshold: float | int = self._set(self._going_left(theirs, ours, bits, bool(node["missing_go_to_left"])))
        else:
            threshold = float(np.clip(node["num_threshold"], -LARGEST, LARGEST))
        for name, value in (
            ("feature", ours),
            ("threshold", threshold),
            ("missing_left", int(node["missing_go_to_left"])),
            ("left", names[int(node["left"])]),
            ("right", names[int(node["right"])]),
        ):
            self.arrays[name].append(value)

    def _going_left(self, theirs: int, ours: int, bits: Any, missing_left: bool) -> tuple[int, ...]:
        """Our numbers of the levels that go left; a level that scikit-learn never saw goes where missing goes."""
        codes = {level: code for code, level in enumerate(self._known[theirs])}
        found = []
        for place, level in enumerate(self._features[ours]["levels"]):
            code = codes.get(level)
            left = missing_left if code is None else bool((int(bits[code // 32]) >> (code % 32)) & 1)
            if left:
                found.append(place)
        return tuple(found)

    def _set(self, levels: tuple[int, ...]) -> int:
        if levels not in self._sets:
            self._sets[levels] = len(self._sets)
            self.arrays["sets"].append(list(levels))
        return self._sets[levels]
