"""Histogram gradient boosting: categories native, each split among a random part of the features, several members averaged.

In: tables, labels, weights. Out: a fitted model that gives scikit-learn's own log-odds, and exports its trees as flat
arrays. It reads scikit-learn's private trees; that is safe because of the parity gate (`export.parity`): if a release
changes them, nothing is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from nudge.learn.arrays import Arrays, Leaf, Node, Split
from nudge.learn.features import Feature
from nudge.learn.recipe import Recipe

LARGEST = float(np.finfo(np.float64).max)
SOME = 0.3
"""The share of features that each split may choose from (of those, at least `FEWEST`)."""
FEWEST = 4
RIDGE = 5.0
LEAF_ROWS = (15, 40)
"""The fewest rows of a leaf: this share of 1/1000, kept between the two."""


@dataclass(frozen=True, slots=True)
class Boosting:
    """One fitted member. (A regressor's trees are read the same way.)"""

    features: list[Feature]
    estimator: HistGradientBoostingClassifier | HistGradientBoostingRegressor
    kind: str = "boosting"

    def log_odds(self, table: pd.DataFrame) -> np.ndarray:
        """scikit-learn's raw prediction, before calibration."""
        return np.asarray(self.estimator.decision_function(table))

    def export(self) -> dict[str, Any]:
        """The `model` part of the artefact, as `score.trees` reads it."""
        return Boosted(self.features, (self,)).export()


@dataclass(frozen=True, slots=True)
class Boosted:
    """Fitted members; their mean is the model."""

    features: list[Feature]
    members: tuple[Boosting, ...]
    kind: str = "boosting"

    def log_odds(self, table: pd.DataFrame) -> np.ndarray:
        """The mean of what members say."""
        return np.asarray(sum(one.log_odds(table) for one in self.members) / len(self.members))

    def staged(self, table: pd.DataFrame, stages: Sequence[int]) -> list[list[np.ndarray]]:
        """For each member, its log-odds after so many trees."""
        found = []
        for one in self.members:
            raw = enumerate(one.estimator.staged_decision_function(table), start=1)
            found.append([z.ravel().copy() for number, z in raw if number in stages])
        return found

    def export(self) -> dict[str, Any]:
        """All trees, one member after the other, each for its share."""
        arrays, share = Arrays(), 1.0 / len(self.members)
        base = 0.0
        for one in self.members:
            base += float(one.estimator._baseline_prediction.ravel()[0]) * share
            reader = _Reader(self.features, _order(self.features, one.estimator), _known(one.estimator), share)
            for (predictor,) in one.estimator._predictors:
                arrays.add(reader.nodes(predictor))
        return {"base": base, **arrays.lists}


def fit(
    table: pd.DataFrame,
    label: np.ndarray,
    weight: np.ndarray,
    features: list[Feature],
    recipe: Recipe,
    iterations: int | None = None,
    sizes: Sequence[int] | None = None,
) -> Boosted:
    """A member for each of `sizes` (most leaves of a tree; `recipe.leaves` unless said), of `iterations` trees each
    (`recipe.iterations` unless said)."""
    weights = None if np.all(weight == 1.0) else weight  # ones make binning six times as slow for nothing
    members = [
        _estimator(recipe, leaves, recipe.seed + number, table, iterations or recipe.iterations)
        for number, leaves in enumerate(sizes or recipe.leaves)
    ]
    told = told_apart(table, 1 if weights is None else 2)
    fitted = [Boosting(features, one.fit(told, label, sample_weight=weights)) for one in members]
    return Boosted(features, tuple(fitted))


def told_apart(table: pd.DataFrame, fewest: int = 2) -> pd.DataFrame:
    """scikit-learn 1.9 cannot bin a number that nobody has, and with weights none that has not two values. Two rows are given
    another one: no leaf may be that small, so no tree asks for it."""
    flat = {}
    for name, column in table.items():
        if column.dtype == np.float64:
            values = column.to_numpy()
            if len(np.unique(values[~np.isnan(values)])) < fewest:
                flat[name] = np.r_[0.0, 1.0, values[2:]]
    return table.assign(**flat) if flat and len(table) > 2 else table


def _estimator(
    recipe: Recipe, leaves: int, seed: int, table: pd.DataFrame, iterations: int
) -> HistGradientBoostingClassifier:
    columns = max(table.shape[1], 1)
    return HistGradientBoostingClassifier(
        learning_rate=recipe.learning_rate,
        max_iter=iterations,
        max_leaf_nodes=leaves,
        min_samples_leaf=int(np.clip(len(table) // 1000, *LEAF_ROWS)),
        l2_regularization=RIDGE,
        max_features=min(1.0, max(SOME, FEWEST / columns)),
        max_bins=127,
        early_stopping=False,
        random_state=seed,
    )


def _order(
    features: list[Feature], estimator: HistGradientBoostingClassifier | HistGradientBoostingRegressor
) -> list[int]:
    """scikit-learn moves categories to the front: its feature number → ours."""
    if estimator._preprocessor is None:
        return list(range(len(features)))
    categories = [place for place, feature in enumerate(features) if feature["type"] == "category"]
    return categories + [place for place, feature in enumerate(features) if feature["type"] == "number"]


def _known(estimator: HistGradientBoostingClassifier | HistGradientBoostingRegressor) -> dict[int, list[str]]:
    """For each category, in scikit-learn's own numbering: the levels that it saw, in the order of its codes."""
    if estimator._preprocessor is None:
        return {}
    found = estimator._preprocessor.named_transformers_["encoder"].categories_
    return {place: [level for level in levels if isinstance(level, str)] for place, levels in enumerate(found)}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Says one member's trees plainly; leaves count for `share`."""

    features: list[Feature]
    order: list[int]
    known: dict[int, list[str]]
    share: float

    def nodes(self, predictor: Any) -> list[Node]:
        """The nodes of one tree, in scikit-learn's order, which has parents first."""
        return [
            Leaf(float(node["value"]) * self.share, int(node["count"]))
            if node["is_leaf"]
            else self._split(node, predictor)
            for node in predictor.nodes
        ]

    def _split(self, node: Any, predictor: Any) -> Split:
        theirs, missing_left = int(node["feature_idx"]), bool(node["missing_go_to_left"])
        ours = self.order[theirs]
        threshold: float | tuple[int, ...] = float(np.clip(node["num_threshold"], -LARGEST, LARGEST))
        if node["is_categorical"]:
            bits = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
            threshold = self._going_left(theirs, ours, bits, missing_left)
        return Split(ours, threshold, missing_left, int(node["left"]), int(node["right"]))

    def _going_left(self, theirs: int, ours: int, bits: Any, missing_left: bool) -> tuple[int, ...]:
        """Our numbers of the levels that go left; a level that scikit-learn never saw goes where missing goes."""
        codes = {level: code for code, level in enumerate(self.known[theirs])}
        found = []
        for place, level in enumerate(self.features[ours]["levels"]):
            code = codes.get(level)
            left = missing_left if code is None else bool((int(bits[code // 32]) >> (code % 32)) & 1)
            if left:
                found.append(place)
        return tuple(found)
