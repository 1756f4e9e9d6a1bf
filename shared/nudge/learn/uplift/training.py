"""What every activity of a goal changes: comparable decisions in, one artefact with its card out; and is it better than what is
in force?

In: rows with features and labels, and which of them compare what (`logged.comparable`, or `imported`). The gate and the figures
judge every person by what was learned from others; what is in force is compared on the decisions that it has not seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nudge.errors import NotReady
from nudge.learn.features import choose, table
from nudge.learn.labels import ACTIVITY, IS_DECISION
from nudge.learn.recipe import Absent, Recipe
from nudge.learn.uplift import effect, judge
from nudge.learn.uplift.card import card
from nudge.learn.uplift.effect import FEWEST, Effect
from nudge.learn.uplift.experiment import Experiment
from nudge.learn.uplift.export import Load, artefact, parity
from nudge.learn.uplift.logged import SCHEMA
from nudge.vocabulary import Goal, Micros

PARITY_ROWS = 300
MOST_AN_ARM = 10_000
"""Rows of an arm that are learned from; of more, an even sample."""
POSITIVES_A_NUMBER = 8
"""So many goals a number that is read: with few goals, more numbers are more chances to be wrong."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger. `places` are the rows of each activity in `frame`."""

    version: str
    model: bytes
    card: bytes
    metrics: dict[str, list[float]]
    effects: Mapping[str, Effect]
    places: Mapping[str, np.ndarray]
    frame: pl.DataFrame


def imported(activity: str, treated: np.ndarray, p_treated: np.ndarray | float) -> pl.DataFrame:
    """An experiment from outside, as `logged.comparable` gives it: row by row treated or not, and how likely it was."""
    share = np.broadcast_to(np.asarray(p_treated, dtype=float), len(treated))
    told = {
        "row": np.arange(len(treated)),
        "activity": np.full(len(treated), activity, dtype=object),
        "treated": np.asarray(treated, dtype=bool),
        "p_treated": share,
        "p_control": 1 - share,
    }
    return pl.DataFrame({name: pl.Series(values, dtype=SCHEMA[name]) for name, values in told.items()})


def train(
    frame: pl.DataFrame,
    pairs: pl.DataFrame,
    goal: Goal,
    *,
    name: str,
    lifts: Mapping[str, float],
    design: Mapping[str, Any],
    end: Micros,
    data: Mapping[str, Any],
    recipe: Recipe,
    load: Load,
    absent: Absent,
) -> Trained:
    """Effects of every activity with enough rows in both arms. `frame` has features and the columns of `labels.META`; `pairs` that
    of `logged.SCHEMA`; `lifts` the plan's expected lifts; `design` what the card says of the shares; `load` is
    `score.uplift.load`, `absent` is `profile.spec.absent`.

    Raises NotReady when no activity has enough rows, or when the stored form differs from scikit-learn's (parity).
    """
    frame = frame.drop(ACTIVITY, IS_DECISION, strict=False)
    positives = int(min(frame["label"].sum(), frame.height - frame["label"].sum()))
    most = max(POSITIVES_A_NUMBER, positives // POSITIVES_A_NUMBER)
    with threadpool_limits(1):  # sums made in parallel depend on the number of threads; the bytes must not
        features = choose(frame, replace(recipe, numbers=min(recipe.numbers, most)), absent, goal)
        everything = table(frame, features)
        experiments = _experiments(frame, pairs, everything, recipe.seed)
        parts = {one: rows for one, (rows, _) in experiments.items()}
        told = [one for one, rows in parts.items() if _enough(rows)]
        if not told:
            raise _too_few(goal, parts)
        effects = effect.fit(
            {one: parts[one] for one in told}, features, lifts=lifts, confidence=recipe.confidence, seed=recipe.seed
        )
        metrics = _metrics(effects, recipe)
        stored = artefact(name, goal.name, features, effects, until=int(frame["at"].to_numpy().max()))
        worst = parity(stored, load, features, effects, everything[:PARITY_ROWS], recipe.seed)
    said = card(
        goal,
        effects,
        compared={one: pairs.filter(pl.col("activity") == one).height for one in told},
        left_out={one: len(rows) for one, rows in parts.items() if one not in told},
        metrics=metrics,
        features=[str(feature["name"]) for feature in features],
        data=data,
        design=design,
        parity=worst,
        recipe=asdict(recipe),
    )
    day = datetime.fromtimestamp(end / 1_000_000, UTC).strftime("%Y%m%d")
    version = f"{day}-{hashlib.sha256(stored).hexdigest()[:12]}"
    return Trained(version, stored, said, metrics, effects, {one: experiments[one][1] for one in told}, frame)


def _experiments(
    frame: pl.DataFrame, pairs: pl.DataFrame, everything: pd.DataFrame, seed: int
) -> dict[str, tuple[Experiment, np.ndarray]]:
    """Each activity's rows, and their places in the frame."""
    people = np.unique(frame["user_id"].to_numpy(), return_inverse=True)[1]
    label = frame["label"].to_numpy()
    found = {}
    for activity in sorted(pairs["activity"].unique()):
        one, shares = _thinned(pairs.filter(pl.col("activity") == activity), seed)
        places = one["row"].to_numpy()
        rows = Experiment.of(
            everything.iloc[places].reset_index(drop=True),
            label[places],
            one["treated"].to_numpy(),
            people[places],
            one["p_treated"].to_numpy() * shares[True],
            one["p_control"].to_numpy() * shares[False],
        )
        found[activity] = (rows, places)
    return found


def _thinned(one: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, dict[bool, float]]:
    """At most `MOST_AN_ARM` rows of each arm, drawn evenly, and the share that was kept of each against the other: a row's
    chance of being here is what was done to it times that, so nothing is bent by it."""
    rng = np.random.default_rng(seed)
    treated = one["treated"].to_numpy()
    kept, shares = [], {}
    for arm in (True, False):
        places = np.flatnonzero(treated == arm)
        drawn = places if len(places) <= MOST_AN_ARM else rng.choice(places, MOST_AN_ARM, replace=False)
        kept.append(drawn)
        shares[arm] = len(drawn) / max(len(places), 1) or 1.0
    largest = max(shares.values())
    return one[np.sort(np.concatenate(kept))], {arm: share / largest for arm, share in shares.items()}


def _enough(rows: Experiment) -> bool:
    return min(int(rows.treated.sum()), int((~rows.treated).sum())) >= FEWEST


def _too_few(goal: Goal, parts: Mapping[str, Experiment]) -> NotReady:
    arms = {one: [int(rows.treated.sum()), int((~rows.treated).sum())] for one, rows in parts.items()}
    told = ", ".join(f"{one}: {treated} treated, {held} not" for one, (treated, held) in arms.items())
    return NotReady(
        f"{goal.name}: {FEWEST} decisions that did something and {FEWEST} comparable ones that did nothing are needed, with "
        f"their windows over; there are {told or 'none'}",
        missing={"needs": FEWEST, "has": arms},
    )


def _metrics(effects: Mapping[str, Effect], recipe: Recipe) -> dict[str, list[float]]:
    """The measured average effect of each activity; of those that differ between people, the Qini of people not learned from."""
    metrics = {f"effect.{one}": made.estimate.interval() for one, made in effects.items()}
    for one, made in effects.items():
        if made.heterogeneous:
            metrics[f"qini.{one}"] = judge.qini_interval(
                made.held.rows,
                made.held.order,
                resamples=recipe.resamples,
                confidence=recipe.confidence,
                seed=recipe.seed,
            )
    return metrics


@dataclass(frozen=True, slots=True)
class Present:
    """Effects in force: their version, the last decision that they have seen (µs), and what they say, activity by activity, of the
    rows `Trained.places`."""

    version: str
    until: Micros
    said: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Squared error of the scores, lower by `gain`; by `at_least` with confidence."""

    passed: bool
    reason: str
    gain: float = 0.0
    at_least: float = 0.0


def better(trained: Trained, present: Present | None, recipe: Recipe) -> Verdict:
    """Do the new effects come nearer to what happened to people whom they were not learned from than those in force, by more than
    noise? The error is that of the doubly robust scores, which is the error of the effects themselves but for a constant. Where
    something is in force, only decisions that it has not seen count; where it says nothing of an activity, and where nothing is in
    force, the plan's expected lift stands for it."""
    if present is not None and present.version == trained.version:
        return Verdict(False, "this version is the champion already")
    against = "the plan's expected lifts" if present is None else present.version
    gains, weights, people = [], [], []
    at = trained.frame["at"].to_numpy()
    for activity, made in trained.effects.items():
        held, told = made.held, None if present is None else present.said.get(activity)
        theirs = np.full(len(held.dr), held.prior) if told is None else np.asarray(told)
        new = np.ones(len(held.dr), dtype=bool) if present is None else at[trained.places[activity]] > present.until
        gains.append(((held.dr - theirs) ** 2 - (held.dr - held.said) ** 2)[new])
        weights.append(held.rows.weight[new])
        people.append(held.rows.people[new])
    together = np.concatenate(people)
    count = len(np.unique(together))
    if count < FEWEST:
        return Verdict(False, f"{count} people with new decisions are too few to judge by; {FEWEST} are needed")
    found = judge.mean(np.concatenate(gains), np.concatenate(weights), together)
    at_least = found.value - judge.quantile(recipe.confidence) * found.error
    sure = f"squared error of effects lower by {found.value:.5f} (at least {at_least:.5f} with {recipe.confidence:.0%} confidence)"
    if at_least > 0:
        return Verdict(True, f"better than {against}: {sure}", found.value, at_least)
    return Verdict(False, f"not better than {against} by more than noise: {sure}", found.value, at_least)
