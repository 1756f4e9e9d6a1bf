"""The batch executor: the same numbers for everybody at once, at any moment of the past (Polars).

In: events as the lake holds them. Out: `vectors` (one row a person, the names of `profile.vector`); and, from their own
modules, `read_events`, `people`, `states`. Of the events it reads `user_id event_id event_type event_time` and, where there,
`value category item_id`. Only events strictly before `as_of` count. It does not know labels, models or stores.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import polars as pl

from nudge.profile.reading import of_people, once, people, prepared, read_events, weight
from nudge.profile.spec import (
    AFFINITY,
    DAY_PARTS,
    DECAYED,
    FORMULAS,
    HOUR_NAMES,
    HOURS,
    PEAK_HOUR,
    RECENT,
    TYPE_FORMULAS,
    absent,
    written,
)
from nudge.profile.states import states
from nudge.profile.vector import category_name, type_names
from nudge.vocabulary import DAY, Micros

__all__ = ["names_of", "of_people", "once", "people", "read_events", "states", "vectors"]

type Numbers = np.ndarray[Any, np.dtype[np.float64]]

BLOCK = 1_000_000
"""Events at a time while vectors are added up."""

_HOUR = 3_600_000_000


def vectors(
    events: pl.LazyFrame | pl.DataFrame,
    as_of: Micros | pl.DataFrame,
    *,
    only: Collection[str] | None = None,
    categories: int = 200,
) -> pl.DataFrame:
    """One row a person: `user_id` and every name of `profile.vector`, from the events strictly before `as_of`.

    `as_of` is one moment (µs; then everybody with an earlier event has a row) or a frame `user_id, as_of` (then exactly
    these people, once each, have a row, in that order). A name that a person lacks is 0, or null for a time since something
    (`spec.absent`). `only` computes no other names (absent from everybody: filled likewise); of the categories the
    `categories` most widespread have a column.
    """
    wanted = None if only is None else frozenset(only)
    past, people = _past(prepared(events), as_of)
    columns: dict[str, pl.Series] = {"user_id": people["user_id"]}
    columns |= _type_columns(past, people, None if wanted is None else wanted | _READ_BY_FORMULAS)
    if _any_wanted((*HOUR_NAMES, PEAK_HOUR), wanted):
        columns |= _hour_columns(past, people)
    if wanted is None or any(name.startswith(AFFINITY.name.partition("{")[0]) for name in wanted):
        columns |= _category_columns(past, people, categories)
    if _any_wanted((RECENT.name,), wanted):
        columns |= _item_columns(past, people)
    wide = _with_formulas(pl.DataFrame(columns), wanted)
    if wanted is None:
        return wide
    lacking = [pl.lit(absent(name), dtype=pl.Float64).alias(name) for name in sorted(wanted - set(wide.columns))]
    return wide.with_columns(lacking).select("user_id", *(name for name in only or () if name != "user_id"))


def names_of(kinds: Collection[str], families: Collection[str] = ("",)) -> list[str]:
    """The names that event types have in a vector, of families by their prefix (`count.`, `days_since.` …)."""
    names = (name for kind in kinds for some in type_names(kind) for name in some)
    return [name for name in names if name.startswith(tuple(families))]


def _any_wanted(names: Collection[str], wanted: frozenset[str] | None) -> bool:
    return wanted is None or not wanted.isdisjoint(names)


def _past(events: pl.LazyFrame, as_of: Micros | pl.DataFrame) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Events before as_of, with `who` (row of the person) and `as_of`; and the people in the order of their rows."""
    if isinstance(as_of, pl.DataFrame):
        people = as_of.select("user_id", pl.col("as_of").cast(pl.Int64))
    else:
        before = events.filter(pl.col("t") < as_of)
        people = before.select("user_id").unique().collect(engine="streaming").sort("user_id")
        people = people.with_columns(as_of=pl.lit(as_of, dtype=pl.Int64))
    numbered = people.with_row_index("who").lazy()
    past = events.join(numbered, on="user_id", how="inner").filter(pl.col("t") < pl.col("as_of"))
    return past.drop("user_id"), people


def _spread(who: pl.Series, values: pl.Series, height: int, missing: float | None) -> pl.Series:
    """A column over all people from the values of some of them."""
    column: Numbers = np.full(height, np.nan if missing is None else missing)
    column[who.to_numpy()] = values.to_numpy()
    series = pl.Series(column)
    return series.fill_nan(None) if missing is None else series


class _Sums:
    """What one event type adds up to, for all people at once: an array a number, filled block by block."""

    def __init__(self, people: int) -> None:
        self.sums: list[Numbers] = [np.zeros(people) for _ in DECAYED]
        self.last: Numbers = np.full(people, np.inf)
        self.first: Numbers = np.full(people, -np.inf)
        self.total: Numbers = np.zeros(people)
        self.worth: Numbers = np.zeros(people)

    def add(self, rows: pl.DataFrame) -> None:
        who, age, values = rows["who"].to_numpy(), rows["age"].to_numpy(), rows["v"].to_numpy()
        weights = {days: np.exp2(age * (-1.0 / days)) for days in {row.half_life_days for row in DECAYED}}
        for row, column in zip(DECAYED, self.sums, strict=True):
            weight = weights[row.half_life_days]
            np.add.at(column, who, weight * values if row.weigh else weight)
        np.minimum.at(self.last, who, age)
        np.maximum.at(self.first, who, age)
        np.add.at(self.total, who, 1.0)
        np.add.at(self.worth, who, values)

    def columns(self, kind: str) -> dict[str, pl.Series]:
        sum_names, (recency, first, total, worth), _ = type_names(kind)
        never = self.total == 0
        self.last[never] = self.first[never] = np.nan
        columns = {name: pl.Series(column) for name, column in zip(sum_names, self.sums, strict=True)}
        columns |= {recency: pl.Series(self.last).fill_nan(None), first: pl.Series(self.first).fill_nan(None)}
        return columns | {total: pl.Series(self.total), worth: pl.Series(self.worth)}


def _type_columns(past: pl.LazyFrame, people: pl.DataFrame, needed: frozenset[str] | None) -> dict[str, pl.Series]:
    """Blocks of events, each added to the arrays of its types: memory is the answer's and a block's."""
    age = (pl.col("as_of") - pl.col("t")) / float(DAY)
    sums: dict[str, _Sums] = {}
    blocks = past.select("who", "event_type", age.alias("age"), "v").collect_batches(
        chunk_size=BLOCK, maintain_order=False, engine="streaming"
    )
    for block in blocks:
        for (kind,), rows in block.partition_by("event_type", as_dict=True, include_key=False).items():
            name = str(kind)
            if needed is None or not needed.isdisjoint(names_of((name,))):
                sums.setdefault(name, _Sums(people.height)).add(rows)
    return {name: column for kind in sorted(sums) for name, column in sums.pop(kind).columns(kind).items()}


def _hour_columns(past: pl.LazyFrame, people: pl.DataFrame) -> dict[str, pl.Series]:
    hour = pl.col("t") // _HOUR
    by_hour = (
        past.filter(~pl.col("event_type").is_in(HOURS.leave_out))
        .group_by("who", (hour % 24).alias("hour"), ((hour + 72) % 168 >= 120).alias("weekend"))
        .agg(weight(HOURS.half_life_days, pl.col("as_of")).sum().alias("w"))
        .group_by("who", "hour")
        .agg(pl.col("w").sum(), (pl.col("w") * pl.col("weekend")).sum().alias("weekend"))
    )
    part = [
        pl.col("w").filter((pl.col("hour") >= start) & (pl.col("hour") < until)).sum()
        for start, until in DAY_PARTS.values()
    ]
    rows = (
        by_hour.group_by("who")
        .agg(
            *((one / pl.col("w").sum()).alias(name) for one, name in zip(part, HOUR_NAMES, strict=False)),
            (pl.col("weekend").sum() / pl.col("w").sum()).alias(HOUR_NAMES[-1]),
            pl.col("hour")
            .filter(pl.col("w") >= pl.col("w").max() * (1 - 1e-9))
            .min()
            .cast(pl.Float64)
            .alias(PEAK_HOUR),
        )
        .collect(engine="streaming")
    )
    if rows.is_empty():
        return {}
    columns = {name: _spread(rows["who"], rows[name], people.height, 0.0) for name in HOUR_NAMES}
    return columns | {PEAK_HOUR: _spread(rows["who"], rows[PEAK_HOUR], people.height, None)}


def _category_columns(past: pl.LazyFrame, people: pl.DataFrame, most: int) -> dict[str, pl.Series]:
    rows = (
        past.filter(pl.col("category").is_not_null())
        .group_by("who", "category")
        .agg(weight(AFFINITY.half_life_days, pl.col("as_of")).sum().alias("w"))
        .collect(engine="streaming")
    )
    rows = rows.with_columns(share=pl.col("w") / pl.col("w").sum().over("who")).fill_nan(0.0)
    spread = rows.group_by("category").len().sort(["len", "category"], descending=[True, False])
    kept = rows.filter(pl.col("category").is_in(spread["category"].head(most).implode()))
    return {
        category_name(str(name)): _spread(some["who"], some["share"], people.height, 0.0)
        for (name,), some in sorted(kept.partition_by("category", as_dict=True).items())
    }


def _item_columns(past: pl.LazyFrame, people: pl.DataFrame) -> dict[str, pl.Series]:
    rows = (
        past.filter(pl.col("item_id").is_not_null())
        .group_by("who")
        .agg(pl.col("item_id").n_unique().clip(upper_bound=RECENT.keep).cast(pl.Float64).alias("n"))
        .collect(engine="streaming")
    )
    return {RECENT.name: _spread(rows["who"], rows["n"], people.height, 0.0)} if rows.height else {}


_READ_BY_FORMULAS = frozenset(name for formula in FORMULAS for name in written(formula)[1])


def _with_formulas(wide: pl.DataFrame, wanted: frozenset[str] | None) -> pl.DataFrame:
    """Add what is made of other columns: the same formulas, on expressions."""
    prefix = type_names("")[1][2]
    kinds = [name.removeprefix(prefix) for name in wide.columns if name.startswith(prefix)]
    pairs = [(formula, kind) for kind in kinds for formula in TYPE_FORMULAS] + [(formula, "") for formula in FORMULAS]
    named = {formula.name.replace("{type}", kind): (formula, kind) for formula, kind in pairs}
    made = [
        _applied(formula.of, written(formula)[1], kind, wide).alias(name)
        for name, (formula, kind) in named.items()
        if wanted is None or name in wanted
    ]
    return wide.with_columns(made)


def _applied(of: Any, names: Sequence[str], kind: str, wide: pl.DataFrame) -> pl.Expr:
    held = {name: name.replace("{type}", kind) for name in names}
    inputs = {name: pl.col(real) if real in wide.columns else pl.lit(0.0) for name, real in held.items()}
    result: pl.Expr = of(inputs)
    return result.cast(pl.Float64)
