"""What people said about themselves, as it was known at a moment of the past.

In: rows of `lake/users`, and the rule by which attributes become features (`profile.vector.trait_features`, handed in).
Out: a column a trait. The latest value strictly before the moment counts. A person's *earliest* value of an attribute is
taken to have held before it was told, too: files of attributes rarely say since when they are true, and a first upload
would otherwise be of no use for years of history uploaded with it. The card says so; a file with `updated_at` and the
earlier values avoids it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from nudge.vocabulary import DAY, Micros, Vector

type Typed = Callable[[Mapping[str, tuple[Any, Micros]], Micros], Vector]
AGE = "trait.account_days"
"""Grows by itself: told as of the epoch, read as of the moment."""
ALWAYS = -(1 << 62)
_SCHEMA: dict[str, Any] = {
    "user_id": pl.String,
    "name": pl.String,
    "at": pl.Int64,
    "rank": pl.String,
    "number": pl.Float64,
    "text": pl.String,
}


def said(users: pl.DataFrame, typed: Typed) -> pl.DataFrame:
    """One row a value told: `user_id name at rank number text`, in order; `rank` settles ties as profiles do (JSON text)."""
    rows = []
    held = users.with_columns(pl.col("effective_at", "created_at").dt.epoch("us"))
    names = ("created_at", "timezone", "locale")
    for user_id, at, attributes, *columns in held.select("user_id", "effective_at", "attributes", *names).iter_rows():
        told = {**dict(zip(names, columns, strict=True)), **json.loads(attributes or "{}")}
        values = typed({name: (value, at) for name, value in told.items() if value is not None}, 0)
        for name, value in values.items():
            number, text = (None, value) if isinstance(value, str) else (value, None)
            rows.append((user_id, name, at, json.dumps(value, ensure_ascii=False), number, text))
    told_rows = pl.DataFrame(rows, schema=_SCHEMA, orient="row").unique().sort("user_id", "name", "at", "rank")
    first = pl.int_range(pl.len()).over("user_id", "name") == 0
    return told_rows.with_columns(at=pl.when(first).then(ALWAYS).otherwise(pl.col("at")))


def known(told: pl.DataFrame, people: pl.DataFrame, as_of: Micros | pl.DataFrame) -> pl.DataFrame:
    """`people` (with `user_id`) with a column a trait as of `as_of`, or of each one's own (`user_id at`): text where any value
    is text, else a number."""
    moment: Any = as_of
    if isinstance(as_of, pl.DataFrame):
        told = told.join(as_of.select("user_id", moment="at"), on="user_id", how="inner", maintain_order="left")
        moment = pl.col("moment")
    latest = told.filter(pl.col("at") < moment).group_by("user_id", "name", maintain_order=True).last()
    texts = set(told.filter(pl.col("text").is_not_null())["name"].unique())
    for name in sorted(told["name"].unique()):
        value = pl.coalesce("text", pl.col("number").cast(pl.String)) if name in texts else pl.col("number")
        if name == AGE:
            value = value + moment / DAY
        column = latest.filter(pl.col("name") == name).select("user_id", value.alias(name))
        people = people.join(column, on="user_id", how="left", maintain_order="left")
    return people
