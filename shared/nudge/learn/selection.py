"""From the rows before the last slice to one model: features, weights, the kind, its calibration. Nothing here sees the last slice.

In: rows. Out: the model that did best on later periods (`periods`), fitted again on all rows, calibrated on what models fitted on
earlier rows said of later ones; and a word on each choice, for the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from nudge.learn import blend, calibrate, kinds, world
from nudge.learn.calibrate import Calibration
from nudge.learn.export import Fitted
from nudge.learn.features import choose, table
from nudge.learn.kinds import Kinds
from nudge.learn.labels import window_of
from nudge.learn.periods import Rows, periods
from nudge.learn.recipe import Absent, Recipe
from nudge.learn.slices import thinned
from nudge.learn.trials import Said, Trials, simplest
from nudge.learn.unseen import Unseen, mean
from nudge.vocabulary import Goal


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted kind and what makes probabilities of its log-odds."""

    fitted: Fitted
    calibration: Calibration

    def probability(self, held: pd.DataFrame) -> np.ndarray:
        """Calibrated."""
        return self.calibration.probability(self.fitted.log_odds(held))


@dataclass(frozen=True, slots=True)
class Selection:
    """The model, the plain kinds that were fitted for it (by name), what to expect of someone about whom nothing is known, and
    how it was chosen."""

    model: Model
    others: dict[str, Model]
    base_rate: float
    said: dict[str, Any]


def select(rows: pl.DataFrame, goal: Goal, recipe: Recipe, absent: Absent) -> Selection:
    """The model of a goal. Rows are in order of time."""
    named = choose(rows, recipe, absent, goal)
    held = table(rows, named)
    known = Rows(
        rows["at"].to_numpy(),
        np.unique(rows["user_id"].to_numpy(), return_inverse=True)[1],
        rows["label"].to_numpy(),
        rows["weight"].to_numpy(),
    )
    trials, by = _trials(held, known, goal, recipe)
    strength = kinds.strength(held, known, known.weight, named, recipe)
    said: dict[str, Any] = {"by": by, "strength": strength}
    weight, carried = known.weight, 1.0
    if by == "time":
        found = world.followed(trials, named, strength, recipe)
        named, trials, carried = found.features, found.trials, found.carried
        weight = weight * world.recent(len(weight)) if found.recent else weight
        said |= {"left_out": found.left_out, "recent_rows_weigh_more": found.recent, "carried": carried}
    contest = Contest(Kinds(named, recipe, strength), trials, goal, carried >= recipe.carried)
    return contest.won(held, replace(known, weight=weight), said, _level(trials, known))


def _trials(held: pd.DataFrame, known: Rows, goal: Goal, recipe: Recipe) -> tuple[Trials, str]:
    """Periods of at most `recipe.compared` rows."""
    taken, weight = thinned(known.label, known.weight, recipe.compared, recipe.seed)
    people = np.unique(known.people[taken], return_inverse=True)[1]
    rows = Rows(known.at[taken], people, known.label[taken], weight[taken])
    large = len(taken) * held.shape[1] > recipe.cells
    found, by = periods(rows, window_of(goal), replace(recipe, blocks=min(2, recipe.blocks)) if large else recipe)
    return Trials(held.iloc[taken], rows, found, rows.weight), by


def _level(trials: Trials, known: Rows) -> float:
    """The share that did it in the latest period."""
    if not trials.periods:
        return float(np.average(known.label, weights=known.weight))
    last = trials.periods[-1].judge
    return float(np.average(trials.rows.label[last], weights=trials.rows.weight[last]))


@dataclass(frozen=True, slots=True)
class Contest:
    """Kinds against each other on later periods; a simpler one gives way where another is better by `recipe.sure` widths of noise,
    or by `recipe.surest` where little of what is learned `carries` over to later periods."""

    kinds: Kinds
    trials: Trials
    goal: Goal
    carries: bool

    def won(self, held: pd.DataFrame, rows: Rows, said: dict[str, Any], base_rate: float) -> Selection:
        """The winner, fitted on all rows."""
        names = self.kinds.names(rows, self.goal.kinds)
        if not self.trials.periods:
            names = names[:1]
            fitted = self.kinds.fitted(names[0], {}, held, rows.label, rows.weight)
            z = fitted.log_odds(held)
            model = Model(fitted, calibrate.sigmoid(z, rows.label, rows.weight))
            return Selection(model, {}, base_rate, said | {"mixture": {names[0]: 1.0}})
        tried = {name: self.kinds.tried(name, self.trials) for name in names}
        mixture = self._best(tried, said)
        said["choices"] = choices = {name: dict(choice) for name, (_, choice) in tried.items()}
        wanted = [name for name in names if name in mixture or name == names[0]]
        fitted_kinds = {name: self.kinds.fitted(name, choices[name], held, rows.label, rows.weight) for name in wanted}
        fits = {name: self.kinds.fit(name, choices[name]) for name in wanted}
        told = {name: tried[name][0] for name in wanted}
        unseen = Unseen(self.trials, told, fits, said["by"] == "time", self.carries)
        models = {name: Model(one, unseen.calibration({name: 1.0})[0]) for name, one in fitted_kinds.items()}
        calibration, said["calibrated_on"], said["calibrated_across_people"] = unseen.calibration(mixture)
        return Selection(Model(blend.mixed(mixture, fitted_kinds), calibration), models, base_rate, said)

    def _best(self, tried: Mapping[str, tuple[Said, Mapping[str, Any]]], said: dict[str, Any]) -> dict[str, float]:
        """The mixture that is taken; how all of them did is said."""
        mixtures = blend.mixtures(list(tried), self.goal.kinds)
        told = [mean({name: tried[name][0] for name in one}, one) for one in mixtures]
        losses = [self.trials.losses(one) for one in told]
        recipe = self.kinds.recipe
        best = simplest(losses, self.trials, recipe.sure if self.carries else recipe.surest)
        names = ["+".join(f"{weight:g} {kind}" for kind, weight in one.items()) for one in mixtures]
        said |= {
            "periods": [{"fit": len(one.fit), "judge": len(one.judge)} for one in self.trials.periods],
            "log_loss": {name: self.trials.loss(one) for name, one in zip(names, losses, strict=True)},
            "auc": {name: self.trials.auc(one) for name, one in zip(names, told, strict=True)},
            "mixture": mixtures[best],
        }
        return mixtures[best]
