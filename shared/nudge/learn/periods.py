"""What a choice is made on, inside the data before the last slice: models fitted on what came before, judged on what came after.

In: moments, people and labels of the rows. Out: pairs of row numbers (fit, judge): windows that expand in time; where time does
not allow it (one moment, or too few positives after any), folds of people. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nudge.learn.recipe import Recipe
from nudge.vocabulary import Micros

FIRST = 0.4
"""The share of the rows that is never judged on."""
FEWEST = 5
"""Rows of either label that a part needs, to fit or to judge on."""
ENOUGH = 30
"""Positives in all judged parts; with fewer, folds of people judge on all there are."""
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows before the last slice, in order of time; `people` numbers them by person."""

    at: np.ndarray
    people: np.ndarray
    label: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, slots=True)
class Period:
    """Row numbers to fit on, and to judge on."""

    fit: np.ndarray
    judge: np.ndarray


type By = Literal["time", "people", "nothing"]


def periods(rows: Rows, window: Micros, recipe: Recipe) -> tuple[list[Period], By]:
    """As many periods as hold enough, at most `recipe.blocks`; none where no part can be held back."""
    for number in range(recipe.blocks, 0, -1):
        found = _in_time(rows, window, number)
        judged = sum(_fewest(rows.label[one.judge]) for one in found)
        if found and judged >= ENOUGH and all(_enough(rows, one) for one in found):
            return found, "time"
    for number in range(FOLDS, 1, -1):
        found = of_people(rows, number)
        if all(_fewest(rows.label[one.fit]) > 0 for one in found):
            return found, "people"
    return [], "nothing"


def folds(people: np.ndarray, label: np.ndarray, number: int) -> np.ndarray:
    """A fold for each row: a person is in one, and people who did it are spread evenly."""
    did = np.bincount(people, label) > 0
    order = np.lexsort((_mixed(len(did)), ~did))
    place = np.empty(len(did), dtype=int)
    place[order] = np.arange(len(did)) % number
    found: np.ndarray = place[people]
    return found


def _mixed(count: int) -> np.ndarray:
    """An order of people that has nothing to do with their names, always the same."""
    return np.random.default_rng(count).permutation(count)


def _in_time(rows: Rows, window: Micros, number: int) -> list[Period]:
    """Cuts nearest to equal parts of what follows the first `FIRST` of the rows, between moments."""
    edges = np.quantile(rows.at, np.linspace(FIRST, 1, number + 1)[:-1], method="lower")
    cuts = np.unique(edges[edges < rows.at[-1]])
    if len(cuts) < number:
        moments = np.unique(rows.at)[:-1]
        cuts = moments[-number:] if len(moments) >= number else moments[:0]
    found = []
    for place, cut in enumerate(cuts):
        until = cuts[place + 1] if place + 1 < len(cuts) else rows.at[-1]
        judge = np.flatnonzero((rows.at > cut) & (rows.at <= until))
        found.append(Period(_purged(rows, np.flatnonzero(rows.at <= cut), judge, window), judge))
    return found


def _purged(rows: Rows, fit: np.ndarray, judge: np.ndarray, window: Micros) -> np.ndarray:
    """Without rows whose window reaches into that of a judged row of the same person."""
    first = np.full(int(rows.people.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, rows.people[judge], rows.at[judge])
    kept: np.ndarray = fit[rows.at[fit] + window <= first[rows.people[fit]]]
    return kept


def of_people(rows: Rows, number: int) -> list[Period]:
    """Folds of people, whatever the time."""
    fold = folds(rows.people, rows.label, number)
    return [Period(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(number)]


def _fewest(label: np.ndarray) -> int:
    positives = int(label.sum())
    return min(positives, len(label) - positives)


def _enough(rows: Rows, period: Period) -> bool:
    return min(_fewest(rows.label[period.fit]), _fewest(rows.label[period.judge])) >= FEWEST
