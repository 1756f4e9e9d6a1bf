"""The lake, copied for the trainings of one run: everything that they share, read once.

In: a `Lake`, and a folder of this run. Out: events, what people said, decisions and items, all of them deduplicated, until a
moment. Knows no goal and no row of a training.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from nudge.errors import NotFound, NotReady, Unavailable
from nudge.flows.lake_log import LakeLog
from nudge.learn import traits
from nudge.ports import Lake
from nudge.profile import batch
from nudge.profile.vector import trait_features
from nudge.vocabulary import KINDS, Kind, Micros

LISTINGS = 5
EVENT = ("user_id", "event_id", "event_type", "event_time", "event_action", "item_id", "category", "value")


@dataclass(frozen=True)
class LakeCopy:
    """One copy of the lake. `first` and `end` bound the event times; `everything` is all columns of all events (as
    `lake/events`), for those who need more than `EVENT`; `log` is what was decided; `items` is the latest row an item; `snapshot`
    is the same for the same things told, however the lake is cut into parts."""

    events: pl.LazyFrame
    traits: pl.DataFrame
    log: LakeLog
    first: Micros
    end: Micros
    counts: dict[str, int]
    everything: pl.LazyFrame
    items: pl.DataFrame
    snapshot: str

    @classmethod
    def copy(cls, lake: Lake, folder: Path, now: Micros) -> Self:
        """Everything until `now`. Raises NotReady when no event came yet, Unavailable when the lake does not hold still."""
        paths: dict[Kind, list[Path]] = {kind: _copied(lake, kind, folder) for kind in KINDS}
        held = batch.read_events([*paths["events"], *paths["outcomes"]])
        columns = held.collect_schema().names()
        if "event_time" not in columns or not paths["events"]:
            raise NotReady("the lake holds no events; upload some to inbox/events/", missing={"events": 0})
        human = batch.of_people(held).select(name for name in EVENT if name in columns)
        past = human.filter(pl.col("event_time").dt.epoch("us") <= now)
        past.sort("user_id", "event_time", "event_id").collect(engine="streaming").write_parquet(folder / "events")
        events = pl.scan_parquet(folder / "events")
        moments = pl.col("event_time").dt.epoch("us")
        first, last, count = events.select(moments.min(), moments.max().alias("last"), pl.len()).collect().row(0)
        if not count:
            raise NotReady("the lake holds no events of the past", missing={"events": 0})
        users = _read(paths["users"], ("user_id", "effective_at", "created_at", "timezone", "locale", "attributes"))
        told = traits.said(users, trait_features) if users is not None else traits.said(_NO_USERS, trait_features)
        counts = {"events": count, "users": 0 if users is None else users["user_id"].n_unique()}
        everything = held.filter(pl.col("event_time").dt.epoch("us") <= now)
        items = _items(paths["items"])
        return cls(
            events,
            told,
            LakeLog.read(paths["decisions"], folder),
            first,
            last + 1,
            counts,
            everything,
            items,
            _snapshot(events, counts),
        )


_NO_USERS = pl.DataFrame(
    schema={
        "user_id": pl.String,
        "effective_at": pl.Datetime("us", "UTC"),
        "created_at": pl.Datetime("us", "UTC"),
        "timezone": pl.String,
        "locale": pl.String,
        "attributes": pl.String,
    }
)


def _read(paths: list[Path], columns: tuple[str, ...]) -> pl.DataFrame | None:
    if not paths:
        return None
    frame = pl.concat([pl.scan_parquet(path).select(columns) for path in paths], how="vertical_relaxed")
    return frame.collect()


def _snapshot(events: pl.LazyFrame, counts: dict[str, int]) -> str:
    """Which events were there: the sum of their hashes, in any order."""
    summed = events.select(pl.struct("user_id", "event_id").hash().sum()).collect().item()
    return hashlib.sha256(f"{summed} {sorted(counts.items())}".encode()).hexdigest()[:16]


def _items(paths: list[Path]) -> pl.DataFrame:
    """The latest row of each item, all its columns."""
    if not paths:
        return pl.DataFrame(schema={"item_id": pl.String, "category": pl.String, "price": pl.Float64})
    rows = pl.concat([pl.read_parquet(path) for path in paths], how="diagonal_relaxed")
    latest = rows.sort("item_id", "effective_at", *sorted(set(rows.columns) - {"item_id", "effective_at"}))
    return latest.unique("item_id", keep="last", maintain_order=True)


def _copied(lake: Lake, kind: Kind, folder: Path) -> list[Path]:
    """All parts of a kind as of one listing: a part that went away was merged into another, so list again."""
    for attempt in range(LISTINGS):
        place = folder / f"{kind}-{attempt}"
        place.mkdir()
        try:
            return [
                _kept(place / f"{number}.parquet", lake.get(part.key)) for number, part in enumerate(lake.parts(kind))
            ]
        except NotFound:
            continue
    raise Unavailable(f"lake/{kind} changed {LISTINGS} times while it was read")


def _kept(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path
