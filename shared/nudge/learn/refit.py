"""Where few did it, the slice that was held back to choose by is learned from too.

In: the kind that was chosen, and the two earlier slices. Out: that kind fitted on both, calibrated on log-odds that it gave
to people whom it had not seen (five-fold crossing over people). The last slice stays unseen.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

from nudge.learn import boosting, calibrate, logistic
from nudge.learn.boosting import Boosting
from nudge.learn.calibrate import Calibration
from nudge.learn.export import Fitted
from nudge.learn.features import Feature, choose, table
from nudge.learn.recipe import Absent, Recipe
from nudge.learn.slices import Slices

FOLDS = 5


def again(chosen: Fitted, slices: Slices, recipe: Recipe, absent: Absent) -> tuple[Fitted, Calibration] | None:
    """The chosen kind from both earlier slices; None where they hold enough (`recipe.refit` positives), or a fold lacks a
    label."""
    rows = pl.concat([slices.train, slices.calibrate], how="diagonal_relaxed")
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    people = np.unique(rows["user_id"].to_numpy(), return_inverse=True)[1]
    folds = [people % FOLDS == number for number in range(FOLDS)]
    if label.sum() >= recipe.refit or any(len(np.unique(label[~fold])) < 2 for fold in folds):
        return None
    features = choose(rows, recipe, absent)
    held = table(rows, features)
    unseen = np.empty(len(label))
    for fold in folds:
        one = _fit(chosen, held[~fold], label[~fold], weight[~fold], features, recipe)
        unseen[fold] = one.log_odds(held[fold])
    final = _fit(chosen, held, label, weight, features, recipe)
    return final, calibrate.fit(unseen, label, weight, people)


def _fit(
    chosen: Fitted, held: pd.DataFrame, label: np.ndarray, weight: np.ndarray, features: list[Feature], recipe: Recipe
) -> Fitted:
    if isinstance(chosen, Boosting):  # as many trees as stopping early has found to be enough
        return boosting.fit_for(chosen.estimator.n_iter_, held, label, weight, features, recipe)
    return logistic.fit(held, label, weight, features, recipe)
