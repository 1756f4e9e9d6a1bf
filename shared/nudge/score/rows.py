"""A table of neighbours: a row an item met (or a category), in it the items that may come next, with weights.

In: a table of an artefact of kind `recommend`. Out: whether it is whole; rows that add to scores. Knows no person.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from nudge.score.verify import finite, indices, numbers, require

MOST_ENTRIES, LARGEST = 4_000_000, 2**31


def whole(artefact: Mapping[str, Any], table: Mapping[str, Any], where: str) -> int:
    """Check one table; how many entries it has."""
    require(table["by"] in ("item", "category"), f"{where}.by", "must be item or category")
    rows = len(artefact["items"] if table["by"] == "item" else artefact["categories"])
    require(finite(table["decay"]) and 0 < table["decay"] <= 1, f"{where}.decay", "must be above 0, at most 1")
    require(finite(table["scale"]) and 0 <= table["scale"] <= 1e12, f"{where}.scale", "must be a number ≥ 0")
    entries = len(table["item"])
    indices(table["length"], rows, 0, entries + 1, f"{where}.length")
    require(sum(table["length"]) == entries, f"{where}.length", "must add up to the entries")
    indices(table["item"], entries, 0, len(artefact["items"]), f"{where}.item")
    numbers(table["weight"], entries, f"{where}.weight")
    indices(table["weight"], entries, -LARGEST, LARGEST, f"{where}.weight")
    return entries


class Table:
    """Rows of neighbours."""

    __slots__ = ("by_item", "decay", "item", "scale", "start", "weight")

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.by_item = table["by"] == "item"
        self.decay: float = table["decay"]
        self.scale: float = table["scale"]
        self.start = [0, *accumulate(table["length"])]
        self.item: list[int] = table["item"]
        self.weight: list[int] = table["weight"]

    def add(self, totals: list[float], row: int, times: float) -> list[int]:
        """Add a row to the scores of its items; which items."""
        first, end = self.start[row], self.start[row + 1]
        times *= self.scale
        items = self.item[first:end]
        for item, weight in zip(items, self.weight[first:end], strict=True):
            totals[item] += weight * times
        return items
