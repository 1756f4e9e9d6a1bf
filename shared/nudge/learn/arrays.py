"""Trees of scikit-learn → the flat arrays that `score.trees` reads: parents first, a leaf is `~number`.

In: for each tree its nodes, said plainly. Out: `root feature threshold missing_left left right leaf count sets`. Knows neither
boosting nor forests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NAMES = ("root", "feature", "threshold", "missing_left", "left", "right", "leaf", "count", "sets")


@dataclass(frozen=True, slots=True)
class Split:
    """An inner node: what it asks (`levels` that go left, or a `threshold`), where missing goes, its children."""

    feature: int
    threshold: float | tuple[int, ...]
    missing_left: bool
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: what it adds, and how many training rows lie in it."""

    value: float
    count: int


type Node = Split | Leaf


class Arrays:
    """Flat arrays, filled tree by tree."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Any]] = {name: [] for name in NAMES}
        self._sets: dict[tuple[int, ...], int] = {}

    def add(self, nodes: list[Node]) -> None:
        """Append one tree. `nodes` has parents before children, the root first."""
        names: list[int] = []
        inner, leaves = len(self.lists["feature"]), len(self.lists["leaf"])
        for node in nodes:
            if isinstance(node, Leaf):
                names.append(~leaves)
                leaves += 1
            else:
                names.append(inner)
                inner += 1
        for node in nodes:
            if isinstance(node, Leaf):
                self.lists["leaf"].append(node.value)
                self.lists["count"].append(node.count)
            else:
                self._split(node, names)
        self.lists["root"].append(names[0])

    def _split(self, node: Split, names: list[int]) -> None:
        threshold: float | int = (
            self._set(node.threshold) if isinstance(node.threshold, tuple) else float(node.threshold)
        )
        for name, value in (
            ("feature", node.feature),
            ("threshold", threshold),
            ("missing_left", int(node.missing_left)),
            ("left", names[node.left]),
            ("right", names[node.right]),
        ):
            self.lists[name].append(value)

    def _set(self, levels: tuple[int, ...]) -> int:
        if levels not in self._sets:
            self._sets[levels] = len(self._sets)
            self.lists["sets"].append(list(levels))
        return self._sets[levels]
