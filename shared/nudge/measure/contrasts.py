"""Decisions with the propensities they were drawn with come in; which activity does better than which goes out.

Activities are not given at random alone: the policy prefers whom it thinks they suit. But every draw was logged with its
probability, so each person stands for 1 / propensity people, and the means become those of everybody who could have got either
(self-normalised inverse-propensity weighting: Hájek 1971; Swaminathan and Joachims 2015). A person counts once, by the first
decision for the goal, when both activities were open; who was held out is left out, and the others stand for them too.

Errors are those of the ratio's linear form; intervals are confidence sequences shared out over all pairs (Bonferroni), p-values are
Holm's (see `holm`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from typing import Any

import polars as pl

from nudge.measure import sequence, shown
from nudge.measure.holm import holm
from nudge.measure.lift import Estimate, Z

FEWEST = 30
"""Decisions an activity must be worth (Kish's effective sample size) to be compared."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """The mean of one activity among the people it shares with another, as if it had been given to all of them."""

    people: int
    effective: float
    mean: float
    variance: float

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Weighted:
        """From rows with `propensity`, `kept` and `net`."""
        weight, net = 1.0 / (rows["propensity"] * rows["kept"]).to_numpy(), rows["net"].to_numpy()
        total = float(weight.sum())
        if not total:
            return cls(0, 0.0, 0.0, 0.0)
        mean = float((weight * net).sum()) / total
        effective = total**2 / float((weight**2).sum())
        spread = float((weight**2 * (net - mean) ** 2).sum()) / total**2
        return cls(len(weight), effective, mean, spread * effective / max(effective - 1, 1))


def pairs(judged: pl.DataFrame, told: pl.DataFrame, among: list[str]) -> dict[str, Any]:
    """Every pair of `among` (activities, `nothing` with them): difference of net value per person, second less first.

    `judged`: user_id, decision_id, chosen, group, propensity, kept (1 − the holdout planned for what was drawn), cost and value of
    first decisions whose window is over.
    """
    rows = judged.filter(
        (pl.col("group") == "treatment") & (pl.col("propensity") > 0) & (pl.col("kept") > 0)
    ).with_columns((pl.col("value") - pl.col("cost").fill_null(0.0)).alias("net"))
    open_to = _open(told)
    found = [_pair(rows, open_to, one, two) for one, two in combinations(among, 2)]
    tested = [made for made in found if made[1].low is not None]
    adjusted = iter(holm([sequence.p_value(made[1], made[2]) for made in tested]))
    said = []
    for told_of, each, people in found:
        if each.low is None:
            said.append({**told_of, "difference": shown.estimate(each), "found": False})
            continue
        p, daily = next(adjusted), sequence.anytime(each, people, looks=len(tested))
        difference = {**shown.estimate(daily), "p_value": shown.number(p)}
        said.append({**told_of, "difference": difference, "found": p is not None and p < sequence.ALPHA})
    return {"method": "holm", "looks": len(tested), "pairs": said, "best": _best(said, among)}


def _open(told: pl.DataFrame) -> pl.DataFrame | None:
    """decision_id and the activities that could be drawn; None where no record says."""
    each = told.select("decision_id", "offered").drop_nulls("offered").explode("offered")
    if each.is_empty():
        return None
    free = each.filter(pl.col("offered").struct.field("propensity") > 0)
    return free.select("decision_id", pl.col("offered").struct.field("activity").cast(pl.String).alias("open"))


def _pair(rows: pl.DataFrame, open_to: pl.DataFrame | None, one: str, two: str) -> tuple[dict[str, Any], Estimate, int]:
    shared = rows
    if open_to is not None:
        for name in (one, two):
            shared = shared.join(open_to.filter(pl.col("open") == name), on="decision_id", how="semi")
    first, second = (Weighted.of(shared.filter(pl.col("chosen") == name).sort("user_id")) for name in (one, two))
    told_of = {
        "first": one,
        "second": two,
        "people": {"first": first.people, "second": second.people},
        "effective": {"first": shown.number(first.effective), "second": shown.number(second.effective)},
        "mean": {"first": shown.number(first.mean), "second": shown.number(second.mean)},
    }
    if min(first.effective, second.effective) < FEWEST:
        return told_of, Estimate(None, note=f"needs what is worth {FEWEST} decisions of each"), 0
    change, error = second.mean - first.mean, sqrt(first.variance + second.variance)
    if not error:
        return told_of, Estimate(change, note="no spread within the groups, so no interval can be computed from it"), 0
    return told_of, Estimate(change, change - Z * error, change + Z * error), first.people + second.people


def _best(said: list[dict[str, Any]], among: list[str]) -> str | None:
    """The one that is better than each other beyond chance; None: no winner yet."""
    beats: dict[str, set[str]] = {name: set() for name in among}
    for one in said:
        if one["found"]:
            second = one["difference"]["estimate"] > 0
            winner, loser = (one["second"], one["first"]) if second else (one["first"], one["second"])
            beats[winner].add(loser)
    return next((name for name in among if len(among) > 1 and beats[name] == set(among) - {name}), None)
