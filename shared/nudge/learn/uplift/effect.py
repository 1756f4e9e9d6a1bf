"""One activity's effect: how large on average, and how it differs between people where that can be shown.

In: an experiment. Out: an `Effect`, in the form in which it is stored and scored. The average is doubly robust and drawn towards
the prior by its own uncertainty; differences are those of the chosen learners (`choose`), scaled down to the share of them that came
true on people who were not learned from. Learners made of trees are stored as one set of regression trees fitted to what they
say, all of them together: a thousand trees would not be read online in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from nudge.learn.boosting import Boosting
from nudge.learn.features import Feature
from nudge.learn.uplift import judge, learners
from nudge.learn.uplift.choose import Chosen, Crossed, choose, cross, together
from nudge.learn.uplift.experiment import GROUPS, Experiment
from nudge.learn.uplift.judge import Mean
from nudge.learn.uplift.learners import LINEAR, Line
from nudge.learn.uplift.trees import Says, imitation

FEWEST = 20
"""Rows that each arm needs before anything is said."""
CELLS = 15
"""Rows that each cell (arm × outcome) needs before differences between people are looked for."""


@dataclass(frozen=True, slots=True)
class Term:
    """A weighted part of an effect. `says` is scikit-learn's own form, before the link."""

    weight: float
    link: str
    kind: str
    model: Mapping[str, Any]
    says: Says

    def value(self, table: pd.DataFrame) -> np.ndarray:
        raw = self.says(table)
        return np.asarray(self.weight * (expit(raw) if self.link == "logistic" else raw))


@dataclass(frozen=True, slots=True)
class Held:
    """Rows as people who are not learned from: `dr` scores, effects `said` by learners of the other groups of people (their average,
    and the differences where they are used), the places of rows within their `groups` in that `order`, and the `prior`: the effect
    where nothing is known (the plan's lift)."""

    rows: Experiment
    dr: np.ndarray
    said: np.ndarray
    order: np.ndarray
    prior: float


@dataclass(frozen=True, slots=True)
class Effect:
    """`average` is what is used; `estimate` what was measured, with its interval; `chosen` None where there were too few
    rows to look for differences; `faithful` the share (R²) of what the learners say that the stored trees say too.

    `held` is what the gate is given: every row with its doubly robust score and what was said of it by those who did not see it."""

    average: float
    estimate: Mean
    center: float
    slope: float
    terms: tuple[Term, ...]
    chosen: Chosen | None
    held: Held
    faithful: float | None = None

    @property
    def heterogeneous(self) -> bool:
        """Does the effect differ between people by more than noise?"""
        return bool(self.terms)

    def on(self, table: pd.DataFrame) -> np.ndarray:
        """The effect on each row."""
        if not self.terms:
            return np.full(len(table), self.average)
        total = np.sum([term.value(table) for term in self.terms], axis=0)
        return np.asarray(np.clip(self.average + self.slope * (total - self.center), -1, 1))

    def export(self) -> dict[str, Any]:
        """As `score.uplift` reads it."""
        _, low, high = self.estimate.interval()
        return {
            "average": self.average,
            "low": low,
            "high": high,
            "heterogeneous": self.heterogeneous,
            "center": self.center,
            "slope": self.slope,
            "terms": [
                {"weight": term.weight, "link": term.link, "kind": term.kind, "model": term.model}
                for term in self.terms
            ],
        }


def fit(
    parts: Mapping[str, Experiment],
    features: Sequence[Feature],
    *,
    lifts: Mapping[str, float],
    confidence: float,
    seed: int,
) -> dict[str, Effect]:
    """The effect of each activity. `lifts` are the shares by which the plan expects them to raise the control's rate: the priors.
    Whether effects differ between people is asked of all activities together (`choose.together`)."""
    crossed = {
        name: _flat(rows, seed) if rows.fewest < CELLS or not features else cross(rows, features, seed)
        for name, rows in parts.items()
    }
    chosen = together({name: choose(one) for name, one in crossed.items() if one.said}, confidence)
    return {
        name: _made(one, chosen.get(name), features, lift=lifts.get(name, 0.0), seed=seed)
        for name, one in crossed.items()
    }


def _made(crossed: Crossed, chosen: Chosen | None, features: Sequence[Feature], *, lift: float, seed: int) -> Effect:
    rows = crossed.rows
    estimate = judge.mean(crossed.dr, rows.weight, rows.people)
    rate = float(np.average(rows.label[~rows.treated], weights=rows.inverse[~rows.treated]))
    prior, spread = lift * rate, max(rate, 1 / len(rows))
    average = shrunk(estimate, prior, spread)
    if chosen is None or not chosen.heterogeneous:
        return Effect(average, estimate, 0.0, 0.0, (), chosen, _held(crossed, None, prior, spread))
    terms, faithful = _terms(rows, features, crossed, chosen, seed)
    total = np.sum([term.value(rows.table) for term in terms], axis=0)
    center = float(np.average(total, weights=rows.weight))
    held = _held(crossed, chosen, prior, spread)
    return Effect(average, estimate, center, chosen.slope, terms, chosen, held, faithful)


def _held(crossed: Crossed, chosen: Chosen | None, prior: float, spread: float) -> Held:
    """What would have been said of each group of people without them."""
    rows, groups = crossed.rows, crossed.groups
    said, order = np.empty(len(rows)), np.zeros(len(rows))
    for group in range(GROUPS):
        mine, others = groups == group, groups != group
        found = judge.mean(crossed.dr[others], rows.weight[others], rows.people[others])
        said[mine] = shrunk(found, prior, spread)
        if chosen is not None:
            differs = chosen.nested[mine]
            said[mine] += chosen.slope * (differs - np.average(differs, weights=rows.weight[mine]))
    if chosen is not None:
        order = judge.ranks(chosen.nested, groups)
    return Held(rows, crossed.dr, np.clip(said, -1, 1), order, prior)


def shrunk(estimate: Mean, expected: float, spread: float) -> float:
    """The mean of a normal prior (`expected`, standard deviation `spread`) after the estimate came in: with few rows near what the
    plan expects, with many what was measured."""
    trust = spread**2 / (spread**2 + estimate.error**2)
    return float(np.clip(expected + trust * (estimate.value - expected), -1, 1))


def _flat(rows: Experiment, seed: int) -> Crossed:
    """Too few to tell people apart: only the rates of the arms, each group's from the others."""
    groups = rows.groups(seed)
    control, treated = np.empty(len(rows)), np.empty(len(rows))
    fitted = []
    for group in range(GROUPS):
        held = groups == group
        responses = learners.flat(rows.take(~held))
        control[held], treated[held] = responses.control(rows.table[held]), responses.treated(rows.table[held])
        fitted.append(learners.Fitted({}, responses))
    return Crossed(rows, groups, {}, judge.scores(rows, control, treated), fitted)


def _terms(
    rows: Experiment, features: Sequence[Feature], crossed: Crossed, chosen: Chosen, seed: int
) -> tuple[tuple[Term, ...], float | None]:
    """The kept learners as terms: linear ones fitted once more on all rows, trees as one."""
    weight = 1 / len(chosen.kept)
    terms: list[Term] = []
    if "S.linear" in chosen.kept:
        pair = learners.s_linear(rows, features)
        terms += [_line(weight, "logistic", pair.treated), _line(-weight, "logistic", pair.control)]
    if "DR.linear" in chosen.kept:
        terms.append(_line(weight, "identity", learners.dr_linear(rows, features)))
    trees = [name for name in chosen.kept if name not in LINEAR]
    if not trees:
        return tuple(terms), None

    def said(table: pd.DataFrame) -> np.ndarray:
        return np.asarray(np.mean([one.effects[name](table) for one in crossed.fitted for name in trees], axis=0))

    target, fitted = said(rows.table), imitation(rows.table, said, seed)
    left = float(np.mean((fitted.predict(rows.table) - target) ** 2)) / max(float(np.var(target)), 1e-18)
    model = Boosting(list(features), fitted).export()
    terms.append(
        Term(weight * len(trees), "identity", "boosting", model, lambda table: np.asarray(fitted.predict(table)))
    )
    return tuple(terms), 1 - left


def _line(weight: float, link: str, line: Line) -> Term:
    return Term(weight, link, "logistic", line.design.model(line.weights, line.intercept), line.says)
