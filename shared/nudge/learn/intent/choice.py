"""What is chosen for a model of intents, by folds inside the training messages: the penalty, the share of naive Bayes, the
temperature (Guo et al. 2017), what speaks for `none of these` and where its line is.

People stand in one fold only. A third of the messages is judged by a model of the others; for `none of these`, a third of the
intents is hidden as well, another one in each fold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from nudge.learn.intent import linear, strange
from nudge.learn.intent.linear import Mix, Parts
from nudge.learn.intent.messages import Reading
from nudge.learn.intent.strange import Seen, Strange
from nudge.learn.intent.vocabulary import Vocabulary

FOLDS = 3
HIDDEN = 3
"""One in so many intents is hidden in each fold."""
MANY = 100_000
"""Messages times intents beyond which few penalties are compared, and on one fold."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the folds chose, with the accuracy of every way that was tried."""

    penalty: float
    share: float
    mix: Mix
    strange: Strange
    tried: dict[str, float]


@dataclass(frozen=True, slots=True)
class Study:
    """Messages read, their intents (0 … count-1) and writers, and the folds."""

    reading: Reading
    labels: np.ndarray
    people: np.ndarray
    count: int
    seed: int
    folds: tuple[tuple[np.ndarray, np.ndarray], ...]

    @classmethod
    def of(cls, reading: Reading, labels: np.ndarray, people: np.ndarray, seed: int) -> Study:
        """Three folds; who wrote often stands in one of them."""
        if len(np.unique(people)) == len(people):
            made = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)
        else:
            made = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels, people)
        return cls(reading, labels, people, int(labels.max()) + 1, seed, tuple(made))

    def known(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The intents among some messages, and the place of each message's intent in them."""
        found, own = np.unique(self.labels[rows], return_inverse=True)
        return found, own

    def vocabulary(self, rows: np.ndarray) -> Vocabulary:
        """The terms of some of the messages."""
        return Vocabulary.of(self.reading.rows(rows), self.people[rows], len(np.unique(self.labels[rows])))

    def parts(self, vocabulary: Vocabulary, rows: np.ndarray, penalty: float) -> Parts:
        """Weights of some of the messages; the intents are those among them, in order."""
        known, own = self.known(rows)
        return linear.fit(vocabulary.table(self.reading.rows(rows)), own, len(known), penalty, self.seed)


def chosen(study: Study) -> Choice:
    """Everything that a model needs beside its weights."""
    penalty, share, held, tried = _best(study)
    blend = Mix.of(held, share)
    mix = blend.times(_temperature(blend.logits(held), study.labels))
    known, hidden = _hidden(study, penalty, mix)
    weights = strange.weigh(known, hidden)
    line = Strange(weights, 0.0)
    evidence, right = _known(study, held, mix)
    threshold = strange.threshold(line.of(evidence), right, line.of(hidden))
    return Choice(penalty, share, mix, replace(line, threshold=threshold), tried)


def _best(study: Study) -> tuple[float, float, Parts, dict[str, float]]:
    """The penalty and the share of naive Bayes with the most messages right, scores of every message by models of the other
    folds, and what was tried. Where fits are dear, one fold compares two penalties; the shares are compared on all."""
    dear = len(study.labels) * study.count > MANY
    few, penalties = (study.folds[:1], linear.PENALTIES) if dear else (study.folds, linear.FINER)
    scores: dict[float, Parts] = {}
    tried: dict[tuple[float, float], float] = {}
    for penalty in penalties:
        scores[penalty] = _held_out(study, few, penalty)
        tried |= {(penalty, share): right for share, right in _right(study, few, scores[penalty]).items()}
    penalty = max(tried, key=lambda way: (tried[way], -way[0], -way[1]))[0]
    held = scores[penalty]
    rest = _held_out(study, study.folds[len(few) :], penalty)
    for _, rows in study.folds[len(few) :]:
        held.margin[rows], held.bayes[rows] = rest.margin[rows], rest.bayes[rows]
    shares = _right(study, study.folds, held)
    share = max(shares, key=lambda one: (shares[one], -one))
    tried |= {(penalty, one): right for one, right in shares.items()}
    said = {f"penalty {one:g}, naive Bayes {other:g}": accuracy for (one, other), accuracy in tried.items()}
    return penalty, share, held, said


def _held_out(study: Study, folds: tuple[tuple[np.ndarray, np.ndarray], ...], penalty: float) -> Parts:
    """Scores of the messages of some folds by models of the other messages; an intent that a model does not know has the
    lowest score."""
    size = len(study.labels), study.count
    found = Parts(np.zeros(size), np.zeros(size), np.zeros(study.count))
    for others, held in folds:
        vocabulary, columns = study.vocabulary(others), study.known(others)[0]
        told = study.parts(vocabulary, others, penalty).scores(vocabulary.table(study.reading.rows(held)))
        found.margin[held], found.bayes[held] = told.margin.min(), told.bayes.min()
        found.margin[np.ix_(held, columns)], found.bayes[np.ix_(held, columns)] = told.margin, told.bayes
    return found


def _right(study: Study, folds: tuple[tuple[np.ndarray, np.ndarray], ...], held: Parts) -> dict[float, float]:
    """Of each share of naive Bayes: the share of messages that are right."""
    rows = np.concatenate([rows for _, rows in folds])
    some, labels = held.rows(rows), study.labels[rows]
    return {share: float((Mix.of(some, share).logits(some).argmax(axis=1) == labels).mean()) for share in linear.SHARES}


def _temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The slope at which softmax(slope · scores) has the least log loss."""
    rows = np.arange(len(labels))

    def loss(log_slope: float) -> float:
        return -float(log_softmax(np.exp(log_slope) * scores, axis=1)[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def _known(study: Study, held: Parts, mix: Mix) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of every message by the models of the other folds, and whether these are right."""
    found = np.zeros((len(study.labels), len(strange.EVIDENCE)))
    right = np.zeros(len(study.labels), bool)
    for others, rows in study.folds:
        vocabulary, (columns, own) = study.vocabulary(others), study.known(others)
        bayes = linear.naive_bayes(vocabulary.table(study.reading.rows(others)), own, len(columns))
        seen = _seen(study, rows, vocabulary, bayes, held.rows(rows).columns(columns), mix)
        found[rows], right[rows] = seen.evidence(), columns[seen.likeliest()] == study.labels[rows]
    return found, right


def _hidden(study: Study, penalty: float, mix: Mix) -> tuple[np.ndarray, np.ndarray]:
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
        parts = study.parts(vocabulary, rows, penalty)
        for where, found in ((held[~away[held]], known), (np.flatnonzero(away), hidden)):
            scores = parts.scores(vocabulary.table(study.reading.rows(where)))
            seen = _seen(study, where, vocabulary, parts.bayes, scores, mix)
            right = columns[seen.likeliest()] == study.labels[where]
            found.append(seen.evidence() if found is hidden else seen.evidence()[right])
    return np.vstack(known), np.vstack(hidden)


def _seen(study: Study, rows: np.ndarray, vocabulary: Vocabulary, bayes: np.ndarray, scores: Parts, mix: Mix) -> Seen:
    reading = study.reading.rows(rows)
    return Seen(vocabulary, vocabulary.table(reading), *vocabulary.unread(reading), mix.logits(scores), scores, bayes)
