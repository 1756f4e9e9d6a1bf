"""How well are people ordered by the effect on them, and is that more than noise?

In: labels, who was treated, effects that were said of people who were not learned from. Out: Qini figures, doubly robust
scores, intervals. Knows no learner. Intervals come from people, not rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from nudge.learn.uplift.experiment import Experiment


def qini_curve(
    label: np.ndarray, effect: np.ndarray, treated: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Points of the Qini curve: how many are reached in falling order of `effect` (ties at once), and how many more goals
    that brings among the treated than the control rate explains. Radcliffe 2007; as `sklift.metrics.qini_curve` of
    scikit-uplift, which has no weights."""
    weight = np.ones(len(label)) if weight is None else weight
    order = np.argsort(-effect, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(effect[order]) != 0, True])
    given, label, weight = treated[order].astype(float), label[order], weight[order]

    def reached(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.cumsum(values)[ends])

    inside, outside = reached(weight * given), reached(weight * (1 - given))
    ratio = np.divide(inside, outside, out=np.zeros(len(ends)), where=outside > 0)
    gained = reached(weight * given * label) - reached(weight * (1 - given) * label) * ratio
    return np.r_[0.0, inside + outside], np.r_[0.0, gained]


def qini(label: np.ndarray, effect: np.ndarray, treated: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The area between the Qini curve and the diagonal, as a share of that of a perfect order (treated who reached the goal
    first, controls who did last): `sklift.metrics.qini_auc_score` of scikit-uplift with its default `negative_effect`.
    0 is random, 1 cannot be had."""
    given = treated.astype(float)
    x, y = qini_curve(label, effect, treated, weight)
    best_x, best_y = qini_curve(label, label * given - label * (1 - given), treated, weight)
    diagonal = best_x[-1] * best_y[-1] / 2
    best = float(np.trapezoid(best_y, best_x)) - diagonal
    return (float(np.trapezoid(y, x)) - float(diagonal)) / float(best) if abs(best) > 1e-12 else 0.0


def scores(rows: Experiment, control: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Doubly robust scores: for each row an unbiased, noisy effect (Robins, Rotnitzky, Zhao 1994; Kennedy 2020). `control` and
    `treated` are p(goal) as a model that did not see the row says it; right propensities make up for wrong models."""
    e, given = rows.propensity, rows.treated
    residual = rows.label - np.where(given, treated, control)
    return np.asarray(treated - control + np.where(given, residual / e, -residual / (1 - e)))


@dataclass(frozen=True, slots=True)
class Mean:
    """A weighted mean over rows, and its standard error over people."""

    value: float
    error: float

    def interval(self, z: float = 1.96) -> list[float]:
        """Value, low, high."""
        return [self.value, self.value - z * self.error, self.value + z * self.error]


def mean(values: np.ndarray, weight: np.ndarray, people: np.ndarray) -> Mean:
    """The weighted mean with its cluster-robust standard error (Liang, Zeger 1986): rows of a person are one draw."""
    total = float(weight.sum())
    value = float((values * weight).sum()) / total
    count = int(people.max()) + 1
    by_person = np.bincount(people, weight * (values - value), minlength=count)
    present = max(len(np.unique(people)), 2)
    return Mean(value, float(np.sqrt((by_person**2).sum() * present / (present - 1))) / total)


def ranks(effect: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The place of each row within its group, from -1/2 (smallest effect) to 1/2; ties share theirs. Groups were said by
    different models, so their values do not compare, but their orders do."""
    found = np.zeros(len(effect))
    for group in np.unique(groups):
        held = np.flatnonzero(groups == group)
        values, place, count = np.unique(effect[held], return_inverse=True, return_counts=True)
        middle = np.cumsum(count) - (count + 1) / 2 if len(values) else count
        found[held] = (middle[place] + 0.5) / len(held) - 0.5
    return found


def gain(rows: Experiment, dr: np.ndarray, rank: np.ndarray, groups: np.ndarray) -> Mean:
    """The Qini coefficient in goals a person: the area between the curve of reached effects and its diagonal, from doubly
    robust scores, which is their covariance with the ranks (Yadlowsky et al. 2021, RATE with Qini weights). 0 is random."""
    centred = np.empty(len(dr))
    for group in np.unique(groups):
        held = groups == group
        centred[held] = dr[held] - np.average(dr[held], weights=rows.weight[held])
    return mean(centred * rank, rows.weight, rows.people)


def qini_interval(rows: Experiment, effect: np.ndarray, *, resamples: int, confidence: float, seed: int) -> list[float]:
    """The normalised Qini with a percentile bootstrap interval over people: value, low, high."""
    weight = rows.inverse
    rng = np.random.default_rng(seed)
    _, people = np.unique(rows.people, return_inverse=True)
    count = int(people.max()) + 1
    drawn = []
    for _ in range(resamples):
        times = rng.multinomial(count, np.full(count, 1.0 / count))[people]
        kept = times > 0
        drawn.append(qini(rows.label[kept], effect[kept], rows.treated[kept], (weight * times)[kept]))
    tail = (1 - confidence) / 2
    low, high = (float(edge) for edge in np.quantile(drawn, [tail, 1 - tail]))
    return [qini(rows.label, effect, rows.treated, weight), low, high]


def quantile(confidence: float) -> float:
    """The normal quantile of a one-sided confidence."""
    return NormalDist().inv_cdf(confidence)
