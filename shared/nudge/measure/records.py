"""Records of decisions (JSON text, as `decide` wrote them) come in; of each, the little that a report needs goes out.

A record holds the whole decision, vector and all: some kilobytes. Parts of the lake are read one after the other, some rows at a time,
and only the columns of `TOLD` stay. What a record does not say is null. Knows no store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import polars as pl

from nudge.measure.frames import empty, fit

WORD = pl.Categorical()
"""Of few different words there are as many as candidates of all decisions: each is kept once."""


def _offers(word: pl.DataType) -> pl.List:
    return pl.List(pl.Struct({"activity": word, "propensity": pl.Float64(), "removed": word}))


TRAIT = pl.Struct({"name": WORD, "level": WORD})
TOLD: dict[str, pl.DataType] = {
    "decision_id": pl.String(),
    "campaign": pl.String(),
    "offered": _offers(WORD),
    "traits": pl.List(TRAIT),
    "orders": pl.Float64(),
    "since": pl.Float64(),
    "spend": pl.Float64(),
}
"""`campaign`, the candidates (`removed`: why not, null: it could be drawn), the person's traits that are words, `orders` and days `since` the
last one (of the event asked for), and the `spend` that the value model expected; all as of the decision."""
PREFIX = "trait."
LOOKED_AT = 20
"""Records of a part that are looked at for the names of traits."""
MOST_TRAITS = 12
WHOLE = {"record": pl.String(), "decision_id": pl.String(), "campaign": pl.String()}
AT_ONCE = 5_000
"""Records that are looked into at a time."""


def read(bodies: Iterable[bytes], event: str | None) -> pl.DataFrame:
    """One frame (`TOLD`) of all parts of `lake/decisions`, one row a decision id; `event` is what counts as an order."""
    return together(of_part(body, event) for body in bodies)


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """What all parts tell, one row a decision id."""
    return pl.concat([empty(TOLD), *parts]).unique("decision_id", keep="first", maintain_order=True)


def of_part(body: bytes, event: str | None) -> pl.DataFrame:
    """What one part of `lake/decisions` tells (`TOLD`)."""
    rows = fit(pl.scan_parquet(BytesIO(body)), WHOLE)
    height = rows.select(pl.len()).collect().item()
    some = (rows.slice(start, AT_ONCE).collect(engine="streaming") for start in range(0, height, AT_ONCE))
    return pl.concat([empty(TOLD), *(told(one, event) for one in some)])


def told(rows: pl.DataFrame, event: str | None) -> pl.DataFrame:
    """`TOLD` of rows with `decision_id`, `record` and `campaign`; a part with a record that cannot be read tells nothing but its ids."""
    names = _traits(rows["record"].drop_nulls().head(LOOKED_AT).to_list())
    try:
        held = rows.with_columns(pl.col("record").fill_null("{}").str.json_decode(_shape(names, event)))
    except pl.exceptions.PolarsError:
        held = rows.with_columns(pl.lit("{}").alias("record")).with_columns(
            pl.col("record").str.json_decode(_shape(names, event))
        )
    said, vector = pl.col("record").struct, pl.col("record").struct.field("vector").struct
    context, person = said.field("context").struct, said.field("person").struct
    return held.select(
        "decision_id",
        pl.coalesce("campaign", said.field("campaign"), context.field("campaign")).alias("campaign"),
        said.field("candidates").cast(TOLD["offered"]).alias("offered"),
        _traits_of(names, vector).cast(TOLD["traits"]).alias("traits"),
        (vector.field(f"total.{event}") if event else pl.lit(None)).cast(pl.Float64).alias("orders"),
        (vector.field(f"days_since.{event}") if event else pl.lit(None)).cast(pl.Float64).alias("since"),
        person.field("spend").alias("spend"),
    )


def _shape(names: list[str], event: str | None) -> pl.Struct:
    vector: dict[str, Any] = {f"{PREFIX}{name}": pl.String() for name in names}
    if event:
        vector |= {f"total.{event}": pl.Float64(), f"days_since.{event}": pl.Float64()}
    return pl.Struct(
        {
            "campaign": pl.String(),
            "candidates": _offers(pl.String()),
            "context": pl.Struct({"campaign": pl.String()}),
            "person": pl.Struct({"spend": pl.Float64()}),
            "vector": pl.Struct(vector or {"-": pl.String()}),
        }
    )


def _traits_of(names: list[str], vector: Any) -> pl.Expr:
    if not names:
        return pl.lit(None)
    pairs = [
        pl.struct(pl.lit(name).alias("name"), vector.field(f"{PREFIX}{name}").alias("level")).alias(name)
        for name in names
    ]
    return pl.concat_list(pairs)


def _traits(records: list[str]) -> list[str]:
    """Names of traits that hold words, in order."""
    found: set[str] = set()
    for record in records:
        try:
            vector = json.loads(record)["vector"]
            found |= {name for name, value in vector.items() if name.startswith(PREFIX) and isinstance(value, str)}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return [name.removeprefix(PREFIX) for name in sorted(found)][:MOST_TRAITS]
