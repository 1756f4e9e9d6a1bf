"""What was decided, for those who learn from it: parts of `lake/decisions` come in, the decisions with their records go out.

A record holds the whole decision, vector and all: some kilobytes. So only so many are read: all decisions of people who are drawn at
random, so that what was decided for a person earlier and later stays together. They stay on disk until somebody asks. What was done
for everybody else is known, too, without records: people for whom something was done are nobody's example of doing nothing.
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
NO_PERSON = 0.1
"""Whoever has more than this share of them alone is a robot, or a test: everybody else would be crowded out."""
ROW_GROUP = 10_000
DRAW = 1
"""Of the hash by which people are drawn: another number draws others."""
DONE = {"user_id": pl.String(), "decided_at": pl.Datetime("us", "UTC"), "goal": pl.String(), "activity": pl.String()}
DECISION = {"decision_id": pl.String(), **DONE, "propensity": pl.Float64()}
RECORDED = {**DECISION, "record": pl.String()}


@dataclass(frozen=True, slots=True)
class LakeLog:
    """`decisions`: rows (`DECISION`) of the people who were drawn, of everybody where there are few; `parts` are the files that hold them
    with their records. `done`: rows (`DONE`) of everything that was done for anybody. `count`: how many decisions there are, of which
    `share` is read; `drawn`: whose, where not everybody's."""

    decisions: pl.DataFrame
    done: pl.DataFrame
    parts: tuple[Path, ...] = ()
    count: int = 0
    share: float = 1.0
    drawn: pl.DataFrame | None = None

    @classmethod
    def read(cls, parts: Sequence[Path], folder: Path, most: int = MOST) -> Self:
        """The log, of Parquet files; those of the people drawn are written to `folder`. The same files give the same people."""
        if not parts:
            return cls(pl.DataFrame(schema=DECISION), pl.DataFrame(schema=DONE))
        everything = pl.concat([pl.scan_parquet(one).select(*RECORDED) for one in parts], how="vertical_relaxed")
        done = everything.filter(pl.col("activity") != NOTHING).select(*DONE).collect()
        people = everything.select("user_id").collect()["user_id"].value_counts()
        count = int(people["count"].sum())
        drawn, held = None, tuple(parts)
        if count > most:
            drawn, held = _drawn(people, most), (folder / "decisions of the drawn",)
            _of(everything, drawn).sink_parquet(held[0], compression="lz4", row_group_size=ROW_GROUP)
        decisions = pl.concat([pl.read_parquet(one, columns=list(DECISION)) for one in held], how="vertical_relaxed")
        return cls(decisions, done, held, count, decisions.height / count, drawn)

    def recorded(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Some of `decisions`, in their order, each with its `record`."""
        ids = rows.lazy().select("decision_id")
        texts = [
            pl.scan_parquet(one).select("decision_id", "record").join(ids, on="decision_id", how="semi")
            for one in self.parts
        ]
        if not texts:
            return rows.with_columns(record=pl.lit(None, pl.String))
        held = pl.concat(texts).collect(engine="streaming").unique("decision_id", keep="first")
        return rows.join(held, on="decision_id", how="left", maintain_order="left")

    def of_goal(self, name: str) -> pl.DataFrame:
        """Those of `decisions` that were made for a goal."""
        return self.decisions.filter(pl.col("goal") == name)

    def of_drawn(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Rows of the people whose decisions are read, where not everybody's are."""
        return _of(rows, self.drawn)


def _of(rows: pl.LazyFrame, people: pl.DataFrame | None) -> pl.LazyFrame:
    return rows if people is None else rows.join(people.lazy(), on="user_id", how="semi", maintain_order="left")


def _drawn(people: pl.DataFrame, most: int) -> pl.DataFrame:
    """People in a random order, as long as their decisions are no more than `most`."""
    shuffled = people.filter(pl.col("count") <= NO_PERSON * most).sort(pl.col("user_id").hash(DRAW), "user_id")
    return shuffled.filter(pl.col("count").cum_sum() <= most).select("user_id")
