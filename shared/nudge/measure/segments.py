"""Compared people with their traits come in; the effect in each segment, corrected for how many were looked at, goes out.

Segments are what was known at the decision (its own vector), never what came after. A segment needs people in both groups; levels
with fewer are left out, and traits with many levels (names, cities) too, and levels that say again what another trait said
(the time zone of a country): each look costs all others. All segments of a report are one family: p-values are
those of the confidence sequence, corrected by Holm (see `holm`), intervals are shared out by Bonferroni.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from nudge.measure import lift, sequence, shown, strata, tally
from nudge.measure.holm import holm
from nudge.measure.lift import Arm, Estimate

MOST_LEVELS = 8
FEWEST = 30
"""People a segment needs in each group."""
RECENT_DAYS = 30.0
LIFECYCLE = "lifecycle"
METHOD = "holm"


@dataclass(frozen=True, slots=True)
class Segment:
    """One line: whose effect it is, of which activity."""

    activity: str
    trait: str
    level: str
    treated: Arm
    held: Arm
    each: Estimate

    @property
    def people(self) -> int:
        return self.treated.size + self.held.size


def split(judged: pl.DataFrame, told: pl.DataFrame, activity: str, worth: float | None) -> list[Segment]:
    """The segments of one activity's compared people (`tally.followed`) that are large enough to be looked at."""
    known = judged.join(levels(told, judged), on="decision_id", how="inner")
    found: list[Segment] = []
    seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for (trait, level), some in sorted(known.group_by("name", "level"), key=lambda one: tuple(map(str, one[0]))):
        treated, held = tally.arm(some, "treatment"), tally.arm(some, "holdout")
        if min(treated.size, held.size) >= FEWEST and (treated.people, held.people) not in seen:
            seen.add((treated.people, held.people))
            gain, size = strata.total(strata.arms(some), lambda one, other: lift.value(one, other, worth))
            each = strata.each_of(gain, size)
            found.append(Segment(activity, str(trait), str(level), treated, held, each))
    return found


def levels(told: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """decision_id, name, level, for these decisions (`judged`, of all that were `told`): words that traits hold, where a trait has 2 to
    `MOST_LEVELS` of them among all; and the lifecycle."""
    words = told.lazy().select(pl.col("traits").explode()).unique().unnest("traits").drop_nulls().collect()
    few = words.group_by("name").agg(pl.col("level").n_unique().alias("levels"))
    kept = few.filter(pl.col("levels").is_between(2, MOST_LEVELS))["name"].cast(pl.String)
    told = told.join(judged, on="decision_id", how="semi")
    traits = (
        told.select("decision_id", "traits")
        .drop_nulls("traits")
        .explode("traits")
        .select("decision_id", *(pl.col("traits").struct.field(one).cast(pl.String) for one in ("name", "level")))
        .drop_nulls()
    )
    stage = (
        pl.when(pl.col("orders") == 0)
        .then(pl.lit("never_bought"))
        .when(pl.col("since") <= RECENT_DAYS)
        .then(pl.when(pl.col("orders") == 1).then(pl.lit("first_purchase")).otherwise(pl.lit("active")))
        .otherwise(pl.lit("lapsed"))
    )
    lives = told.filter(pl.col("orders").is_not_null()).select(
        "decision_id", pl.lit(LIFECYCLE).alias("name"), stage.alias("level")
    )
    return pl.concat([traits.filter(pl.col("name").is_in(kept.implode())), lives])


def table(segments: Sequence[Segment]) -> dict[str, Any]:
    """All lines with their corrected p-values; `found` where zero lies outside what may be read every day, many looks and all."""
    tested = [one for one in segments if one.each.low is not None]
    adjusted = holm([sequence.p_value(one.each, one.people) for one in tested])
    looks = max(len(tested), 1)
    return {
        "method": METHOD,
        "looks": len(tested),
        "rows": [_row(one, p, looks) for one, p in zip(tested, adjusted, strict=True)],
    }


def _row(one: Segment, p: float | None, looks: int) -> dict[str, Any]:
    daily = sequence.anytime(one.each, one.people, looks=looks)
    return {
        "activity": one.activity,
        "trait": one.trait,
        "level": one.level,
        "people": {"treatment": one.treated.size, "holdout": one.held.size},
        "per_person": {
            "estimate": shown.number(one.each.estimate),
            "low": shown.number(daily.low),
            "high": shown.number(daily.high),
            "p_value": shown.number(p),
            "note": one.each.note,
        },
        "found": p is not None and p < sequence.ALPHA,
    }
