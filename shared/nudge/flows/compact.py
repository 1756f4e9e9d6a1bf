"""What came of a day becomes one part: sorted, each fact once, the same bytes for any order and split of what came.

The new part is written before the old ones go. Who reads meanwhile sees a row twice (and keeps one) or a part that is gone
(and lists again); a compaction that dies is made again; two at once write the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import Final

import polars as pl

from nudge.clean import parts, unique
from nudge.errors import NotFound
from nudge.ports import Lake
from nudge.vocabulary import KINDS, Kind

LARGEST_DAY: Final = 1 << 30
"""Bytes of Parquet that are merged at once; a larger day is merged in several steps, first parts first."""


@dataclass(frozen=True, slots=True)
class Compact:
    """Merge the parts of each day that has more than one, or one that is as `prepare` wrote it."""

    lake: Lake
    at_once: int = 2
    """Days that are merged at the same time: one waits for the store while the other computes."""

    def __call__(self) -> int:
        """How many parts went away."""
        work = [(kind, day, keys) for kind in KINDS for day, keys in self._days(kind)]
        with ThreadPoolExecutor(self.at_once) as threads:
            return sum(threads.map(lambda one: self._day(*one), work))

    def _days(self, kind: Kind) -> Iterator[tuple[str, list[str]]]:
        for day, found in groupby(self.lake.parts(kind), lambda one: one.key.split("/")[2].removeprefix("dt=")):
            keys: list[str] = []
            size = 0
            for one in found:
                if keys and size + one.size > LARGEST_DAY:
                    break
                keys.append(one.key)
                size += one.size
            if len(keys) > 1 or parts.RAW in keys[0]:
                yield day, keys

    def _day(self, kind: Kind, day: str, keys: list[str]) -> int:
        try:
            frames = [pl.read_parquet(BytesIO(self.lake.get(key))) for key in keys]
        except NotFound:  # someone else compacts this day
            return 0
        every = pl.concat(frames, rechunk=True).with_columns(line=pl.lit(0))
        rows, _, _ = unique.unique(kind, every, order="total")
        merged = self.lake.put(kind, day, parts.parquet(rows.drop("line")))
        gone = [key for key in keys if key != merged]
        self.lake.drop(gone)
        return len(gone)
