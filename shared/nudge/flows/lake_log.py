"""What was decided, for those who learn from it: parts of `lake/decisions` come in, the decisions with their records go out.

A record holds the whole decision, vector and all: some kilobytes. So only so many are read: all decisions of people who are drawn at
random, so that what was decided for a person earlier and later stays together. What was done for everybody else is known, too,
without records: people for whom something was done are nobody's example of doing nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from nudge.vocabulary import NOTHING

MOST = 100_000
"""Decisions whose records are read."""
DRAW = 1
"""Of the hash by which people are drawn: another number draws others."""
DONE = {"user_id": pl.String(), "decided_at": pl.Datetime("us", "UTC"), "goal": pl.String(), "activity": pl.String()}
DECISION = {"decision_id": pl.String(), **DONE, "propensity": pl.Float64(), "record": pl.String()}


@dataclass(frozen=True, slots=True)
class LakeLog:
    """`decisions`: rows (`DECISION`) of the people who were drawn, of everybody where there are few. `done`: rows (`DONE`) of
    everything that was done for anybody. `count`: how many decisions there are, of which `share` was read; `drawn`: whose, where not
    everybody's."""

    decisions: pl.DataFrame
    done: pl.DataFrame
    count: int = 0
    share: float = 1.0
    drawn: pl.DataFrame | None = None

    @classmethod
    def read(cls, parts: Sequence[Path], most: int = MOST) -> Self:
        """The log, of Parquet files. The same files give the same people."""
        if not parts:
            return cls(pl.DataFrame(schema=DECISION), pl.DataFrame(schema=DONE))
        each = [pl.scan_parquet(path) for path in parts]
        done = [one.filter(pl.col("activity") != NOTHING).select(*DONE).collect() for one in each]
        people = pl.concat([one.select("user_id").collect() for one in each])["user_id"].value_counts()
        count = int(people["count"].sum())
        drawn = _drawn(people, most) if count > most else None
        rows = [_of(one.select(*DECISION), drawn).collect(engine="streaming") for one in each]
        decisions = pl.concat(rows, how="vertical_relaxed")
        return cls(decisions, pl.concat(done, how="vertical_relaxed"), count, decisions.height / count, drawn)

    def of_drawn(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Rows of the people whose decisions were read, where not everybody's were."""
        return _of(rows, self.drawn)


def _of(rows: pl.LazyFrame, people: pl.DataFrame | None) -> pl.LazyFrame:
    return rows if people is None else rows.join(people.lazy(), on="user_id", how="semi", maintain_order="left")


def _drawn(people: pl.DataFrame, most: int) -> pl.DataFrame:
    """People in a random order, as long as their decisions are no more than `most`."""
    shuffled = people.sort(pl.col("user_id").hash(DRAW), "user_id")
    return shuffled.filter(pl.col("count").cum_sum() <= most).select("user_id")
