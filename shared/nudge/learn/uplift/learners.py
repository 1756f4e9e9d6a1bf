"""The uplift learners: an experiment → functions of a table that say the effect on each row.

- T (two models): p(goal | treated) − p(goal | left alone), each fitted on its arm.
- S: one model of both arms that knows the treatment; the linear one lets every feature bend the effect, with a stronger penalty.
- X: each arm's outcomes against the other arm's model, regressed and mixed by the propensity (Künzel et al. 2019).
- DR: doubly robust scores from models fitted on the other half of the people, regressed (Kennedy 2020).
- class: p(treated and goal, or control and none) (Jaskowski, Jaroszewicz 2012), rows weighted by what was likely.

Bases: linear, boosting (histogram gradient boosting), forest. All of it is weighted by inverse propensities. Knows nothing of
which one is good; `choose` finds out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import RidgeCV

from nudge.learn.features import Feature
from nudge.learn.uplift import judge
from nudge.learn.uplift.experiment import Experiment
from nudge.learn.uplift.linear import Design, logistic
from nudge.learn.uplift.trees import Boosting, Forest, Responses, Says

LINEAR = ("S.linear", "DR.linear")
TREES = ("T.boosting", "X.boosting", "S.boosting", "class.boosting", "T.forest", "X.forest", "DR.forest")
FEW, MANY = 60, 200
"""With fewer rows in the smallest cell (arm × outcome) than `FEW`, trees have nothing to find that a line does not; with fewer than
`MANY`, boosting nothing that a forest does not."""
PENALTY = 0.05
BENDING = 0.5
"""How much of a main effect's freedom an interaction with the treatment has."""
PENALTIES = np.array([0.03, 0.1, 0.3, 1.0, 3.0, 10.0])


@dataclass(frozen=True, slots=True)
class Fitted:
    """Every learner of one set of rows, by name; and their common idea of the responses."""

    effects: dict[str, Says]
    responses: Responses


def fit(rows: Experiment, features: Sequence[Feature], seed: int) -> Fitted:
    """All learners that there are rows enough for."""
    line = s_linear(rows, features)
    effects: dict[str, Says] = {"S.linear": line.responses().effect, "DR.linear": dr_linear(rows, features).says}
    if rows.fewest < FEW:
        return Fitted(effects, line.responses())
    forest = Forest(features, seed)
    told = [_both(rows, forest, effects)]
    effects["DR.forest"] = forest.regression(rows.table, _crossed_scores(rows, features), rows.weight)
    if rows.fewest >= MANY:
        boosting = Boosting(features, seed)
        told.append(_both(rows, boosting, effects))
        effects["S.boosting"] = boosting.single(rows)
        effects["class.boosting"] = boosting.transformed(rows)
    return Fitted(effects, Responses(_average([one.control for one in told]), _average([one.treated for one in told])))


def _both(rows: Experiment, base: Any, effects: dict[str, Says]) -> Responses:
    """T and X of a base, which have their models of the arms in common."""
    responses: Responses = base.responses(rows)
    effects[f"T.{base.name}"] = responses.effect
    effects[f"X.{base.name}"] = _x(rows, responses, base)
    return responses


def _average(says: Sequence[Says]) -> Says:
    return lambda table: np.asarray(np.mean([one(table) for one in says], axis=0))


def _x(rows: Experiment, responses: Responses, base: Any) -> Says:
    given, weight = rows.treated, rows.inverse
    gained = np.where(given, rows.label - responses.control(rows.table), responses.treated(rows.table) - rows.label)
    by_treated = base.regression(rows.table[given], gained[given], weight[given])
    by_control = base.regression(rows.table[~given], gained[~given], weight[~given])
    share = float(np.average(rows.propensity, weights=rows.weight))
    return lambda table: share * by_control(table) + (1 - share) * by_treated(table)


def _crossed_scores(rows: Experiment, features: Sequence[Feature]) -> np.ndarray:
    """Doubly robust scores of each half of the people by linear models of the other half."""
    half = rows.groups(seed=1) % 2 == 0
    found = np.empty(len(rows))
    for held in (half, ~half):
        other, mine = rows.take(~held), rows.table[held]
        responses = (s_linear(other, features) if other.fewest > 0 else _Flat.of(other)).responses()
        found[held] = judge.scores(rows.take(held), responses.control(mine), responses.treated(mine))
    return found


@dataclass(frozen=True, slots=True)
class _Flat:
    """Everyone alike: each arm's own rate."""

    rates: tuple[float, float]

    @classmethod
    def of(cls, rows: Experiment) -> _Flat:
        weight = rows.inverse
        rates = [
            float(np.average(rows.label[arm], weights=weight[arm])) if arm.any() else float(rows.label.mean())
            for arm in (~rows.treated, rows.treated)
        ]
        return cls((rates[0], rates[1]))

    def responses(self) -> Responses:
        control, treated = self.rates
        return Responses(lambda table: np.full(len(table), control), lambda table: np.full(len(table), treated))


def flat(rows: Experiment) -> Responses:
    """Responses that are the same for everyone: the rate of each arm."""
    return _Flat.of(rows).responses()


# ── linear ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Line:
    """Weights over a design; `says` is the plain sum, `chance` its logistic."""

    design: Design
    weights: np.ndarray
    intercept: float

    def says(self, table: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.design.matrix(table) @ self.weights + self.intercept)

    def chance(self, table: pd.DataFrame) -> np.ndarray:
        """p(goal)."""
        return np.asarray(expit(self.says(table)))


@dataclass(frozen=True, slots=True)
class LinePair:
    """One linear model of both arms, written as two."""

    control: Line
    treated: Line

    def responses(self) -> Responses:
        return Responses(self.control.chance, self.treated.chance)


def s_linear(rows: Experiment, features: Sequence[Feature]) -> LinePair:
    """Logistic regression on features, treatment, and their products."""
    design = Design.of(rows.table, features)
    plain = design.matrix(rows.table)
    share = float(np.average(rows.propensity, weights=rows.weight))
    given = rows.treated - share
    mean = plain.mean(axis=0)
    moved = (plain - mean) * given[:, None] * BENDING
    weights, intercept = logistic(np.column_stack([plain, 2 * given, moved]), rows.label, rows.inverse, PENALTY)
    size = plain.shape[1]
    main, effect, bends = weights[:size], 2 * weights[size], weights[size + 1 :] * BENDING
    lines = [
        Line(design, main + arm * bends, float(intercept + arm * (effect - mean @ bends)))
        for arm in (-share, 1 - share)
    ]
    return LinePair(lines[0], lines[1])


def dr_linear(rows: Experiment, features: Sequence[Feature]) -> Line:
    """Ridge regression of doubly robust scores; the penalty by generalised cross-validation."""
    design = Design.of(rows.table, features)
    plain = design.matrix(rows.table)
    fitted = RidgeCV(alphas=PENALTIES * len(rows)).fit(plain, _crossed_scores(rows, features), rows.weight)
    return Line(design, np.asarray(fitted.coef_, dtype=float), float(np.asarray(fitted.intercept_)))
