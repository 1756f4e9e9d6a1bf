"""The kinds of p(goal), each with what is chosen of it: the penalty of the regression, the number of trees.

In: a table, rows, trials. Out: what each kind says on later periods, with its choice; and the kind fitted for good. All that is
chosen, is chosen on the data before the last slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nudge.learn import boosting, calibrate, forest, judge, logistic
from nudge.learn.export import Fitted
from nudge.learn.features import Feature
from nudge.learn.periods import Rows, folds
from nudge.learn.recipe import Recipe
from nudge.learn.slices import thinned
from nudge.learn.trials import Ask, Fit, Said, Trials

KINDS = ("logistic", "boosting", "forest")
"""The simpler first."""
CROSSED = 3
CROSSED_ROWS = 10_000
STAGES = (0.15, 0.3, 0.5, 0.75, 1.0)
"""Shares of the trees after which boosting may stop."""
TREES_NEED = 50
"""Trees are tried from so many rows of the rarer label on: fewer do not fill their leaves."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which kinds are in the contest, for which features."""

    features: list[Feature]
    recipe: Recipe
    strength: float

    def names(self, rows: Rows, wanted: Sequence[str]) -> list[str]:
        """Kinds to try: all that the goal wants (a blend wants all), as far as the data can carry them."""
        asked = set(KINDS) if not wanted or "blend" in wanted else set(wanted)
        fewest = min(float(rows.label.sum()), float(len(rows.label) - rows.label.sum()))
        if fewest < TREES_NEED:
            asked -= {"boosting", "forest"} if asked & {"logistic"} or not wanted else set()
        if len(rows.label) * len(self.features) > self.recipe.forest_cells and len(asked) > 1:
            asked -= {"forest"}
        return [kind for kind in KINDS if kind in asked]

    def tried(self, kind: str, trials: Trials) -> tuple[Said, Mapping[str, Any]]:
        """What a kind says on later periods, and what was chosen of it."""
        if kind != "boosting":
            return trials.said(self.fit(kind, {}))[0], {"strength": self.strength} if kind == "logistic" else {}
        stages = sorted({max(1, round(share * self._most())) for share in STAGES})
        found = trials.said(self._staged(stages))
        losses = [trials.loss(trials.losses(said)) for said in found]
        best = int(np.argmin(np.round(losses, 12)))
        sizes, trees = best // len(stages), best % len(stages)
        return found[best], {"leaves": self._sizes()[sizes], "trees": stages[trees]}

    def _most(self) -> int:
        """The most trees of a member: fewer where each has more features to look through."""
        return max(1, round(self.recipe.iterations * min(1.0, max(self.recipe.wide / max(len(self.features), 1), 0.3))))

    def _sizes(self) -> list[list[int]]:
        """What members may be: all of the fewest leaves, one of each, all of the most."""
        few, *_, many = sorted(self.recipe.leaves)
        return [[few, few], [few, many], [many, many]] if few < many else [list(self.recipe.leaves)]

    def fitted(
        self, kind: str, choice: Mapping[str, Any], table: pd.DataFrame, label: np.ndarray, weight: np.ndarray
    ) -> Fitted:
        """A kind, as it was chosen."""
        if kind == "logistic":
            return logistic.fit(table, label, weight, self.features, self.recipe, self.strength)
        if kind == "boosting":
            size = choice.get("leaves"), choice.get("trees")
            return boosting.fit(table, label, weight, self.features, self.recipe, size[1], size[0])
        return forest.fit(table, label, weight, self.features, self.recipe)

    def fit(self, kind: str, choice: Mapping[str, Any]) -> Fit:
        """A kind, as it was chosen, as a fit of trials."""

        def fit(table: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> Ask:
            made = self.fitted(kind, choice, table, label, weight)
            return lambda held: [made.log_odds(held)]

        return fit

    def _staged(self, stages: Sequence[int]) -> Fit:
        """A member of each size, after each stage; their mean stands for one of each."""
        sizes = [sorted(self.recipe.leaves)[0], sorted(self.recipe.leaves)[-1]]

        def fit(table: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> Ask:
            made = boosting.fit(table, label, weight, self.features, self.recipe, self._most(), sizes)

            def ask(held: pd.DataFrame) -> list[np.ndarray]:
                few, many = made.staged(held, stages)
                both = [(one + other) / 2 for one, other in zip(few, many, strict=True)]
                return [*few, *both, *many] if sizes[0] < sizes[1] else both

            return ask

        return fit


def strength(table: pd.DataFrame, rows: Rows, weight: np.ndarray, features: list[Feature], recipe: Recipe) -> float:
    """The inverse penalty of the regression, by folds of people: it answers to noise, not to time. The strongest where too few
    did it to fold them."""
    taken, weight = thinned(rows.label, weight, CROSSED_ROWS, recipe.seed)
    label, weight, people = rows.label[taken], weight[taken], np.unique(rows.people[taken], return_inverse=True)[1]
    fold = folds(people, label, CROSSED)
    if any(not 0 < label[fold != one].sum() < (fold != one).sum() or not (fold == one).any() for one in range(CROSSED)):
        return recipe.strengths[0]
    held = table.iloc[taken]
    parts = [(fold != one, fold == one) for one in range(CROSSED)]
    paths = [logistic.Path.of(held[fit], label[fit], weight[fit], features, held[ask]) for fit, ask in parts]
    best, least = recipe.strengths[0], np.inf
    for one in sorted(recipe.strengths):
        crossed = np.empty(len(label))
        for (_, ask), path in zip(parts, paths, strict=True):
            crossed[ask] = calibrate.inverse(path.log_odds(one))
        loss = round(float(np.average(judge.log_losses(crossed, label), weights=weight)), 12)
        if loss >= least:
            break  # what is freer still only fits the noise better
        best, least = one, loss
    return best
