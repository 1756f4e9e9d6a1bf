"""Orders, people and what models expect of them come in; who the customers are goes out, as plain JSON values.

RFM: quintiles of how recently, how often and for how much somebody bought (Hughes, Strategic Database Marketing, 1994). Cohorts:
who bought first in a month (or week), and what share of them bought again later. Deciles of what people are expected to spend,
where a value model is in force, else of what they spent. Every cell says of how many people it speaks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl

from nudge.measure import audience, shown, tally
from nudge.measure.evidence import Evidence
from nudge.measure.frames import each_event_once
from nudge.vocabulary import Plan

CHAMPIONS, LOYAL, POTENTIAL, NEW, PROMISING = "champions", "loyal", "potential_loyalists", "new", "promising"
ATTENTION, SLEEPY, RISK, LOSE, HIBERNATING = "need_attention", "about_to_sleep", "at_risk", "cannot_lose", "hibernating"
NAMES = {
    1: (HIBERNATING, HIBERNATING, RISK, RISK, LOSE),
    2: (HIBERNATING, HIBERNATING, RISK, RISK, LOSE),
    3: (SLEEPY, SLEEPY, ATTENTION, LOYAL, LOYAL),
    4: (PROMISING, POTENTIAL, POTENTIAL, LOYAL, LOYAL),
    5: (NEW, POTENTIAL, POTENTIAL, CHAMPIONS, CHAMPIONS),
}
"""Recency score (5: just now) → names by frequency score 1 … 5: the usual names of the grid."""
FEWEST = 50
"""Customers below which quintiles and deciles are not made."""
WEEKS, MOST_COHORTS, MOST_PERIODS = 26, 12, 12
SHORT_DAYS = 200
"""Less history than this is cut into weeks, not months."""


def order_event(plan: Plan) -> str | None:
    """What counts as an order: the event whose value is learned, else the first goal's that says its own value, else the first goal's."""
    value = plan.learn.get("value")
    if isinstance(value, dict) and value.get("event"):
        return str(value["event"])
    goals = [goal for goal in plan.goals.values() if not goal.absent]
    own = [goal.event for goal in goals if goal.value is None]
    return next(iter([*own, *(goal.event for goal in goals)]), None)


def section(
    evidence: Evidence, bought: pl.DataFrame, *, users: pl.DataFrame, items: pl.DataFrame, outcomes: pl.DataFrame
) -> dict[str, Any]:
    """Everything a report says of customers. `bought`: all order events of the lake (`frames.EVENTS`), `users` and `items` as in `audience`."""
    now, currency = tally.moment(evidence.now), evidence.plan.currency
    orders = _orders(bought, now, currency)
    channels = {one.channel for one in evidence.plan.activities.values()}
    return {
        "order": order_event(evidence.plan),
        "rfm": rfm(orders, now),
        "cohorts": cohorts(orders, now),
        "deciles": deciles(orders, _expected(evidence)),
        "reachability": audience.reachability(users, outcomes, sorted(channels)),
        "items": audience.top_items(orders, items, now),
        "weeks": weekly(orders, now),
    }


def _orders(bought: pl.DataFrame, now: datetime, currency: str) -> pl.DataFrame:
    """user_id, at, value (0 where it names none, or another currency), item_id: each order once, until now, in order."""
    ours = pl.col("currency").fill_null(currency).str.to_uppercase() == currency.upper()
    money = pl.when(ours & pl.col("value").is_finite()).then("value").otherwise(0.0).fill_null(0.0)
    return (
        each_event_once(bought)
        .filter(pl.col("event_time") <= now)
        .select("user_id", pl.col("event_time").alias("at"), money.alias("value"), "item_id")
        .sort("user_id", "at", "value", "item_id", nulls_last=True)
    )


def _expected(evidence: Evidence) -> pl.DataFrame:
    """user_id, spend: what the value model in force at each person's latest decision expected of them."""
    said = evidence.told.select("decision_id", "spend").drop_nulls("spend")
    known = evidence.decisions.select("decision_id", "user_id", "decided_at").join(said, on="decision_id", how="inner")
    return (
        known.sort("user_id", "decided_at", "decision_id")
        .unique("user_id", keep="last", maintain_order=True)
        .select("user_id", "spend")
    )


def rfm(orders: pl.DataFrame, now: datetime) -> dict[str, Any]:
    """The grid of quintiles and its named segments. `orders`: user_id, at, value."""
    people = orders.group_by("user_id").agg(
        pl.col("at").max().alias("last"), pl.len().alias("orders"), pl.col("value").sum().alias("spent")
    )
    if people.height < FEWEST:
        return {"customers": people.height, "cells": [], "segments": [], "note": f"needs at least {FEWEST} customers"}
    scored = people.with_columns(
        _fifth("last").alias("r"),
        _fifth("orders").alias("f"),
        _fifth("spent").alias("m"),
        ((pl.lit(now) - pl.col("last")).dt.total_seconds() / 86_400).alias("days"),
    )
    named = scored.with_columns(
        pl.struct("r", "f")
        .map_elements(lambda one: NAMES[one["r"]][one["f"] - 1], return_dtype=pl.String)
        .alias("segment")
    )
    cells = named.group_by("r", "f").agg(*_sums()).sort("r", "f")
    segments = named.group_by("segment").agg(*_sums()).sort(["spent", "segment"], descending=[True, False])
    return {
        "customers": people.height,
        "cells": [
            _cell(row, r=row["r"], f=row["f"], segment=NAMES[row["r"]][row["f"] - 1]) for row in cells.to_dicts()
        ],
        "segments": [_cell(row, segment=row["segment"]) for row in segments.to_dicts()],
        "note": None,
    }


def _fifth(column: str) -> pl.Expr:
    """Quintile 1 … 5 by rank; equal values share a quintile."""
    place = pl.col(column).rank("average") / pl.len()
    return (place * 5).ceil().clip(1, 5).cast(pl.Int64)


def _sums() -> list[pl.Expr]:
    return [
        pl.len().alias("people"),
        pl.col("spent").sum(),
        pl.col("orders").mean(),
        pl.col("days").median(),
        pl.col("m").mean(),
    ]


def _cell(row: dict[str, Any], **names: Any) -> dict[str, Any]:
    return {
        **names,
        "people": row["people"],
        "spent": shown.number(row["spent"]),
        "orders_per_person": shown.number(row["orders"]),
        "days_since": shown.number(row["days"]),
        "monetary": shown.number(row["m"]),
    }


def cohorts(orders: pl.DataFrame, now: datetime) -> dict[str, Any]:
    """Of who bought first in a period: how many did again in each later one. A period that is not over is left out."""
    if orders.is_empty():
        return {"every": "month", "rows": []}
    oldest = orders["at"].min()
    every = "week" if isinstance(oldest, datetime) and now - oldest < timedelta(days=SHORT_DAYS) else "month"
    step = "1w" if every == "week" else "1mo"
    period = pl.col("at").dt.truncate(step)
    first = orders.group_by("user_id").agg(period.min().alias("cohort"))
    this = pl.Series([now]).dt.truncate(step)[0]
    active = orders.select("user_id", period.alias("period")).unique().join(first, on="user_id")
    active = active.filter(pl.col("period") < this)
    age = _age(pl.col("period"), every) - _age(pl.col("cohort"), every)
    came = active.group_by("cohort", age.alias("age")).len("people").sort("cohort", "age")
    rows = []
    for begun in sorted(set(came["cohort"].to_list()))[-MOST_COHORTS:]:
        own = dict(came.filter(pl.col("cohort") == begun).select("age", "people").iter_rows())
        size = own.get(0, 0)
        last = int(pl.select(_age(pl.lit(this), every) - _age(pl.lit(begun), every)).item())
        kept = [own.get(n, 0) for n in range(1, min(last, MOST_PERIODS + 1))]
        rows.append(
            {
                "cohort": begun.date().isoformat(),
                "people": size,
                "kept": [{"people": n, "share": shown.number(n / size)} for n in kept],
            }
        )
    return {"every": every, "rows": rows}


def _age(at: pl.Expr, every: str) -> pl.Expr:
    """Number of the period since the epoch."""
    return at.dt.epoch("d") // 7 if every == "week" else at.dt.year().cast(pl.Int64) * 12 + at.dt.month().cast(pl.Int64)


def deciles(orders: pl.DataFrame, expected: pl.DataFrame) -> dict[str, Any]:
    """Tenths of people by what they are expected to spend (`expected`: user_id, spend), else by what they spent; the best first."""
    past = orders.group_by("user_id").agg(pl.col("value").sum().alias("spend"))
    by, people = ("predicted", expected) if expected.height >= FEWEST else ("past", past)
    if people.height < FEWEST:
        return {"by": by, "people": people.height, "rows": [], "note": f"needs at least {FEWEST} people"}
    place = (pl.col("spend").rank("ordinal", descending=True) - 1) * 10 // pl.len() + 1
    cut = people.sort("user_id").with_columns(place.cast(pl.Int64).alias("decile"))
    whole = float(people["spend"].sum()) or 1.0
    rows = cut.group_by("decile").agg(pl.len().alias("people"), pl.col("spend").sum().alias("total")).sort("decile")
    return {
        "by": by,
        "people": people.height,
        "rows": [
            {
                "decile": row["decile"],
                "people": row["people"],
                "per_person": shown.number(row["total"] / row["people"]),
                "share": shown.number(row["total"] / whole),
            }
            for row in rows.to_dicts()
        ],
        "note": None,
    }


def weekly(orders: pl.DataFrame, now: datetime) -> list[dict[str, Any]]:
    """Orders, people and value of the latest whole weeks (from Mondays)."""
    this = pl.Series([now]).dt.truncate("1w")[0]
    weeks = (
        orders.filter(pl.col("at") < this)
        .group_by(pl.col("at").dt.truncate("1w").alias("week"))
        .agg(pl.len().alias("orders"), pl.col("user_id").n_unique().alias("people"), pl.col("value").sum())
        .sort("week")
        .tail(WEEKS)
    )
    return [
        {
            "week": row["week"].date().isoformat(),
            "orders": row["orders"],
            "people": row["people"],
            "value": shown.number(row["value"]),
        }
        for row in weeks.to_dicts()
    ]
