"""May a challenger become champion, and why (not)?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nudge.learn import judge
from nudge.learn.contest import Trained
from nudge.learn.export import Scores
from nudge.learn.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Gate:
    """May the challenger become champion, and why (not)."""

    passed: bool
    reason: str
    gain: float
    at_least: float
    against: str


def gate(trained: Trained, champion: tuple[str, Scores] | None, recipe: Recipe) -> Gate:
    """Is the challenger better on the last slice by more than noise: than the present champion, scored on the same rows
    through `score`, or, where there is none, than the base rate of the slice before?"""
    if champion is None:
        against, present = "the base rate", np.full(len(trained.probability), trained.base_rate)
    elif champion[0] == trained.version:
        return Gate(False, "this version is the champion already", 0.0, 0.0, champion[0])
    else:
        against = champion[0]
        present = np.array([champion[1].probability(row) for row in trained.test.iter_rows(named=True)])
    found = judge.compare(
        trained.probability,
        present,
        trained.rows,
        resamples=recipe.resamples,
        confidence=recipe.confidence,
        seed=recipe.seed,
    )
    sure = f"log loss lower by {found.gain:.5f} (at least {found.at_least:.5f} with {recipe.confidence:.0%} confidence)"
    if found.is_better:
        return Gate(True, f"better than {against}: {sure}", found.gain, found.at_least, against)
    return Gate(False, f"not better than {against} by more than noise: {sure}", found.gain, found.at_least, against)
