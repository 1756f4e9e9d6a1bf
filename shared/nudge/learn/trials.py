"""How each kind does on later periods, inside the data before the last slice.

In: a table, rows, periods. Out: for each kind its log-odds on the judged rows of each period, fitted on what came before; and by
how much one way is better than another, in widths of noise. Log loss is taken after calibration on the period itself (two
numbers), so that a level that nobody could foresee does not decide between kinds; people, not rows, are independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nudge.learn import calibrate, judge
from nudge.learn.periods import Period, Rows

type Said = list[np.ndarray]
"""Log-odds on the judged rows, a period each."""
type Ask = Callable[[pd.DataFrame], list[np.ndarray]]
"""Table → log-odds, of each of the variants that it stands for."""
type Fit = Callable[[pd.DataFrame, np.ndarray, np.ndarray], Ask]
"""Table, labels, weights → what can be asked."""


@dataclass(frozen=True, slots=True)
class Trials:
    """Periods of rows, and the weight each row has to fit on."""

    table: pd.DataFrame
    rows: Rows
    periods: list[Period]
    weight: np.ndarray

    def said(self, fit: Fit) -> list[Said]:
        """For each variant, what it says on the judged rows of each period."""
        found: list[list[np.ndarray]] = []
        for one in self.periods:
            ask = fit(self.table.iloc[one.fit], self.rows.label[one.fit], self.weight[one.fit])
            found.append(ask(self.table.iloc[one.judge]))
        return [list(variant) for variant in zip(*found, strict=True)]

    def losses(self, said: Said) -> np.ndarray:
        """Log loss of every judged row, one period after the other, each calibrated on itself."""
        found = []
        for z, one in zip(said, self.periods, strict=True):
            label, weight = self.rows.label[one.judge], self.rows.weight[one.judge]
            found.append(judge.log_losses(calibrate.sigmoid(z, label, weight).probability(z), label))
        return np.concatenate(found)

    def auc(self, said: Said) -> float:
        """Mean AUC of the periods."""
        each = [
            judge.auc(z, self.rows.label[one.judge], self.rows.weight[one.judge])
            for z, one in zip(said, self.periods, strict=True)
        ]
        return float(np.mean(each))

    def loss(self, losses: np.ndarray) -> float:
        """The weighted mean of `losses`."""
        return float(np.average(losses, weights=self.rows.weight[self.judged]))

    def width(self, losses: np.ndarray, instead_of: np.ndarray) -> float:
        """By how many standard errors `losses` are lower, rows of one person summed first."""
        gains = (instead_of - losses) * self.rows.weight[self.judged]
        person = np.unique(self.rows.people[self.judged], return_inverse=True)[1]
        each = np.bincount(person, gains)
        spread = float(np.sqrt(((each - each.mean()) ** 2).sum()))
        return float(each.sum()) / spread if spread > 1e-12 else 0.0

    @property
    def judged(self) -> np.ndarray:
        """The numbers of all judged rows, in order."""
        return np.concatenate([one.judge for one in self.periods])

    def all_said(self, said: Said) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(log-odds, labels, weights) of each period."""
        return [
            (z, self.rows.label[one.judge], self.rows.weight[one.judge])
            for z, one in zip(said, self.periods, strict=True)
        ]


def simplest(losses: Sequence[np.ndarray], trials: Trials, sure: float) -> int:
    """The first of those (the simpler first) that the best one does not beat by `sure` standard errors."""
    best = min(range(len(losses)), key=lambda number: (round(trials.loss(losses[number]), 12), number))
    for number, one in enumerate(losses):
        if number == best or trials.width(losses[best], one) < sure:
            return number
    return best
