"""Events with an item → arrays: who met what, when, how strongly, and whether it was bought.

In: a frame `user_id item_id event_type at`. Out: `Interactions`, sorted by person and time, items by place. Knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

type Numbers = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)  # without slots: what is asked for again and again is kept
class Interactions:
    """One entry an event. `items`, `people` and `kinds` (event types) are names by place; the arrays hold places, µs, strengths and
    whether the event counts as buying."""

    items: list[str]
    people: list[str]
    person: Numbers
    item: Numbers
    time: Numbers
    strength: Numbers
    bought: Numbers
    kinds: list[str]
    kind: Numbers

    @classmethod
    def of(cls, events: pl.DataFrame, bought: str, *, most: int, also: Sequence[str] = ()) -> Interactions:
        """From a frame `user_id item_id event_type at` (µs), in order of time as far as it is known; keeps the `most` popular items,
        and after them as many as fit of `also`, which nobody met yet."""
        counts = events.group_by("item_id").len().sort(["len", "item_id"], descending=[True, False])
        items = counts["item_id"].to_list()
        met = set(items)
        items = [*items, *(item for item in also if item not in met)][:most]
        people = events["user_id"].unique().sort().to_list()
        placed = (
            events.with_row_index("row")
            .join(pl.DataFrame({"item_id": items, "item": range(len(items))}), on="item_id")
            .join(pl.DataFrame({"user_id": people, "person": range(len(people))}), on="user_id")
            .sort("person", "at", "row")
        )
        kinds = events["event_type"].unique().sort().to_list()
        kind = np.searchsorted(np.array(kinds, dtype=object), placed["event_type"].to_numpy())
        return cls(
            items,
            people,
            placed["person"].to_numpy(),
            placed["item"].to_numpy(),
            placed["at"].to_numpy(),
            np.ones(len(placed)),
            (placed["event_type"] == bought).to_numpy(),
            kinds,
            kind,
        )

    def __len__(self) -> int:
        return len(self.item)

    def only(self, chosen: Numbers) -> Interactions:
        """Some of the events; people and items keep their places."""
        arrays = ("person", "item", "time", "strength", "bought", "kind")
        return replace(self, **{name: getattr(self, name)[chosen] for name in arrays})

    def weighted(self, events: Mapping[str, float]) -> Interactions:
        """The same events with strengths by their type (1 where nothing is said)."""
        return replace(self, strength=np.array([events.get(one, 1.0) for one in self.kinds])[self.kind])

    @cached_property
    def matrix(self) -> sp.csr_matrix:
        """People × items: the largest strength of what happened between them."""
        shape = (len(self.people), len(self.items))
        key = self.person.astype(np.int64) * shape[1] + self.item
        order = np.lexsort((-self.strength, key))
        first = order[np.r_[True, np.diff(key[order]) != 0]] if len(order) else order
        kept = first[self.strength[first] > 0]
        return sp.csr_matrix((self.strength[kept], (self.person[kept], self.item[kept])), shape=shape)

    def from_behind(self) -> Numbers:
        """For each event, how many of the same person come after it."""
        if not len(self):
            return np.zeros(0, dtype=int)
        ends = np.flatnonzero(np.r_[self.person[1:] != self.person[:-1], True])
        places = np.arange(len(self))
        behind: Numbers = ends[np.searchsorted(ends, places)] - places
        return behind
