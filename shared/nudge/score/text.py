"""A message → what it is about: an intent, how sure, or none of these.

In: a verified `intent` artefact and a text in any language. Out: an intent (or None), its calibrated probability, all intents
ranked. Reading, TF-IDF and the linear model are plain look-ups; nothing of the text is kept. Knows neither who wrote it nor
what is answered.

A text is read as four families of terms (training is given `terms`, so it reads the same):
- `word`: words and pairs of neighbours; every character of a script without spaces is a word;
- `letter`: 2 to 5 letters in a row within what stands between spaces, its edges being letters too;
- `pair`: two words, in either order, up to `REACH` words apart;
- `length`: how many words, in steps of a factor √2.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from math import exp, log, log2, sqrt, sumprod
from typing import Any

from nudge.errors import BadInput
from nudge.score import verify

LONGEST = 2000
"""Characters of a message that are read; the rest is cut off."""
REACH = 12
GRAMS = (2, 5)
FAMILIES = ("word", "letter", "pair", "length")
MOST_WEIGHTS = 20_000_000
LARGEST = 1e9
"""No number of an artefact is beyond ± this: sums stay finite."""
CHARACTERS = 20_000
SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
EVIDENCE = ("doubt", "margin", "energy", "unread", "short")
"""What speaks for `none of these`; see `evidence`."""


class _Map(dict[int, str]):
    """For `str.translate`: what each character becomes, worked out when it is first met."""

    def __init__(self, become: Callable[[str], str]) -> None:
        self._become = become

    def __missing__(self, code: int) -> str:
        found = self._become(chr(code))
        if len(self) < CHARACTERS:
            self[code] = found
        return found


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    return "" if kind == "Cf" else " " if kind[0] in "CZ" else character


def _worded(character: str) -> str:
    """Letters, marks and numbers stay; those of scripts without spaces stand alone; anything else parts words."""
    if unicodedata.category(character)[0] not in "LMN":
        return " "
    code = ord(character)
    return f" {character} " if any(low <= code <= high for low, high in SPACELESS) else character


_VISIBLE, _WORDED = _Map(_visible), _Map(_worded)
_NUMBER = re.compile(r"\d+")


def plain(text: str) -> str:
    """A text as it is read: cut, NFKC, lower-cased, every number one `0`; spaces and control characters one space, marks of
    format none.

    Raises
    ------
    BadInput
        When it holds half of a surrogate pair: it is no text.
    """
    cut = text[:LONGEST]
    if any("\ud800" <= character <= "\udfff" for character in cut):
        raise BadInput("the text holds a surrogate; it is not valid Unicode", reason="bad_text")
    folded = unicodedata.normalize("NFKC", cut)[:LONGEST].lower()
    return _NUMBER.sub("0", " ".join(folded.translate(_VISIBLE).split()))


def terms(text: str) -> dict[str, Counter[str]]:
    """How often each term of each family stands in a text. Raises BadInput for what is no text (see `plain`)."""
    read = plain(text)
    words = read.translate(_WORDED).split()
    length = Counter([str(int(2 * log2(1 + len(words))))])
    return {"word": _words(words), "letter": _letters(read), "pair": _pairs(words), "length": length}


def _words(words: Sequence[str]) -> Counter[str]:
    found = Counter(words)
    found.update(f"{one} {other}" for one, other in zip(words, islice(words, 1, None), strict=False))
    return found


def _letters(read: str) -> Counter[str]:
    """As `char_wb` of scikit-learn: a space on each side; what is shorter than n counts once, whole."""
    found: Counter[str] = Counter()
    low, high = GRAMS
    for part in read.split():
        padded = f" {part} "
        length = len(padded)
        for size in range(low, min(high, length) + 1):
            found.update([padded[start : start + size] for start in range(length - size + 1)])
    return found


def _pairs(words: Sequence[str]) -> Counter[str]:
    found = set()
    for place, one in enumerate(words):
        for other in islice(words, place + 2, place + REACH + 1):
            found.add(f"{one}&{other}" if one < other else f"{other}&{one}")
    return Counter(dict.fromkeys(found, 1))


class Reader:
    """One intent model in memory: `intent(text)`."""

    __slots__ = ("_bias", "_families", "_none", "_slope", "_threshold", "_weights", "intents")

    def __init__(self, artefact: Mapping[str, Any]) -> None:
        self.intents: tuple[str, ...] = tuple(artefact["intents"])
        self._bias = [float(one) for one in artefact["bias"]]
        self._slope = float(artefact["slope"])
        self._weights = memoryview(b64decode(artefact["weights"])).cast("b")
        self._none = [float(artefact["none"]["weights"][name]) for name in EVIDENCE]
        self._threshold = float(artefact["none"]["threshold"])
        people, first = artefact["people"], 0
        self._families: list[tuple[str, float, dict[str, tuple[int, float, float]]]] = []
        for name in FAMILIES:
            family = artefact["families"][name]
            rare = [log((1 + people) / (1 + seen)) + 1.0 for seen in family["seen"]]
            held = zip(range(first, first + len(rare)), rare, family["scale"], strict=True)
            self._families.append((name, float(family["weight"]), dict(zip(family["terms"], held, strict=True))))
            first += len(rare)

    def intent(self, text: str) -> tuple[str | None, float, list[tuple[str, float]]]:
        """The intent (None: none of these), the probability that the likeliest one is meant, and all of them ranked.

        Raises BadInput when the text is no text."""
        scores, unread, words = self.scores(text)
        chances = softmax([self._slope * one for one in scores])
        ranked = sorted(zip(self.intents, chances, strict=True), key=lambda one: (-one[1], one[0]))
        strange = self.strangeness(scores, unread, words) > self._threshold
        return (None if strange else ranked[0][0]), ranked[0][1], ranked

    def scores(self, text: str) -> tuple[list[float], float, int]:
        """The linear model's score of each intent; the share of the words that are unknown; how many words there are."""
        found = terms(text)
        values: list[float] = []
        rows: list[Any] = []
        count = len(self.intents)
        for name, weight, known in self._families:
            held = [(known[term], times) for term, times in found[name].items() if term in known]
            raw = [(1.0 + log(times)) * rare for (_, rare, _), times in held]
            norm = sqrt(sumprod(raw, raw)) or 1.0
            values += [weight * one / norm * scale for one, ((_, _, scale), _) in zip(raw, held, strict=True)]
            rows += [self._weights[row * count : (row + 1) * count] for (row, _, _), _ in held]
        scores = list(self._bias)
        if rows:
            scores = [bias + sumprod(values, row) for bias, row in zip(scores, zip(*rows, strict=True), strict=True)]
        known = self._families[0][2]
        words = found["word"]
        total = sum(words.values())
        unread = sum(times for term, times in words.items() if term not in known) / total if total else 1.0
        return scores, unread, total

    def strangeness(self, scores: Sequence[float], unread: float, words: int) -> float:
        """How much speaks for `none of these`: higher is stranger; compared with the artefact's threshold."""
        return sumprod(self._none, evidence([self._slope * one for one in scores], unread, words))


def evidence(logits: Sequence[float], unread: float, words: int) -> list[float]:
    """Numbers in the order of `EVIDENCE`: −log of the largest probability; how close the runner-up is; −log Σ exp (energy,
    Liu et al. 2020); the share of words and neighbours that training never saw; how short the text is."""
    first, *others = sorted(logits, reverse=True)
    total = sum(exp(one - first) for one in logits)
    return [log(total), others[0] - first, -(first + log(total)), unread, 1.0 / (1.0 + words)]


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
    verify.require(isinstance(artefact["name"], str), "name", "must be text")
    intents = artefact["intents"]
    _names(intents, "intents")
    verify.require(len(intents) >= 2, "intents", "must be two at least")
    _bounded(artefact["bias"], len(intents), "bias")
    _bounded([artefact["slope"]], 1, "slope")
    verify.require(artefact["slope"] > 0, "slope", "must be positive")
    people = artefact["people"]
    verify.require(people.__class__ is int and 0 < people < 2**53, "people", "must be a whole number above 0")
    verify.require(set(artefact["families"]) == set(FAMILIES), "families", f"must be {', '.join(FAMILIES)}")
    count = sum(_family(artefact["families"][name], people, f"families.{name}") for name in FAMILIES)
    _weights(artefact["weights"], count * len(intents))
    none = artefact["none"]
    verify.require(set(none["weights"]) == set(EVIDENCE), "none.weights", f"must be {', '.join(EVIDENCE)}")
    _bounded(list(none["weights"].values()), len(EVIDENCE), "none.weights")
    verify.require(verify.finite(none["threshold"]), "none.threshold", "must be a finite number")


def _family(family: Mapping[str, Any], people: int, where: str) -> int:
    names = family["terms"]
    _names(names, f"{where}.terms")
    _bounded([family["weight"]], 1, f"{where}.weight")
    verify.indices(family["seen"], len(names), 1, people + 1, f"{where}.seen")
    _bounded(family["scale"], len(names), f"{where}.scale")
    return len(names)


def _bounded(values: Any, length: int, where: str) -> None:
    verify.numbers(values, length, where)
    verify.require(all(abs(one) <= LARGEST for one in values), where, f"must lie within {LARGEST:g}")


def _names(names: Any, where: str) -> None:
    verify.require(isinstance(names, list), where, "must be a list")
    verify.require(all(isinstance(one, str) for one in names), where, "must be text")
    verify.require(len(set(names)) == len(names), where, "a name stands twice")


def _weights(written: Any, length: int) -> None:
    verify.require(length <= MOST_WEIGHTS, "weights", "too many weights")
    verify.require(isinstance(written, str), "weights", "must be text")
    try:
        held = b64decode(written, validate=True)
    except (NotBase64, ValueError):
        raise verify.bad("weights", "must be base64") from None
    verify.require(len(held) == length, "weights", f"must hold {length} bytes")
