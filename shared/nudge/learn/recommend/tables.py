"""A blend of parts → neighbour tables of whole numbers, popularity, and the same scores in numpy (for judging and for parity).

In: parts with weights, facts about items. Out: the artefact of `score.neighbours`. Knows no cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from nudge.learn.recommend.interactions import Numbers
from nudge.learn.recommend.ranking import Part

LARGEST = 32_767
"""Weights are kept in 16 bits: steps of 1/32,767 of the largest of a table."""
FEWEST = 10
"""Each item keeps so many neighbours, however light."""
MOST_OF_CATEGORY = 100
"""Items that a category names."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the items, by place: category (index, -1 for none), out of stock, availability (µs), and what is told of them
    where they are named (title, price …)."""

    categories: list[str]
    category: Numbers
    out: list[int]
    windows: list[tuple[int, int | None, int | None]]
    about: list[dict[str, Any]]


def tables(parts: Sequence[Part], weights: Numbers, items: int, *, most: int, entries: int) -> list[dict[str, Any]]:
    """Parts of one decay become one table. Of all tables the heaviest weights are kept: `most` an item and table on average,
    `entries` together; every row keeps its `FEWEST` heaviest."""
    merged: dict[tuple[str, float], Any] = {}
    for part, weight in zip(parts, weights.tolist(), strict=True):
        if part.matrix is not None and weight > 0:
            key = ("item" if part.rows is None else "category", part.decay)
            held = _sparse(part, items) * weight
            merged[key] = merged[key] + held if key in merged else held
    least = _threshold([held for (by, _), held in merged.items() if by == "item"], most * items, entries)
    return [
        _table(by, decay, held.tocsr(), least if by == "item" else np.inf, FEWEST if by == "item" else MOST_OF_CATEGORY)
        for (by, decay), held in sorted(merged.items(), key=lambda one: one[0])
    ]


def _sparse(part: Part, items: int) -> sp.csr_matrix:
    held = sp.csr_matrix(part.matrix)
    held.resize(items if part.rows is None else held.shape[0], items)
    return held


def _threshold(matrices: Sequence[Any], each: int, together: int) -> float:
    """The size above which so many weights lie. (One bound for all rows keeps far more of EASE than as many for every row: what popular
    items say of each other matters most.)"""
    sizes = np.concatenate([np.abs(held.tocsr().data) for held in matrices]) if matrices else np.zeros(0)
    number = min(each * len(matrices), together)
    return float(np.partition(sizes, len(sizes) - number)[len(sizes) - number]) if len(sizes) > number else 0.0


def _table(by: str, decay: float, held: sp.csr_matrix, least: float, fewest: int) -> dict[str, Any]:
    """Rows of whole numbers: weights of size `least` or more, and of each row the `fewest` heaviest."""
    largest = float(np.abs(held.data).max(initial=0.0))
    scale = float(f"{largest / LARGEST:.9g}") if largest > 0 else 0.0
    length, item, weight = [], [], []
    for row in range(held.shape[0]):
        first, end = held.indptr[row], held.indptr[row + 1]
        sizes, places = np.abs(held.data[first:end]), held.indices[first:end]
        kept = sizes >= least
        kept[np.lexsort((places, -sizes))[:fewest]] = True
        values = np.rint(held.data[first:end] / scale).astype(int) if scale else np.zeros(end - first, dtype=int)
        kept = np.flatnonzero(kept & (values != 0))
        kept = kept[np.argsort(places[kept])]
        length.append(len(kept))
        item += places[kept].tolist()
        weight += values[kept].tolist()
    return {"by": by, "decay": decay, "scale": scale, "length": length, "item": item, "weight": weight}


def popularity(parts: Sequence[Part], weights: Numbers, items: int) -> tuple[list[int], float]:
    """Σ weight · popularity of each item as whole numbers times a scale. Without any, the first part's, too small to outweigh a
    neighbour: it orders what is otherwise equal, and is what newcomers see."""
    priors = [(part, weight) for part, weight in zip(parts, weights.tolist(), strict=True) if part.prior is not None]
    total = np.sum([weight * np.asarray(part.prior) for part, weight in priors], axis=0)
    if not total.any():
        total = np.asarray(priors[0][0].prior) * 1e-9
    largest = float(total.max(initial=0.0))
    scale = float(f"{largest / LARGEST**2:.9g}") if largest > 0 else 0.0
    return (np.rint(total / scale).astype(int) if scale else np.zeros(items, dtype=int)).tolist(), scale


def ordered(artefact: Mapping[str, Any]) -> dict[str, Any]:
    """The same artefact with its items by falling popularity (of equals, by id)."""
    items, counts = artefact["items"], artefact["popularity"]
    order = sorted(range(len(items)), key=lambda place: (-counts[place], items[place]))
    new = np.empty(len(items), dtype=int)
    new[order] = np.arange(len(items))
    return {
        **artefact,
        "items": [items[place] for place in order],
        "popularity": [counts[place] for place in order],
        "category": [artefact["category"][place] for place in order],
        "about": [artefact["about"][place] for place in order],
        "out": sorted(int(new[place]) for place in artefact["out"]),
        "windows": sorted([int(new[place]), since, until] for place, since, until in artefact["windows"]),
        "tables": [_moved(table, order, new) for table in artefact["tables"]],
    }


def _moved(table: Mapping[str, Any], order: Sequence[int], new: Numbers) -> dict[str, Any]:
    starts = np.r_[0, np.cumsum(table["length"])]
    rows = order if table["by"] == "item" else range(len(table["length"]))
    item, weight, length = [], [], []
    places, values = np.asarray(table["item"], dtype=int), np.asarray(table["weight"], dtype=int)
    for row in rows:
        first, end = starts[row], starts[row + 1]
        moved = new[places[first:end]]
        turn = np.argsort(moved)
        item += moved[turn].tolist()
        weight += values[first:end][turn].tolist()
        length.append(int(end - first))
    return {**table, "item": item, "weight": weight, "length": length}


def parts_of(artefact: Mapping[str, Any]) -> list[Part]:
    """The stored tables as parts again: their sum is what `score.neighbours` says. Weights are all 1."""
    items = len(artefact["items"])
    prior = np.asarray(artefact["popularity"], dtype=float) * artefact["popularity_scale"]
    found = [Part("popular", None, 1.0, {}, prior=prior)]
    for table in artefact["tables"]:
        by_item = table["by"] == "item"
        shape = (len(table["length"]), items)
        starts = np.r_[0, np.cumsum(table["length"])]
        values = np.asarray(table["weight"], dtype=float) * table["scale"]
        matrix = sp.csr_matrix((values, np.asarray(table["item"], dtype=int), starts), shape=shape)
        rows = None if by_item else np.asarray(artefact["category"], dtype=int)
        found.append(Part(f"table {table['by']}", matrix, table["decay"], {}, rows=rows))
    return found


def placed(artefact: Mapping[str, Any], items: Sequence[str]) -> list[Part]:
    """`parts_of`, with the places of another list of items: what the artefact does not know has no neighbours."""
    place = {item: number for number, item in enumerate(artefact["items"])}
    known = [(place[item], number) for number, item in enumerate(items) if item in place]
    theirs, ours = (np.array([pair[side] for pair in known], dtype=int) for side in (0, 1))
    shape = (len(place), len(items))
    moving = sp.csr_matrix((np.ones(len(known)), (theirs, ours)), shape=shape)
    found = []
    for part in parts_of(artefact):
        if part.matrix is None:
            found.append(replace(part, prior=moving.T @ part.prior))
        elif part.rows is None:
            found.append(replace(part, matrix=(moving.T @ part.matrix @ moving).tocsr()))
        else:
            rows = np.full(len(items), -1)
            rows[ours] = part.rows[theirs]
            found.append(replace(part, matrix=(part.matrix @ moving).tocsr(), rows=rows))
    return found
