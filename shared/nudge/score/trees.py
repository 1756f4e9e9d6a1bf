"""Boosted trees walked in plain Python.

In: features and the flat arrays of a `boosting` artefact. Out: a function vector → log-odds before calibration.

Every test is made a plain `value <= threshold`, so that the walk has no branches inside:
- a missing number is NaN (`NaN <= t` is false: right); nodes that send it left read a second slot, where it is -inf;
- a split by category reads a slot of its own: 0 where the level goes left, 1 where it goes right, threshold 0.5; the
  slots of all splits of a category are one tuple by level, looked up once a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from nudge.score.inputs import ACTIVITY, absent, category, number
from nudge.vocabulary import Vector


def raw(
    features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]
) -> Callable[[Vector, Sequence[str | float | None]], list[float]]:
    """The log-odds function of a checked `boosting` artefact: of one person, for each of some activities.

    What does not depend on the activity is walked once for all of them: whole trees, and others down to where they ask.
    """
    slots = _Slots(features, model)
    base, shared, apart = _grow(slots, model)
    numbers = [(feature["name"], absent(feature)) for feature in features if feature["type"] == "number"]
    twins, tables = slots.twins, [one for one in slots.tables if one[0] != ACTIVITY]
    by_activity, unknown_activity = next((one[2:] for one in slots.tables if one[0] == ACTIVITY), ({}, ()))

    def log_odds(vector: Vector, activities: Sequence[str | float | None]) -> list[float]:
        get = vector.get
        x = []
        for name, missing in numbers:
            value = get(name)
            if value.__class__ is not float or value - value != 0.0:
                value = number(value, missing)
            x.append(value)
        for place in twins:
            value = x[place]
            x.append(value if value == value else -inf)
        for name, standard, table, unknown in tables:
            x.extend(table.get(category(get(name, standard)), unknown))
        total = _walk(shared, x, base)
        if not apart:
            return [total] * len(activities)
        forks = [_fork(root, x, slots.activity_from) for root in apart]
        blocks = (by_activity.get(category(one), unknown_activity) for one in activities)
        return [_walk(forks, [*x, *block], total) for block in blocks]

    return log_odds


def _walk(roots: list[Any], x: list[float], total: float) -> float:
    """The total and the leaf of each tree, added in their order."""
    for node in roots:
        while node.__class__ is tuple:
            place, threshold, left, right = node
            node = left if x[place] <= threshold else right
        total += node
    return total


def _fork(node: Any, x: list[float], activity_from: float) -> Any:
    """The first node of a tree that asks for the activity, or the leaf that is the same for all."""
    while node.__class__ is tuple:
        place, threshold, left, right = node
        if place >= activity_from:
            break
        node = left if x[place] <= threshold else right
    return node


class _Slots:
    """Which place of the encoded vector each split reads."""

    def __init__(self, features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> None:
        self._features = features
        self._place: dict[int, int] = {}
        for number_, feature in enumerate(features):
            if feature["type"] == "number":
                self._place[number_] = len(self._place)
        pairs = list(zip(model["feature"], model["missing_left"], strict=True))
        left = {f for f, goes_left in pairs if goes_left and f in self._place and features[f]["absent"] is None}
        self._twin = {f: len(self._place) + n for n, f in enumerate(sorted(left))}
        self.twins = [self._place[f] for f in sorted(left)]
        splits = zip(model["feature"], model["threshold"], model["missing_left"], strict=True)
        by_category: dict[int, dict[tuple[int, int], int]] = {}
        for f, t, goes_left in splits:
            if f not in self._place:
                by_category.setdefault(f, {}).setdefault((t, goes_left), len(by_category[f]))
        self._first: dict[int, int] = {}
        self._splits = by_category
        self.tables: list[tuple[str, str | None, dict[str | None, tuple[float, ...]], tuple[float, ...]]] = []
        end = len(self._place) + len(left)
        self.activity_from: float = inf
        for f, found in sorted(by_category.items(), key=lambda one: (features[one[0]]["name"] == ACTIVITY, one[0])):
            self._first[f] = end
            if features[f]["name"] == ACTIVITY:
                self.activity_from = end
            end += len(found)
            self.tables.append((features[f]["name"], features[f].get("absent"), *_table(features[f], found, model)))

    def read(self, feature: int, threshold: float, missing_left: int) -> tuple[int, float]:
        """Slot and threshold of one split."""
        if feature in self._first:
            return self._first[feature] + self._splits[feature][(int(threshold), missing_left)], 0.5
        if missing_left and feature in self._twin:
            return self._twin[feature], threshold
        return self._place[feature], threshold


def _table(
    feature: Mapping[str, Any], splits: Mapping[tuple[int, int], int], model: Mapping[str, Any]
) -> tuple[dict[str | None, tuple[float, ...]], tuple[float, ...]]:
    """For each level its 0 (left) or 1 (right) at every split of the category; and the same for a level unknown."""
    left = [(set(model["sets"][number_]), goes_left) for number_, goes_left in splits]
    table: dict[str | None, tuple[float, ...]] = {
        level: tuple(0.0 if code in levels else 1.0 for levels, _ in left)
        for code, level in enumerate(feature["levels"])
    }
    return table, tuple(0.0 if goes_left else 1.0 for _, goes_left in left)


def _grow(slots: _Slots, model: Mapping[str, Any]) -> tuple[float, list[Any], list[Any]]:
    """Nested tuples (slot, threshold, left, right) with floats as leaves; trees of one leaf join the base. Trees that ask
    for the activity come apart from the others."""
    splits = list(map(slots.read, model["feature"], model["threshold"], model["missing_left"]))
    lefts, rights = model["left"], model["right"]
    held: list[Any] = [None] * len(splits) + [float(value) for value in reversed(model["leaf"])]  # leaf n lies at ~n
    asks = [False] * len(held)
    for place in reversed(range(len(splits))):
        (slot, threshold), left, right = splits[place], lefts[place], rights[place]
        asks[place] = slot >= slots.activity_from or asks[left] or asks[right]
        held[place] = (slot, threshold, held[left], held[right])
    base = float(model["base"]) + sum(held[root] for root in model["root"] if root < 0)
    shared = [held[root] for root in model["root"] if root >= 0 and not asks[root]]
    apart = [held[root] for root in model["root"] if asks[root]]
    return base, shared, apart
