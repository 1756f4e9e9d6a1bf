"""Which learners order people best, on people whom they did not learn from; and is there any order to be found at all?

In: an experiment. Out: the learners that are kept (their average is the model), with figures. People are crossed over in
groups: what is said of a group comes from learners of the other groups. The best by Qini is averaged with all that are not worse
by more than noise. So that choosing does not flatter itself, the figure that decides whether an effect differs between people is
nested: the learners of each group are those that the *other* groups would have chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import t as student

from nudge.learn.features import Feature
from nudge.learn.uplift import judge, learners
from nudge.learn.uplift.experiment import GROUPS, Experiment
from nudge.learn.uplift.judge import Mean
from nudge.learn.uplift.learners import Fitted

STEEPEST = 3.0
NOISE = 1.645
"""Standard errors by which a learner may be worse than the best before it is left out."""
CROSSING = sqrt(2)
"""What crossing adds to a standard error where there is nothing to find. Group k is ordered by a direction that was learned from
group l, and l by one learned from k: what they have in common by chance is counted from both sides, so the variance of the sum
over groups is twice the sum of their variances. Where there is something to find the directions agree, and this is too careful."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """`said` is each learner's effect on every row, by learners that did not see its group; `dr` the doubly robust scores of
    the rows from such responses; `fitted` the learners of each group's others."""

    rows: Experiment
    groups: np.ndarray
    said: Mapping[str, np.ndarray]
    dr: np.ndarray
    fitted: Sequence[Fitted]


@dataclass(frozen=True, slots=True)
class Chosen:
    """`kept` learners are averaged; `learners` has the Qini gain of each (goals a person, value low high); `nested` is what the
    choice says of each row, `gain` its Qini gain; `slope` is how much of the differences that were said came true. `level` is the
    chance of a false alarm at which it is asked whether there is a gain at all (see `together`)."""

    kept: tuple[str, ...]
    learners: Mapping[str, list[float]]
    gain: Mean
    freedom: int
    slope: float
    nested: np.ndarray
    level: float = 0.025

    @property
    def p_value(self) -> float:
        """Of no gain, one-sided."""
        if not self.gain.error > 0:
            return 0.0 if self.gain.value > 0 else 1.0
        return float(student.sf(self.gain.value / self.gain.error, self.freedom))

    @property
    def at_least(self) -> float:
        return self.gain.value - float(student.isf(self.level, self.freedom)) * self.gain.error

    @property
    def heterogeneous(self) -> bool:
        """Is the gain above zero by more than noise?"""
        return self.at_least > 0 and self.slope > 0


def cross(rows: Experiment, features: Sequence[Feature], seed: int) -> Crossed:
    """Fit every learner GROUPS times, each time without one group of people."""
    groups = rows.groups(seed)
    fitted: list[Fitted] = []
    said: dict[str, np.ndarray] = {}
    control, treated = np.empty(len(rows)), np.empty(len(rows))
    for group in range(GROUPS):
        held = groups == group
        one = learners.fit(rows.take(~held), features, seed + group)
        fitted.append(one)
        table = rows.table[held]
        for name, effect in one.effects.items():
            said.setdefault(name, np.full(len(rows), np.nan))[held] = effect(table)
        control[held], treated[held] = one.responses.control(table), one.responses.treated(table)
    everywhere = {name: effect for name, effect in said.items() if not np.isnan(effect).any()}
    return Crossed(rows, groups, everywhere, judge.scores(rows, control, treated), fitted)


def choose(crossed: Crossed) -> Chosen:
    """The learners to average, and what they find."""
    rows, groups = crossed.rows, crossed.groups
    rank = {name: judge.ranks(effect, groups) for name, effect in crossed.said.items()}
    nested = np.empty(len(rows))
    for group in range(GROUPS):
        held = groups == group
        kept = _kept(crossed, rank, ~held)
        nested[held] = np.mean([crossed.said[name][held] for name in kept], axis=0)
    return Chosen(
        kept=_kept(crossed, rank, np.ones(len(rows), dtype=bool)),
        learners={name: _gain(crossed, one).interval() for name, one in rank.items()},
        gain=_gain(crossed, judge.ranks(nested, groups)),
        freedom=max(rows.fewest - 1, 2),
        slope=_slope(crossed, nested),
        nested=nested,
    )


def together(several: Mapping[str, Chosen], confidence: float) -> dict[str, Chosen]:
    """Activities that are asked the same question: each with the level at which it is asked.

    The chance of one false alarm among them is (1 − confidence) / 2, by Hochberg's step-up procedure (Biometrika 75, 1988): the
    largest p-value is held against all of it, the second largest against half, and so on; all from the first that passes down are
    found. It finds what Bonferroni's division by their number finds, and more where several activities speak the same language.
    Their p-values must not be negatively dependent; activities that share their controls are positively so.
    """
    whole = (1 - confidence) / 2
    falling = sorted((one.p_value for one in several.values()), reverse=True)
    level = next((whole / rank for rank, p in enumerate(falling, 1) if p < whole / rank), whole / max(len(several), 1))
    return {name: replace(one, level=level) for name, one in several.items()}


def _gain(crossed: Crossed, rank: np.ndarray) -> Mean:
    found = judge.gain(crossed.rows, crossed.dr, rank, crossed.groups)
    return Mean(found.value, found.error * CROSSING)


def _kept(crossed: Crossed, rank: Mapping[str, np.ndarray], mask: np.ndarray) -> tuple[str, ...]:
    """The best by Qini on some rows, and all that are not worse by more than noise (paired, 95 %)."""
    rows, groups, dr = crossed.rows.take(mask), crossed.groups[mask], crossed.dr[mask]
    held = {name: one[mask] for name, one in rank.items()}
    best = max(held, key=lambda name: (judge.gain(rows, dr, held[name], groups).value, name))
    kept = []
    for name, one in held.items():
        worse = judge.gain(rows, dr, held[best] - one, groups)
        if worse.value <= NOISE * worse.error:
            kept.append(name)
    return tuple(kept)


def _slope(crossed: Crossed, said: np.ndarray) -> float:
    """Regression of the scores on what was said, within groups (the best linear predictor of Chernozhukov et al. 2018), drawn
    towards zero by its own uncertainty; above 1 where learners were too cautious, at most `STEEPEST`."""
    rows = crossed.rows
    x, y = said.copy(), crossed.dr.copy()
    for group in range(GROUPS):
        held = crossed.groups == group
        x[held] -= np.average(x[held], weights=rows.weight[held])
        y[held] -= np.average(y[held], weights=rows.weight[held])
    spread = float(np.average(x * x, weights=rows.weight))
    if spread <= 1e-18:
        return 0.0
    found = judge.mean(x * y, rows.weight, rows.people)
    slope, error = found.value / spread, found.error / spread
    return float(np.clip(slope * max(0.0, 1 - (error / slope) ** 2), 0, STEEPEST)) if slope > 0 else 0.0
