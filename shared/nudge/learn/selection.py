"""From the rows before the last slice to one model: features, weights, the kind, its calibration. Nothing here sees the last slice.

In: rows. Out: the model that did best on later periods (`periods`), fitted again on all rows, calibrated on what models fitted on
earlier rows said of later ones; and a word on each choice, for the card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from nudge.learn import blend, calibrate, kinds, world
from nudge.learn.calibrate import Calibration
from nudge.learn.export import Fitted
from nudge.learn.features import Feature, choose, table
from nudge.learn.kinds import Kinds
from nudge.learn.labels import window_of
from nudge.learn.periods import Rows, periods
from nudge.learn.recipe import Absent, Recipe
from nudge.learn.slices import thinned
from nudge.learn.trials import Said, Trials, simplest
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
    weight, sure = known.weight, recipe.sure
    if by == "time":
        named, left_out = world.kept(trials, named, strength, recipe)
        tilted, recent = world.weights(trials, named, strength, recipe)
        trials = replace(trials, weight=tilted)
        weight = weight * world.recent(len(weight)) if recent else weight
        carried = world.carried(trials, named, strength)
        sure = recipe.sure if carried >= recipe.carried else recipe.surest
        said |= {"left_out": left_out, "recent_rows_weigh_more": recent, "carried": carried}
    contest = Contest(Kinds(named, recipe, strength), trials, goal, sure)
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
    """Kinds against each other on later periods; a simpler one gives way where another is better by `sure` widths of noise."""

    kinds: Kinds
    trials: Trials
    goal: Goal
    sure: float

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
        mixtures = blend.mixtures(names, self.goal.kinds)
        told = [_mean({name: tried[name][0] for name in one}, one) for one in mixtures]
        losses = [self.trials.losses(one) for one in told]
        best = simplest(losses, self.trials, self.sure)
        said |= self._compared(mixtures, told, losses) | {"mixture": mixtures[best]}
        said["choices"] = {name: dict(choice) for name, (_, choice) in tried.items()}
        wanted = [name for name in names if name in mixtures[best] or name == names[0]]
        fitted_kinds = {name: self.kinds.fitted(name, tried[name][1], held, rows.label, rows.weight) for name in wanted}
        models = {name: self._calibrated(one, tried[name][0], said) for name, one in fitted_kinds.items()}
        model = self._calibrated(blend.mixed(mixtures[best], fitted_kinds), told[best], said)
        return Selection(model, models, base_rate, said)

    def _calibrated(self, fitted: Fitted, told: Said, said: dict[str, Any]) -> Model:
        """On what earlier models of its kind said of later rows: of all periods, or of the latest alone."""
        parts = self.trials.all_said(told)
        number = calibrate.latest(parts) if said["by"] == "time" else len(parts)
        said["calibrated_on"] = number
        z, label, weight = (np.concatenate(column) for column in zip(*parts[-number:], strict=True))
        people = np.concatenate([self.trials.rows.people[one.judge] for one in self.trials.periods[-number:]])
        return Model(fitted, calibrate.fit(z, label, weight, people))

    def _compared(
        self, mixtures: Sequence[Mapping[str, float]], told: Sequence[Said], losses: Sequence[np.ndarray]
    ) -> dict[str, Any]:
        names = ["+".join(f"{weight:g} {kind}" for kind, weight in one.items()) for one in mixtures]
        return {
            "periods": [{"fit": len(one.fit), "judge": len(one.judge)} for one in self.trials.periods],
            "log_loss": {name: self.trials.loss(one) for name, one in zip(names, losses, strict=True)},
            "auc": {name: self.trials.auc(one) for name, one in zip(names, told, strict=True)},
        }


def _mean(said: Mapping[str, Said], mixture: Mapping[str, float]) -> Said:
    """Period by period, the weighted sum."""
    parts = [[weight * z for z in said[name]] for name, weight in mixture.items()]
    return [np.asarray(sum(one)) for one in zip(*parts, strict=True)]


def features_of(selection: Selection) -> list[Feature]:
    """What the model reads."""
    return selection.model.fitted.features
