"""One goal's training: slices in, a model out, with its card. Whether it may be champion says `gate`.

Nothing is tuned on the last slice: everything is chosen before it (`selection`), the last one only judges.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nudge.learn import judge
from nudge.learn.card import card
from nudge.learn.export import Load, Scores, artefact, canonical, parity, spec, vectors
from nudge.learn.features import Feature, table
from nudge.learn.labels import ACTIVITY
from nudge.learn.recipe import Absent, Recipe
from nudge.learn.selection import Model, Selection, select
from nudge.learn.slices import Slices
from nudge.vocabulary import NOTHING, Goal, Micros

PARITY_ROWS = 1000
EXPLAINED_ROWS = 300


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
    """Choose and fit on what came before the last slice, judge on the last. `load` is `score.load`, `absent`
    `profile.spec.absent`.

    Raises NotReady when the stored form does not give the fitted model's own probabilities (parity).
    """
    rows = judged(slices.test)
    with threadpool_limits(1):  # sums made in parallel depend on the number of threads; the bytes must not
        selection = select(slices.train, goal, recipe, absent)
        chosen = selection.model
        held = table(slices.test, chosen.fitted.features)
        told = {name: one.probability(held) for name, one in _all(selection).items()}
    figures = {
        kind: judge.figures(p, rows, resamples=recipe.resamples, confidence=recipe.confidence, seed=recipe.seed)
        for kind, p in told.items()
    }
    kind, features = chosen.fitted.kind, chosen.fitted.features
    stored = artefact(chosen.fitted, chosen.calibration, goal, _typical(slices.train))
    worst = parity(stored, load, chosen.fitted, chosen.calibration, held[:PARITY_ROWS], recipe.seed)
    said = card(
        goal,
        kind=kind,
        spec=spec(features),
        data=data,
        slices=slices.said,
        figures=figures,
        chosen_by=selection.said,
        parity=worst,
        reliability=judge.reliability(told[kind], rows),
        features=features,
        recipe=recipe,
        importances=importances(load(json.loads(stored)), held, features),
    )
    day = datetime.fromtimestamp(end / 1_000_000, UTC).strftime("%Y%m%d")
    return Trained(
        version=f"{day}-{hashlib.sha256(stored).hexdigest()[:12]}",
        kind=kind,
        model=stored,
        card=canonical(said),
        metrics=figures[kind],
        probability=told[kind],
        base_rate=selection.base_rate,
        rows=rows,
        test=slices.test,
    )


def _all(selection: Selection) -> dict[str, Model]:
    """The chosen model, and the plain kinds beside it."""
    return selection.others | {selection.model.fitted.kind: selection.model}


def importances(scorer: Scores, held: pd.DataFrame, features: list[Feature]) -> list[dict[str, Any]]:
    """`name share` of each feature, the greatest first: how far its additions to the log-odds lie from their mean, on average over
    some rows of the last slice; all shares are one."""
    some = held.iloc[np.unique(np.linspace(0, len(held) - 1, EXPLAINED_ROWS).astype(int))]
    each = [scorer.contributions(one, str(one.get(ACTIVITY) or NOTHING))[1] for one in vectors(some, features)]
    names = [str(feature["name"]) for feature in features]
    added = np.array([[one.get(name, 0.0) for name in names] for one in each]).reshape(len(each), len(names))
    spread = np.abs(added - added.mean(axis=0)).mean(axis=0) if len(each) else np.zeros(len(names))
    share = spread / total if (total := float(spread.sum())) > 0 else spread
    order = sorted(range(len(names)), key=lambda place: (-round(float(share[place]), 9), names[place]))
    return [{"name": names[place], "share": round(float(share[place]), 6)} for place in order]


def judged(rows: pl.DataFrame) -> judge.Rows:
    """Labels, weights and people of a slice."""
    people = np.unique(rows["user_id"].to_numpy(), return_inverse=True)[1]
    return judge.Rows(rows["label"].to_numpy(), rows["weight"].to_numpy(), people)


def _typical(rows: pl.DataFrame) -> float | None:
    came = rows.filter(pl.col("label") == 1)
    total = float((came["worth"] * came["weight"]).sum()) / float(came["weight"].sum())
    return float(f"{total:.9g}") if np.isfinite(total) else None
