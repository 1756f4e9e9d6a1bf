"""A message → what it is about: an intent, how sure, or none of these.

In: a verified `intent` artefact and a text in any language. Out: an intent (or None), its calibrated probability, all intents
ranked. Reading (`score.terms`), TF-IDF and the two linear models are plain look-ups; nothing of the text is kept. Knows neither
who wrote it nor what is answered. What speaks for `none of these` is in `score.strange` and `score.meaning`.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import exp, log, sqrt, sumprod
from typing import Any, NamedTuple

from nudge.score import meaning, packed, strange, verify
from nudge.score.pieces import Pieces
from nudge.score.terms import FAMILIES, LONGEST, REACH, READING, plain, terms

__all__ = ["LONGEST", "REACH", "Reader", "load", "plain", "reads", "softmax", "structure", "terms"]

_ZERO = 128
_RAISED = bytes((byte + _ZERO) % 256 for byte in range(256))
"""Signed bytes become 0 … 255: `bytes` give whole numbers several times faster than a signed view does."""


class _Term(NamedTuple):
    """A known term: its place among all terms, its inverse document frequency, what its weights are multiplied by."""

    row: int
    rare: float
    margin: float
    bayes: float


class Reader:
    """One intent model in memory: `intent(text)`."""

    __slots__ = ("_bayes", "_bias", "_families", "_margin", "_meaning", "_mix", "_none", "_threshold", "intents")

    def __init__(self, artefact: Mapping[str, Any]) -> None:
        self.intents: tuple[str, ...] = tuple(artefact["intents"])
        self._bias = [float(one) for one in artefact["bias"]]
        self._mix = float(artefact["mix"]["margin"]), float(artefact["mix"]["bayes"])
        self._margin, self._bayes = (b64decode(artefact[name]).translate(_RAISED) for name in ("margin", "bayes"))
        self._meaning = meaning.Meaning(artefact["meaning"])
        self._none = [float(artefact["none"]["weights"][name]) for name in strange.EVIDENCE]
        self._threshold = float(artefact["none"]["threshold"])
        people, first = artefact["people"], 0
        self._families: list[tuple[str, float, dict[str, _Term]]] = []
        for name in FAMILIES:
            family = artefact["families"][name]
            rare = [log((1 + people) / (1 + seen)) + 1.0 for seen in family["seen"]]
            held = map(_Term, range(first, first + len(rare)), rare, family["margin"], family["bayes"])
            self._families.append((name, float(family["weight"]), dict(zip(family["terms"], held, strict=True))))
            first += len(rare)

    def intent(self, text: str) -> tuple[str | None, float, list[tuple[str, float]]]:
        """The intent (None: none of these), the probability that the likeliest one is meant, and all of them ranked.

        Raises BadInput when the text is no text."""
        logits, odd = self._read(text)
        chances = softmax(logits)
        ranked = sorted(zip(self.intents, chances, strict=True), key=lambda one: (-one[1], one[0]))
        return (None if odd > self._threshold else ranked[0][0]), ranked[0][1], ranked

    def strangeness(self, text: str) -> float:
        """How much speaks for `none of these`: higher is stranger. Raises BadInput when the text is no text."""
        return self._read(text)[1]

    def _read(self, text: str) -> tuple[list[float], float]:
        """The calibrated logit of each intent, and how strange the text is."""
        found = terms(text)
        margins: list[float] = []
        likelihoods: list[float] = []
        read: dict[str, list[_Term]] = {}
        for name, weight, known in self._families:
            held = [(known[term], times) for term, times in found[name].items() if term in known]
            raw = [(1.0 + log(times)) * term.rare for term, times in held]
            norm = sqrt(sumprod(raw, raw)) or 1.0
            margins += [weight * one / norm * term.margin for one, (term, _) in zip(raw, held, strict=True)]
            likelihoods += [weight * one / norm * term.bayes for one, (term, _) in zip(raw, held, strict=True)]
            read[name] = [term for term, _ in held]
        rows = [term.row for held in read.values() for term in held]
        margin = self._sums(self._margin, margins, rows, self._bias)
        bayes = self._sums(self._bayes, likelihoods, rows, [0.0] * len(self._bias))
        one, other = self._mix
        logits = [one * first + other * second for first, second in zip(margin, bayes, strict=True)]
        likeliest = strange.likeliest(logits)
        fits = [self._against(read[name], likeliest) for name in strange.READ]
        meant = self._meaning.evidence(plain(text), likeliest)
        seen = strange.Seen(logits, margin, bayes, likeliest, fits, *self._unread(found["word"]), meant)
        return logits, sumprod(self._none, strange.evidence(seen))

    def _sums(self, weights: bytes, values: list[float], rows: list[int], start: list[float]) -> list[float]:
        """Of each intent: values times the weights in their rows, added up."""
        if not rows:
            return start
        count, raised = len(start), _ZERO * sum(values)
        columns = zip(*(weights[row * count : (row + 1) * count] for row in rows), strict=True)
        return [first + (sumprod(values, column) - raised) for first, column in zip(start, columns, strict=True)]

    def _against(self, held: Sequence[_Term], intent: int) -> list[float]:
        """Of each term: how much likelier it is in that intent than elsewhere (log)."""
        count = len(self.intents)
        return [term.bayes * (self._bayes[term.row * count + intent] - _ZERO) for term in held]

    def _unread(self, words: Mapping[str, int]) -> tuple[float, int]:
        """The share of the words (and neighbours) that are unknown, and how many there are."""
        known, total = self._families[0][2], sum(words.values())
        unread = sum(times for term, times in words.items() if term not in known)
        return (unread / total if total else 1.0), total


def reads(pieces: Sequence[str]) -> Callable[[str], dict[str, Counter[str]]]:
    """What training reads a text by: its terms (`terms`) and, as the family `piece`, which of some pieces it has."""
    cut = Pieces(pieces)

    def both(text: str) -> dict[str, Counter[str]]:
        return {**terms(text), "piece": Counter(pieces[place] for place in cut.of(plain(text)))}

    return both


def softmax(logits: Sequence[float]) -> list[float]:
    """Probabilities that add up to one."""
    top = max(logits)
    grown = [exp(one - top) for one in logits]
    whole = sum(grown)
    return [one / whole for one in grown]


def load(artefact: Mapping[str, Any]) -> Reader:
    """A reader of an artefact. Raises BadInput when the artefact is not whole (see `verify.structure`)."""
    verify.structure(artefact)
    return Reader(artefact)


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an `intent` artefact completely. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    verify.require(artefact["format"] == verify.FORMAT, "format", f"this code reads format {verify.FORMAT}")
    verify.require(artefact.get("reading") == READING, "reading", f"this code reads texts in way {READING}: train anew")
    verify.require(isinstance(artefact["name"], str), "name", "must be text")
    intents = artefact["intents"]
    packed.names(intents, "intents")
    verify.require(len(intents) >= 2, "intents", "must be two at least")
    packed.bounded(artefact["bias"], len(intents), "bias")
    packed.bounded([artefact["mix"]["margin"], artefact["mix"]["bayes"]], 2, "mix")
    verify.require(artefact["mix"]["margin"] > 0 <= artefact["mix"]["bayes"], "mix", "must be positive")
    people = artefact["people"]
    verify.require(people.__class__ is int and 0 < people < 2**53, "people", "must be a whole number above 0")
    verify.require(set(artefact["families"]) == set(FAMILIES), "families", f"must be {', '.join(FAMILIES)}")
    count = sum(_family(artefact["families"][name], people, f"families.{name}") for name in FAMILIES)
    for name in ("margin", "bayes"):
        packed.weights(artefact[name], count * len(intents), name)
    none = artefact["none"]
    verify.require(
        set(none["weights"]) == set(strange.EVIDENCE), "none.weights", f"must be {', '.join(strange.EVIDENCE)}"
    )
    meaning.structure(artefact["meaning"], len(intents))
    packed.bounded(list(none["weights"].values()), len(strange.EVIDENCE), "none.weights")
    verify.require(verify.finite(none["threshold"]), "none.threshold", "must be a finite number")


def _family(family: Mapping[str, Any], people: int, where: str) -> int:
    names = family["terms"]
    packed.names(names, f"{where}.terms")
    packed.bounded([family["weight"]], 1, f"{where}.weight")
    verify.indices(family["seen"], len(names), 1, people + 1, f"{where}.seen")
    packed.bounded(family["margin"], len(names), f"{where}.margin")
    packed.bounded(family["bayes"], len(names), f"{where}.bayes")
    return len(names)
