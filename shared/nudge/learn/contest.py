"""One goal's training: slices in, the better of the model kinds out, with its card. Whether it may be champion says `gate`.

Nothing is tuned on the last slice: the kind is chosen on the slice before it, the last one only judges. Where few did it,
the kind that was chosen learns from both slices before the last one (`refit`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nudge.learn import boosting, calibrate, judge, logistic, refit
from nudge.learn.calibrate import Calibration
from nudge.learn.card import card
from nudge.learn.export import Fitted, Load, artefact, canonical, parity, spec
from nudge.learn.features import Feature, choose, table
from nudge.learn.recipe import Absent, Recipe
from nudge.learn.slices import Slices
from nudge.vocabulary import Goal, Micros

PARITY_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger: its stored bytes, and what it says of the last slice (`probability`, rows `test`)."""

    version: str
    kind: str
    model: bytes
    card: bytes
    metrics: dict[str, list[float]]
    probability: np.ndarray
    base_rate: float
    rows: judge.Rows
    test: pl.DataFrame


def train(
    slices: Slices, goal: Goal, *, end: Micros, data: Mapping[str, Any], recipe: Recipe, load: Load, absent: Absent
) -> Trained:
    """Fit every model kind, choose one on the middle slice, judge all on the last. `load` is `score.load`, `absent`
    `profile.spec.absent`.

    Raises NotReady when the stored form does not give scikit-learn's own probabilities (parity).
    """
    features = choose(slices.train, recipe, absent)
    tables = [table(rows, features) for rows in (slices.train, slices.calibrate)]
    rows, middle = judged(slices.test), judged(slices.calibrate)
    with threadpool_limits(1):  # sums made in parallel depend on the number of threads; the bytes must not
        fitted = _fit(slices, features, tables, recipe)
        calibrations = {
            one.kind: calibrate.fit(one.log_odds(tables[1]), middle.label, middle.weight, middle.people)
            for one in fitted
        }
        chosen, losses = _choose(fitted, calibrations, tables[1], middle)
        better = refit.again(chosen, slices, recipe, absent)
    if better is not None:
        chosen, calibrations[chosen.kind] = better
        fitted = [chosen if one.kind == chosen.kind else one for one in fitted]
    tested = {one.kind: table(slices.test, one.features) for one in fitted}
    told = {one.kind: calibrations[one.kind].probability(one.log_odds(tested[one.kind])) for one in fitted}
    figures = {
        kind: judge.figures(p, rows, resamples=recipe.resamples, confidence=recipe.confidence, seed=recipe.seed)
        for kind, p in told.items()
    }
    stored = artefact(chosen, calibrations[chosen.kind], goal, _typical(slices.train))
    held = tested[chosen.kind][:PARITY_ROWS]
    worst = parity(stored, load, chosen, calibrations[chosen.kind], held, recipe.seed)
    said = card(
        goal,
        kind=chosen.kind,
        spec=spec(chosen.features),
        data=data,
        slices=slices.said,
        figures=figures,
        chosen_by={"slice": "calibrate", "log_loss": losses, "fitted_again": better is not None},
        parity=worst,
        reliability=judge.reliability(told[chosen.kind], rows),
        features=chosen.features,
        recipe=recipe,
    )
    day = datetime.fromtimestamp(end / 1_000_000, UTC).strftime("%Y%m%d")
    return Trained(
        version=f"{day}-{hashlib.sha256(stored).hexdigest()[:12]}",
        kind=chosen.kind,
        model=stored,
        card=canonical(said),
        metrics=figures[chosen.kind],
        probability=told[chosen.kind],
        base_rate=float(np.average(slices.calibrate["label"], weights=slices.calibrate["weight"])),
        rows=rows,
        test=slices.test,
    )


def judged(rows: pl.DataFrame) -> judge.Rows:
    """Labels, weights and people of a slice."""
    people = np.unique(rows["user_id"].to_numpy(), return_inverse=True)[1]
    return judge.Rows(rows["label"].to_numpy(), rows["weight"].to_numpy(), people)


def _typical(rows: pl.DataFrame) -> float | None:
    came = rows.filter(pl.col("label") == 1)
    total = float((came["worth"] * came["weight"]).sum()) / float(came["weight"].sum())
    return float(f"{total:.9g}") if np.isfinite(total) else None


def _fit(slices: Slices, features: list[Feature], tables: list[pd.DataFrame], recipe: Recipe) -> list[Fitted]:
    label, weight = slices.train["label"].to_numpy(), slices.train["weight"].to_numpy()
    later = (tables[1], slices.calibrate["label"].to_numpy(), slices.calibrate["weight"].to_numpy())
    return [
        logistic.fit(tables[0], label, weight, features, recipe),
        boosting.fit(tables[0], label, weight, later, features, recipe),
    ]


def _choose(
    fitted: list[Fitted], calibrations: Mapping[str, Calibration], middle: pd.DataFrame, rows: judge.Rows
) -> tuple[Fitted, dict[str, float]]:
    """The lowest log loss on the middle slice; the simpler one where they are equal."""
    losses = {}
    for one in fitted:
        p = calibrations[one.kind].probability(one.log_odds(middle))
        losses[one.kind] = float(np.average(judge.log_losses(p, rows.label), weights=rows.weight))
    return min(fitted, key=lambda one: losses[one.kind]), losses
