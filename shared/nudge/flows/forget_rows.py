"""People's rows in parts of the lake, and in the files that say who was meant. In: bytes, ids. Out: what is theirs, and the rest.

The rest is what it was, row by row and in the same order. Knows no store.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any

import polars as pl

from nudge.clean import parts
from nudge.flows.forget_words import Finder, Words
from nudge.vocabulary import CHANNELS, Goal, Kind

ADDRESSES = tuple(form.address for form in CHANNELS.values() if form.address)
"""The traits that hold an address."""

type Counts = dict[str, dict[str, float]]
"""See `tombstones.Removed`."""


def count_of(part: bytes, user_ids: Collection[str]) -> int:
    """How many rows of a part are theirs."""
    ids = pl.read_parquet(BytesIO(part), columns=["user_id"])["user_id"]
    return int(ids.is_in(list(user_ids)).sum())


def without(key: str, part: bytes, user_ids: Collection[str]) -> bytes | None:
    """The part without their rows, written as it was; None where nothing is left."""
    rows = pl.read_parquet(BytesIO(part))
    kept = rows.filter(~pl.col("user_id").is_in(list(user_ids)).fill_null(False))
    if not kept.height:
        return None
    return parts.raw_parquet(kept) if label_of(key) == parts.RAW else parts.parquet(kept)


def label_of(key: str) -> str:
    """What stands before the hash in the name of a part."""
    return key.rpartition("/")[2].removesuffix(".parquet")[:-32]


def learn(words: Words, kind: Kind, part: bytes) -> None:
    """Take addresses and decisions from their rows of a part."""
    rows = pl.read_parquet(BytesIO(part)).filter(pl.col("user_id").is_in(list(words.ids)))
    if kind == "users":
        for row in rows.select("email", "phone", "attributes").iter_rows(named=True):
            words.addresses |= addresses({**json.loads(row.pop("attributes") or "{}"), **row})
    if "decision_id" in rows.columns and kind != "events":
        words.decisions |= set(rows["decision_id"].drop_nulls())


def addresses(traits: Mapping[str, Any]) -> set[str]:
    """The addresses among somebody's traits."""
    return {str(traits[name]) for name in ADDRESSES if traits.get(name)}


def tell(removed: Mapping[str, Counts], kind: Kind, part: bytes, goals: Mapping[str, Goal]) -> None:
    """Count their rows of a part, for each of them."""
    rows = pl.read_parquet(BytesIO(part)).filter(pl.col("user_id").is_in(list(removed)))
    for user_id, count in rows["user_id"].value_counts().iter_rows():
        _add(removed[user_id], "rows", kind, count)
    if kind == "decisions":
        for user_id, activity, count in rows.group_by("user_id", "activity").len().iter_rows():
            _add(removed[user_id], "decisions", activity or "unknown", count)
    if kind == "events":
        for name, goal in goals.items():
            said = rows.filter((pl.col("event_type") == goal.event) & pl.col("value").is_not_null())
            sums = said.group_by("user_id", "currency").agg(pl.col("value").sum())
            for user_id, currency, value in sums.iter_rows():
                _add(removed[user_id], "revenue", f"{name} {currency}" if currency else name, round(value, 6))


def _add(counts: Counts, part: str, name: str, more: float) -> None:
    held = counts.setdefault(part, {})
    held[name] = held.get(name, 0) + more


def meant(body: bytes, user_ids: Collection[str]) -> tuple[int, bytes]:
    """How many of them a file of a campaign's run names, and the file without them. A member leaves an empty place: how far a run is
    counts places."""
    held: dict[str, Any] = json.loads(body)
    people, members = held.get("people", []), held.get("members", [])
    count = sum(one in user_ids for one in people) + sum(one[0] in user_ids for one in members)
    if "people" in held:
        held["people"] = [one for one in people if one not in user_ids]
    if "members" in held:
        held["members"] = [["", 0.0, 0.0] if one[0] in user_ids else one for one in members]
    return count, json.dumps(held, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def set_aside(body: bytes, finder: Finder) -> tuple[int, bytes]:
    """How many rejected rows name them, and the file with those rows' texts withheld: place and reason stay, so counts do."""
    lines, count = [], 0
    for line in body.splitlines(keepends=True):
        told = json.loads(line)
        if finder.is_in(str(told.get("raw", "")).encode("utf-8", "surrogatepass")):
            count += 1
            line = json.dumps(told | {"raw": ""}, ensure_ascii=False, sort_keys=True).encode(
                "utf-8", "backslashreplace"
            )
            line += b"\n"
        lines.append(line)
    return count, b"".join(lines)
