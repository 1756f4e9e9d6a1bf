"""What a catalogue says of items: category, availability, stock. In: rows of items, and of events where those say the category.
Out: `Facts` by place. Knows no people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from nudge.learn.recommend.tables import Facts

COLUMNS, LINKS = ("title", "price"), ("url", "image")
LONGEST = 300
"""A text about an item is cut here; a longer link is left out."""


def facts(items: Sequence[str], rows: pl.DataFrame, events: pl.DataFrame) -> Facts:
    """Facts of these items. `rows` is the latest row an item (`item_id`, and what there is of `category available_from
    available_to attributes`); `events` (`item_id`, perhaps `category`) says the category where the catalogue does not: the commonest.
    A `stock` among the attributes that is not above 0 means out."""
    place = {item: number for number, item in enumerate(items)}
    said = _commonest(events) | _column(rows, "category")
    found = {place[item]: str(category) for item, category in said.items() if item in place}
    categories = sorted(set(found.values()))
    index = {category: number for number, category in enumerate(categories)}
    category = np.full(len(items), -1)
    for number, one in found.items():
        category[number] = index[one]
    since, until = (_column(rows, name) for name in ("available_from", "available_to"))
    windows = sorted((place[item], since.get(item), until.get(item)) for item in {*since, *until} if item in place)
    out = sorted(place[item] for item, told in _column(rows, "attributes").items() if item in place and _is_out(told))
    return Facts(categories, category, out, windows, _about(items, rows))


def _about(items: Sequence[str], rows: pl.DataFrame) -> list[dict[str, Any]]:
    """What is told of each item where it is named: the catalogue's own columns, and links among the attributes."""
    told: dict[str, dict[str, Any]] = {item: {} for item in items}
    for name in COLUMNS:
        for item, value in _column(rows, name).items():
            if item in told:
                told[item][name] = value[:LONGEST] if isinstance(value, str) else value
    for item, attributes in _column(rows, "attributes").items():
        held = json.loads(attributes) if item in told and attributes else {}
        links = {name: held[name] for name in LINKS if isinstance(held.get(name), str)}
        told.get(item, {}).update({name: value for name, value in links.items() if len(value) <= LONGEST})
    return [told[item] for item in items]


def _column(rows: pl.DataFrame, name: str) -> dict[str, Any]:
    """item_id → value, where there is one; moments as µs."""
    if name not in rows.columns:
        return {}
    held = rows.select("item_id", name).drop_nulls()
    if isinstance(held.schema[name], pl.Datetime):
        held = held.with_columns(pl.col(name).dt.epoch("us"))
    return dict(held.iter_rows())


def _commonest(events: pl.DataFrame) -> dict[str, Any]:
    if "category" not in events.columns:
        return {}
    counts = events.drop_nulls(["item_id", "category"]).group_by("item_id", "category").len()
    best = counts.sort(["item_id", "len", "category"], descending=[False, True, False]).unique("item_id", keep="first")
    return dict(best.select("item_id", "category").iter_rows())


def _is_out(attributes: str) -> bool:
    """
    >>> _is_out('{"stock": "0"}'), _is_out('{"stock": 3}'), _is_out('{}')
    (True, False, False)
    """
    stock = json.loads(attributes).get("stock") if attributes else None
    try:
        return stock is not None and float(stock) <= 0
    except (TypeError, ValueError):
        return False
