"""How training is done: every bound and seed in one place, written into the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

type Absent = Callable[[str], float | None]
"""What a number is when a vector does not have its name: `profile.spec.absent`, handed in by the flow."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Bounds of one training. `rows` and `later_rows` cap what is learned from and the last slice (sampled, with weights).

    With fewer than `positives` rows of either label there is no model; with fewer than `usual` in a slice, slices are cut where
    they hold enough. `level_people` is the fewest rows a category's level needs to stand for itself;
    `inverse_propensity` the largest weight 1/propensity of a logged decision (None: they weigh one).

    Kinds are compared on at most `blocks` later periods, on at most `compared` rows; a simpler one gives way to a better one only
    where the difference is `sure` noise-widths; `surest`, where less than `carried` of what is learned carries over to later
    periods. What departs from the plainest way of learning (recent rows weigh more, features that tell the time are left out)
    must be better by `surer`. `strengths` are inverse penalties of the logistic regression,
    `curves` the numbers that get a curve; `leaves` the fewest and the most that trees of boosting may have, `iterations` the most trees of each of its two members;
    `trees` of at most `tree_leaves` make a forest, which is tried on tables of at most `forest_cells` numbers. Tables of more
    than `cells` numbers are compared on two periods; more than `wide` features get fewer trees of boosting.
    """

    seed: int = 0
    cuts: int = 8
    rows: int = 200_000
    later_rows: int = 30_000
    compared: int = 40_000
    positives: int = 5
    usual: int = 30
    numbers: int = 64
    levels: int = 40
    level_people: int = 20
    logged: int = 500
    blocks: int = 4
    sure: float = 0.25
    surer: float = 2.0
    surest: float = 3.0
    carried: float = 0.5
    strengths: tuple[float, ...] = (0.003, 0.03, 0.2, 1.0, 5.0)
    curves: int = 24
    iterations: int = 150
    leaves: tuple[int, int] = (8, 31)
    learning_rate: float = 0.08
    trees: int = 60
    tree_leaves: int = 128
    forest_cells: int = 600_000
    cells: int = 600_000
    wide: int = 24
    resamples: int = 200
    confidence: float = 0.95
    inverse_propensity: float | None = None
