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
from nudge.learn.intent.meaning import Meaning, meaning
from nudge.learn.intent.meant import Meant
from nudge.learn.intent.messages import FAMILIES, READING, Messages, Reading, Reads
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
    meaning: Meaning
    meant: Meant
    choice: Choice

    def judge(self, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
        """Of messages read with the same terms: the probability of each intent, and how much speaks for `none of these`."""
        bayes, mix = self.bayes.weights(), self.choice.mix
        scores = Parts(self.margin.weights(), bayes, self.bias).scores(self.vocabulary.table(reading))
        seen = Seen.of(self.vocabulary, reading, scores, mix, bayes=bayes, meant=self.meant)
        return np.asarray(softmax(seen.logits, axis=1)), self.choice.strange.of(seen.evidence())

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
            "margin": _packed(self.margin),
            "bayes": _packed(self.bayes),
            "bias": self.bias.tolist(),
            "meaning": {
                "pieces": self.meaning.names,
                "scale": self.meaning.rounded.scale.tolist(),
                "vectors": _packed(self.meaning.rounded),
                "weights": self.meant.weights.T.tolist(),
                "bias": self.meant.bias.tolist(),
                "points": {
                    "scale": self.meant.points.scale.tolist(),
                    "vectors": _packed(self.meant.points),
                    "intent": self.meant.intents.tolist(),
                },
            },
            "mix": {"margin": mix.margin, "bayes": mix.bayes},
            "none": {"weights": dict(none.weights), "threshold": none.threshold},
        }
        return canonical(held)


def _packed(rounded: Rounded) -> str:
    return b64encode(rounded.levels.tobytes()).decode()


def fit(messages: Messages, reads: Reads, seed: int = 0) -> Model:
    """A model of all the messages. Each intent needs `choice.FOLDS` messages of different people at least."""
    known = meaning()
    reading = Reading.of(messages.texts, reads, known.names)
    names, labels = np.unique(messages.intents, return_inverse=True)
    study = Study.of(reading, known.vectors, labels, messages.people, seed)
    choice, everything = chosen(study), np.arange(len(labels))
    vocabulary, meant = study.vocabulary(everything), study.meant(everything)
    parts = study.parts(vocabulary, everything, choice.way)
    margin, bayes = Rounded.of(parts.margin), Rounded.of(parts.bayes)
    said, bias = [str(name) for name in names], digits(parts.bias)
    return Model(said, reading, vocabulary, margin, bayes, bias, known, meant, choice)
