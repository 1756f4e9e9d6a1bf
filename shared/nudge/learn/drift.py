"""Has the world moved away from what a model was made for?

In: people as of the end of a model's data (the reference, kept in its card) and as of now; later outcomes. Out: population
stability indices, calibration on what has come since, and which of them cross the plan's thresholds. Knows no store.

The population stability index of two distributions over the same bins is Σ (now − then) · ln(now / then) (Siddiqi 2006);
by chance alone it is about χ²(bins − 1) · (1/n + 1/m) (Yurdakul 2018): only what exceeds that too is called drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import chi2

from nudge.learn import judge
from nudge.learn.features import Feature, numbers

BINS = 10
LEVELS = 20
FLOOR = 1e-4
"""A share is at least this: an empty bin is rare, not impossible."""
SURE = 0.99
FEWEST_PEOPLE = 100
FEWEST_ROWS, FEWEST_EXPECTED = 100, 10
FACTOR = 2.0
"""A total that is off by more than this factor, beyond chance, is drift too: where few do it, no difference is large."""
WORST = 5


def reference(rows: pl.DataFrame, features: Sequence[Feature], p: np.ndarray) -> dict[str, Any]:
    """Bins and shares of each input and of the score, for the card: deciles of numbers, levels of categories, and what is
    missing."""
    inputs = {str(one["name"]): _bins(rows, one) for one in features}
    return {"people": rows.height, "inputs": inputs, "score": _deciles(p)}


def stability(
    held: Mapping[str, Any],
    rows: pl.DataFrame,
    features: Sequence[Feature],
    p: np.ndarray,
    weights: Mapping[str, float],
) -> dict[str, Any]:
    """The index of the score, that of the inputs (their mean, weighed by importance), what chance alone explains of each, and
    the inputs that moved most."""
    counts = held["people"], rows.height
    each, noise = {}, {}
    for feature in features:
        name = str(feature["name"])
        if name in held["inputs"]:
            each[name] = index(held["inputs"][name]["shares"], _shares(held["inputs"][name], rows, feature))
            noise[name] = chance(len(held["inputs"][name]["shares"]), *counts)
    weight = {name: max(weights.get(name, 0.0), 0.0) for name in each}
    total = sum(weight.values())
    weight = (
        {name: value / total for name, value in weight.items()} if total else dict.fromkeys(each, 1 / max(len(each), 1))
    )
    moved = sorted(each, key=lambda name: (-each[name], name))[:WORST]
    return {
        "people": rows.height,
        "score": _rounded(index(held["score"]["shares"], _share_of_numbers(p, held["score"]["edges"]))),
        "score_by_chance": _rounded(chance(len(held["score"]["shares"]), *counts)),
        "inputs": _rounded(sum(each[name] * weight[name] for name in each)),
        "inputs_by_chance": _rounded(sum(noise[name] * weight[name] for name in each)),
        "moved": {name: _rounded(each[name]) for name in moved},
    }


def index(then: Sequence[float], now: Sequence[float]) -> float:
    """Population stability index of two lists of shares.

    >>> round(index([0.5, 0.5], [0.5, 0.5]), 6), round(index([0.5, 0.5], [0.8, 0.2]), 3)
    (0.0, 0.416)
    """
    e, a = (np.maximum(np.asarray(shares, float), FLOOR) for shares in (then, now))
    return float(((a - e) * np.log(a / e)).sum())


def chance(bins: int, then: int, now: int) -> float:
    """What the index stays below with `SURE` when nothing moved."""
    if bins < 2 or not then or not now:
        return 0.0
    return float(chi2.ppf(SURE, bins - 1) * (1 / then + 1 / now))


def calibration(p: np.ndarray, rows: judge.Rows, *, resamples: int, seed: int) -> dict[str, Any]:
    """What was said and what came of it: sums, the difference of the rates with its interval, the calibration error, and how
    much of that chance explains."""
    weight = rows.weight
    gap = judge.interval(rows, rows.label - p, resamples=resamples, confidence=0.95, seed=seed)
    return {
        "rows": len(p),
        "expected": _rounded(float((p * weight).sum())),
        "came": _rounded(float((rows.label * weight).sum())),
        "gap": [_rounded(value) for value in gap],
        "error": _rounded(judge.calibration_error(p, rows)),
        "error_by_chance": _rounded(judge.calibration_noise(p, rows, resamples=resamples, seed=seed)),
    }


def over(found: Mapping[str, Any], thresholds: Mapping[str, float]) -> dict[str, float]:
    """What moved, as shares of the plan's thresholds (`stability`, `calibration`); above 1 it has crossed it. What chance
    explains, or too few people or rows show, is 0."""
    shares = {"score": 0.0, "inputs": 0.0, "calibration": 0.0}
    if found["people"] >= FEWEST_PEOPLE:
        for name in ("score", "inputs"):
            real = found[name] > found[f"{name}_by_chance"]
            shares[name] = found[name] / thresholds["stability"] if real and thresholds["stability"] else 0.0
    told = found.get("calibration")
    if told and told["rows"] >= FEWEST_ROWS:
        beyond = max(told["error"] - told["error_by_chance"], 0.0)
        shares["calibration"] = beyond / thresholds["calibration"] if thresholds["calibration"] else 0.0
        if _off(told):
            ratio = max(told["came"], 1.0) / max(told["expected"], 1e-9)
            shares["calibration"] = max(shares["calibration"], max(ratio, 1 / ratio) / FACTOR)
    return {name: round(value, 3) for name, value in shares.items()}


def _off(told: Mapping[str, Any]) -> bool:
    sure = bool(told["gap"][1] > 0 or told["gap"][2] < 0)
    return sure and bool(max(told["expected"], told["came"]) >= FEWEST_EXPECTED)


def _bins(rows: pl.DataFrame, feature: Feature) -> dict[str, Any]:
    if feature["type"] == "number":
        return _deciles(numbers(rows, feature))
    held: dict[str, Any] = {"levels": list(feature["levels"])[:LEVELS]}
    return held | {"shares": [_rounded(one) for one in _shares(held, rows, feature)]}


def _deciles(values: np.ndarray) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    cuts = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1], method="lower") if len(known) else np.empty(0)
    edges = [float(one) for one in np.unique(cuts)]
    return {"edges": edges, "shares": [_rounded(one) for one in _share_of_numbers(values, edges)]}


def _shares(held: Mapping[str, Any], rows: pl.DataFrame, feature: Feature) -> list[float]:
    if "edges" in held:
        return _share_of_numbers(numbers(rows, feature), held["edges"])
    if feature["name"] not in rows.columns:
        return [0.0] * len(held["levels"]) + [1.0]
    column = rows[feature["name"]].cast(pl.String)
    found = [int((column == level).sum() or 0) / max(rows.height, 1) for level in held["levels"]]
    return [*found, max(1.0 - sum(found), 0.0)]


def _share_of_numbers(values: np.ndarray, edges: Sequence[float]) -> list[float]:
    """Shares of ≤ each edge, of what is above the last, and of what is missing."""
    missing = ~np.isfinite(values)
    places = np.searchsorted(np.asarray(edges, float), values[~missing], side="left")
    counts = np.bincount(places, minlength=len(edges) + 1)
    return [float(one) / max(len(values), 1) for one in (*counts, missing.sum())]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
