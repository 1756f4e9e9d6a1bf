"""What people told of themselves and what became of our messages come in; who can be reached on which channel goes out.

As the lake knows it, a day old at most: the rules that bind a decision look at `Profiles`. Unknown consent is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from nudge.measure.frames import MOMENT

ADDRESS = {"email": "email", "sms": "phone"}
"""Channel → the column with its address; of any other channel, the attribute with its name."""
NO_ADDRESS_NEEDED = frozenset({"inline", "webhook", "event"})
GONE = r"^(.+)_(bounce|complaint|unsubscribe)$"
USERS: Mapping[str, pl.DataType] = {
    "user_id": pl.String(),
    "effective_at": MOMENT,
    "email": pl.String(),
    "phone": pl.String(),
    **{f"{one}_consent": pl.Boolean() for one in ("email", "sms", "push")},
    **{f"{one}_consent_at": MOMENT for one in ("email", "sms", "push")},
    "attributes": pl.String(),
}
"""Columns of `lake/users` that a report needs; addresses are looked at for being there, and never shown."""
ENDS = ("reachable", "no_address", "no_consent", "unsubscribe", "bounce", "complaint")


def reachability(users: pl.DataFrame, outcomes: pl.DataFrame, channels: Sequence[str]) -> dict[str, Any]:
    """People by channel and why not: `reachable no_address no_consent unsubscribe bounce complaint`."""
    latest = _latest(users)
    gone = _gone(outcomes)
    rows = []
    for channel in sorted(channels):
        if channel in NO_ADDRESS_NEEDED:
            rows.append(
                {"channel": channel, "ends": {name: latest.height if name == "reachable" else 0 for name in ENDS}}
            )
            continue
        ends = latest.join(gone.filter(pl.col("channel") == channel), on="user_id", how="left").select(_end(channel))
        count: dict[str, int] = dict(ends["end"].value_counts().iter_rows())
        rows.append({"channel": channel, "ends": {name: int(count.get(name, 0)) for name in ENDS}})
    return {"people": latest.height, "channels": rows}


def _latest(users: pl.DataFrame) -> pl.DataFrame:
    """One row a person: of each column the newest word (a row that does not speak of it takes nothing back)."""
    ordered = users.sort("user_id", "effective_at")
    words = [pl.col(name).drop_nulls().last() for name in users.columns if name != "user_id"]
    return ordered.group_by("user_id", maintain_order=True).agg(words)


def _gone(outcomes: pl.DataFrame) -> pl.DataFrame:
    """user_id, channel, why, at: the last time somebody left, bounced for good, or complained."""
    kind = pl.col("event_type").str.extract_groups(GONE).struct
    lasting = pl.col("properties").str.json_path_match("$.ses.bounceType").fill_null("Permanent") == "Permanent"
    return (
        outcomes.select(
            "user_id",
            pl.col("event_time").alias("gone_at"),
            kind.field("1").alias("channel"),
            kind.field("2").alias("why"),
            lasting.alias("lasting"),
        )
        .filter(pl.col("why").is_not_null() & ((pl.col("why") != "bounce") | pl.col("lasting")))
        .sort("user_id", "gone_at", "why")
        .unique(["user_id", "channel"], keep="last", maintain_order=True)
        .drop("lasting")
    )


def _end(channel: str) -> pl.Expr:
    column = ADDRESS.get(channel)
    address = pl.col(column) if column else pl.col("attributes").str.json_path_match(f"$['{channel}']")
    known = f"{channel}_consent" in USERS
    consent = pl.col(f"{channel}_consent") if known else pl.lit(None, pl.Boolean)
    since = pl.col(f"{channel}_consent_at") if known else pl.lit(None, MOMENT)
    came_back = (pl.col("why") == "unsubscribe") & consent.fill_null(False) & (since > pl.col("gone_at"))
    left = pl.col("why").is_not_null() & ~came_back.fill_null(False)
    return (
        pl.when(address.is_null() | (address == ""))
        .then(pl.lit("no_address"))
        .when(left)
        .then(pl.col("why"))
        .when(consent.fill_null(False))
        .then(pl.lit("reachable"))
        .otherwise(pl.lit("no_consent"))
        .alias("end")
    )


def top_items(
    orders: pl.DataFrame, items: pl.DataFrame, now: datetime, *, days: int = 28, most: int = 10
) -> dict[str, Any]:
    """Items by value of the latest days, with the days before them. `orders`: user_id, at, value, item_id."""
    age = (pl.lit(now) - pl.col("at")).dt.total_seconds() / 86_400
    sold = orders.drop_nulls("item_id").with_columns(age.alias("age")).filter(pl.col("age").is_between(0, 2 * days))
    recent = pl.col("age") < days
    by_item = (
        sold.group_by("item_id")
        .agg(
            pl.col("value").filter(recent).sum().alias("value"),
            recent.sum().alias("orders"),
            pl.col("user_id").filter(recent).n_unique().alias("people"),
            pl.col("value").filter(~recent).sum().alias("before"),
        )
        .filter(pl.col("orders") > 0)
        .sort(["value", "item_id"], descending=[True, False])
        .head(most)
    )
    titles = (
        items.sort("item_id", "effective_at")
        .group_by("item_id", maintain_order=True)
        .agg(pl.col("title").drop_nulls().last())
    )
    rows = by_item.join(titles, on="item_id", how="left", maintain_order="left").to_dicts()
    return {
        "days": days,
        "rows": [
            {
                "item": row["item_id"],
                "title": row["title"],
                "people": row["people"],
                "orders": row["orders"],
                "value": round(row["value"], 6),
                "before": round(row["before"], 6),
            }
            for row in rows
        ],
    }


ITEMS: Mapping[str, pl.DataType] = {"item_id": pl.String(), "effective_at": MOMENT, "title": pl.String()}
"""Columns of `lake/items` that a report needs."""
