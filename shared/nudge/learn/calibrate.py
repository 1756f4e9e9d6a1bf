"""Log-odds → probabilities that mean what they say, fitted on a slice later than the training slice.

Platt's sigmoid (Platt 1999) or isotonic regression (Zadrozny, Elkan 2002); isotonic only where two-fold crossing
over people says that it is better, and there are enough of both labels to draw steps from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

STEPS_NEED = 200


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
    """Steps that never fall, kept off 0 and 1 by `edge`, half a person of the slice."""

    estimator: IsotonicRegression

    def probability(self, z: np.ndarray) -> np.ndarray:
        """scikit-learn's own."""
        return np.asarray(self.estimator.predict(z))

    def export(self) -> dict[str, Any]:
        """As `score.calibration` reads it."""
        xs, ys = self.estimator.X_thresholds_, self.estimator.y_thresholds_
        return {"kind": "isotonic", "x": [float(x) for x in xs], "y": [float(y) for y in ys]}


type Calibration = Sigmoid | Isotonic


def fit(z: np.ndarray, label: np.ndarray, weight: np.ndarray, people: np.ndarray) -> Calibration:
    """The better of the two by two-fold crossing over people (`people`: a number a person)."""
    fold = people % 2 == 0
    shares = [label[fold].mean(), label[~fold].mean()] if fold.any() and not fold.all() else [0.0]
    if min(label.sum(), len(label) - label.sum()) < STEPS_NEED or not all(0 < share < 1 for share in shares):
        return _sigmoid(z, label, weight)
    losses = {}
    for kind, make in (("sigmoid", _sigmoid), ("isotonic", _isotonic)):
        crossed = np.empty(len(z))
        for held in (fold, ~fold):
            crossed[held] = make(z[~held], label[~held], weight[~held]).probability(z[held])
        crossed = np.clip(crossed, 1e-6, 1 - 1e-6)
        losses[kind] = -np.average(label * np.log(crossed) + (1 - label) * np.log1p(-crossed), weights=weight)
    make = _isotonic if losses["isotonic"] < losses["sigmoid"] - 1e-4 else _sigmoid
    return make(z, label, weight)


def _sigmoid(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Calibration:
    return Sigmoid(
        LogisticRegression(C=1e6, tol=1e-8, max_iter=1000).fit(z.reshape(-1, 1), label, sample_weight=weight)
    )


def _isotonic(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Calibration:
    edge = 0.5 / len(z)
    steps = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip")
    return Isotonic(steps.fit(z, label, sample_weight=weight))
