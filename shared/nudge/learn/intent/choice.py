"""What is chosen for a model of intents, by folds inside the training messages: the penalty, the smoothing and the
share of naive Bayes, the temperature (Guo et al. 2017), what speaks for `none of these` and where its line is.

People stand in one fold only. A third of the messages is judged by a model of the others; for `none of these`, a third of the
intents is hidden as well, another one in each fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from nudge.learn.intent import linear, strange
from nudge.learn.intent.linear import Mix, Parts, Way
from nudge.learn.intent.meant import Meant
from nudge.learn.intent.messages import Reading
from nudge.learn.intent.strange import Seen, Strange
from nudge.learn.intent.vocabulary import Vocabulary

FOLDS = 3
HIDDEN = 3
"""One in so many intents is hidden in each fold."""
MANY = 100_000
"""Messages times intents beyond which few penalties are compared, and on one fold."""

type Folds = tuple[tuple[np.ndarray, np.ndarray], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the folds chose, with the accuracy of every way that was tried."""

    way: Way
    mix: Mix
    strange: Strange
    tried: dict[str, float]


@dataclass(frozen=True, slots=True)
class Study:
    """Messages read, the vectors of their pieces, their intents (0 … count-1) and writers, and the folds."""

    reading: Reading
    vectors: np.ndarray
    labels: np.ndarray
    people: np.ndarray
    count: int
    seed: int
    folds: Folds

    @classmethod
    def of(cls, reading: Reading, vectors: np.ndarray, labels: np.ndarray, people: np.ndarray, seed: int) -> Study:
        """Three folds; who wrote often stands in one of them."""
        if len(np.unique(people)) == len(people):
            made = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)
        else:
            made = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels, people)
        return cls(reading, vectors, labels, people, int(labels.max()) + 1, seed, tuple(made))

    def known(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The intents among some messages, and the place of each message's intent in them."""
        found, own = np.unique(self.labels[rows], return_inverse=True)
        return found, own

    def vocabulary(self, rows: np.ndarray) -> Vocabulary:
        """The terms of some of the messages."""
        return Vocabulary.of(self.reading.rows(rows), self.people[rows], len(np.unique(self.labels[rows])))

    def parts(self, vocabulary: Vocabulary, rows: np.ndarray, way: Way) -> Parts:
        """Weights of some of the messages; the intents are those among them, in order."""
        known, own = self.known(rows)
        return linear.fit(vocabulary.table(self.reading.rows(rows)), own, len(known), way, self.seed)

    def meant(self, rows: np.ndarray) -> Meant:
        """What the intents among some of the messages mean."""
        pieces, own = self.reading.rows(rows).pieces(), self.known(rows)[1]
        return Meant.of(pieces, self.vectors, own, self.people[rows], self.seed)


def chosen(study: Study) -> Choice:
    """Everything that a model needs beside its weights."""
    way, held, tried = _best(study)
    blend = Mix.of(held, way.share)
    mix = blend.times(_temperature(blend.logits(held), study.labels))
    known, hidden = _hidden(study, way, mix)
    weights = strange.weigh(known, hidden)
    line = Strange(weights, 0.0)
    evidence, right = _known(study, held, way, mix)
    threshold = strange.threshold(line.of(evidence), right, line.of(hidden))
    return Choice(way, mix, replace(line, threshold=threshold), {str(one): share for one, share in tried.items()})


def _best(study: Study) -> tuple[Way, Parts, dict[Way, float]]:
    """The way with the most messages right, scores of every message by models of the other folds, and what was tried. Where
    fits are dear, one fold compares two penalties; all else is compared on all."""
    dear = len(study.labels) * study.count > MANY
    few, penalties = (study.folds[:1], linear.PENALTIES) if dear else (study.folds, linear.FINER)
    bayes = _likelihoods(study)
    tried: dict[Way, float] = {}
    margins: dict[float, np.ndarray] = {}
    for penalty in penalties:
        margins[penalty] = _margins(study, few, penalty)
        tried |= _right(study, few, penalty, margins[penalty], bayes)
    penalty = _winner(tried).penalty
    held = margins[penalty]
    rest = study.folds[len(few) :]
    others = _margins(study, rest, penalty)
    for _, rows in rest:
        held[rows] = others[rows]
    best = _right(study, study.folds, penalty, held, bayes)
    way = _winner(best)
    return way, Parts(held, bayes[way.smoothing], np.zeros(study.count)), tried | best


def _winner(tried: Mapping[Way, float]) -> Way:
    """The most messages right; of equals the lowest penalty, smoothing and share."""
    return min(tried, key=lambda way: (-tried[way], way))


def _margins(study: Study, folds: Folds, penalty: float) -> np.ndarray:
    """Margins of the messages of some folds by models of the other messages."""
    found = np.zeros((len(study.labels), study.count))
    for others, held in folds:
        vocabulary, (columns, own) = study.vocabulary(others), study.known(others)
        table = vocabulary.table(study.reading.rows(others))
        weights, bias = linear.large_margin(table, own, len(columns), penalty, study.seed)
        _put(found, held, columns, vocabulary.table(study.reading.rows(held)) @ weights + bias)
    return found


def _likelihoods(study: Study) -> dict[float, np.ndarray]:
    """Of each smoothing: the naive Bayes scores of every message by models of the other folds."""
    found = {one: np.zeros((len(study.labels), study.count)) for one in linear.SMOOTHINGS}
    for others, held in study.folds:
        vocabulary, (columns, own) = study.vocabulary(others), study.known(others)
        table, asked = (vocabulary.table(study.reading.rows(rows)) for rows in (others, held))
        for smoothing, scores in found.items():
            _put(scores, held, columns, asked @ linear.naive_bayes(table, own, len(columns), smoothing))
    return found


def _put(scores: np.ndarray, rows: np.ndarray, columns: np.ndarray, told: np.ndarray) -> None:
    """Fill rows; an intent that a model does not know has the lowest score."""
    scores[rows] = told.min()
    scores[np.ix_(rows, columns)] = told


def _right(
    study: Study, folds: Folds, penalty: float, margins: np.ndarray, bayes: Mapping[float, np.ndarray]
) -> dict[Way, float]:
    """Of each smoothing and share of naive Bayes: the share of messages that are right."""
    rows = np.concatenate([rows for _, rows in folds])
    found = {}
    for smoothing, scores in bayes.items():
        parts = Parts(margins[rows], scores[rows], np.zeros(study.count))
        for share in linear.SHARES:
            told = Mix.of(parts, share).logits(parts).argmax(axis=1)
            found[Way(penalty, smoothing, share)] = float((told == study.labels[rows]).mean())
    return found


def _temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The slope at which softmax(slope · scores) has the least log loss."""
    rows = np.arange(len(labels))

    def loss(log_slope: float) -> float:
        return -float(log_softmax(np.exp(log_slope) * scores, axis=1)[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def _known(study: Study, held: Parts, way: Way, mix: Mix) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of every message by the models of the other folds, and whether these are right."""
    found = np.zeros((len(study.labels), len(strange.EVIDENCE)))
    right = np.zeros(len(study.labels), bool)
    for others, rows in study.folds:
        vocabulary, (columns, own) = study.vocabulary(others), study.known(others)
        bayes = linear.naive_bayes(vocabulary.table(study.reading.rows(others)), own, len(columns), way.smoothing)
        scores, reading = held.rows(rows).columns(columns), study.reading.rows(rows)
        seen = Seen.of(vocabulary, reading, scores, mix, bayes=bayes, meant=study.meant(others))
        found[rows], right[rows] = seen.evidence(), columns[seen.likeliest()] == study.labels[rows]
    return found, right


def _hidden(study: Study, way: Way, mix: Mix) -> tuple[np.ndarray, np.ndarray]:
    """In each fold some intents are hidden: the evidence of messages of known ones that were answered rightly, and of hidden
    ones."""
    shuffled = np.random.default_rng(study.seed).permutation(study.count)
    known, hidden = [np.empty((0, len(strange.EVIDENCE)))], [np.empty((0, len(strange.EVIDENCE)))]
    for number, (others, held) in enumerate(study.folds):
        away = np.isin(study.labels, shuffled[number::HIDDEN])
        rows = others[~away[others]]
        columns = study.known(rows)[0]
        if not away.any() or len(columns) < 2:
            continue
        vocabulary = study.vocabulary(rows)
        parts, meant = study.parts(vocabulary, rows, way), study.meant(rows)
        for where, found in ((held[~away[held]], known), (np.flatnonzero(away), hidden)):
            reading = study.reading.rows(where)
            scores = parts.scores(vocabulary.table(reading))
            seen = Seen.of(vocabulary, reading, scores, mix, bayes=parts.bayes, meant=meant)
            right = columns[seen.likeliest()] == study.labels[where]
            found.append(seen.evidence() if found is hidden else seen.evidence()[right])
    return np.vstack(known), np.vstack(hidden)
