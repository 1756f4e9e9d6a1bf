"""What a message means, by vectors of its pieces, and how far that is from what the intents mean.

In: the `meaning` of an `intent` artefact, a text that is read already (`terms.plain`), and the likeliest intent. Out: numbers that speak
for `none of these`. `learn.intent.meant` has the same for many messages at once.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp, fsum, log, sqrt, sumprod
from typing import Any

from nudge.score import packed, strange, verify
from nudge.score.pieces import Pieces

SHARPNESS = 20.0
NUMBERS = 256
"""Of a vector."""
_SIGN = 128


class Meaning:
    """Vectors of pieces, and what intents mean, in memory."""

    __slots__ = ("_bias", "_levels", "_of", "_pieces", "_points", "_scale", "_weights")

    def __init__(self, held: Mapping[str, Any]) -> None:
        self._pieces, self._scale = Pieces(held["pieces"]), held["scale"]
        self._levels = b64decode(held["vectors"])
        self._weights: list[list[float]] = held["weights"]
        self._bias: list[float] = held["bias"]
        points = b64decode(held["points"]["vectors"])
        self._points = [
            _numbers(points[place * NUMBERS : (place + 1) * NUMBERS], scale)
            for place, scale in enumerate(held["points"]["scale"])
        ]
        self._of: list[int] = held["points"]["intent"]

    def evidence(self, read: str, likeliest: int) -> list[float]:
        """The last numbers of `strange.EVIDENCE`:

        - `remote`: how far it is outside of the nearest intent's margin; `level`: how little that margin stands out from those of
          all intents; `unlike`: the margin of the likeliest intent, negative;
        - `piece_against`: what of its pieces speaks against the likeliest intent, on average;
        - `distant`, `apart`: −log Σ exp of its likeness (cosine, times `SHARPNESS`) to the points of all intents and of that one.
        """
        places = Counter(self._pieces.of(read))
        whole = places.total()
        shares, vectors = [times / whole for times in places.values()], [self._vector(place) for place in places]
        mean = [sumprod(shares, column) for column in zip(*vectors, strict=True)] or [0.0] * NUMBERS
        scores = [sumprod(mean, weights) + bias for weights, bias in zip(self._weights, self._bias, strict=True)]
        adds = [
            share * sumprod(vector, self._weights[likeliest]) for share, vector in zip(shares, vectors, strict=True)
        ]
        length = sqrt(sumprod(mean, mean)) or 1.0
        alike = [SHARPNESS * sumprod(mean, point) / length for point in self._points]
        own = [one for one, intent in zip(alike, self._of, strict=True) if intent == likeliest]
        found = [-max(scores), -strange.stands_out(scores), -scores[likeliest], -fsum(one for one in adds if one < 0)]
        return [*found, -_log_sum(alike), -_log_sum(own)]

    def _vector(self, place: int) -> list[float]:
        return _numbers(self._levels[place * NUMBERS : (place + 1) * NUMBERS], self._scale[place])


def structure(held: Mapping[str, Any], intents: int) -> None:
    """Check the `meaning` of an artefact of so many intents. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    packed.names(held["pieces"], "meaning.pieces")
    packed.bounded(held["scale"], len(held["pieces"]), "meaning.scale")
    packed.weights(held["vectors"], len(held["pieces"]) * NUMBERS, "meaning.vectors")
    packed.bounded(held["bias"], intents, "meaning.bias")
    verify.require(len(held["weights"]) == intents, "meaning.weights", f"must be {intents} rows")
    for place, row in enumerate(held["weights"]):
        packed.bounded(row, NUMBERS, f"meaning.weights.{place}")
    points = held["points"]
    packed.bounded(points["scale"], len(points["scale"]), "meaning.points.scale")
    packed.weights(points["vectors"], len(points["scale"]) * NUMBERS, "meaning.points.vectors")
    verify.indices(points["intent"], len(points["scale"]), 0, intents, "meaning.points.intent")
    verify.require(
        set(points["intent"]) == set(range(intents)), "meaning.points.intent", "each intent must have a point"
    )


def _numbers(levels: bytes, scale: float) -> list[float]:
    """Signed bytes, times a scale."""
    return [scale * ((level ^ _SIGN) - _SIGN) for level in levels]


def _log_sum(values: Sequence[float]) -> float:
    top = max(values)
    return top + log(fsum(exp(one - top) for one in values))
