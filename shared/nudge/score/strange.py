"""What speaks for `none of these`, as numbers: higher is stranger.

In: what two linear models say of a message, what its terms say of the likeliest intent, and what it means (`score.meaning`). Out:
a number for each of `EVIDENCE`, to be weighed. Knows neither texts nor weights. `learn.intent.strange` has the same for many messages at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, log, sqrt
from typing import NamedTuple

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
"""Families whose terms are asked how well they fit the likeliest intent."""
TIE = 1e-9
"""Logits so close are equal: the first intent is taken, in whichever order sums were made."""
SPREAD = 1e-3
"""Added to a spread that something is divided by."""


class Seen(NamedTuple):
    """Of one message: the logits, the margins and the naive Bayes scores of all intents; which is the likeliest; for each of
    `READ` the log ratio of each known term in that intent against elsewhere; the share of unknown words, and how many words; the
    evidence of its meaning."""

    logits: Sequence[float]
    margin: Sequence[float]
    bayes: Sequence[float]
    likeliest: int
    fits: Sequence[Sequence[float]]
    unread: float
    words: int
    meant: Sequence[float]


def likeliest(logits: Sequence[float]) -> int:
    """The first intent whose logit is the largest, but for `TIE`."""
    top = max(logits) - TIE
    return next(place for place, one in enumerate(logits) if one >= top)


def evidence(seen: Seen) -> list[float]:
    """Numbers in the order of `EVIDENCE`:

    - `doubt`: −log of the largest probability; `energy`: −log Σ exp (Liu et al. 2020); `entropy` of the probabilities;
    - `unread`: the share of words that training never saw; `short`: 1 / (1 + words);
    - `outside`: how far it is outside of the nearest intent's margin, each against the rest (Shu et al. 2017); `flat`: how
      little that margin stands out from those of all intents, in their spread;
    - `unlikely`: the naive Bayes score of the likeliest intent, negative; `rival`: how much the second best has beside it;
    - `…_fit`: the mean log ratio of its terms in the likeliest intent against elsewhere, negative; `…_against`: the mean of
      those that speak against it alone. A message of an intent of its own has words that its neighbour does not explain;
    - the rest is `score.meaning.evidence`.
    """
    top = max(seen.logits)
    shifted = [one - top for one in seen.logits]
    grown = [exp(one) for one in shifted]
    whole = fsum(grown)
    entropy = log(whole) - fsum(one * weight for one, weight in zip(shifted, grown, strict=True)) / whole
    told = seen.bayes[seen.likeliest]
    found = [log(whole), -(top + log(whole)), entropy, seen.unread, 1.0 / (1.0 + seen.words)]
    found += [-max(seen.margin), -stands_out(seen.margin), -told, sorted(seen.bayes)[-2] - told]
    for ratios in seen.fits:
        count = len(ratios) + 1
        found += [-fsum(ratios) / count, -fsum(one for one in ratios if one < 0) / count]
    return [*found, *seen.meant]


def stands_out(values: Sequence[float]) -> float:
    """How far the largest is above the mean, in standard deviations (and a little, for values that are all the same)."""
    mean = fsum(values) / len(values)
    spread = sqrt(fsum((one - mean) ** 2 for one in values) / len(values))
    return (max(values) - mean) / (spread + SPREAD)
