"""Log-odds → probabilities that mean what they say, fitted on rows that the model had not seen.

Platt's sigmoid (Platt 1999), its slope drawn to 1 where few rows speak and never negative; or isotonic regression (Zadrozny,
Elkan 2002), drawn through the middles of its steps (centred isotonic regression, Oron, Flournoy 2017), so that it keeps the
order of people: only where two-fold crossing over people says that it is better, and there are enough of both labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

STEPS_NEED = 200
MATERIAL = 1e-4
MOVED = 0.005
"""The level moves when the latest period alone lowers the log loss of the next by this share."""
FLATTEST = 0.05
PRIOR = 4.0
"""How firmly the slope is held to 1: as by a normal prior of this precision."""
STEPS = 50


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Platt scaling."""

    estimator: LogisticRegression

    def probability(self, z: np.ndarray) -> np.ndarray:
        """scikit-learn's own."""
        return np.asarray(self.estimator.predict_proba(z.reshape(-1, 1))[:, 1])

    def export(self) -> dict[str, Any]:
        """As `score.calibration` reads it."""
        slope, intercept = float(self.estimator.coef_[0, 0]), float(self.estimator.intercept_[0])
        return {"kind": "sigmoid", "slope": slope, "intercept": intercept}


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight lines between points that rise, level beyond them."""

    x: np.ndarray
    y: np.ndarray

    def probability(self, z: np.ndarray) -> np.ndarray:
        """The height of the lines."""
        return np.asarray(np.interp(z, self.x, self.y))

    def export(self) -> dict[str, Any]:
        """As `score.calibration` reads it."""
        return {"kind": "isotonic", "x": [float(x) for x in self.x], "y": [float(y) for y in self.y]}


type Calibration = Sigmoid | Isotonic


def fit(z: np.ndarray, label: np.ndarray, weight: np.ndarray, people: np.ndarray) -> Calibration:
    """The better of the two by two-fold crossing over people (`people`: a number a person)."""
    fold = people % 2 == 0
    shares = [label[fold].mean(), label[~fold].mean()] if fold.any() and not fold.all() else [0.0]
    if min(label.sum(), len(label) - label.sum()) < STEPS_NEED or not all(0 < share < 1 for share in shares):
        return sigmoid(z, label, weight)
    losses = {}
    for kind, make in (("sigmoid", sigmoid), ("isotonic", isotonic)):
        crossed = np.empty(len(z))
        for held in (fold, ~fold):
            crossed[held] = make(z[~held], label[~held], weight[~held]).probability(z[held])
        losses[kind] = float(np.average(_loss(crossed, label), weights=weight))
    make = isotonic if losses["isotonic"] < losses["sigmoid"] - MATERIAL else sigmoid
    return make(z, label, weight)


def latest(parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> int:
    """Of how many of the latest periods to calibrate: all of them, or, where the level moves so fast that the period before
    alone tells the next one better, one. `parts` are (z, label, weight), oldest first."""
    if len(parts) < 3:
        return len(parts)
    losses = {"all": 0.0, "one": 0.0}
    for place in range(2, len(parts)):
        z, label, weight = parts[place]
        for name, before in (("all", parts[:place]), ("one", parts[place - 1 : place])):
            made = sigmoid(*(np.concatenate(column) for column in zip(*before, strict=True)))
            losses[name] += float(np.average(_loss(made.probability(z), label), weights=weight))
    return 1 if losses["one"] < losses["all"] * (1 - MOVED) else len(parts)


def sigmoid(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Sigmoid:
    """Slope and level that fit best (Newton's method), the slope drawn to 1."""
    weight = weight * (len(weight) / weight.sum())
    shape = np.array([1.0, 0.0])
    design = np.column_stack([z, np.ones(len(z))])
    for _ in range(STEPS):
        p = inverse(design @ shape)
        slope = design.T @ (weight * (p - label)) + np.array([PRIOR * (shape[0] - 1.0), 0.0])
        bend = (design * (weight * p * (1 - p))[:, None]).T @ design + np.diag([PRIOR, 1e-6])
        step = np.clip(np.linalg.solve(bend, slope), -2.0, 2.0)
        shape = shape - step
        if np.abs(step).max() < 1e-10:
            break
    if shape[0] < FLATTEST:
        return _platt(FLATTEST, _level(FLATTEST * z, label, weight))
    return _platt(float(shape[0]), float(shape[1]))


def _level(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """The intercept at which as many are expected as came."""
    level = 0.0
    for _ in range(STEPS):
        p = inverse(z + level)
        level -= float(np.clip((weight * (p - label)).sum() / max((weight * p * (1 - p)).sum(), 1e-9), -2.0, 2.0))
    return level


def _platt(slope: float, intercept: float) -> Sigmoid:
    made = LogisticRegression()
    made.classes_ = np.array([0.0, 1.0])
    made.coef_, made.intercept_ = np.array([[slope]]), np.array([intercept])
    made.n_features_in_ = 1
    return Sigmoid(made)


def isotonic(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Isotonic:
    """Steps that never fall, drawn through the middle of each, kept off 0 and 1 by half a row."""
    edge = 0.5 / len(z)
    steps = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(z, label, sample_weight=weight)
    height = steps.predict(z)
    levels, step = np.unique(height, return_inverse=True)
    rows = np.bincount(step, weight)
    x, first = np.unique(np.bincount(step, weight * z) / rows, return_index=True)
    return Isotonic(x, np.maximum.accumulate(levels[first]))


def inverse(z: np.ndarray) -> np.ndarray:
    """Log-odds as probabilities, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)))


def _loss(p: np.ndarray, label: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(-(label * np.log(p) + (1 - label) * np.log1p(-p)))
