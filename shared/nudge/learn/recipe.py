"""How training is done: every bound and seed in one place, written into the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

type Absent = Callable[[str], float | None]
"""What a number is when a vector does not have its name: `profile.spec.absent`, handed in by the flow."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Bounds of one training. `rows` and `later_rows` cap the training slice and each later slice (sampled, with weights).

    `positives` is the fewest goal events that each slice needs; `level_people` the fewest rows a category's level needs to
    stand for itself; `inverse_propensity` the largest weight 1/propensity of a logged decision (None: they weigh one); with fewer positives than `refit` before
    the last slice, the chosen model is fitted again on all of them.
    """

    seed: int = 0
    cuts: int = 8
    rows: int = 200_000
    later_rows: int = 30_000
    positives: int = 30
    numbers: int = 64
    levels: int = 40
    level_people: int = 20
    logged: int = 500
    iterations: int = 150
    leaves: int = 15
    learning_rate: float = 0.08
    resamples: int = 200
    confidence: float = 0.95
    inverse_propensity: float | None = None
    refit: int = 500
