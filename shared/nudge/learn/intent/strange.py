"""When is a message about none of the intents? Learned by hiding intents from training and looking at what their messages do.

In: logits of messages whose intent was known to the model, and of messages whose intent was hidden from it. Out: weights of the
evidence that `score.text.evidence` names, and the line beyond which it is `none of these`: where it costs at most `LOSS` of the
accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

EVIDENCE = ("doubt", "margin", "energy", "unread", "short")
LOSS = 0.03
SPARE = 0.02
SURE = 0.9
FEWEST = 20
"""Messages of each side to learn from; with fewer, doubt alone speaks."""


@dataclass(frozen=True, slots=True)
class Strange:
    """Weights of the evidence, and the threshold."""

    weights: Mapping[str, float]
    threshold: float

    def of(self, evidence: np.ndarray) -> np.ndarray:
        """How strange each message is."""
        made: np.ndarray = evidence @ np.array([self.weights[name] for name in EVIDENCE])
        return made


def evidence(logits: np.ndarray, unread: np.ndarray, words: np.ndarray) -> np.ndarray:
    """A row a message, a column for each of `EVIDENCE`: the numpy form of `score.text.evidence`."""
    first_two = np.partition(logits, -2, axis=1)[:, -2:]
    whole = logsumexp(logits, axis=1)
    return np.column_stack(
        [whole - first_two[:, 1], first_two[:, 0] - first_two[:, 1], -whole, unread, 1 / (1 + words)]
    )


def weigh(known: np.ndarray, hidden: np.ndarray) -> dict[str, float]:
    """Weights that tell evidence of hidden intents from that of known ones which were answered rightly."""
    if min(len(known), len(hidden)) < FEWEST:
        return {name: float(name == "doubt") for name in EVIDENCE}
    rows = np.vstack([known, hidden])
    spread = rows.std(axis=0)
    spread[spread < 1e-9] = 1.0
    label = np.r_[np.zeros(len(known)), np.ones(len(hidden))]
    fitted = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000).fit(
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
