"""A fitted model of intents, and its form as data."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from nudge.learn.export import FORMAT, canonical
from nudge.learn.intent.choice import Choice, Study, chosen
from nudge.learn.intent.linear import Parts, Rounded, digits
from nudge.learn.intent.messages import FAMILIES, READING, Messages, Reading, Terms
from nudge.learn.intent.strange import Seen
from nudge.learn.intent.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model: the numpy form of what `score.text` reads."""

    intents: list[str]
    reading: Reading
    vocabulary: Vocabulary
    margin: Rounded
    bayes: Rounded
    bias: np.ndarray
    choice: Choice

    def judge(self, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
        """Of messages read with the same terms: the probability of each intent, and how much speaks for `none of these`."""
        table, bayes = self.vocabulary.table(reading), self.bayes.weights()
        scores = Parts(self.margin.weights(), bayes, self.bias).scores(table)
        logits = self.choice.mix.logits(scores)
        seen = Seen(self.vocabulary, table, *self.vocabulary.unread(reading), logits, scores, bayes)
        return np.asarray(softmax(logits, axis=1)), self.choice.strange.of(seen.evidence())

    def export(self, name: str) -> bytes:
        """The artefact; see `score.text.structure` for its shape."""
        families = {}
        for family, weight in FAMILIES.items():
            columns, place = self.vocabulary.columns[family], self.vocabulary.place(family)
            families[family] = {
                "weight": weight,
                "terms": [self.reading.names[family][one] for one in columns],
                "seen": self.vocabulary.seen[family].tolist(),
                "margin": self.margin.scale[place].tolist(),
                "bayes": self.bayes.scale[place].tolist(),
            }
        none, mix = self.choice.strange, self.choice.mix
        held: dict[str, Any] = {
            "format": FORMAT,
            "kind": "intent",
            "reading": READING,
            "name": name,
            "intents": self.intents,
            "people": self.vocabulary.people,
            "families": families,
            "margin": b64encode(self.margin.levels.tobytes()).decode(),
            "bayes": b64encode(self.bayes.levels.tobytes()).decode(),
            "bias": self.bias.tolist(),
            "mix": {"margin": mix.margin, "bayes": mix.bayes},
            "none": {"weights": dict(none.weights), "threshold": none.threshold},
        }
        return canonical(held)


def fit(messages: Messages, terms: Terms, seed: int = 0) -> Model:
    """A model of all the messages. Each intent needs `choice.FOLDS` messages of different people at least."""
    reading = Reading.of(messages.texts, terms)
    names, labels = np.unique(messages.intents, return_inverse=True)
    study = Study.of(reading, labels, messages.people, seed)
    choice = chosen(study)
    vocabulary, everything = study.vocabulary(np.arange(len(labels))), np.arange(len(labels))
    parts = study.parts(vocabulary, everything, choice.way)
    margin, bayes = Rounded.of(parts.margin), Rounded.of(parts.bayes)
    return Model([str(name) for name in names], reading, vocabulary, margin, bayes, digits(parts.bias), choice)
