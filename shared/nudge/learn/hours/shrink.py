"""Rates and shares, shrunk: from few to many, with a strength that the data says (empirical Bayes by the method of
moments)."""

from __future__ import annotations

import numpy as np

type Numbers = np.ndarray

STRONGEST = 1e6
FEWEST = 1e-4


def strength(count: Numbers, came: Numbers, expected: Numbers) -> float:
    """How many observations the prior of a Beta-Binomial is worth: cells with `count` tries, `came` successes,
    `expected` rates.

    The variance between cells is what is left of the squared deviations when chance is taken off (method of moments);
    none left means that the cells are the same: a million."""
    held = (count > 0) & (expected > 0) & (expected < 1)
    n, k, p = count[held], came[held], expected[held]
    if len(n) < 2 or n.sum() <= 1:
        return STRONGEST
    noise = p * (1 - p)
    beyond = float(np.sum((k - n * p) ** 2 / noise - n))
    pairs = float(np.sum(n * (n - 1)))
    if beyond <= 0 or pairs <= 0:
        return STRONGEST
    share = min(beyond / pairs, 1.0)
    return float(np.clip(1.0 / share - 1.0, 1.0, STRONGEST))


def rates(count: Numbers, came: Numbers, expected: Numbers) -> Numbers:
    """Shrunken rates of cells."""
    weight = strength(count, came, expected)
    found: Numbers = np.maximum((came + weight * expected) / (count + weight), FEWEST)
    return found


def shares(weights: Numbers) -> Numbers:
    """Shares of cells, none of them nothing."""
    smoothed = weights + 0.5 + 0.001 * weights.sum() / len(weights)
    found: Numbers = smoothed / smoothed.sum()
    return found
