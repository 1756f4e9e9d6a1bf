"""What was known of whom, and when: the features of training rows, made for the rows that are kept and for no others.

In: a copy of the lake; rows (`learn.labels`) that say who, when, and in which round or by which decision they were asked. Out: the
same rows with a column a feature: the vector that the decision logged, or what events and traits strictly before the moment
come to, each event counted once. Knows no goal and no label.
"""

from __future__ import annotations

from functools import cached_property

import polars as pl

from nudge.flows.lake_copy import LakeCopy
from nudge.learn import labels, traits
from nudge.profile import batch
from nudge.vocabulary import Micros

ROUND = "round"
"""The column of rows that numbers the rounds: in each a person is asked at one moment at most. Null: the row is of a decision."""
PLACE = "place of the row"


class Features(LakeCopy):
    """What the lake knew of people at moments of the past."""

    def people(self, at: Micros) -> pl.DataFrame:
        """Everybody of whom an event came before a moment, in order (`user_id at`)."""
        return self._first.filter(pl.col("first") < at).select("user_id", at=pl.lit(at, pl.Int64))

    def known(self, people: pl.DataFrame) -> pl.DataFrame:
        """What was known of each person of a frame `user_id at` just before that moment: `user_id`, and a column a feature."""
        return traits.known(self.traits, batch.vectors(self.events, people.rename({"at": "as_of"})), people)

    def filled(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The same rows, in their order, with their features. A round after the other: memory is that of the answer."""
        rounds = rows.with_row_index(PLACE).partition_by(ROUND, as_dict=True, maintain_order=True)
        parts = [self._logged(one) if number is None else self._before(one) for (number,), one in rounds.items()]
        whole = pl.concat(parts, how="diagonal_relaxed").sort(PLACE) if parts else rows
        return whole.drop(PLACE, ROUND, "decision_id", strict=False)

    def _before(self, rows: pl.DataFrame) -> pl.DataFrame:
        known = self.known(rows.select("user_id", "at").unique(maintain_order=True))
        return rows.join(known, on="user_id", how="left", maintain_order="left")

    def _logged(self, rows: pl.DataFrame) -> pl.DataFrame:
        own = [name for name in (PLACE, *labels.META, labels.ACTIVITY, labels.IS_DECISION) if name in rows.columns]
        told = labels.vectors(self.log.recorded(rows)["record"])
        return pl.concat([rows.select(own), told], how="horizontal")

    @cached_property
    def _first(self) -> pl.DataFrame:
        """When the first event of each person came (`user_id first`), in order of the people."""
        first = pl.col("event_time").dt.epoch("us").min().alias("first")
        return self.events.group_by("user_id").agg(first).collect(engine="streaming").sort("user_id")
