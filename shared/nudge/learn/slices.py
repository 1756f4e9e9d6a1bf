"""Rows → three slices of time: the oldest to fit, the next to calibrate and choose, the last to judge.

Never at random. A row whose label window reaches into the window of a later slice's row of the same person is left out
of the earlier slice, so that no goal event is counted on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from nudge.errors import NotReady
from nudge.learn.labels import ACTIVITY, META
from nudge.learn.recipe import Recipe
from nudge.vocabulary import NOTHING, Goal, Micros

NAMES = ("train", "calibrate", "test")
WANTED = np.array([0.6, 0.2, 0.2])
"""Shares of the rows."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Rows in order of (at, user_id); `said` goes into the card: counts, bounds, what was left out and sampled."""

    train: pl.DataFrame
    calibrate: pl.DataFrame
    test: pl.DataFrame
    said: dict[str, Any]


def split(parts: Sequence[pl.DataFrame], goal: Goal, cuts: Sequence[Micros], window: Micros, recipe: Recipe) -> Slices:
    """Three slices of the rows of all parts. Raises NotReady when a slice has too little to learn or to judge from."""
    if len(cuts) < 3:
        raise _too_short(goal, len(cuts))
    rows = pl.concat(parts, how="diagonal_relaxed").sort("at", "user_id", "logged", maintain_order=True)
    later, last = _bounds(rows, cuts, recipe, goal)
    at = pl.col("at")
    cut = [rows.filter(at <= later), rows.filter((at > later) & (at <= last)), rows.filter(at > last)]
    kept = [_purged(cut[0], cut[1:], window), _purged(cut[1], cut[2:], window), cut[2]]
    said: dict[str, Any] = {"boundaries": [int(later), int(last)]}
    final = []
    for name, before, after in zip(NAMES, cut, kept, strict=True):
        _enough(goal, name, after, recipe)
        most = recipe.rows if name == "train" else recipe.later_rows
        sampled = _capped(after, most, keep_positives=name == "train", seed=recipe.seed)
        said[name] = {
            "rows": after.height,
            "used": sampled.height,
            "overlapping": before.height - after.height,
            "people": after["user_id"].n_unique(),
            "positives": int(after["label"].sum()),
            "logged": int(after["logged"].sum()),
        }
        final.append(sampled)
    return Slices(final[0], final[1], final[2], said)


def _too_short(goal: Goal, cuts: int) -> NotReady:
    if goal.after is not None:
        what = (
            f"{goal.name}: {cuts} moments after a {goal.after} whose {goal.within_days:g} days are over; 3 are needed"
        )
        return NotReady(what, missing={"moments": 3 - cuts})
    days = goal.within_days * 3 + 1
    return NotReady(f"{goal.name}: needs at least {days:g} days of events", missing={"windows": 3 - cuts, "days": days})


def _bounds(rows: pl.DataFrame, cuts: Sequence[Micros], recipe: Recipe, goal: Goal) -> tuple[Micros, Micros]:
    """Last moment to fit and last moment to calibrate. With enough logged decisions, they are cut 60/20/20 in time, so
    that what activities do is learned too; else the last quarter of the cuts each. Moments after an event come in lumps
    (a campaign reaches thousands at once): there, the cuts nearest to 60/20/20 that leave each slice enough."""
    done = rows.filter(pl.col("logged") & (pl.col(ACTIVITY) != NOTHING)).height
    moments = rows.filter("logged")["at"].to_numpy()
    if done >= recipe.logged // 4 and len(moments) >= recipe.logged:
        later, last = (int(np.quantile(moments, share, method="lower")) for share in (0.6, 0.8))
        if cuts[0] <= later < last < int(moments.max()):
            return later, last
    if goal.after is not None:
        return _nearest(rows, cuts, recipe)
    step = max(1, len(cuts) // 4)
    return cuts[-1 - 2 * step], cuts[-1 - step]


def _nearest(rows: pl.DataFrame, cuts: Sequence[Micros], recipe: Recipe) -> tuple[Micros, Micros]:
    """Among the pairs of cuts, the one whose slices come nearest to 60/20/20 of the rows; those with enough of both labels
    in each slice go before those without."""
    until = np.searchsorted(rows["at"].to_numpy(), np.asarray(cuts), side="right")
    came = np.concatenate([[0], np.cumsum(rows["label"].to_numpy())])

    def unlike(pair: tuple[int, int]) -> tuple[bool, float]:
        edges = np.array([0, until[pair[0]], until[pair[1]], rows.height])
        sizes, positives = np.diff(edges), np.diff(came[edges])
        few = bool(np.minimum(positives, sizes - positives).min() < recipe.positives)
        return few, float(np.abs(sizes / rows.height - WANTED).sum())

    later, last = min(combinations(range(len(cuts) - 1), 2), key=unlike)
    return cuts[later], cuts[last]


def _purged(rows: pl.DataFrame, later: Sequence[pl.DataFrame], window: Micros) -> pl.DataFrame:
    first = pl.concat([one.select("user_id", "at") for one in later]).group_by("user_id").agg(pl.col("at").min())
    joined = rows.join(first.rename({"at": "later_at"}), on="user_id", how="left", maintain_order="left")
    return joined.filter(pl.col("later_at").is_null() | (pl.col("at") + window <= pl.col("later_at"))).drop("later_at")


def _enough(goal: Goal, name: str, rows: pl.DataFrame, recipe: Recipe) -> None:
    positives = int(rows["label"].sum()) if rows.height else 0
    fewest = min(positives, rows.height - positives)
    if fewest < recipe.positives:
        what = "people who did it" if positives <= rows.height - positives else "people who did not"
        raise NotReady(
            f"{goal.name}: {fewest} {what} in the {name} slice; {recipe.positives} are needed",
            missing={"slice": name, "needs": recipe.positives, "has": fewest, "rows": rows.height},
        )


def _capped(rows: pl.DataFrame, most: int, *, keep_positives: bool, seed: int) -> pl.DataFrame:
    """At most `most` rows. In training all positives stay and the negatives that stay weigh more; later slices are
    thinned evenly."""
    if rows.height <= most:
        return rows
    rng = np.random.default_rng(seed)
    if not keep_positives:
        return rows[np.sort(rng.choice(rows.height, most, replace=False))]
    label = rows["label"].to_numpy()
    chosen, weights = [], rows["weight"].to_numpy().copy()
    positive, negative = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
    share = min(len(positive), most // 2)
    for found, wanted in ((positive, share), (negative, most - share)):
        taken = found if len(found) <= wanted else np.sort(rng.choice(found, wanted, replace=False))
        weights[taken] *= len(found) / max(len(taken), 1)
        chosen.append(taken)
    order = np.sort(np.concatenate(chosen))
    return rows.with_columns(weight=pl.Series(weights))[order]


def names_of(rows: pl.DataFrame) -> list[str]:
    """The feature columns of rows, in a fixed order."""
    return sorted(name for name in rows.columns if name not in META)
