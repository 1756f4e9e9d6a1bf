"""Rows → two slices of time: what came before, to learn and to choose from; and the last one, to judge on.

Never at random. A row whose label window reaches into the window of a later slice's row of the same person is left out
of the earlier slice, so that no goal event is counted on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from nudge.errors import NotReady
from nudge.learn.labels import ACTIVITY, META
from nudge.learn.recipe import Recipe
from nudge.vocabulary import NOTHING, Goal, Micros

NAMES = ("train", "test")
WANTED = 0.8
"""The share of the rows that comes before."""
JUDGED = 3
HELD_BACK = 4
"""Where time does not allow a last slice, one of so many people is held back."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Rows in order of (at, user_id); `said` goes into the card: counts, bounds, what was left out and sampled. `train` is all
    that came before the last slice."""

    train: pl.DataFrame
    test: pl.DataFrame
    said: dict[str, Any]

    def filled(self, known: Callable[[pl.DataFrame], pl.DataFrame]) -> Slices:
        """The same rows with their features; `known` adds these to rows, in their order. Both slices have the same columns."""
        both = known(pl.concat([self.train, self.test]))
        return replace(self, train=both[: self.train.height], test=both[self.train.height :])


def split(parts: Sequence[pl.DataFrame], goal: Goal, cuts: Sequence[Micros], window: Micros, recipe: Recipe) -> Slices:
    """Both slices of the rows of all parts, which need no features yet: only those of the rows that stay have to be made (`filled`).
    Raises NotReady when there are too few of either label to learn from at all."""
    if len(cuts) < 2:
        raise _too_short(goal, len(cuts))
    rows = pl.concat(parts, how="diagonal_relaxed").sort("at", "user_id", "logged", maintain_order=True)
    _enough(goal, rows, recipe)
    last = _last(rows, cuts, recipe, goal)
    if last is None:
        cut = kept = _by_people(rows, goal, recipe)
    else:
        until = int(np.searchsorted(rows["at"].to_numpy(), last, side="right"))
        cut = [rows[:until], rows[until:]]
        kept = [_purged(cut[0], cut[1], window), cut[1]]
    said: dict[str, Any] = {"boundaries": [] if last is None else [last], "by": "people" if last is None else "time"}
    final = []
    for name, before, after in zip(NAMES, cut, kept, strict=True):
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
    return Slices(final[0], final[1], said)


def _too_short(goal: Goal, cuts: int) -> NotReady:
    if goal.after is not None:
        what = (
            f"{goal.name}: {cuts} moments after a {goal.after} whose {goal.within_days:g} days are over; 2 are needed"
        )
        return NotReady(what, missing={"moments": 2 - cuts})
    days = goal.within_days * 2 + 1
    return NotReady(f"{goal.name}: needs at least {days:g} days of events", missing={"windows": 2 - cuts, "days": days})


def _last(rows: pl.DataFrame, cuts: Sequence[Micros], recipe: Recipe, goal: Goal) -> Micros | None:
    """The last moment to learn from. With enough logged decisions, they are cut 80/20 in time, so that what activities do is
    judged too; else the last quarter of the cuts judges. Where that leaves a slice with few of a label, and where moments come
    in lumps (a campaign reaches thousands at once): the cut nearest to 80/20 that leaves each enough. None when no cut leaves
    both labels on both sides."""
    done = rows.filter(pl.col("logged") & (pl.col(ACTIVITY) != NOTHING)).height
    moments = rows.filter("logged")["at"].to_numpy()
    usual = cuts[-1 - max(1, len(cuts) // 4)]
    if done >= recipe.logged // 4 and len(moments) >= recipe.logged:
        at = int(np.quantile(moments, WANTED, method="lower"))
        usual = at if cuts[0] <= at < int(moments.max()) else usual
    fewest = _fewest(rows, [usual])
    if goal.after is None and fewest[0] >= recipe.usual:
        return usual
    return _nearest(rows, cuts[:-1], recipe)


def _fewest(rows: pl.DataFrame, cuts: Sequence[Micros]) -> np.ndarray:
    """For each cut, the rows of the rarer label in the poorer slice; the last slice may have a third of the first's."""
    until = np.searchsorted(rows["at"].to_numpy(), np.asarray(cuts), side="right")
    came = np.concatenate([[0], np.cumsum(rows["label"].to_numpy())])[until]
    rest, last = rows.height - until, float(rows["label"].sum()) - came
    found: np.ndarray = np.min([came, until - came, JUDGED * last, JUDGED * (rest - last)], axis=0)
    return found


def _nearest(rows: pl.DataFrame, cuts: Sequence[Micros], recipe: Recipe) -> Micros | None:
    """Among the cuts that leave each slice enough, the one nearest to 80/20; else the one that leaves the most."""
    fewest = _fewest(rows, cuts)
    if not len(fewest) or fewest.max() < 1:
        return None
    enough = np.minimum(fewest, recipe.usual)
    shares = np.searchsorted(rows["at"].to_numpy(), np.asarray(cuts), side="right") / rows.height
    best = np.lexsort((np.abs(shares - WANTED), -enough))[0]
    return int(cuts[best])


def _by_people(rows: pl.DataFrame, goal: Goal, recipe: Recipe) -> list[pl.DataFrame]:
    """One of `HELD_BACK` people for judging, those who did it spread evenly."""
    did = rows.group_by("user_id").agg(pl.col("label").max()).sort("label", "user_id", descending=[True, False])
    held = did.with_row_index("place").filter(pl.col("place") % HELD_BACK == 1)["user_id"].implode()
    cut = [rows.filter(~pl.col("user_id").is_in(held)), rows.filter(pl.col("user_id").is_in(held))]
    if any(min(one["label"].sum(), one.height - one["label"].sum()) < 1 for one in cut):
        raise NotReady(
            f"{goal.name}: all who did it are one person; there is nobody to judge on",
            missing={"people": 1, "needs": recipe.positives},
        )
    return cut


def _purged(rows: pl.DataFrame, later: pl.DataFrame, window: Micros) -> pl.DataFrame:
    first = later.group_by("user_id").agg(later_at=pl.col("at").min())
    joined = rows.join(first, on="user_id", how="left", maintain_order="left")
    return joined.filter(pl.col("later_at").is_null() | (pl.col("at") + window <= pl.col("later_at"))).drop("later_at")


def _enough(goal: Goal, rows: pl.DataFrame, recipe: Recipe) -> None:
    positives = int(rows["label"].sum()) if rows.height else 0
    fewest = min(positives, rows.height - positives)
    if fewest < recipe.positives:
        what = "people who did it" if positives <= rows.height - positives else "people who did not"
        raise NotReady(
            f"{goal.name}: {fewest} {what}; {recipe.positives} are needed",
            missing={"needs": recipe.positives, "has": fewest, "rows": rows.height},
        )


def _capped(rows: pl.DataFrame, most: int, *, keep_positives: bool, seed: int) -> pl.DataFrame:
    """At most `most` rows. To learn from, all positives stay and the negatives that stay weigh more; the last slice is thinned
    evenly."""
    if rows.height <= most:
        return rows
    rng = np.random.default_rng(seed)
    if not keep_positives:
        return rows[np.sort(rng.choice(rows.height, most, replace=False))]
    order, weights = thinned(rows["label"].to_numpy(), rows["weight"].to_numpy(), most, seed)
    return rows.with_columns(weight=pl.Series(weights))[order]


def thinned(label: np.ndarray, weight: np.ndarray, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of at most `most` rows, in order: of each label at most half unless the other has fewer, the rarer first; and
    the weights of all rows if these are kept."""
    if len(label) <= most:
        return np.arange(len(label)), weight
    rng = np.random.default_rng(seed)
    chosen, weights = [], weight.copy()
    positive, negative = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
    share = min(len(positive), max(most // 2, most - len(negative)))
    for found, wanted in ((positive, share), (negative, most - share)):
        taken = found if len(found) <= wanted else np.sort(rng.choice(found, wanted, replace=False))
        weights[taken] *= len(found) / max(len(taken), 1)
        chosen.append(taken)
    return np.sort(np.concatenate(chosen)), weights


def names_of(rows: pl.DataFrame) -> list[str]:
    """The feature columns of rows, in a fixed order."""
    return sorted(name for name in rows.columns if name not in META)
