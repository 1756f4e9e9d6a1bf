"""A random forest that speaks log-odds: the mean over trees of the shrunken log-odds of their leaves.

In: tables, labels, weights. Out: a fitted model whose `log_odds` add up tree by tree (a mean of shares would not), and its
trees as flat arrays. Numbers are cut into bins first, so that thresholds are exact whatever scikit-learn computes in; the
levels of a category stand in order of their smoothed rate (Breiman et al. 1984), so that a threshold there is a set of levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from nudge.learn.arrays import Arrays, Leaf, Node, Split
from nudge.learn.encodings import rates
from nudge.learn.features import Feature
from nudge.learn.recipe import Recipe

BINS = 64
LARGEST = float(np.finfo(np.float64).max)
SOME = 0.3
LEAF_ROWS = 5
PRIOR = 4.0
"""A leaf's share is drawn to the whole's as if it had so many more rows."""
MOST_ROWS = 20_000
"""A tree sees at most so many rows."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Fitted trees; `edges` are bins of numbers, `ranks` the place of each level of a category; by feature."""

    features: list[Feature]
    estimator: RandomForestClassifier
    edges: dict[str, np.ndarray]
    ranks: dict[str, np.ndarray]
    leaves: tuple[np.ndarray, ...]
    kind: str = "forest"

    def log_odds(self, table: pd.DataFrame) -> np.ndarray:
        """The mean of the leaves that scikit-learn's trees find."""
        codes = _codes(table, self.features, self.edges, self.ranks)
        total = np.zeros(len(table))
        for tree, value in zip(self.estimator.estimators_, self.leaves, strict=True):
            total += value[tree.apply(codes)]
        return total / len(self.leaves)

    def export(self) -> dict[str, Any]:
        """The `model` part of the artefact, as `score.trees` reads it."""
        arrays = Arrays()
        for tree, value in zip(self.estimator.estimators_, self.leaves, strict=True):
            arrays.add(self._nodes(tree.tree_, value))
        return {"base": 0.0, **arrays.lists}

    def _nodes(self, tree: Any, value: np.ndarray) -> list[Node]:
        """scikit-learn numbers parents before children."""
        share = 1.0 / len(self.leaves)
        found: list[Node] = []
        for place in range(tree.node_count):
            if tree.children_left[place] < 0:
                found.append(Leaf(float(value[place]) * share, int(tree.n_node_samples[place])))
                continue
            number = int(tree.feature[place])
            threshold = self._threshold(self.features[number], float(tree.threshold[place]))
            left, right = int(tree.children_left[place]), int(tree.children_right[place])
            found.append(Split(number, threshold, bool(tree.missing_go_to_left[place]), left, right))
        return found

    def _threshold(self, feature: Feature, code: float) -> float | tuple[int, ...]:
        """A number's bin as its largest value, a category's as the levels up to it; infinite: all that is known goes left."""
        if feature["type"] == "category":
            return tuple(int(level) for level in np.flatnonzero(self.ranks[feature["name"]] <= code))
        edges = self.edges[feature["name"]]
        return float(edges[int(code)]) if code < len(edges) else LARGEST


def fit(table: pd.DataFrame, label: np.ndarray, weight: np.ndarray, features: list[Feature], recipe: Recipe) -> Forest:
    """`recipe.trees` trees of at most `recipe.tree_leaves` leaves."""
    edges = {one["name"]: _edges(table[one["name"]].to_numpy()) for one in features if one["type"] == "number"}
    ranks = {one["name"]: _ranks(table[one["name"]], label, weight) for one in features if one["type"] == "category"}
    codes = _codes(table, features, edges, ranks)
    estimator = RandomForestClassifier(
        n_estimators=recipe.trees,
        max_leaf_nodes=recipe.tree_leaves,
        min_samples_leaf=LEAF_ROWS,
        max_features=min(1.0, max(1, round(max(SOME * len(features), len(features) ** 0.5))) / max(len(features), 1)),
        max_samples=min(len(label), MOST_ROWS),
        random_state=recipe.seed,
        n_jobs=1,
    ).fit(codes, label, sample_weight=weight)
    overall = float(np.average(label, weights=weight))
    leaves = tuple(_worth(tree.tree_, overall) for tree in estimator.estimators_)
    return Forest(features, estimator, edges, ranks, leaves)


def _edges(values: np.ndarray) -> np.ndarray:
    """The largest value of each bin: at most `BINS` bins of equal size, of values that were seen."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return np.zeros(1)
    edges: np.ndarray = np.unique(known[np.linspace(0, len(known) - 1, BINS).astype(int)])
    return edges


def _ranks(column: pd.Series, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The place of each level when levels are ordered by how often people of it did it."""
    rate = rates(column.cat.codes.to_numpy(), len(column.cat.categories), label, weight)
    ranks = np.empty(len(rate))
    ranks[np.argsort(rate, kind="stable")] = np.arange(len(rate))
    return ranks


def _codes(
    table: pd.DataFrame, features: list[Feature], edges: dict[str, np.ndarray], ranks: dict[str, np.ndarray]
) -> np.ndarray:
    """Whole numbers: value ≤ edges[k] exactly when code ≤ k; missing and unknown are NaN."""
    codes = np.empty((len(table), len(features)), dtype=np.float32)
    for place, feature in enumerate(features):
        name = feature["name"]
        if feature["type"] == "number":
            values = table[name].to_numpy()
            codes[:, place] = np.where(np.isnan(values), np.nan, np.searchsorted(edges[name], values, side="left"))
        else:
            held = table[name].cat.codes.to_numpy()
            known = np.append(ranks[name], np.nan)
            codes[:, place] = known[held]  # -1 is missing: the last
    return codes


def _worth(tree: Any, overall: float) -> np.ndarray:
    """Log-odds of each node, drawn to the whole."""
    rows = tree.weighted_n_node_samples
    share = tree.value[:, 0, -1] if tree.value.shape[2] > 1 else np.full(tree.node_count, overall)
    p = (share * rows + PRIOR * overall) / (rows + PRIOR)
    worth: np.ndarray = np.log(p) - np.log1p(-p)
    return worth
