"""Numbers from what is not one: rates of levels, points of curves.

In: columns of a training part. Out: what an encoding is made of, as arrays. Knows no model.
"""

from __future__ import annotations

import numpy as np

SMOOTHING = 20.0
ATOM = 0.05
"""A value that this share of the rows has is a point of its own."""


def squeeze(values: np.ndarray) -> np.ndarray:
    """sign(x)·log(1 + |x|), as `score.linear.squeeze`."""
    squeezed: np.ndarray = np.copysign(np.log1p(np.abs(values)), values)
    return squeezed


def rates(codes: np.ndarray, levels: int, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The share of positives of each level, drawn to the whole's as if it had `SMOOTHING` more rows (Micci-Barreca 2001)."""
    known = codes >= 0
    rows = np.bincount(codes[known], weight[known], levels)
    came = np.bincount(codes[known], (weight * label)[known], levels)
    smoothed: np.ndarray = (came + SMOOTHING * np.average(label, weights=weight)) / (rows + SMOOTHING)
    return smoothed


def points(values: np.ndarray, most: int) -> np.ndarray:
    """Points of a curve: values that many share, and quantiles of the others; few enough to be drawn through, rising."""
    known = values[~np.isnan(values)]
    seen, counts = np.unique(known, return_counts=True)
    atoms = seen[counts >= ATOM * max(len(known), 1)]
    others = known[~np.isin(known, atoms)]
    spread = np.quantile(others, np.linspace(0.01, 0.99, most), method="nearest") if len(others) else atoms[:0]
    found: np.ndarray = np.unique(np.concatenate([atoms, spread]))
    return found


def hats(values: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """The weight of each point of a curve at each value: linear B-splines, level beyond the ends; rows of missing are 0."""
    missing = np.isnan(values)
    held = np.clip(np.where(missing, xs[0], values), xs[0], xs[-1])
    place = np.clip(np.searchsorted(xs, held, side="right") - 1, 0, len(xs) - 2)
    share = (held - xs[place]) / (xs[place + 1] - xs[place])
    found = np.zeros((len(values), len(xs)))
    rows = np.arange(len(values))
    found[rows, place] = np.where(missing, 0.0, 1.0 - share)
    found[rows, place + 1] = np.where(missing, 0.0, share)
    return found
