"""What every uplift learner is given: people, whether they were treated, how likely that was, and what came of it.

In: a table, labels, and the probabilities of being treated and of being left alone, known by design (a randomised experiment,
or the propensities logged with our own decisions). Out: an `Experiment`, with its inverse-propensity weights. Where treatment
was neither randomised nor logged, nothing here is of any use: the difference of the groups is not an effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

EDGE = 0.02
"""Propensities are kept this far off 0 and 1; no row weighs more than 1/EDGE."""
GROUPS = 5
"""People are crossed over in so many groups."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Rows of one activity against nothing. `propensity` is P(treated | features, treated or left alone), `weight` is
    1 / P(treated or left alone | features) to mean 1, `people` a number a person; `clipped` counts the rows whose weight
    the edges bound."""

    table: pd.DataFrame
    label: np.ndarray
    treated: np.ndarray
    propensity: np.ndarray
    weight: np.ndarray
    people: np.ndarray
    clipped: int = 0

    @classmethod
    def of(
        cls,
        table: pd.DataFrame,
        label: np.ndarray,
        treated: np.ndarray,
        people: np.ndarray,
        p_treated: np.ndarray,
        p_control: np.ndarray,
    ) -> Self:
        """From the probability of each of the two things that may have been done, given the features (each above 0)."""
        share = p_treated / (p_treated + p_control)
        weight = 1.0 / np.maximum(p_treated + p_control, EDGE)
        done = np.where(treated, p_treated, p_control)
        held = np.clip(share, EDGE, 1 - EDGE)
        return cls(
            table,
            np.asarray(label, dtype=float),
            np.asarray(treated, dtype=bool),
            held,
            weight / weight.mean() if len(weight) else weight,
            np.asarray(people, dtype=np.int64),
            int((done < EDGE).sum()),
        )

    @classmethod
    def randomised(cls, table: pd.DataFrame, label: np.ndarray, treated: np.ndarray, people: np.ndarray) -> Self:
        """An experiment in which everyone was treated with one and the same probability: the share that was."""
        share = np.full(len(label), float(np.mean(treated)))
        return cls.of(table, label, treated, people, share, 1 - share)

    def __len__(self) -> int:
        return len(self.label)

    def take(self, mask: np.ndarray) -> Experiment:
        """Some of the rows."""
        return Experiment(
            self.table[mask],
            self.label[mask],
            self.treated[mask],
            self.propensity[mask],
            self.weight[mask],
            self.people[mask],
            self.clipped,
        )

    @property
    def inverse(self) -> np.ndarray:
        """1 / P(what was done | features), to mean 1 within each arm: either arm then stands for everybody."""
        odds = self.weight / np.where(self.treated, self.propensity, 1 - self.propensity)
        weights = np.ones(len(odds))
        for arm in (self.treated, ~self.treated):
            if arm.any():
                weights[arm] = odds[arm] / odds[arm].mean()
        return weights

    @property
    def fewest(self) -> int:
        """The smallest cell of treated or not × reached the goal or not: what a learner has to tell people apart by."""
        cells = [((self.treated == arm) & (self.label == label)).sum() for arm in (True, False) for label in (0, 1)]
        return int(min(cells))

    def groups(self, seed: int) -> np.ndarray:
        """A group 0 … GROUPS-1 for each row, the same for all rows of a person; dealt out so that each holds as many
        treated, and as many who reached the goal, as the others."""
        rng = np.random.default_rng(seed)
        first = np.unique(self.people, return_index=True)[1]
        kind = 2 * self.treated[first] + self.label[first]
        order = np.lexsort((rng.random(len(first)), kind))
        dealt = np.empty(len(first), dtype=np.int64)
        dealt[order] = np.arange(len(first)) % GROUPS
        return dealt[np.searchsorted(self.people[first], self.people)]
