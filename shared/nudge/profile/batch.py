"""The batch executor: the same numbers for everybody at once, at any moment of the past (Polars).

In: events as the lake holds them. Out: `vectors` (one row a person, the names of `profile.vector`), `states` (what the
fold would have built). Of the events it reads `user_id event_id event_type event_time` and, where there, `value
category item_id`. Only events strictly before `as_of` count. It does not know labels, models or stores.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nudge.profile.fold import bounded
from nudge.profile.seen import entry, pack
from nudge.profile.spec import (
    AFFINITY,
    DAY_PARTS,
    DECAYED,
    FORMULAS,
    HOUR_NAMES,
    HOURS,
    LARGEST_VALUE,
    PEAK_HOUR,
    RECENT,
    TYPE_FORMULAS,
    absent,
    written,
)
from nudge.profile.vector import category_name, type_names
from nudge.vocabulary import DAY, Consent, Micros

type Source = str | Path | bytes | BytesIO
type Numbers = np.ndarray[Any, np.dtype[np.float64]]

KEY = ("user_id", "event_id")
KNOWN_TRAITS = ("email", "phone", "timezone", "locale", "created_at")
BLOCK = 1_000_000
"""Events at a time while vectors are added up."""

_HOUR = 3_600_000_000
_OPTIONAL: dict[str, pl.DataType] = {"value": pl.Float64(), "category": pl.String(), "item_id": pl.String()}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def read_events(parts: Sequence[Source]) -> pl.LazyFrame:
    """Every event of some Parquet parts (paths or bodies), each (user_id, event_id) once: the first by (event_time, content).

    A first pass over the ids finds which come twice; only those are sorted. Events and outcomes may be mixed.
    """
    events = pl.concat([_scan(part) for part in parts], how="diagonal") if parts else pl.LazyFrame(schema=_SCHEMA)
    return once(events)


def _scan(part: Source) -> pl.LazyFrame:
    return pl.scan_parquet(BytesIO(part) if isinstance(part, bytes) else part)


_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "user_id": pl.String(),
    "event_type": pl.String(),
    "event_time": pl.Datetime("us", "UTC"),
    **_OPTIONAL,
}


def once(events: pl.LazyFrame) -> pl.LazyFrame:
    """Each (user_id, event_id) once: the first by (event_time, then all columns by name)."""
    both = pl.concat_str(KEY, separator="\n").hash(seed=1)
    hashes = np.sort(events.select(both.alias("h")).collect(engine="streaming")["h"].to_numpy())
    twice = pl.Series("h", np.unique(hashes[1:][hashes[1:] == hashes[:-1]]), dtype=pl.UInt64)
    if twice.is_empty():
        return events
    names = sorted(set(events.collect_schema().names()) - {*KEY, "event_time"})
    repeated = events.filter(both.is_in(twice.implode()))
    first = repeated.sort([*KEY, "event_time", *names]).unique(subset=KEY, keep="first", maintain_order=True)
    return pl.concat([events.filter(~both.is_in(twice.implode())), first])


def _prepared(events: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    """Events with `t` in microseconds, a finite value within bounds, and all optional columns."""
    lazy = events.lazy()
    schema = lazy.collect_schema()
    here = [name for name in ("event_id", "user_id", "event_type", *_OPTIONAL) if name in schema]
    value = pl.col("value").cast(pl.Float64) if "value" in schema else pl.lit(0.0)
    time = pl.col("event_time").cast(pl.Datetime("us")) if schema["event_time"] != pl.Int64 else pl.col("event_time")
    return lazy.select(
        *(name for name in here if name != "value"),
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in _OPTIONAL.items() if name not in here),
        time.cast(pl.Int64).alias("t"),
        pl.when(value.is_finite()).then(value.clip(-LARGEST_VALUE, LARGEST_VALUE)).otherwise(0.0).alias("v"),
    )


def _two_to(exponent: pl.Expr) -> pl.Expr:
    return (exponent * log(2.0)).exp()


def _weight(half_life_days: int, until: pl.Expr) -> pl.Expr:
    return _two_to((pl.col("t") - until) / (half_life_days * DAY))


def people(parts: Sequence[Source]) -> Iterator[tuple[str, dict[str, tuple[Any, Micros]], dict[str, Consent]]]:
    """`(user_id, traits, consents)` of every row of Parquet parts of users, which hold since the row's `effective_at`."""
    for part in parts:
        rows = _scan(part).with_columns(pl.col(pl.Datetime).cast(pl.Datetime("us")).cast(pl.Int64)).collect()
        channels = [name.removesuffix("_consent") for name in rows.columns if name.endswith("_consent")]
        for row in rows.iter_rows(named=True):
            yield row["user_id"], _traits(row), _consents(row, channels)


def _traits(row: Mapping[str, Any]) -> dict[str, tuple[Any, Micros]]:
    known = {name: row[name] for name in KNOWN_TRAITS if row.get(name) is not None}
    extra = json.loads(row["attributes"]) if row.get("attributes") else {}
    return {name: (value, row["effective_at"]) for name, value in (known | extra).items()}


def _consents(row: Mapping[str, Any], channels: Sequence[str]) -> dict[str, Consent]:
    found = {}
    for channel in channels:
        if (granted := row[f"{channel}_consent"]) is not None:
            since, source = row.get(f"{channel}_consent_at"), row.get(f"{channel}_consent_source")
            found[channel] = Consent(granted, row["effective_at"] if since is None else since, source or "file")
    return found


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────────────────────────
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
    past, people = _past(_prepared(events), as_of)
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

    def add(self, rows: pl.DataFrame) -> None:
        who, age, values = rows["who"].to_numpy(), rows["age"].to_numpy(), rows["v"].to_numpy()
        weights = {days: np.exp2(age * (-1.0 / days)) for days in {row.half_life_days for row in DECAYED}}
        for row, column in zip(DECAYED, self.sums, strict=True):
            weight = weights[row.half_life_days]
            np.add.at(column, who, weight * values if row.weigh else weight)
        np.minimum.at(self.last, who, age)
        np.maximum.at(self.first, who, age)
        np.add.at(self.total, who, 1.0)

    def columns(self, kind: str) -> dict[str, pl.Series]:
        sum_names, (recency, first, total), _ = type_names(kind)
        never = self.total == 0
        self.last[never] = self.first[never] = np.nan
        columns = {name: pl.Series(column) for name, column in zip(sum_names, self.sums, strict=True)}
        columns |= {recency: pl.Series(self.last).fill_nan(None), first: pl.Series(self.first).fill_nan(None)}
        return columns | {total: pl.Series(self.total)}


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
        .agg(_weight(HOURS.half_life_days, pl.col("as_of")).sum().alias("w"))
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
        .agg(_weight(AFFINITY.half_life_days, pl.col("as_of")).sum().alias("w"))
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


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def states(
    events: pl.LazyFrame | pl.DataFrame, *, rows_at_once: int = 4_000_000
) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """`(user_id, state, seen)` of everybody: what folding each event once would have built. Works by slices of people."""
    prepared = _prepared(events)
    slices = 1 + int(prepared.select(pl.len()).collect().item()) // rows_at_once
    for number in range(slices):
        mine = prepared.filter(pl.col("user_id").hash(seed=2) % slices == number).collect(engine="streaming")
        yield from _states(mine)


def _states(events: pl.DataFrame) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    types = _lists(_type_sums(events))
    hours, affinity = _lists(_anchored_hours(events)), _lists(_anchored_categories(events))
    recent, ids = _lists(_recent(events)), _lists(events.select("user_id", "event_id", "t"))
    for user_id, kinds in types.items():
        state: dict[str, Any] = {
            "e": {kind: [last, first, total, *sums] for kind, last, first, total, *sums in kinds},
            "h": _anchored(hours.get(user_id)),
            "c": _anchored(affinity.get(user_id)),
            "r": dict(recent.get(user_id, ())),
        }
        yield user_id, bounded(state), pack(entry(event_id, time) for event_id, time in ids[user_id])


def _anchored(rows: Sequence[Sequence[Any]] | None) -> list[Any]:
    return [0, {}] if not rows else [rows[0][1], {str(name): weight for name, _, weight in rows}]


def _lists(rows: pl.DataFrame) -> dict[str, list[tuple[Any, ...]]]:
    """Rows by their first column, which is left out of them."""
    by_user: dict[str, list[tuple[Any, ...]]] = {}
    for user_id, *rest in rows.iter_rows():
        by_user.setdefault(user_id, []).append(tuple(rest))
    return by_user


def _type_sums(events: pl.DataFrame) -> pl.DataFrame:
    last = pl.col("t").max().over("user_id", "event_type").alias("last")
    sums = [
        (
            (_weight(row.half_life_days, pl.col("last")) * pl.col("v"))
            if row.weigh
            else _weight(row.half_life_days, pl.col("last"))
        )
        .sum()
        .alias(f"s{slot}")
        for slot, row in enumerate(DECAYED)
    ]
    return (
        events.with_columns(last)
        .group_by("user_id", "event_type")
        .agg(pl.col("last").first(), pl.col("t").min().alias("first"), pl.len().alias("total"), *sums)
        .sort("user_id", "event_type")
    )


def _anchored_hours(events: pl.DataFrame) -> pl.DataFrame:
    acts = events.filter(~pl.col("event_type").is_in(HOURS.leave_out))
    acts = acts.with_columns(name=(pl.col("t") // _HOUR + 72) % 168)
    return _anchored_sums(acts, HOURS.half_life_days)


def _anchored_categories(events: pl.DataFrame) -> pl.DataFrame:
    named = events.filter(pl.col("category").is_not_null()).with_columns(name=pl.col("category"))
    return _anchored_sums(named, AFFINITY.half_life_days)


def _anchored_sums(events: pl.DataFrame, half_life_days: int) -> pl.DataFrame:
    span = half_life_days * DAY
    anchor = (pl.col("t").max().over("user_id") // span * span).alias("at")
    return (
        events.with_columns(anchor)
        .group_by("user_id", "name")
        .agg(pl.col("at").first(), _weight(half_life_days, pl.col("at")).sum().alias("w"))
        .sort("user_id", "name")
    )


def _recent(events: pl.DataFrame) -> pl.DataFrame:
    return (
        events.filter(pl.col("item_id").is_not_null())
        .group_by("user_id", "item_id")
        .agg(pl.col("t").max())
        .sort(["user_id", "t", "item_id"])
        .group_by("user_id", maintain_order=True)
        .tail(RECENT.keep)
        .select("user_id", "item_id", "t")
    )
