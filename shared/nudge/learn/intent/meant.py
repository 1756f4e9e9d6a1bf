"""Messages as the mean of the vectors of their pieces → how far a message is from what the intents mean.

In: shares of the pieces in each message, intents, writers. Out: a linear SVM over the means, each intent against the rest; points that
messages of an intent lie around; and evidence for `none of these`. It has no say in which intent is the likeliest: a witness that
judges the answer of the other models must not have helped to find it. A word that training never saw has a meaning too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import logsumexp
from sklearn.cluster import KMeans
from sklearn.svm import LinearSVC

from nudge.learn.intent.linear import Rounded, digits, each
from nudge.learn.intent.vocabulary import FEWEST_PEOPLE

PENALTY = 1.0
"""Over means whose mean square length is 1."""
AROUND = 8
"""So many messages, more or less, lie around a point."""
MOST_POINTS = 16
"""Points of an intent."""
SHARPNESS = 20.0
"""What likenesses (cosines) to points are multiplied by before their exponentials are added up."""
SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class Meant:
    """Weights (numbers of a vector x intents) and biases; points (rows) and which intent each is of (0 … count-1)."""

    vectors: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    points: Rounded
    intents: np.ndarray

    @classmethod
    def of(
        cls, pieces: sp.csr_matrix, vectors: np.ndarray, intents: np.ndarray, people: np.ndarray, seed: int
    ) -> Meant:
        """Learned from messages (rows of shares of pieces); each of the intents 0 … count-1 is there."""
        means, count = pieces @ vectors, int(intents.max()) + 1
        length = float(np.sqrt((means**2).sum(axis=1).mean())) or 1.0
        model: Any = LinearSVC(C=PENALTY, tol=1e-3, random_state=seed, max_iter=300)
        model.fit(means / length, intents)
        weights, bias = each(model.coef_ / length, model.intercept_, count)
        found = [_points(_unit(means[intents == one]), people[intents == one], seed) for one in range(count)]
        of = np.repeat(np.arange(count), [len(points) for points in found])
        written = digits(weights.ravel()).reshape(weights.shape), digits(bias)
        return cls(vectors, *written, Rounded.of(np.vstack(found)), of)

    def evidence(self, pieces: sp.csr_matrix, likeliest: np.ndarray) -> list[np.ndarray]:
        """Of messages whose likeliest intent is known: the numpy form of `score.meaning.evidence`."""
        means, rows = pieces @ self.vectors, np.arange(len(likeliest))
        scores = means @ self.weights + self.bias
        alike = SHARPNESS * (_unit(means) @ self.points.weights().T)
        own = np.where(self.intents[None, :] == likeliest[:, None], alike, -np.inf)
        columns = [-scores.max(axis=1), -stands_out(scores), -scores[rows, likeliest], self._against(pieces, likeliest)]
        return [*columns, -logsumexp(alike, axis=1), -logsumexp(own, axis=1)]

    def _against(self, pieces: sp.csr_matrix, likeliest: np.ndarray) -> np.ndarray:
        """What of the pieces speaks against the likeliest intent, on average."""
        present, place = np.unique(pieces.indices, return_inverse=True)
        adds = self.vectors[present] @ self.weights
        rows = np.repeat(np.arange(len(likeliest)), np.diff(pieces.indptr))
        against = np.minimum(adds[place, likeliest[rows]], 0.0)
        made: np.ndarray = -np.bincount(rows, pieces.data * against, minlength=len(likeliest))
        return made


def stands_out(scores: np.ndarray) -> np.ndarray:
    """How far the largest of each row is above the row's mean, in standard deviations (and a little)."""
    made: np.ndarray = (scores.max(axis=1) - scores.mean(axis=1)) / (scores.std(axis=1) + SPREAD)
    return made


def _unit(means: np.ndarray) -> np.ndarray:
    """Of length one; of no piece, nothing."""
    length = np.sqrt((means**2).sum(axis=1, keepdims=True))
    made: np.ndarray = means / np.where(length > 0, length, 1.0)
    return made


def _points(units: np.ndarray, people: np.ndarray, seed: int) -> np.ndarray:
    """Points that messages of one intent, of `FEWEST_PEOPLE` at least, lie around; their mean where there is no such point."""
    count = min(max(1, len(units) // AROUND), MOST_POINTS, len(np.unique(units, axis=0)))
    found = KMeans(count, n_init=1, max_iter=20, random_state=seed).fit(units)
    enough = [len(np.unique(people[found.labels_ == one])) >= FEWEST_PEOPLE for one in range(count)]
    kept = found.cluster_centers_[enough] if any(enough) else units.mean(axis=0, keepdims=True)
    return _unit(kept)
