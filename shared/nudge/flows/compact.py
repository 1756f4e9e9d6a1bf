"""What came of a day becomes one part: sorted, each fact once, the same bytes for any order and split of what came.

The new part is written before the old ones go. Who reads meanwhile sees a row twice (and keeps one) or a part that is gone
(and lists again); a compaction that dies is made again; two at once write the same. A day of more than fits into memory becomes
several parts, which are not merged again: readers count no row twice, wherever it stands. Rows of people who were erased since the old
parts were written go no further: whoever had them in hand during the erasure brings nobody back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import Final

import polars as pl

from nudge.clean import erased, parts, unique
from nudge.errors import NotFound
from nudge.flows.tombstones import Gone, nobody
from nudge.ports import Lake
from nudge.vocabulary import KINDS, Kind

LARGEST: Final = 192 << 20
"""Bytes of rows, in memory, that become one part; merging takes three times as much, and two days are merged at once."""


@dataclass(frozen=True, slots=True)
class Compact:
    """Merge the parts of each day that has more than one, or one that is as `prepare` wrote it."""

    lake: Lake
    at_once: int = 2
    """Days that are merged at the same time: one waits for the store while the other computes."""
    largest: int = LARGEST
    gone: Callable[[], Gone | None] = nobody

    def __call__(self) -> int:
        """How many parts went away."""
        work = [(kind, day, keys) for kind in KINDS for day, keys in self._days(kind)]
        with ThreadPoolExecutor(self.at_once) as threads:
            return sum(threads.map(lambda one: self._day(*one), work))

    def _days(self, kind: Kind) -> Iterator[tuple[str, list[str]]]:
        for day, found in groupby(self.lake.parts(kind), lambda one: one.key.split("/")[2].removeprefix("dt=")):
            keys = [one.key for one in found if parts.FULL not in one.key]
            if _worth_it(keys):
                yield day, keys

    def _day(self, kind: Kind, day: str, keys: list[str]) -> int:
        """Part after part, until what is read is enough for one."""
        dropped = 0
        while _worth_it(keys):
            frames: list[pl.DataFrame] = []
            try:
                while keys[len(frames) :] and _size(frames) < self.largest:
                    frames.append(pl.read_parquet(BytesIO(self.lake.get(keys[len(frames)]))))
            except NotFound:  # someone else compacts this day
                return dropped
            merging, keys = keys[: len(frames)], keys[len(frames) :]
            merged = self._merged(kind, day, frames)
            old = [key for key in merging if key != merged]
            self.lake.drop(old)
            dropped += len(old)
        return dropped

    def _merged(self, kind: Kind, day: str, frames: list[pl.DataFrame]) -> str | None:
        label = parts.FULL if _size(frames) >= self.largest else ""
        every = pl.concat(frames, rechunk=True).with_columns(line=pl.lit(0))
        frames.clear()
        rows, _, _ = unique.unique(kind, every, order="total")
        dead = erased.mask(kind, rows, self.gone(), uploaded_at=-1)  # every row of the lake says its time
        if dead is not None:
            rows = rows.filter(~dead)
        if not rows.height:
            return None
        return self.lake.put(kind, day, parts.parquet(rows.drop("line")), label=label)


def _worth_it(keys: list[str]) -> bool:
    return len(keys) > 1 or any(parts.RAW in key for key in keys)


def _size(frames: list[pl.DataFrame]) -> int:
    return sum(int(one.estimated_size()) for one in frames)
