"""Recent items → the next ones, in plain Python: neighbour tables, popularity and rules, as an artefact holds them.

In: an artefact of kind `recommend`; items a person met, with the time of the latest event of each. Out: items with scores,
best first. Knows no store, no profile and no library.

The artefact: `items` (ids, by falling `popularity`), `category` of each (index into `categories`, -1 for none), `about` each, `tables`. A table has
a row an item (or, `by` category, a row a category): `length` of each row, then `item` and `weight` of all rows, one after the other. A
weight is a whole number times `scale`. The score of j is popularity of j + Σ over tables and items i met of
strength(i) · decay^rank(i) · weight(i → j), where the rank of an item says how many were
met after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import heapify, heappop
from itertools import pairwise
from typing import Any

from nudge.score.rows import LARGEST, MOST_ENTRIES, Table, whole
from nudge.score.verify import FORMAT, bad, finite, indices, require

KIND = "recommend"
MOST_ITEMS = 200_000


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an artefact completely. Raises BadInput (reason `bad_model`)."""
    try:
        _header(artefact)
        _rules(artefact)
        entries = 0
        for number, table in enumerate(artefact["tables"]):
            entries += whole(artefact, table, f"tables[{number}]")
        require(entries <= MOST_ENTRIES, "tables", "too many entries")
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as wrong:
        raise bad(type(wrong).__name__, str(wrong)[:80]) from None


def _header(artefact: Mapping[str, Any]) -> None:
    require(artefact["format"] == FORMAT, "format", f"this code reads format {FORMAT}")
    require(artefact["kind"] == KIND, "kind", f"must be {KIND}")
    require(isinstance(artefact["name"], str), "name", "must be text")
    items, categories = artefact["items"], artefact["categories"]
    _names(items, "items")
    _names(categories, "categories")
    require(0 < len(items) <= MOST_ITEMS, "items", f"must be 1 to {MOST_ITEMS}")
    indices(artefact["category"], len(items), -1, len(categories), "category")
    about = artefact["about"]
    require(isinstance(about, list) and len(about) == len(items), "about", "must be one for each item")
    require(all(isinstance(one, dict) and _told(one) for one in about), "about", "must be texts and numbers by name")
    popularity = artefact["popularity"]
    indices(popularity, len(items), 0, LARGEST, "popularity")
    require(all(a >= b for a, b in pairwise(popularity)), "popularity", "must not rise")
    scale = artefact["popularity_scale"]
    require(finite(scale) and 0 <= scale <= 1e12, "popularity_scale", "must be a number ≥ 0")


def _told(about: Mapping[str, Any]) -> bool:
    return "item_id" not in about and all(isinstance(value, str) or finite(value) for value in about.values())


def _names(values: Any, where: str) -> None:
    require(isinstance(values, list) and set(map(type, values)) <= {str}, where, "must be texts")
    require(len(set(values)) == len(values), where, "a name stands twice")


def _rules(artefact: Mapping[str, Any]) -> None:
    require(isinstance(artefact["again"], bool), "again", "must be true or false")
    require(isinstance(artefact["bought"], str), "bought", "must be an event type")
    most = artefact["per_category"]
    require(
        most is None or (most.__class__ is int and most >= 1), "per_category", "must be a whole number ≥ 1, or null"
    )
    for kind, weight in artefact["events"].items():
        require(isinstance(kind, str) and finite(weight), "events", "must be numbers by event type")
        require(0 <= weight <= 1e6, "events", "must be from 0 to 1,000,000")
    items = artefact["items"]
    out = artefact["out"]
    indices(out, len(out), 0, len(items), "out")
    windows = artefact["windows"]
    indices([row[0] for row in windows], len(windows), 0, len(items), "windows")
    for _, since, until in windows:
        edges = [edge for edge in (since, until) if edge is not None]
        require(all(edge.__class__ is int for edge in edges), "windows", "must be µs or null")


class Neighbours:
    """Scores what a person may want next."""

    def __init__(self, artefact: Mapping[str, Any]) -> None:
        self.items: list[str] = artefact["items"]
        self.categories: list[str] = artefact["categories"]
        self.bought: str = artefact["bought"]
        self.events: dict[str, float] = artefact["events"]
        self.again: bool = artefact["again"]
        self._about: list[dict[str, Any]] = artefact["about"]
        self._place = {item: place for place, item in enumerate(self.items)}
        self._category: list[int] = artefact["category"]
        scale = artefact["popularity_scale"]
        self._popular = [count * scale for count in artefact["popularity"]]
        self._tables = [Table(table) for table in artefact["tables"]]
        self._per_category: int | None = artefact["per_category"]
        self._out = frozenset(artefact["out"])
        self._windows = {place: (since, until) for place, since, until in artefact["windows"]}

    def top(
        self,
        recent: Mapping[str, int],
        n: int,
        *,
        now: int,
        bought: Collection[str] = (),
        leave_out: Collection[str] = (),
        basket: Sequence[str] = (),
        only: Collection[str] | None = None,
        strength: Mapping[str, float] | None = None,
    ) -> list[tuple[str, float]]:
        """The `n` best items for a person (fewer when the rules leave fewer), with their scores.

        Parameters
        ----------
        recent
            Items met → µs of the latest event of each. Empty: what newcomers are shown, by popularity.
        now
            µs; items that are not available then are left out.
        bought
            Left out unless the plan says `again`.
        basket
            Counts as met just now, and is left out.
        only
            Nothing else may be named.
        strength
            How much an item met counts: the largest of `events` over what happened with it; 1 where it says nothing.
        """
        met = self._met(recent, basket, strength or {})
        never = {*leave_out, *basket, *(() if self.again else bought)}
        return self._best(self._scores(met), n, never, only, now)

    def similar(self, item: str, n: int, *, now: int | None = None) -> list[tuple[str, float]]:
        """The `n` items that go with one; by popularity when it is unknown."""
        return self._best(self._scores([(item, 1.0, 0)]), n, {item}, None, now)

    def about(self, item: str) -> dict[str, Any]:
        """What is told of an item where it is named: `item_id`, and as far as the catalogue says `title price category url image`."""
        place = self._place.get(item)
        if place is None:
            return {"item_id": item}
        category = self._category[place]
        named = {} if category < 0 else {"category": self.categories[category]}
        return {"item_id": item, **self._about[place], **named}

    def scores(
        self, recent: Mapping[str, int], basket: Sequence[str] = (), strength: Mapping[str, float] | None = None
    ) -> list[float]:
        """The score of every item, in the order of `items`, before any rule."""
        return self._scores(self._met(recent, basket, strength or {}))[0]

    def _met(
        self, recent: Mapping[str, int], basket: Sequence[str], strength: Mapping[str, float]
    ) -> list[tuple[str, float, int]]:
        """Items met with strength and rank: how many were met after it. Items that nobody knew in training count there too."""
        now = list(dict.fromkeys(basket))
        met = [(item, 1.0, 0) for item in now]
        rank, before = 0, None
        for at, item in sorted(((at, item) for item, at in recent.items() if item not in now), reverse=True):
            if at != before:
                rank, before = len(met), at
            met.append((item, strength.get(item, 1.0), rank))
        return met

    def _scores(self, met: Sequence[tuple[str, float, int]]) -> tuple[list[float], set[int]]:
        """The score of every item by place, and the places that are more than popular."""
        totals, touched = self._popular.copy(), set[int]()
        known = [(self._place[item], times, rank) for item, times, rank in met if item in self._place and times > 0]
        for table in self._tables:
            rows: dict[int, float] = {}
            for place, times, rank in known:
                row = place if table.by_item else self._category[place]
                if row >= 0:
                    rows[row] = rows.get(row, 0.0) + times * table.decay**rank
            for row, times in rows.items():
                touched.update(table.add(totals, row, times))
        return totals, touched

    def _best(
        self,
        scores: tuple[list[float], set[int]],
        n: int,
        never: Collection[str],
        only: Collection[str] | None,
        now: int | None,
    ) -> list[tuple[str, float]]:
        best: list[tuple[str, float]] = []
        held: dict[int, int] = {}
        walk = self._falling(*scores)
        while len(best) < n:
            score, place = next(walk, (0.0, -1))
            if place < 0:
                break
            item, category = self.items[place], self._category[place]
            if item in never or (only is not None and item not in only) or not self._available(place, now):
                continue
            if category >= 0 and self._per_category is not None:
                if held.get(category, 0) >= self._per_category:
                    continue
                held[category] = held.get(category, 0) + 1
            best.append((item, score))
        return best

    def _falling(self, totals: list[float], touched: set[int]) -> Iterator[tuple[float, int]]:
        """All items, best first; of equals, the more popular. Those that are only popular come as popularity falls."""
        heap = [(-totals[place], place) for place in touched]
        heapify(heap)
        for place, score in enumerate(self._popular):
            if place in touched:
                continue
            while heap and heap[0] < (-score, place):
                found = heappop(heap)
                yield -found[0], found[1]
            yield score, place
        while heap:
            found = heappop(heap)
            yield -found[0], found[1]

    def _available(self, place: int, now: int | None) -> bool:
        if place in self._out:
            return False
        since, until = self._windows.get(place, (None, None))
        if now is None or (since is None and until is None):
            return True
        return (since is None or since <= now) and (until is None or now < until)


def load(artefact: Mapping[str, Any]) -> Neighbours:
    """A scorer of a whole artefact. Raises BadInput (reason `bad_model`) when it is broken."""
    structure(artefact)
    return Neighbours(artefact)
