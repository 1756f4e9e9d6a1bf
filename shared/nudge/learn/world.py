"""Does the world move, and should learning follow it? Decided on periods inside the data before the last slice.

In: trials of the plainest model. Out: a weight for each row (recent ones may weigh more), the features that are left out
because they mostly tell the time, and how much of what is learned carries over to later periods: where most does not, the
simplest kind is trusted unless another is better beyond doubt. What departs from the plainest way must be better by more than
noise (`recipe.surer`).
"""

from __future__ import annotations

from collections.abc import Collection
from copy import replace
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nudge.learn import logistic
from nudge.learn.encodings import rates
from nudge.learn.features import Feature
from nudge.learn.labels import ACTIVITY, IS_DECISION
from nudge.learn.periods import of_people
from nudge.learn.recipe import Recipe
from nudge.learn.trials import Ask, Fit, Said, Trials

HALF_LIFE = 0.25
"""Of all rows, where recent ones weigh more."""
FOLDS = 3
TELLS_TIME = 0.9
"""AUC with which one feature alone tells the later half of the rows from the earlier one."""


def recent(number: int) -> np.ndarray:
    """Weights that halve with every `HALF_LIFE` of the rows, oldest first; their mean is one."""
    weight = 0.5 ** (np.arange(number)[::-1] / (HALF_LIFE * number))
    scaled: np.ndarray = weight / weight.mean()
    return scaled


def clocks(table: pd.DataFrame, features: list[Feature]) -> list[str]:
    """Features whose value alone tells whether a row is early or late: a counter, a date, a level that time has brought."""
    late = (np.arange(len(table)) >= len(table) // 2).astype(float)
    ones = np.ones(len(table))
    found = []
    for feature in features:
        name = feature["name"]
        if name in (ACTIVITY, IS_DECISION):
            continue
        if feature["type"] == "number":
            values = pd.Series(table[name].to_numpy()).rank(na_option="top").to_numpy()
        else:
            levels = len(feature["levels"]) + 1
            codes = table[name].cat.codes.to_numpy() % levels  # missing is the last
            values = rates(codes, levels, late, ones)[codes]
        if abs(_auc(values, late) - 0.5) + 0.5 >= TELLS_TIME:
            found.append(str(name))
    return found


@dataclass(frozen=True, slots=True)
class Followed:
    """How learning follows the world: from which `features`, with which weights in `trials`, whether `recent` rows weigh more, the
    names of what was `left_out`; and how much of what is learned is `carried` over to later periods."""

    features: list[Feature]
    trials: Trials
    left_out: list[str]
    recent: bool
    carried: float


def followed(trials: Trials, features: list[Feature], strength: float, recipe: Recipe) -> Followed:
    """Decide what departs from the plainest way, one thing after the other."""
    plain, left_out, is_recent = trials.said(plainest(features, strength))[0], list[str](), False
    if len(trials.periods) > 1:
        if suspects := clocks(trials.table, features):
            fewer = without(features, suspects)
            other = trials.said(plainest(fewer, strength))[0]
            if _better(trials, other, plain, recipe):
                features, left_out, plain = fewer, suspects, other
        tilted = replace(trials, weight=trials.weight * recent(len(trials.weight)))
        other = tilted.said(plainest(features, strength))[0]
        if is_recent := _better(trials, other, plain, recipe):
            trials, plain = tilted, other
    return Followed(features, trials, left_out, is_recent, _carried(trials, features, strength, plain))


def _carried(trials: Trials, features: list[Feature], strength: float, plain: Said) -> float:
    """What the plainest model knows of later periods, as a share of what it knows of people of its own time: by how much its log
    loss is below that of knowing nothing, both calibrated on the judged rows. 1 or more where the world stands still."""
    here = replace(trials, periods=of_people(trials.rows, FOLDS))
    known = []
    for one, said in ((trials, plain), (here, here.said(plainest(features, strength))[0])):
        nothing = [np.zeros(len(period.judge)) for period in one.periods]
        known.append(one.loss(one.losses(nothing)) - one.loss(one.losses(said)))
    return max(known[0], 0.0) / known[1] if known[1] > 1e-9 else 1.0


def without(features: list[Feature], names: Collection[str]) -> list[Feature]:
    """All but these."""
    return [feature for feature in features if feature["name"] not in names]


def plainest(features: list[Feature], strength: float) -> Fit:
    """The plain member of the logistic regression, as a fit of trials."""

    def fit(table: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> Ask:
        return lambda held: [logistic.Path.of(table, label, weight, features, held).log_odds(strength)]

    return fit


def _better(trials: Trials, other: Said, plain: Said, recipe: Recipe) -> bool:
    return trials.width(trials.losses(other), trials.losses(plain)) >= recipe.surer


def _auc(values: np.ndarray, late: np.ndarray) -> float:
    ranks = pd.Series(values).rank().to_numpy()
    ones = late.sum()
    return float((ranks[late == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(late) - ones)))
