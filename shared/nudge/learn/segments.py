"""How good is a model for whom? Its figures on the last slice, by segment.

In: rows, labels and probabilities of the last slice. Out: for each segment that is large enough, how many, what was said,
what came of it, and the AUC, with intervals. Knows neither the model nor a store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from nudge.learn import judge
from nudge.learn.features import Feature

FEWEST_ROWS, FEWEST_POSITIVES = 100, 10
MOST, LEVELS, TRAITS = 16, 4, 3
NEWCOMER_DAYS, ACTIVE_DAYS, LATE_DAYS = 30, 7, 30
RESAMPLES = 100
type Segment = tuple[str, np.ndarray]


def by_segment(
    rows: pl.DataFrame, features: Sequence[Feature], p: np.ndarray, judged: judge.Rows, *, confidence: float, seed: int
) -> list[dict[str, Any]]:
    """`segment rows positives said was auc`, `was` and `auc` as [value, low, high]: newcomers and others, by the latest sign of
    life, by activity, and by the largest levels of the first traits. Those with fewer than `FEWEST_ROWS` rows or
    `FEWEST_POSITIVES` of either label are left out."""
    found = []
    for name, inside in _segments(rows, features):
        label = judged.label[inside]
        if len(label) < FEWEST_ROWS or min(label.sum(), len(label) - label.sum()) < FEWEST_POSITIVES:
            continue
        people = np.unique(judged.people[inside], return_inverse=True)[1]
        part, said = judge.Rows(label, judged.weight[inside], people), p[inside]
        found.append(
            {
                "segment": name,
                "rows": len(label),
                "positives": int(label.sum()),
                "said": float(np.average(said, weights=part.weight)),
                "was": list(judge.interval(part, label, resamples=RESAMPLES, confidence=confidence, seed=seed)),
                "auc": _auc(said, part, confidence, seed),
            }
        )
    return found[:MOST]


def _auc(p: np.ndarray, rows: judge.Rows, confidence: float, seed: int) -> list[float]:
    ranking, tail = judge.Ranking.of(p, rows.label), (1 - confidence) / 2
    low, high = np.quantile([ranking.auc(weight) for weight in rows.resamples(RESAMPLES, seed)], [tail, 1 - tail])
    return [ranking.auc(rows.weight), float(low), float(high)]


def _segments(rows: pl.DataFrame, features: Sequence[Feature]) -> Iterator[Segment]:
    first, last = _extreme(rows, "days_since_first.", highest=True), _extreme(rows, "days_since.", highest=False)
    if first is not None:
        new = np.isnan(first) | (first < NEWCOMER_DAYS)
        yield f"newcomers (first seen within {NEWCOMER_DAYS} days)", new
        yield f"known for {NEWCOMER_DAYS} days or more", ~new
    if last is not None:
        yield f"active within {ACTIVE_DAYS} days", last < ACTIVE_DAYS
        yield f"active {ACTIVE_DAYS} to {LATE_DAYS} days ago", (last >= ACTIVE_DAYS) & (last < LATE_DAYS)
        yield f"quiet for {LATE_DAYS} days or more", ~(last < LATE_DAYS)
    traits = [str(one["name"]) for one in features if str(one["name"]).startswith("trait.") and one["type"] != "number"]
    for name in ["activity", *traits[:TRAITS]]:
        if name in rows.columns:
            column = rows[name].cast(pl.String)
            counts = column.drop_nulls().value_counts().sort(["count", name], descending=[True, False])
            for level in counts[name].to_list()[:LEVELS]:
                yield f"{name.removeprefix('trait.')} = {level}", (column == level).fill_null(value=False).to_numpy()


def _extreme(rows: pl.DataFrame, prefix: str, *, highest: bool) -> np.ndarray | None:
    """The largest or smallest of the columns of a prefix, row by row; NaN where all are missing."""
    names = [name for name in rows.columns if name.startswith(prefix)]
    if not names:
        return None
    columns = [pl.col(name).cast(pl.Float64).fill_nan(None) for name in names]
    one = pl.max_horizontal(columns) if highest else pl.min_horizontal(columns)
    values: np.ndarray = rows.select(one.alias("it"))["it"].fill_null(float("nan")).to_numpy()
    return values
