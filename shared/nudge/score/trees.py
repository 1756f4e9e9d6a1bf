"""Trees walked in plain Python: boosted ones, and forests whose leaves hold log-odds.

In: features and the flat arrays of a `boosting` or `forest` artefact. Out: a function vector → log-odds before calibration,
and one that says what each feature added to them.

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

type LogOdds = Callable[[Vector, Sequence[str | float | None]], list[float]]

OFTEN = 20
"""A model that has been asked of so many people is read by its bits from then on: that is prepared in the time of a hundred walks,
and answers in a third of one. The first decision of a fresh process does not wait for it."""


def raw(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> LogOdds:
    """The log-odds function of a checked `boosting` artefact: of one person, for each of some activities."""
    base, walked = _walked(features, model)
    asked, said = 0, walked

    def log_odds(vector: Vector, activities: Sequence[str | float | None]) -> list[float]:
        nonlocal asked, said
        asked += 1
        if asked == OFTEN:
            from nudge.score import bits

            said = bits.prepared(features, model, base) or walked
        return said(vector, activities)

    return log_odds


def _walked(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> tuple[float, LogOdds]:
    """The base, and a function that walks every tree. What does not depend on the activity is walked once for all: whole trees, and
    others down to where they ask."""
    slots = _Slots(features, model)
    base, shared, apart = _grow(slots, model)
    encode, blocks_of = _encoder(slots, features)

    def log_odds(vector: Vector, activities: Sequence[str | float | None]) -> list[float]:
        x = encode(vector)
        total = _walk(shared, x, base)
        if not apart:
            return [total] * len(activities)
        forks = [_fork(root, x, slots.activity_from) for root in apart]
        return [_walk(forks, [*x, *block], total) for block in map(blocks_of, activities)]

    return base, log_odds


def explained(
    features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]
) -> Callable[[Vector, str | float | None], tuple[float, dict[str, float]]]:
    """What each feature adds to the log-odds (Saabas 2014): a node is worth the mean of its leaves, weighed by the training
    rows in them (`count`), and a step from a node to its child is owed to the feature that the node asks for.

    The function gives the worth of all roots, and the additions: together they are the log-odds.
    """
    slots = _Slots(features, model)
    base, roots = _paths(slots, model, [str(feature["name"]) for feature in features])
    encode, blocks_of = _encoder(slots, features)

    def additions(vector: Vector, activity: str | float | None) -> tuple[float, dict[str, float]]:
        x = [*encode(vector), *blocks_of(activity)]
        found: dict[str, float] = {}
        for node in roots:
            while node.__class__ is tuple:
                place, threshold, left, right = node
                node = left if x[place] <= threshold else right
            for name, added in node:
                found[name] = found.get(name, 0.0) + added
        return base, found

    return additions


type _Encode = Callable[[Vector], list[float]]
type _Block = Callable[[str | float | None], Sequence[float]]


def _encoder(slots: _Slots, features: Sequence[Mapping[str, Any]]) -> tuple[_Encode, _Block]:
    """What fills the slots from a vector, all but the activity's; and what fills those."""
    numbers = [(feature["name"], absent(feature)) for feature in features if feature["type"] == "number"]
    twins, tables = slots.twins, [one for one in slots.tables if one[0] != ACTIVITY]
    by_activity, unknown_activity = next((one[2:] for one in slots.tables if one[0] == ACTIVITY), ({}, ()))

    def encode(vector: Vector) -> list[float]:
        get = vector.get
        x: list[float] = []
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
        return x

    return encode, lambda activity: by_activity.get(category(activity), unknown_activity)


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


def _paths(slots: _Slots, model: Mapping[str, Any], names: Sequence[str]) -> tuple[float, list[Any]]:
    """Nested tuples as of `_grow`, with what the way there added, feature by feature, as leaves; and the worth of all roots."""
    splits = list(map(slots.read, model["feature"], model["threshold"], model["missing_left"]))
    count, leaves = len(splits), len(model["leaf"])
    rows = [0] * count + list(reversed(model.get("count", [1] * leaves)))  # leaf n lies at ~n
    worth = [0.0] * count + [float(value) for value in reversed(model["leaf"])]
    lefts, rights = model["left"], model["right"]
    for place in reversed(range(count)):
        left, right = lefts[place], rights[place]
        rows[place] = rows[left] + rows[right]
        worth[place] = (worth[left] * rows[left] + worth[right] * rows[right]) / rows[place]
    added: list[dict[str, float]] = [{} for _ in worth]
    for place in range(count):
        name = names[model["feature"][place]]
        for child in (lefts[place], rights[place]):
            step = worth[child] - worth[place]
            added[child] = added[place] | {name: added[place].get(name, 0.0) + step}
    held: list[Any] = [None] * count + [list(one.items()) for one in added[count:]]
    for place in reversed(range(count)):
        held[place] = (*splits[place], held[lefts[place]], held[rights[place]])
    base = float(model["base"]) + sum(worth[root] for root in model["root"])
    return base, [held[root] for root in model["root"]]
