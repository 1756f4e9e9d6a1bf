"""Which columns become features, and rows → the table that scikit-learn is given.

Chosen on the training slice alone. A number that is absent takes the feature's `absent` value (0 for counts and sums,
missing for recencies), exactly as `score.inputs` does it online; a category keeps its frequent levels, the rest is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from nudge.learn.labels import ACTIVITY, IS_DECISION
from nudge.learn.recipe import Absent, Recipe
from nudge.learn.slices import names_of
from nudge.vocabulary import NOTHING, Goal

type Feature = dict[str, Any]
BINS = 12


def _absent_of(name: str, absent: Absent) -> float | None:
    """Whoever scores online is deciding; a trait or a context that nobody told us is missing; else the profile's rule."""
    if name == IS_DECISION:
        return 1.0
    return None if name.startswith(("trait.", "context.")) else absent(name)


def choose(rows: pl.DataFrame, recipe: Recipe, absent: Absent, goal: Goal | None = None) -> list[Feature]:
    """Features of the rows to learn from, of those that the goal allows: every category with frequent levels, and the
    `recipe.numbers` numbers that say most of the label (see `_strength`)."""
    label = rows["label"].to_numpy() - rows["label"].mean()
    ranked, categories = [], []
    for name in names_of(rows):
        if goal is not None and not allowed(goal, name):
            continue
        if rows[name].dtype == pl.String:
            feature = _category(rows[name], recipe)
            categories += [feature] if feature else []
        elif rows[name].dtype.is_numeric() or rows[name].dtype == pl.Boolean:
            feature = {"name": name, "type": "number", "absent": _absent_of(name, absent)}
            strength = _strength(numbers(rows, feature), label)
            if name == IS_DECISION and strength > 0:
                strength = 1.0  # keeps apart who was asked about from who was not
            ranked += [(-round(strength, 9), name, feature)] if strength > 1e-9 else []
    ranked.sort(key=lambda one: one[:2])
    chosen = [feature for _, _, feature in ranked[: recipe.numbers]]
    return categories + sorted(chosen, key=lambda feature: str(feature["name"]))


def allowed(goal: Goal, name: str) -> bool:
    """May the goal's model read it? `only` and `without` are patterns of names; what we do ourselves is always known."""
    if name in (ACTIVITY, IS_DECISION):
        return True
    if goal.only and not any(fnmatchcase(name, one) for one in goal.only):
        return False
    return not any(fnmatchcase(name, one) for one in goal.without)


def _category(column: pl.Series, recipe: Recipe) -> Feature | None:
    counts = column.drop_nulls().value_counts().sort(["count", column.name], descending=[True, False])
    frequent = counts.filter(pl.col("count") >= recipe.level_people)[column.name].to_list()[: recipe.levels]
    feature: Feature = {"name": column.name, "type": "category", "levels": sorted(frequent), "absent": None}
    if column.name == ACTIVITY:
        feature["absent"] = NOTHING
        return feature if len(frequent) > 1 and NOTHING in frequent else None
    other = len(column) - counts.filter(pl.col(column.name).is_in(frequent))["count"].sum()
    return feature if len(frequent) + (other >= recipe.level_people) > 1 else None


def _strength(values: np.ndarray, label: np.ndarray) -> float:
    """The share of the label's variance that its means in at most `BINS` bins of the number explain (missing is a bin of its own),
    beyond what as many bins explain by chance: it sees what rises, falls, or does both. `label` has mean zero."""
    missing = np.isnan(values)
    known = np.sort(values[~missing])
    edges = np.unique(known[np.linspace(0, len(known) - 1, BINS + 1).astype(int)[1:-1]]) if len(known) else known
    bins = np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="left"))
    rows = np.bincount(bins, minlength=len(edges) + 2)
    came = np.bincount(bins, label, len(edges) + 2)
    used = rows > 0
    if used.sum() < 2:
        return 0.0
    explained = float((came[used] ** 2 / rows[used]).sum()) / max(float((label**2).sum()), 1e-12)
    return max(explained - float(used.sum() - 1) / len(label), 2e-9)


def numbers(rows: pl.DataFrame, feature: Feature) -> np.ndarray:
    """One number column as float64; absent, null, NaN and infinities are the feature's `absent` value (None = NaN)."""
    absent = float("nan") if feature["absent"] is None else feature["absent"]
    if feature["name"] not in rows.columns or rows[feature["name"]].dtype == pl.String:
        return np.full(rows.height, absent)
    values = rows[feature["name"]].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(values), rounded(values), absent)


def rounded(values: np.ndarray) -> np.ndarray:
    """Values to 20 bits (six digits). Sums made in parallel differ in their last bits from run to run; a training does not."""
    mantissa, exponent = np.frexp(values)
    with np.errstate(over="ignore"):  # the largest number there is would be rounded to infinity: it stays as it is
        near: np.ndarray = np.ldexp(np.round(np.ldexp(mantissa, 20)), exponent - 20)
    return np.where(np.isfinite(near), near, values)


def table(rows: pl.DataFrame, features: list[Feature]) -> pd.DataFrame:
    """Rows as pandas: float64 for numbers, a category dtype with exactly the feature's levels for categories."""
    columns: dict[str, Any] = {}
    for feature in features:
        name = feature["name"]
        if feature["type"] == "number":
            columns[name] = numbers(rows, feature)
        elif name in rows.columns:
            held = rows[name].cast(pl.String)
            held = held.fill_null(feature["absent"]) if feature["absent"] is not None else held
            columns[name] = categories(held.to_list(), feature["levels"])
        else:
            columns[name] = categories([feature["absent"]] * rows.height, feature["levels"])
    return pd.DataFrame(columns)


def categories(values: Iterable[Any], levels: Sequence[str]) -> pd.Categorical:
    """A column with exactly these levels; anything else is missing."""
    codes = {level: code for code, level in enumerate(levels)}
    return pd.Categorical.from_codes([codes.get(value, -1) for value in values], categories=list(levels))
