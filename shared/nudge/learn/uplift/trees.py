"""The bases made of trees: they learn p(goal) of each arm, or an effect that was already worked out row by row.

In: an experiment, or a table and a target. Out: functions of a table. None of these trees is stored: what they say together is, as
one set of other trees (`imitation`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from nudge.learn.boosting import told_apart
from nudge.learn.features import Feature
from nudge.learn.uplift.experiment import Experiment

type Says = Callable[[pd.DataFrame], np.ndarray]
"""A number for each row of a table."""

TREES_A_FOREST = 40
SHARE, MOST_ROWS = 0.63, 20_000
"""Of the rows a tree of a forest sees this share, drawn anew for each, and no more than so many."""
TREATED = "(treated)"
COPIES = 2
MIXED = 0.3
ENOUGH = 20_000
"""Rows that need no others beside them."""


@dataclass(frozen=True, slots=True)
class Responses:
    """p(goal) when left alone, and when treated."""

    control: Says
    treated: Says

    def effect(self, table: pd.DataFrame) -> np.ndarray:
        """The difference."""
        return self.treated(table) - self.control(table)


class Boosting:
    """Small, strongly regularised histogram gradient boosting; each split looks at a third of the features."""

    name = "boosting"

    def __init__(self, features: Sequence[Feature], seed: int) -> None:
        self._seed = seed
        self._share = min(1.0, max(0.3, 4 / max(len(features), 1)))

    def responses(self, rows: Experiment) -> Responses:
        arms = [self._chance(rows.take(arm)) for arm in (~rows.treated, rows.treated)]
        return Responses(arms[0], arms[1])

    def single(self, rows: Experiment) -> Says:
        """S: the treatment is one more feature."""
        table = rows.table.assign(**{TREATED: rows.treated.astype(float)})
        fitted = HistGradientBoostingClassifier(**self._settings(len(rows)))
        fitted.fit(told_apart(table), rows.label, rows.inverse)

        def effect(table: pd.DataFrame) -> np.ndarray:
            arms = [fitted.predict_proba(table.assign(**{TREATED: arm}))[:, 1] for arm in (0.0, 1.0)]
            return np.asarray(arms[1] - arms[0])

        return effect

    def transformed(self, rows: Experiment) -> Says:
        """The class transformation."""
        fitted = HistGradientBoostingClassifier(**self._settings(len(rows)))
        fitted.fit(told_apart(rows.table), rows.treated == (rows.label == 1), rows.inverse)
        return lambda table: np.asarray(2 * fitted.predict_proba(table)[:, 1] - 1)

    def regression(self, table: pd.DataFrame, target: np.ndarray, weight: np.ndarray) -> Says:
        fitted = HistGradientBoostingRegressor(**self._settings(len(table))).fit(told_apart(table), target, weight)
        return lambda table: np.asarray(fitted.predict(table))

    def _chance(self, rows: Experiment) -> Says:
        fitted = HistGradientBoostingClassifier(**self._settings(len(rows)))
        fitted.fit(told_apart(rows.table), rows.label, rows.inverse)
        return lambda table: np.asarray(fitted.predict_proba(table)[:, 1])

    def _settings(self, rows: int) -> dict[str, Any]:
        return {
            "learning_rate": 0.05,
            "max_iter": int(np.clip(21 * rows**0.2, 40, 250)),
            "max_leaf_nodes": 8,
            "min_samples_leaf": 40,
            "l2_regularization": 10.0,
            "max_bins": 63,
            "max_features": self._share,
            "early_stopping": False,
            "random_state": self._seed,
        }


class Forest:
    """Random forest of trees with large leaves; a missing value is a value of its own, a category its level's number."""

    name = "forest"

    def __init__(self, features: Sequence[Feature], seed: int) -> None:
        self._features = features
        self._seed = seed
        self._share = min(1.0, max(0.25, 3 / max(len(features), 1)))

    def responses(self, rows: Experiment) -> Responses:
        weight = rows.inverse
        arms = [self.regression(rows.table[arm], rows.label[arm], weight[arm]) for arm in (~rows.treated, rows.treated)]
        return Responses(arms[0], arms[1])

    def regression(self, table: pd.DataFrame, target: np.ndarray, weight: np.ndarray) -> Says:
        fitted = RandomForestRegressor(
            TREES_A_FOREST,
            min_samples_leaf=int(np.clip(len(table) // 100, 20, 500)),
            max_features=self._share,
            max_samples=SHARE if SHARE * len(table) <= MOST_ROWS else MOST_ROWS,
            random_state=self._seed,
            n_jobs=1,
        ).fit(self._plain(table), target, sample_weight=weight)
        return lambda table: np.asarray(fitted.predict(self._plain(table)))

    def _plain(self, table: pd.DataFrame) -> np.ndarray:
        columns = []
        for feature in self._features:
            column = table[feature["name"]]
            if feature["type"] == "number":
                values = column.to_numpy()
                columns.append(np.clip(values, -1e38, 1e38))  # scikit-learn's trees hold single precision
            else:
                codes = column.cat.codes.to_numpy().astype(float)
                columns.append(np.where(codes < 0, np.nan, codes))
        return np.column_stack(columns)


def imitation(table: pd.DataFrame, says: Says, seed: int) -> HistGradientBoostingRegressor:
    """Trees that say what others say: there is no noise in that, so nothing is held back, and rows that nobody has may be asked too."""
    wide = widened(table, seed)
    fitted = HistGradientBoostingRegressor(
        learning_rate=0.1,
        max_iter=int(np.clip(len(table) // 10, 60, 200)),
        max_leaf_nodes=24,
        min_samples_leaf=int(np.clip(len(wide) // 500, 5, 50)),
        max_bins=127,
        early_stopping=False,
        random_state=seed,
    )
    return fitted.fit(told_apart(wide), says(wide))


def widened(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows, and up to `COPIES` times as many in which each value is, with the chance `MIXED`, that of another row: what is
    imitated is then learned between the rows too, where new people are (Bucilă, Caruana, Niculescu-Mizil 2006, who mix near rows)."""
    rng = np.random.default_rng(seed)
    rows, parts = len(table), [table]
    for _ in range(min(COPIES, ENOUGH // max(rows, 1) - 1)):
        other, taken = rng.permutation(rows), rng.random((rows, table.shape[1])) < MIXED
        places = [np.where(which, other, np.arange(rows)) for which in taken.T]
        columns = zip(table.items(), places, strict=True)
        parts.append(pd.DataFrame({name: column.array.take(place) for (name, column), place in columns}))
    return pd.concat(parts, ignore_index=True)
