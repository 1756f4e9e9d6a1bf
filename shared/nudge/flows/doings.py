"""What one person did, as the lake has it: a person's id comes in; their events and what became of their messages goes out.

Looks at the newest days first and stops at a limit of bytes, so that it answers while somebody waits; says from which day on it
looked. Reads only. The decisions, and what is not in the lake yet, are told by `timeline`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import polars as pl

from nudge.errors import BadInput, NotFound
from nudge.measure import tally
from nudge.ports import Lake, ObjectInfo
from nudge.profile.reading import once
from nudge.vocabulary import Kind, Micros

DAYS, MOST_BYTES, MOST_EVENTS = 90, 256_000_000, 500
LONGEST_ID = 256
KINDS: tuple[Kind, ...] = ("events", "outcomes")
TOLD = (
    "event_type",
    "event_time",
    "event_action",
    "item_id",
    "category",
    "value",
    "currency",
    "channel",
    "decision_id",
)


@dataclass(frozen=True, slots=True)
class Doings:
    """`GET /v1/people/{id}/events`. `most_bytes`: of parts of the lake that are read for one answer."""

    lake: Lake
    most_bytes: int = MOST_BYTES

    def __call__(self, user_id: str, *, now: Micros) -> dict[str, Any]:
        """The newest `MOST_EVENTS` events of `DAYS` days, newest first, and the day from which on they are told (`since`).

        Raises BadInput when the id is empty or too long.
        """
        if not 0 < len(user_id) <= LONGEST_ID:
            raise BadInput(f"id: 1 to {LONGEST_ID} characters", reason="bad_id", where="id")
        since, parts = self._parts((tally.moment(now) - timedelta(days=DAYS)).date().isoformat())
        rows = list(self._rows(parts, user_id))
        mine = once(pl.concat(rows, how="diagonal").lazy()).collect() if rows else pl.DataFrame()
        newest = mine.sort("event_time", "event_id", descending=True).head(MOST_EVENTS) if rows else mine
        return {"user_id": user_id, "since": since, "events": [_told(row) for row in newest.iter_rows(named=True)]}

    def _parts(self, first: str) -> tuple[str, list[ObjectInfo]]:
        """Whole days of parts since a day, from the newest back, as many as fit the limit; and the first day of them."""
        days: dict[str, list[ObjectInfo]] = {}
        for kind in KINDS:
            for part in self.lake.parts(kind, since=first):
                days.setdefault(part.key.split("/")[2].removeprefix("dt="), []).append(part)
        taken: list[ObjectInfo] = []
        reached = first
        for day in sorted(days, reverse=True):
            if taken and sum(part.size for part in (*taken, *days[day])) > self.most_bytes:
                return reached, taken
            reached, taken = day, [*taken, *days[day]]
        return first, taken

    def _rows(self, parts: list[ObjectInfo], user_id: str) -> Iterator[pl.DataFrame]:
        """The person's rows, part by part. A part that went away was merged into another: what it held is missing from this answer."""
        for part in parts:
            try:
                body = self.lake.get(part.key)
            except NotFound:
                continue
            yield pl.scan_parquet(BytesIO(body)).filter(pl.col("user_id") == user_id).collect()


def _told(row: dict[str, Any]) -> dict[str, Any]:
    said = {name: row.get(name) for name in TOLD}
    return {**said, "event_time": row["event_time"].isoformat()}
