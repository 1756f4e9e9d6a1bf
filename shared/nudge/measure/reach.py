"""Decisions with their candidates and messages come in; who could be reached, who was, and why the others were not, goes out."""

from __future__ import annotations

from typing import Any

import polars as pl

from nudge.vocabulary import NOTHING

TOP_REASONS = 10
NOT_DRAWN = "not_chosen"
"""Candidates of whom chance and value chose another."""


def of_activity(decisions: pl.DataFrame, told: pl.DataFrame, messages: pl.DataFrame, activity: str) -> dict[str, Any]:
    """From those considered for an activity to those reached by it, in people; `reasons` covers everybody considered and not reached.

    Of each person the best end counts: reached before failed before held out before not chosen before removed.
    """
    offered = _offers(decisions, told).filter(pl.col("candidate") == activity).collect()
    drawn = decisions.filter(pl.col("chosen") == activity).join(
        messages.select("decision_id", "state", "why"), on="decision_id", how="left"
    )
    ends = pl.concat([_drawn(drawn), _passed_over(offered, drawn)])
    return _steps(ends, considered=offered.height > 0 or told["offered"].null_count() == 0)


def of_all(decisions: pl.DataFrame, told: pl.DataFrame, messages: pl.DataFrame) -> dict[str, Any]:
    """The same for whatever was offered: a person is reached who was reached by anything."""
    offered = _offers(decisions, told).filter(pl.col("candidate") != NOTHING).collect()
    drawn = decisions.filter(pl.col("chosen") != NOTHING).join(
        messages.select("decision_id", "state", "why"), on="decision_id", how="left"
    )
    ends = pl.concat([_drawn(drawn), _passed_over(offered, drawn)])
    return _steps(ends, considered=True)


def _offers(decisions: pl.DataFrame, told: pl.DataFrame) -> pl.LazyFrame:
    """A row a decision and candidate: decision_id, user_id, candidate, removed."""
    each = (
        decisions.lazy()
        .select("decision_id", "user_id")
        .join(told.lazy().select("decision_id", "offered"), on="decision_id", how="inner")
    )
    return (
        each.drop_nulls("offered")
        .explode("offered")
        .select(
            "decision_id",
            "user_id",
            pl.col("offered").struct.field("activity").cast(pl.String).alias("candidate"),
            pl.col("offered").struct.field("removed").cast(pl.String).alias("removed"),
        )
    )


def _drawn(drawn: pl.DataFrame) -> pl.DataFrame:
    """user_id, rank (lower is better), end, reason of the decisions that drew it."""
    state = pl.col("state").fill_null("waiting")
    treated = pl.col("group") == "treatment"
    reached = treated & (state == "sent")
    return drawn.select(
        "user_id",
        pl.when(reached).then(0).when(treated).then(1).otherwise(2).cast(pl.Int32).alias("rank"),
        pl.when(reached)
        .then(pl.lit("reached"))
        .when(treated)
        .then(pl.lit("tried"))
        .otherwise(pl.lit("held"))
        .alias("end"),
        pl.when(reached)
        .then(pl.lit(None, pl.String))
        .when(treated)
        .then(pl.coalesce("why", state))
        .otherwise("group")
        .alias("reason"),
    )


def _passed_over(offered: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    others = offered.join(drawn.select("decision_id"), on="decision_id", how="anti")
    free = pl.col("removed").is_null()
    return others.select(
        "user_id",
        pl.when(free).then(3).otherwise(4).cast(pl.Int32).alias("rank"),
        pl.when(free).then(pl.lit("open")).otherwise(pl.lit("removed")).alias("end"),
        pl.when(free).then(pl.lit(NOT_DRAWN)).otherwise("removed").alias("reason"),
    )


def _steps(ends: pl.DataFrame, *, considered: bool) -> dict[str, Any]:
    best = ends.sort("user_id", "rank", "reason", nulls_last=True).unique("user_id", keep="first", maintain_order=True)
    count = {str(end): int(size) for end, size in best.group_by("end").len().iter_rows()}
    reached, tried, held = (count.get(end, 0) for end in ("reached", "tried", "held"))
    reasons = (
        best.filter(pl.col("end") != "reached")
        .group_by("end", "reason")
        .len("people")
        .sort(["people", "end", "reason"], descending=[True, False, False])
    )
    return {
        "considered": best.height if considered else None,
        "possible": best.height - count.get("removed", 0) if considered else None,
        "chosen": reached + tried + held,
        "held_out": held,
        "reached": reached,
        "reasons": reasons.select("end", "reason", "people").head(TOP_REASONS).to_dicts(),
    }
