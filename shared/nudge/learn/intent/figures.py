"""How good is a model of intents on later messages: figures with intervals, intent by intent, script by script.

In: probabilities and strangeness of the last slice, what people said. Out: the figures of a card. Knows no model; no text leaves
it.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from nudge.learn import judge
from nudge.learn.intent.messages import Messages
from nudge.learn.recipe import Recipe

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
CONFUSIONS = 20
SCRIPT_LETTERS = 200
"""So many characters of a text are looked at to tell its script."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The last slice: intents known, messages, probabilities (messages x intents), strangeness and its line, and the share of
    each intent before."""

    intents: np.ndarray
    late: Messages
    chances: np.ndarray
    strange: np.ndarray
    threshold: float
    shares: np.ndarray

    def truth(self) -> np.ndarray:
        """The probability given to what people said; 0 for intents that the model does not know."""
        return self._of(self.chances)

    def guess(self) -> np.ndarray:
        """The same for always guessing the shares of before."""
        return self._of(np.tile(self.shares, (len(self.late), 1)))

    def _of(self, chances: np.ndarray) -> np.ndarray:
        places = {name: place for place, name in enumerate(self.intents)}
        columns = np.array([places.get(name, -1) for name in self.late.intents])
        return np.where(columns >= 0, chances[np.arange(len(columns)), columns], 0.0)

    @property
    def told(self) -> np.ndarray:
        return self.intents[self.chances.argmax(axis=1)]

    @property
    def right(self) -> np.ndarray:
        return np.asarray(self.told == self.late.intents)

    @property
    def confidence(self) -> np.ndarray:
        return np.asarray(self.chances.max(axis=1))

    @property
    def none(self) -> np.ndarray:
        return self.strange > self.threshold


def said(judged: Judged, rows: judge.Rows, recipe: Recipe) -> dict[str, Any]:
    """`metrics by_intent by_script confusions reliability coverage`."""
    confident = judge.Rows(judged.right.astype(float), rows.weight, rows.people)
    return {
        "metrics": _metrics(judged, rows, recipe),
        "all_kinds": {"majority": {"accuracy": float((judged.late.intents == _majority(judged)).mean())}},
        "by_intent": [_intent(judged, name) for name in np.unique(judged.late.intents)],
        "by_script": _scripts(judged),
        "confusions": _confusions(judged),
        "reliability": judge.reliability(judged.confidence, confident),
        "coverage": _coverage(judged),
    }


def _majority(judged: Judged) -> str:
    return str(judged.intents[judged.shares.argmax()])


def _metrics(judged: Judged, rows: judge.Rows, recipe: Recipe) -> dict[str, list[float]]:
    """Each as [value, low, high]; people are resampled."""
    right, answered = judged.right.astype(float), (~judged.none).astype(float)
    known = np.isin(judged.late.intents, judged.intents).astype(float)
    pairs = {
        "accuracy": (right, np.ones_like(right)),
        "log_loss": (judge.log_losses(judged.truth(), np.ones_like(right)), np.ones_like(right)),
        "answered": (answered, np.ones_like(right)),
        "accuracy_answered": (right * answered, answered),
        "accuracy_lost": (right * (1 - answered), np.ones_like(right)),
        "unknown_found": ((1 - known) * (1 - answered), 1 - known),
    }
    drawn: dict[str, list[float]] = {name: [] for name in pairs}
    for weight in rows.resamples(recipe.resamples, recipe.seed):
        for name, (over, under) in pairs.items():
            if (weight * under).sum() > 0:
                drawn[name].append(float((weight * over).sum() / (weight * under).sum()))
    tail = (1 - recipe.confidence) / 2
    return {
        name: [float(over.sum() / under.sum()), *(float(edge) for edge in np.quantile(drawn[name], [tail, 1 - tail]))]
        for name, (over, under) in pairs.items()
        if under.sum() > 0
    }


def _intent(judged: Judged, name: str) -> dict[str, Any]:
    meant, told = judged.late.intents == name, judged.told == name
    both = int((meant & told).sum())
    return {
        "intent": str(name),
        "messages": int(meant.sum()),
        "known": bool(name in judged.intents),
        "recall": both / int(meant.sum()),
        "precision": both / int(told.sum()) if told.any() else None,
        "none": float(judged.none[meant].mean()),
    }


def _scripts(judged: Judged) -> list[dict[str, Any]]:
    scripts = np.array([script(text) for text in judged.late.texts])
    return [
        {"script": str(one), "messages": int(which.sum()), "accuracy": float(judged.right[which].mean())}
        for one in np.unique(scripts)
        if (which := scripts == one).any()
    ]


def script(text: str) -> str:
    """The script of most letters of a text: LATIN, CJK, CYRILLIC, ARABIC …; NONE without letters."""
    letters = (one for one in text[:SCRIPT_LETTERS] if one.isalpha())
    names = Counter(unicodedata.name(one, "OTHER").split()[0].split("-")[0] for one in letters)
    return min(names, key=lambda name: (-names[name], name)) if names else "NONE"


def _confusions(judged: Judged) -> list[dict[str, Any]]:
    wrong = ~judged.right
    pairs = Counter(zip(judged.late.intents[wrong].tolist(), judged.told[wrong].tolist(), strict=True))
    ranked = sorted(pairs.items(), key=lambda one: (-one[1], one[0]))[:CONFUSIONS]
    return [{"meant": meant, "told": told, "messages": count} for (meant, told), count in ranked]


def _coverage(judged: Judged) -> list[dict[str, float]]:
    """Of the messages that it is surest of: how many of them are right."""
    order = np.argsort(judged.strange, kind="stable")
    found = []
    for share in COVERAGES:
        kept = order[: max(1, round(share * len(order)))]
        found.append({"answered": share, "accuracy": float(judged.right[kept].mean())})
    return found
