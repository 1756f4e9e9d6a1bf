"""Labelled messages → a model, everything chosen inside them by folds: the penalty, the share of naive Bayes, the temperature
(Guo et al. 2017), what speaks for `none of these` and where its line is.

People stand in one fold only. A third of the messages is judged by a model of the others; for `none of these`, a part of the
intents is hidden as well.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from nudge.learn.export import FORMAT, canonical
from nudge.learn.intent import linear, strange
from nudge.learn.intent.linear import Blend, Parts, Rounded
from nudge.learn.intent.messages import FAMILIES, Messages, Reading, Terms
from nudge.learn.intent.strange import Strange
from nudge.learn.intent.vocabulary import Vocabulary

FOLDS = 3
HIDDEN = 6
"""One in so many intents is hidden in each fold."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the folds chose, with the accuracy of every way that was tried."""

    penalty: float
    blend: Blend
    slope: float
    strange: Strange
    tried: dict[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model: the numpy form of what `score.text` reads."""

    intents: list[str]
    reading: Reading
    vocabulary: Vocabulary
    weights: Rounded
    choice: Choice

    def logits(self, reading: Reading) -> np.ndarray:
        """Calibrated logits of messages read with the same terms: softmax of them is the probability."""
        return self.choice.slope * self.weights.scores(self.vocabulary.table(reading))

    def strangeness(self, reading: Reading, logits: np.ndarray) -> np.ndarray:
        """How much speaks for `none of these`."""
        return self.choice.strange.of(strange.evidence(logits, *self.vocabulary.unread(reading)))

    def export(self, name: str) -> bytes:
        """The artefact; see `score.text.structure` for its shape."""
        families, first = {}, 0
        for family, weight in FAMILIES.items():
            columns = self.vocabulary.columns[family]
            families[family] = {
                "weight": weight,
                "terms": [self.reading.names[family][one] for one in columns],
                "seen": self.vocabulary.seen[family].tolist(),
                "scale": self.weights.scale[first : first + len(columns)].tolist(),
            }
            first += len(columns)
        held: dict[str, Any] = {
            "format": FORMAT,
            "kind": "intent",
            "name": name,
            "intents": self.intents,
            "people": self.vocabulary.people,
            "families": families,
            "weights": b64encode(self.weights.levels.tobytes()).decode(),
            "bias": self.weights.bias.tolist(),
            "slope": self.choice.slope,
            "none": {"weights": dict(self.choice.strange.weights), "threshold": self.choice.strange.threshold},
        }
        return canonical(held)


def fit(messages: Messages, terms: Terms, seed: int = 0) -> Model:
    """A model of all the messages. Each intent needs `FOLDS` messages of different people at least."""
    reading = Reading.of(messages.texts, terms)
    names, labels = np.unique(messages.intents, return_inverse=True)
    choice = _chosen(reading, labels, messages.people, len(names), seed)
    vocabulary = Vocabulary.of(reading, messages.people, len(names))
    parts = linear.fit(vocabulary.table(reading), labels, len(names), choice.penalty, seed)
    weights = Rounded.of(choice.blend.mixed(parts), parts.bias / choice.blend.margin)
    return Model([str(name) for name in names], reading, vocabulary, weights, choice)


def _chosen(reading: Reading, labels: np.ndarray, people: np.ndarray, count: int, seed: int) -> Choice:
    folds = _folds(labels, people, seed)
    parts = {penalty: _held_out(reading, labels, people, count, folds, penalty, seed) for penalty in linear.PENALTIES}
    tried = {}
    for penalty, one in parts.items():
        for share in linear.SHARES:
            right = Blend.of(one, share).mixed(one).argmax(axis=1) == labels
            tried[penalty, share] = float(right.mean())
    penalty, share = max(tried, key=lambda way: (tried[way], -way[0], -way[1]))
    blend = Blend.of(parts[penalty], share)
    scores = blend.mixed(parts[penalty])
    slope = _temperature(scores, labels)
    known, hidden = _hidden(reading, labels, people, count, folds, penalty, blend, slope, seed)
    weights = strange.weigh(known, hidden)
    evidence = strange.evidence(slope * scores, *_unread(reading, people, count, folds))
    held = Strange(weights, 0.0)
    line = strange.threshold(held.of(evidence), scores.argmax(axis=1) == labels, held.of(hidden))
    said = {f"penalty {one:g}, naive Bayes {other:g}": accuracy for (one, other), accuracy in tried.items()}
    return Choice(penalty, blend, slope, Strange(weights, line), said)


def _folds(labels: np.ndarray, people: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    if len(np.unique(people)) == len(people):
        made = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)
    else:
        made = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels, people)
    return list(made)


def _held_out(
    reading: Reading,
    labels: np.ndarray,
    people: np.ndarray,
    count: int,
    folds: list[tuple[np.ndarray, np.ndarray]],
    penalty: float,
    seed: int,
) -> Parts:
    """Scores of every message by models of the other folds."""
    found = Parts(np.zeros((len(labels), count)), np.zeros((len(labels), count)), np.zeros(count))
    for others, held in folds:
        fitted = _part(reading, labels, people, others, penalty, seed)
        told = fitted[1].scores(fitted[0].table(reading.rows(held)))
        columns = np.unique(labels[others])
        lowest = told.margin.min(), told.bayes.min()
        found.margin[held], found.bayes[held] = lowest
        found.margin[np.ix_(held, columns)], found.bayes[np.ix_(held, columns)] = told.margin, told.bayes
    return found


def _part(
    reading: Reading, labels: np.ndarray, people: np.ndarray, rows: np.ndarray, penalty: float, seed: int
) -> tuple[Vocabulary, Parts]:
    """A vocabulary and weights of some of the messages; the intents are those among them, in order."""
    known, own = np.unique(labels[rows], return_inverse=True)
    some = reading.rows(rows)
    vocabulary = Vocabulary.of(some, people[rows], len(known))
    return vocabulary, linear.fit(vocabulary.table(some), own, len(known), penalty, seed)


def _unread(
    reading: Reading, people: np.ndarray, count: int, folds: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    unread, words = np.zeros(len(people)), np.zeros(len(people))
    for others, held in folds:
        vocabulary = Vocabulary.of(reading.rows(others), people[others], count)
        unread[held], words[held] = vocabulary.unread(reading.rows(held))
    return unread, words


def _temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The slope at which softmax(slope · scores) has the least log loss."""
    rows = np.arange(len(labels))

    def loss(log_slope: float) -> float:
        return -float(log_softmax(np.exp(log_slope) * scores, axis=1)[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-4})
    return float(f"{np.exp(found.x):.6g}")


def _hidden(
    reading: Reading,
    labels: np.ndarray,
    people: np.ndarray,
    count: int,
    folds: list[tuple[np.ndarray, np.ndarray]],
    penalty: float,
    blend: Blend,
    slope: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """In each fold some intents are hidden: the evidence of messages of known ones that were answered rightly, and of hidden
    ones."""
    shuffled = np.random.default_rng(seed).permutation(count)
    known: list[np.ndarray] = []
    hidden: list[np.ndarray] = []
    for number, (others, held) in enumerate(folds):
        away = np.isin(labels, shuffled[number::HIDDEN])
        if not away.any() or count - len(np.unique(labels[away])) < 2:
            continue
        rows = others[~away[others]]
        vocabulary, parts = _part(reading, labels, people, rows, penalty, seed)
        columns = np.unique(labels[rows])
        for where, found in ((held[~away[held]], known), (np.flatnonzero(away), hidden)):
            some = reading.rows(where)
            logits = slope * blend.mixed(parts.scores(vocabulary.table(some)))
            told = strange.evidence(logits, *vocabulary.unread(some))
            found.append(told if found is hidden else told[columns[logits.argmax(axis=1)] == labels[where]])
    empty = np.empty((0, len(strange.EVIDENCE)))
    return np.vstack([empty, *known]), np.vstack([empty, *hidden])


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax a row."""
    return np.asarray(softmax(logits, axis=1))
