"""When value is looked at: calendar cuts; and what came after each.

In: the bounds of the events, the horizon. Out: cuts and outcomes. A cut sees only what was before it, an outcome only
what came at it or after: windows do not overlap.
"""

from __future__ import annotations

import polars as pl

from nudge.errors import NotReady
from nudge.learn.features import rounded
from nudge.vocabulary import DAY, Micros

MOST_CUTS = 5
FEWEST_DAYS = 2


def windows(first: Micros, end: Micros, horizon_days: float) -> tuple[int, list[Micros]]:
    """Length of a window in days: the horizon, or a sixth of the history where that is shorter; and the cuts, oldest
    first, so that the last window ends at `end` and before the first cut lies at least as much history as a window is
    long.

    Raises
    ------
    NotReady
        Less than twelve days of events.
    """
    span = (end - first) / DAY
    days = int(max(1.0, min(horizon_days, span / (MOST_CUTS + 1))))
    if span < (MOST_CUTS + 1) * FEWEST_DAYS:
        raise NotReady(
            f"value: needs at least {(MOST_CUTS + 1) * FEWEST_DAYS} days of events",
            missing={"days": (MOST_CUTS + 1) * FEWEST_DAYS},
        )
    cuts = [end - number * days * DAY for number in range(1, MOST_CUTS + 1)]
    return days, sorted(at for at in cuts if at - first >= days * DAY)


def outcomes(events: pl.LazyFrame, event: str, cut: Micros, until: Micros) -> pl.DataFrame:
    """`user_id purchases worth`: events of the type in [cut, until), and their summed value."""
    at = pl.col("event_time").dt.epoch("us")
    inside = events.filter((pl.col("event_type") == event) & at.is_between(cut, until, closed="left"))
    value = pl.when(pl.col("value").is_finite()).then(pl.col("value")).otherwise(0.0)
    found = inside.group_by("user_id").agg(pl.len().cast(pl.Float64).alias("purchases"), value.sum().alias("worth"))
    return found.collect().sort("user_id")


def followed(vectors: pl.DataFrame, came: pl.DataFrame) -> pl.DataFrame:
    """Vectors as of a cut with the outcomes of its window; 0 for who bought nothing."""
    joined = vectors.join(came, on="user_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("purchases", "worth").fill_null(0.0))


def sampled(rows: pl.DataFrame, most: int, seed: int) -> pl.DataFrame:
    """At most so many people, the same ones as of every cut: those whose hashed ids are smallest."""
    if rows.height <= most:
        return rows
    order = rows["user_id"].hash(seed=seed).arg_sort()[:most].sort()
    return rows[order]


def steady(rows: pl.DataFrame) -> pl.DataFrame:
    """Numbers to six digits: sums made in parallel differ in their last bits from run to run; a training does not."""
    numbers = [name for name, kind in rows.schema.items() if kind.is_float()]
    return rows.with_columns(pl.Series(name, rounded(rows[name].to_numpy())).fill_nan(None) for name in numbers)
