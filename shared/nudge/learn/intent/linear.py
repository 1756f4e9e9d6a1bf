"""TF-IDF rows → one linear model: a large-margin one (linear SVM, one against the rest) with a share of naive Bayes.

Their scores are blended after each is brought to unit spread (Wang, Manning 2012, had both in one model too). What is stored, and
judged, are the weights of each rounded to 8 bits with a scale a term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.svm import LinearSVC

SMOOTHINGS = (0.01, 0.1)
SHARES = (0.0, 0.15, 0.3, 0.6, 0.9, 1.4)
"""Of naive Bayes, beside 1 of the margin."""
PENALTIES = (0.2, 1.0)
FINER = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Where fits are cheap: with few intents."""
HINGE = 3.0
"""The penalty of the plain hinge, in those of the squared one: about where both are at their best."""
LEVELS = 127
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Parts:
    """Scores of both models for some rows, or their weights (terms x intents) and the margin's bias."""

    margin: np.ndarray
    bayes: np.ndarray
    bias: np.ndarray

    def scores(self, rows: sp.csr_matrix) -> Parts:
        """Both models' scores of some rows; no bias is left to add."""
        return Parts(rows @ self.margin + self.bias, rows @ self.bayes, np.zeros_like(self.bias))

    def rows(self, which: np.ndarray) -> Parts:
        """Scores of some of the rows."""
        return Parts(self.margin[which], self.bayes[which], self.bias)

    def columns(self, which: np.ndarray) -> Parts:
        """Scores of some of the intents."""
        return Parts(self.margin[:, which], self.bayes[:, which], self.bias[which])


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """How both models are fitted and blended."""

    penalty: float
    smoothing: float
    share: float

    def __str__(self) -> str:
        return f"penalty {self.penalty:g}, smoothing {self.smoothing:g}, naive Bayes {self.share:g}"


def fit(rows: sp.csr_matrix, intents: np.ndarray, count: int, way: Way, seed: int) -> Parts:
    """Weights of both models. `intents` are 0 … count-1, each of them there."""
    weights, bias = large_margin(rows, intents, count, way.penalty, seed)
    return Parts(weights, naive_bayes(rows, intents, count, way.smoothing), bias)


def large_margin(
    rows: sp.csr_matrix, intents: np.ndarray, count: int, penalty: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (terms x intents) and biases of linear SVMs, each intent against the rest: the mean of one with a squared hinge and
    one with a plain hinge, which a message that was labelled wrongly moves less."""
    squared: Any = LinearSVC(C=penalty, tol=1e-3, random_state=seed, max_iter=300)
    plain: Any = LinearSVC(C=HINGE * penalty, loss="hinge", tol=1e-3, random_state=seed, max_iter=1000)
    fitted = [one.fit(rows, intents) for one in (squared, plain)]
    weights, bias = (np.mean([getattr(one, name) for one in fitted], axis=0) for name in ("coef_", "intercept_"))
    return each(weights, bias, count)


def each(weights: np.ndarray, bias: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A column of weights and a bias for each intent: of two as well, for which scikit-learn has one row."""
    if count == 2:
        return np.hstack([-weights.T, weights.T]), np.concatenate([-bias, bias])
    return np.asarray(weights).T, np.asarray(bias)


def naive_bayes(rows: sp.csr_matrix, intents: np.ndarray, count: int, smoothing: float) -> np.ndarray:
    """log p(term | intent) − log p(term | any other), over TF-IDF mass, `smoothing` added to each term's."""
    member = sp.csr_matrix((np.ones(len(intents)), (np.arange(len(intents)), intents)), shape=(len(intents), count))
    mass = np.asarray((rows.T @ member).todense())
    rest = mass.sum(axis=1, keepdims=True) - mass
    spread = smoothing * mass.shape[0]
    inside = np.log(mass + smoothing) - np.log(mass.sum(axis=0) + spread)
    outside = np.log(np.maximum(rest, 0.0) + smoothing) - np.log(np.maximum(rest, 0.0).sum(axis=0) + spread)
    made: np.ndarray = inside - outside
    return made


@dataclass(frozen=True, slots=True)
class Mix:
    """What the scores of each model are multiplied by to give, added up, calibrated logits."""

    margin: float
    bayes: float

    @classmethod
    def of(cls, parts: Parts, share: float) -> Mix:
        """Unit spread of the scores of rows that neither model was fitted on, and `share` of naive Bayes beside 1."""
        return cls(1.0 / float(parts.margin.std()), share / float(parts.bayes.std()))

    def times(self, slope: float) -> Mix:
        """The same blend, steeper, in the digits that are stored."""
        return Mix(*(float(f"{slope * one:.{DIGITS}g}") for one in (self.margin, self.bayes)))

    def logits(self, parts: Parts) -> np.ndarray:
        """Of scores."""
        made: np.ndarray = self.margin * parts.margin + self.bayes * parts.bayes
        return made


@dataclass(frozen=True, slots=True)
class Rounded:
    """Weights as they are stored: `scale[term] · level[term, intent]`."""

    levels: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, weights: np.ndarray) -> Rounded:
        """To the nearest of 255 levels, the largest weight of a term being the last of them."""
        scale = digits(np.abs(weights).max(axis=1) / LEVELS)
        levels = np.rint(weights / np.where(scale > 0, scale, 1.0)[:, None])
        return cls(np.clip(levels, -LEVELS, LEVELS).astype(np.int8), scale)

    def weights(self) -> np.ndarray:
        """What the levels stand for."""
        made: np.ndarray = self.levels * self.scale[:, None]
        return made


def digits(values: np.ndarray) -> np.ndarray:
    """Six significant digits: what is written is what is used."""
    return np.array([float(f"{one:.{DIGITS}g}") for one in values])
