"""All trees of a model at once, without a walk: each leaf is a bit, and a feature's value says which leaves it leaves possible.

In: features and the flat arrays of a `boosting` or `forest` artefact. Out: the function that `trees.raw` walks to, with the same
numbers added in the same order: bit for bit the same. It takes as long to make as some hundred walks.

A test rules out the leaves on the side that it does not take, whatever other tests say. So what a feature leaves possible depends on
its value alone: on how many thresholds lie below it, or on its level. These sets are whole numbers, made once; what all of some
thirty of them hold is one leaf a tree. (QuickScorer, Lucchese et al., SIGIR 2015, who clear one side only and take the first leaf
that is left; Python's whole numbers have any length, so one `&` does a feature's tests in all trees.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import or_
from struct import Struct
from typing import Any, NamedTuple, Self

from nudge.score.inputs import ACTIVITY, absent, category, number
from nudge.vocabulary import Vector

WORDS = ((32, "I", 37), (64, "Q", 67))
"""Bits a tree, their form as a machine word, and a prime for which all powers of two below have another remainder: so the word of
the one leaf that is left says where its value stands."""
LARGEST, LONGEST = 8 << 20, 100_000
"""Bytes that all sets may take, and steps that it may take to make them; a larger model is walked."""


class _Number(NamedTuple):
    """A feature's thresholds in order, and what is left of all leaves by how many of them lie below its value."""

    name: str
    absent: float
    points: list[float]
    sets: list[int]
    missing: int


class _Category(NamedTuple):
    """What is left of all leaves by a feature's level."""

    name: str
    absent: str | None
    sets: dict[str | None, int]
    unknown: int


class _Trees:
    """Trees that stand beside each other in a number, from bit `first` on: of each the values of its leaves."""

    def __init__(self, trees: Sequence[Sequence[float]], first: int, bits: int) -> None:
        form, self._prime = next(one[1:] for one in WORDS if one[0] == bits)
        self._first, self._mask = first, (1 << len(trees) * bits) - 1
        self._words = Struct(f"<{len(trees)}{form}")
        self._values = [[0.0] * self._prime for _ in trees]
        for values, leaves in zip(self._values, trees, strict=True):
            for place, value in enumerate(leaves):
                values[(1 << place) % self._prime] = value

    def added(self, total: float, left: int) -> float:
        """The total and the leaf of each tree, added in their order, where one is left of each."""
        words, prime = self._words, self._prime
        found = words.unpack((left >> self._first & self._mask).to_bytes(words.size, "little"))
        for values, word in zip(self._values, found, strict=True):
            total += values[word % prime]
        return total


def prepared(
    features: Sequence[Mapping[str, Any]], model: Mapping[str, Any], base: float
) -> Callable[[Vector, Sequence[str | float | None]], list[float]] | None:
    """The log-odds function of a checked artefact; None where a tree, or what all of them can rule out, is too large.

    Parameters
    ----------
    base
        The model's own, and what its trees of one leaf add.
    """
    of_it = (place for place, one in enumerate(features) if one["name"] == ACTIVITY and one["type"] == "category")
    activity = next(of_it, None)
    laid = _Laid.out(model, activity)
    if laid is None or not _fits(features, model, len(laid.trees) * laid.bits):
        return None
    for_all = _Trees(laid.trees[: laid.shared], 0, laid.bits)
    for_each = _Trees(laid.trees[laid.shared :], laid.shared * laid.bits, laid.bits)
    everything, numbers, categories = _sets(features, model, laid)
    of_activity = next((one for one in categories if one.name == ACTIVITY), None)
    others = [one for one in categories if one is not of_activity]

    def log_odds(vector: Vector, activities: Sequence[str | float | None]) -> list[float]:
        get, left = vector.get, everything
        for name, missing, points, sets, if_missing in numbers:
            value = get(name)
            if value.__class__ is not float or value - value != 0.0:
                value = number(value, missing)
            left &= sets[bisect_left(points, value)] if value == value else if_missing
        for name, standard, by_level, unknown in others:
            level = get(name, standard)
            left &= by_level.get(level if level.__class__ is str else category(level), unknown)
        total = for_all.added(base, left)
        if of_activity is None:
            return [total] * len(activities)
        own = [left & of_activity.sets.get(category(one), of_activity.unknown) for one in activities]
        return [for_each.added(total, one) for one in own]

    return log_odds


class _Laid(NamedTuple):
    """Which bit each leaf is. `trees` are the values of each tree's leaves, the first `shared` of them without a question for the
    activity; `under` are the bits of the leaves under each node, and of each leaf at its `~number`."""

    trees: list[list[float]]
    shared: int
    under: list[int]
    bits: int

    @classmethod
    def out(cls, model: Mapping[str, Any], activity: int | None) -> Self | None:
        """None where a tree has more leaves than a word has bits, or the nodes are no trees: one is shared, or belongs to none."""
        roots, lefts, rights = [one for one in model["root"] if one >= 0], model["left"], model["right"]
        reached = Counter([*roots, *lefts, *rights])
        if any(count > 1 for count in reached.values()) or not reached.keys() >= set(range(len(lefts))):
            return None
        owner = dict(zip(roots, range(len(roots)), strict=True))
        for place, (left, right) in enumerate(zip(lefts, rights, strict=True)):  # parents come first
            owner[left] = owner[right] = owner[place]
        asking = {owner[place] for place, feature in enumerate(model["feature"]) if feature == activity}
        order = sorted(range(len(roots)), key=asking.__contains__)
        leaves: list[list[int]] = [[] for _ in roots]
        for place, tree in owner.items():
            if place < 0:
                leaves[tree].append(place)
        bits = next((one[0] for one in WORDS if one[0] >= max(map(len, leaves), default=0)), None)
        if bits is None:
            return None
        under = [0] * (len(lefts) + len(model["leaf"]))
        for number_, tree in enumerate(order):
            for place, leaf in enumerate(leaves[tree], number_ * bits):
                under[leaf] = 1 << place
        for place in reversed(range(len(lefts))):
            under[place] = under[lefts[place]] | under[rights[place]]
        values = [[float(model["leaf"][~leaf]) for leaf in leaves[tree]] for tree in order]
        return cls(values, len(roots) - len(asking), under, bits)


def _fits(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any], bits: int) -> bool:
    """Whether the sets, each of so many bits, are soon made and small."""
    tests = Counter(model["feature"])
    levels = {place: len(one["levels"]) for place, one in enumerate(features) if one["type"] == "category"}
    steps = sum(count * levels.get(place, 2) for place, count in tests.items())
    sets = sum(levels.get(place, count) for place, count in tests.items())
    return steps <= LONGEST and sets * bits // 8 <= LARGEST


def _sets(
    features: Sequence[Mapping[str, Any]], model: Mapping[str, Any], laid: _Laid
) -> tuple[int, list[_Number], list[_Category]]:
    """All leaves, and what is left of them by the value of each feature that is asked for."""
    everything = sum(((1 << len(leaves)) - 1) << place * laid.bits for place, leaves in enumerate(laid.trees))
    asked: dict[int, list[int]] = {}
    for place, feature in enumerate(model["feature"]):
        asked.setdefault(feature, []).append(place)
    numbers, categories = [], []
    for which, places in sorted(asked.items()):
        feature, gone = features[which], 0
        for place in places:  # where the value is missing, or a level that training did not see
            gone |= laid.under[model["right" if model["missing_left"][place] else "left"][place]]
        unknown = everything & ~gone
        if feature["type"] == "number":
            by = _by_number(model, laid.under, places, everything)
            numbers.append(_Number(feature["name"], absent(feature), *by, unknown))
        else:
            sets = _by_level(feature["levels"], model, laid.under, places, everything)
            categories.append(_Category(feature["name"], feature.get("absent"), sets, unknown))
    return everything, numbers, categories


def _by_number(
    model: Mapping[str, Any], under: Sequence[int], places: Sequence[int], everything: int
) -> tuple[list[float], list[int]]:
    points = sorted({model["threshold"][place] for place in places})
    lefts, rights = dict.fromkeys(points, 0), dict.fromkeys(points, 0)
    for place in places:
        threshold = model["threshold"][place]
        lefts[threshold] |= under[model["left"][place]]
        rights[threshold] |= under[model["right"][place]]
    below = accumulate(lefts.values(), or_, initial=0)  # a value above a threshold went right
    above = [*accumulate(reversed(rights.values()), or_, initial=0)]
    return points, [everything & ~(one | other) for one, other in zip(below, reversed(above), strict=True)]


def _by_level(
    levels: Sequence[str], model: Mapping[str, Any], under: Sequence[int], places: Sequence[int], everything: int
) -> dict[str | None, int]:
    tests = [
        (frozenset(model["sets"][model["threshold"][place]]), under[model["left"][place]], under[model["right"][place]])
        for place in places
    ]
    sets: dict[str | None, int] = {}
    for code, level in enumerate(levels):
        gone = 0
        for goes_left, left, right in tests:
            gone |= right if code in goes_left else left
        sets[level] = everything & ~gone
    return sets
