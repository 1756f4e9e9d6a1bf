"""When is a message about none of the intents? Learned by hiding intents from training and looking at what their messages do.

In: evidence of messages whose intent was known to the model, and of messages whose intent was hidden from it. Out: weights of the
evidence that `score.strange.evidence` names, and the line beyond which it is `none of these`: where it costs at most `LOSS` of the
accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from nudge.learn.intent.linear import Mix, Parts
from nudge.learn.intent.meant import Meant, stands_out
from nudge.learn.intent.messages import Reading
from nudge.learn.intent.vocabulary import Vocabulary

EVIDENCE = (
    "doubt",
    "energy",
    "entropy",
    "unread",
    "short",
    "outside",
    "flat",
    "unlikely",
    "rival",
    "word_fit",
    "word_against",
    "letter_fit",
    "letter_against",
    "remote",
    "level",
    "unlike",
    "piece_against",
    "distant",
    "apart",
)
READ = ("word", "letter")
TIE = 1e-9
LOSS = 0.03
SPARE = 0.02
SURE = 0.9
FEWEST = 20
"""Messages of each side to learn from; with fewer, doubt alone speaks."""
PENALTY = 0.1


@dataclass(frozen=True, slots=True)
class Strange:
    """Weights of the evidence, and the threshold."""

    weights: Mapping[str, float]
    threshold: float

    def of(self, evidence: np.ndarray) -> np.ndarray:
        """How strange each message is."""
        made: np.ndarray = evidence @ np.array([self.weights[name] for name in EVIDENCE])
        return made


@dataclass(frozen=True, slots=True)
class Seen:
    """Of some messages: their rows of TF-IDF and of pieces, the share of unknown words and how many words, what both models say
    (intents of the model in order), the weights of naive Bayes, and what intents mean."""

    vocabulary: Vocabulary
    table: sp.csr_matrix
    pieces: sp.csr_matrix
    unread: np.ndarray
    words: np.ndarray
    logits: np.ndarray
    scores: Parts
    bayes: np.ndarray
    meant: Meant

    @classmethod
    def of(
        cls, vocabulary: Vocabulary, reading: Reading, scores: Parts, mix: Mix, *, bayes: np.ndarray, meant: Meant
    ) -> Seen:
        """Messages that were read, and what the models say of them."""
        rows = vocabulary.table(reading), reading.pieces(), *vocabulary.unread(reading)
        return cls(vocabulary, *rows, mix.logits(scores), scores, bayes, meant)

    def evidence(self) -> np.ndarray:
        """A row a message, a column for each of `EVIDENCE`: the numpy form of `score.strange.evidence`."""
        whole = logsumexp(self.logits, axis=1)
        chances = np.exp(self.logits - whole[:, None])
        entropy = whole - (chances * self.logits).sum(axis=1)
        margin, likeliest = self.scores.margin, self.likeliest()
        told = self.scores.bayes[np.arange(len(likeliest)), likeliest]
        second = np.partition(self.scores.bayes, -2, axis=1)[:, -2]
        columns = [whole - self.logits.max(axis=1), -whole, entropy, self.unread, 1 / (1 + self.words)]
        columns += [-margin.max(axis=1), -stands_out(margin), -told, second - told]
        for family in READ:
            columns += self._fit(family, likeliest)
        return np.column_stack([*columns, *self.meant.evidence(self.pieces, likeliest)])

    def likeliest(self) -> np.ndarray:
        """The first intent whose logit is the largest, but for `TIE`: whatever the order of sums."""
        made: np.ndarray = (self.logits >= self.logits.max(axis=1, keepdims=True) - TIE).argmax(axis=1)
        return made

    def _fit(self, family: str, likeliest: np.ndarray) -> list[np.ndarray]:
        """How badly the known terms of a family fit the likeliest intent, and what of it speaks against it, on average."""
        place = self.vocabulary.place(family)
        held = self.table[:, place]
        times = np.diff(held.indptr)
        rows = np.repeat(np.arange(len(times)), times)
        ratios = self.bayes[place.start + held.indices, likeliest[rows]]
        sums = (np.bincount(rows, one, minlength=len(times)) for one in (ratios, np.minimum(ratios, 0.0)))
        return [-one / (times + 1) for one in sums]


def weigh(known: np.ndarray, hidden: np.ndarray) -> dict[str, float]:
    """Weights that tell evidence of hidden intents from that of known ones which were answered rightly."""
    if min(len(known), len(hidden)) < FEWEST:
        return {name: float(name == "doubt") for name in EVIDENCE}
    rows = np.vstack([known, hidden])
    spread = rows.std(axis=0)
    spread[spread < 1e-9] = 1.0
    label = np.r_[np.zeros(len(known)), np.ones(len(hidden))]
    fitted = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000).fit(
        (rows - rows.mean(axis=0)) / spread, label
    )
    return {name: float(f"{weight:.6g}") for name, weight in zip(EVIDENCE, fitted.coef_[0] / spread, strict=True)}


def threshold(strange: np.ndarray, right: np.ndarray, hidden: np.ndarray) -> float:
    """The line beyond which a message is about none of the intents: it costs at most `LOSS` of the accuracy of known ones, and
    less where that finds nearly as many (`SPARE`) of the hidden ones. `strange` and `right` are of messages of known intents.
    Without hidden ones, what is answered with `SURE` is never refused."""
    lost = np.sort(strange[right])[::-1]
    allowed = int(np.floor(LOSS * len(right)))
    line = float(lost[allowed]) if allowed < len(lost) else float(strange.min()) - 1.0
    if len(hidden) < FEWEST:
        line = max(line, -float(np.log(SURE)))
    else:
        found = float((hidden > line).mean())
        line = max(line, float(np.quantile(hidden, min(1.0, 1.0 - found + SPARE), method="lower")))
    return float(f"{line + 1e-9:.12g}")
