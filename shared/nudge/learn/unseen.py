"""What models like the one that is stored say of rows that they had not seen: what its calibration is fitted on.

In: trials, and for each kind what it said of later periods, or how to fit it again. Out: a calibration of a mixture of kinds.
Earlier models are asked of later rows; where those had learned from far fewer of the rarer label than the stored one has, they
say less than it does, and a slope fitted on them makes it too sure: there, models that learned from other people, as many
as the stored one, are asked of the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nudge.learn import calibrate
from nudge.learn.calibrate import Calibration
from nudge.learn.periods import of_people
from nudge.learn.trials import Fit, Said, Trials

SEEN = 0.5
"""Earlier models are like the stored one when they saw this share of its rows of the rarer label …"""
SETTLED = 500
"""… or so many: what a regularised model says changes little with more."""
FOLDS = 5


@dataclass(frozen=True)
class Unseen:
    """What each kind `said` of later periods, and how each is fitted, as it was chosen. `in_time` is whether periods are of time;
    `carries` whether most of what is learned of people holds for later rows, too."""

    trials: Trials
    said: Mapping[str, Said]
    fits: Mapping[str, Fit]
    in_time: bool
    carries: bool

    def calibration(self, mixture: Mapping[str, float]) -> tuple[Calibration, int, bool]:
        """The calibration of a mixture; on how many periods, from the last, it was fitted; and whether by models of other people."""
        told = mean(self.said, mixture)
        number = calibrate.latest(self.trials.all_said(told)) if self.in_time else len(told)
        trials = replace(self.trials, periods=self.trials.periods[-number:])
        judged, rows = trials.judged, trials.rows
        if crossed := self.in_time and self.carries and too_small(trials):
            z = np.asarray(sum(weight * self._crossed[kind] for kind, weight in mixture.items()))[judged]
        else:
            z = np.concatenate(told[-number:])
        return calibrate.fit(z, rows.label[judged], rows.weight[judged], rows.people[judged]), number, crossed

    @cached_property
    def _crossed(self) -> dict[str, np.ndarray]:
        """For each kind, the log-odds of every row by a model of other people, of all times."""
        trials = replace(self.trials, periods=of_people(self.trials.rows, FOLDS))
        order = np.argsort(trials.judged)
        return {kind: np.concatenate(trials.said(fit)[0])[order] for kind, fit in self.fits.items()}


def too_small(trials: Trials) -> bool:
    """Did the models of these periods see too few rows of the rarer label to be like one that saw all rows?"""
    rarer = trials.rows.label if trials.rows.label.mean() <= 0.5 else 1 - trials.rows.label
    saw = np.array([rarer[one.fit].sum() for one in trials.periods])
    came = np.array([rarer[one.judge].sum() for one in trials.periods])
    seen = float((saw * came).sum() / max(came.sum(), 1.0))
    return seen < min(SETTLED, SEEN * float(rarer.sum()))


def mean(said: Mapping[str, Said], mixture: Mapping[str, float]) -> Said:
    """Period by period, the weighted sum."""
    parts = [[weight * z for z in said[name]] for name, weight in mixture.items()]
    return [np.asarray(sum(one)) for one in zip(*parts, strict=True)]
