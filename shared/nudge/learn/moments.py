"""When a goal is asked about that stands after an event: just after each such event of a person, as `decide` would be then.

In: events; logged decisions. Out: frames `user_id at link`, the link being what the goal's event must share with the event
before it (`same` in the plan; null without), and what that event was: `context.after.category` and `context.after.value`.
Who asks `decide` says them in the request's context (`{"after.category": …, "after.value": …}`): the same names, the same numbers.
Knows neither vectors nor labels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from nudge.vocabulary import Goal, Micros

LINKS = {"category": "category", "action": "event_action", "item": "item_id"}
"""What `same` may name → the column of events."""
AFTER = (pl.col("category").alias("context.after.category"), pl.col("value").alias("context.after.value"))
"""What the event before the question was."""
CUTS = 40
"""Bounds between slices are sought among so many moments."""


def link_of(goal: Goal) -> pl.Expr:
    """The column `link` of events."""
    column = pl.lit(None, pl.String) if goal.same is None else pl.col(LINKS[goal.same])
    return column.alias("link")


def following(events: pl.LazyFrame, goal: Goal) -> pl.DataFrame:
    """Each moment just after an event of the type `goal.after`, so that the event itself is known then; in order."""
    at = pl.col("event_time").dt.epoch("us") + 1
    found = events.filter(pl.col("event_type") == goal.after).select("user_id", at.alias("at"), link_of(goal), *AFTER)
    told = found.unique().collect().sort("user_id", "at", "link", *(column.meta.output_name() for column in AFTER))
    return told.unique(["user_id", "at", "link"], keep="first", maintain_order=True)


def rounds(moments: pl.DataFrame, end: Micros, window: Micros, most: int) -> Iterator[pl.DataFrame]:
    """The newest `most` moments of each person whose windows are over by `end`: a person at most once in a round
    (`user_id at`; several links of one moment are one)."""
    over = moments.filter(pl.col("at") + window <= end).select("user_id", "at").unique(maintain_order=True)
    nth = pl.col("at").rank("ordinal", descending=True).over("user_id")
    numbered = over.with_columns(nth.alias("nth"))
    for number in range(1, most + 1):
        one = numbered.filter(pl.col("nth") == number).drop("nth")
        if one.height:
            yield one


def cuts(rounds: list[pl.DataFrame]) -> list[Micros]:
    """Moments between which slices may be cut, oldest first: all, or `CUTS` with as many rows between them."""
    every = np.sort(np.concatenate([one["at"].to_numpy() for one in rounds])) if rounds else np.empty(0, np.int64)
    some = every if len(np.unique(every)) <= CUTS else np.quantile(every, np.linspace(0, 1, CUTS), method="lower")
    return [int(at) for at in np.unique(some)]


def linked(decisions: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Decisions (`user_id at`) with the `link` of the person's latest such event before them; null where there is none."""
    last = moments.select("user_id", "at", "link").sort("at", "user_id", "link")
    return decisions.sort("at", maintain_order=True).join_asof(
        last, on="at", by="user_id", strategy="backward", check_sortedness=False
    )
