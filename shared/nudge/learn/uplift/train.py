"""What every activity of a goal changes: comparable decisions in, one artefact with its card out; and is it better than what is
in force?

In: rows with features and labels, and which of them compare what (`logged.comparable`, or `imported`). People who came last are
held out: nothing is learned from them, the gate and the card's Qini are judged by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
from nudge.learn.uplift.effect import CELLS, FEWEST, Effect
from nudge.learn.uplift.experiment import Experiment
from nudge.learn.uplift.export import Load, artefact, parity
from nudge.learn.uplift.logged import SCHEMA
from nudge.vocabulary import Goal, Micros

HELD_OUT = 0.2
"""The share of people, those who came last, by whom is judged."""
PARITY_ROWS = 300
POSITIVES_A_NUMBER = 8
"""So many goals a number that is read: with few goals, more numbers are more chances to be wrong."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of one activity that nothing was learned from: doubly robust scores, the effects said of them, what is expected
    where nothing is known (the plan's lift), and their places in the frame."""

    rows: Experiment
    dr: np.ndarray
    said: np.ndarray
    prior: float
    places: np.ndarray


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger."""

    version: str
    model: bytes
    card: bytes
    metrics: dict[str, list[float]]
    effects: Mapping[str, Effect]
    judged: Mapping[str, Judged]
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
    late = _late(frame)
    learned = frame.filter(pl.Series(~late))
    positives = int(min(learned["label"].sum(), learned.height - learned["label"].sum()))
    most = max(POSITIVES_A_NUMBER, positives // POSITIVES_A_NUMBER)
    with threadpool_limits(1):  # sums made in parallel depend on the number of threads; the bytes must not
        features = choose(learned, replace(recipe, numbers=min(recipe.numbers, most)), absent)
        everything = table(frame, features)
        experiments = _experiments(frame, pairs, everything)
        parts = {one: rows.take(~late[places]) for one, (rows, places) in experiments.items()}
        told = [one for one, rows in parts.items() if _enough(rows)]
        if not told:
            raise _too_few(goal, parts)
        tests = sum(parts[one].fewest >= CELLS for one in told)
        effects = {
            one: effect.fit(
                parts[one],
                features,
                lift=lifts.get(one, 0.0),
                confidence=recipe.confidence,
                tests=max(tests, 1),
                seed=recipe.seed,
            )
            for one in told
        }
        judged = {one: _judged(*experiments[one], late, effects[one], lifts.get(one, 0.0)) for one in told}
        metrics = _metrics(effects, judged, recipe)
        stored = artefact(name, goal.name, features, effects)
        worst = parity(stored, load, features, effects, everything[:PARITY_ROWS], recipe.seed)
    said = card(
        goal,
        effects,
        {one: parts[one] for one in told},
        judged,
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
    return Trained(version, stored, said, metrics, effects, judged, frame)


def _late(frame: pl.DataFrame) -> np.ndarray:
    """Rows of the people who came last, by their first row."""
    first = frame.group_by("user_id").agg(pl.col("at").min()).sort("at", "user_id")
    count = max(round(first.height * HELD_OUT), 1)
    return frame["user_id"].is_in(first["user_id"].tail(count).to_list()).to_numpy()


def _experiments(
    frame: pl.DataFrame, pairs: pl.DataFrame, everything: pd.DataFrame
) -> dict[str, tuple[Experiment, np.ndarray]]:
    """Each activity's rows, and their places in the frame."""
    people = np.unique(frame["user_id"].to_numpy(), return_inverse=True)[1]
    label = frame["label"].to_numpy()
    found = {}
    for activity in sorted(pairs["activity"].unique()):
        one = pairs.filter(pl.col("activity") == activity)
        places = one["row"].to_numpy()
        rows = Experiment.of(
            everything.iloc[places].reset_index(drop=True),
            label[places],
            one["treated"].to_numpy(),
            people[places],
            one["p_treated"].to_numpy(),
            one["p_control"].to_numpy(),
        )
        found[activity] = (rows, places)
    return found


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


def _judged(rows: Experiment, places: np.ndarray, late: np.ndarray, one: Effect, lift: float) -> Judged:
    mask = late[places]
    held = rows.take(mask)
    dr = judge.scores(held, one.responses.control(held.table), one.responses.treated(held.table))
    before = rows.take(~mask & ~rows.treated)
    prior = lift * float(np.average(before.label, weights=before.inverse))
    return Judged(held, dr, one.on(held.table), prior, places[mask])


def _metrics(effects: Mapping[str, Effect], judged: Mapping[str, Judged], recipe: Recipe) -> dict[str, list[float]]:
    """The measured average effect of each activity, and the Qini on held-out people of those that differ between people."""
    metrics = {f"effect.{one}": made.estimate.interval() for one, made in effects.items()}
    for one, held in judged.items():
        if effects[one].heterogeneous and held.rows.fewest > 0:
            metrics[f"qini.{one}"] = judge.qini_interval(
                held.rows, held.said, resamples=recipe.resamples, confidence=recipe.confidence, seed=recipe.seed
            )
    return metrics


@dataclass(frozen=True, slots=True)
class Verdict:
    """Squared error of the scores, lower by `gain`; by `at_least` with confidence."""

    passed: bool
    reason: str
    gain: float
    at_least: float


def better(trained: Trained, present: tuple[str, Mapping[str, Sequence[float]]] | None, recipe: Recipe) -> Verdict:
    """Do the new effects come nearer to what happened to held-out people than those in force, by more than noise? The error is
    that of the doubly robust scores, which is the error of the effects themselves but for a constant. `present` is a version
    and what it says, activity by activity, of the rows `judged[activity].places`; where it says nothing, and where nothing is
    in force, the plan's expected lift stands for it."""
    if present is not None and present[0] == trained.version:
        return Verdict(False, "this version is the champion already", 0.0, 0.0)
    against = "the plan's expected lifts" if present is None else present[0]
    gains, weights, people = [], [], []
    for activity, held in trained.judged.items():
        told = None if present is None else present[1].get(activity)
        theirs = np.full(len(held.dr), held.prior) if told is None else np.asarray(told)
        gains.append((held.dr - theirs) ** 2 - (held.dr - held.said) ** 2)
        weights.append(held.rows.weight)
        people.append(held.rows.people)
    together = np.concatenate(people)
    if len(np.unique(together)) < FEWEST:
        return Verdict(
            False, f"{len(np.unique(together))} people are too few to judge by; {FEWEST} are needed", 0.0, 0.0
        )
    found = judge.mean(np.concatenate(gains), np.concatenate(weights), together)
    at_least = found.value - judge.quantile(recipe.confidence) * found.error
    sure = f"squared error of effects lower by {found.value:.5f} (at least {at_least:.5f} with {recipe.confidence:.0%} confidence)"
    if at_least > 0:
        return Verdict(True, f"better than {against}: {sure}", found.value, at_least)
    return Verdict(False, f"not better than {against} by more than noise: {sure}", found.value, at_least)
