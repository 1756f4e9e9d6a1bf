"""A fitted model → the JSON that is stored, and the gate that it must pass before it is.

Out: canonical bytes (sorted keys, no spaces, finite numbers only): the same model is the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nudge.errors import NotReady
from nudge.learn.calibrate import Calibration
from nudge.learn.features import Feature, categories
from nudge.learn.labels import ACTIVITY
from nudge.vocabulary import NOTHING, Goal, Vector

FORMAT = 1
TOLERANCE = 1e-9
EXTREMES = (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-9, 1e9, -1e9, 1e300, -1e300, 1.7976931348623157e308)


class Fitted(Protocol):
    """What every model kind gives."""

    @property
    def kind(self) -> str: ...
    @property
    def features(self) -> list[Feature]: ...
    def log_odds(self, table: pd.DataFrame) -> np.ndarray: ...
    def export(self) -> dict[str, Any]: ...


class Scores(Protocol):
    """What `score.load` gives."""

    def probability(self, vector: Vector) -> float: ...
    def contributions(self, vector: Vector, activity: str) -> tuple[float, dict[str, float]]: ...


type Load = Callable[[Mapping[str, Any]], Scores]


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one JSON form of a value. Raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def artefact(fitted: Fitted, calibration: Calibration, goal: Goal, typical_value: float | None) -> bytes:
    """The stored form of a model; see `score.verify` for its shape. `typical_value` is what the goal was worth, on
    average, to those who reached it."""
    features = fitted.features
    levels = next((feature["levels"] for feature in features if feature["name"] == ACTIVITY), [NOTHING])
    return canonical(
        {
            "format": FORMAT,
            "kind": fitted.kind,
            "name": goal.name,
            "spec": spec(features),
            "features": features,
            "activities": levels,
            "typical_value": typical_value,
            "model": fitted.export(),
            "calibration": calibration.export(),
        }
    )


def spec(features: Sequence[Feature]) -> str:
    """What names and types a model reads, as a hash."""
    return hashlib.sha256(canonical({"features": list(features)})).hexdigest()[:16]


def parity(stored: bytes, load: Load, fitted: Fitted, calibration: Calibration, held: pd.DataFrame, seed: int) -> float:
    """The largest difference between the stored form, scored as online, and scikit-learn, on held-out and hostile rows.

    Raises NotReady when it exceeds 1e-9: such an artefact is not published.
    """
    scorer = load(json.loads(stored))
    rows = pd.concat([held, hostile(fitted.features, held, seed)], ignore_index=True)
    theirs = calibration.probability(fitted.log_odds(typed(rows, fitted.features)))
    ours = np.array([scorer.probability(vector) for vector in vectors(rows, fitted.features)])
    worst = float(np.max(np.abs(ours - theirs)))
    if not worst <= TOLERANCE:
        raise NotReady(
            f"the stored model differs from scikit-learn's by {worst:.3g}; it is not published",
            missing={"parity": worst, "allowed": TOLERANCE},
        )
    return worst


def hostile(features: Sequence[Feature], held: pd.DataFrame, seed: int, number: int = 400) -> pd.DataFrame:
    """Rows that nobody has: extremes, missing values and unseen levels, mixed with values that were seen."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for feature in features:
        name = feature["name"]
        seen = held[name].to_numpy(dtype=object)
        drawn = seen[rng.integers(0, len(seen), number)]
        if feature["type"] == "number":
            missing = float("nan") if feature["absent"] is None else feature["absent"]
            strange = np.array([*EXTREMES, missing], dtype=object)
        else:
            strange = np.array([*feature["levels"], "never seen", "", None], dtype=object)
            if feature["absent"] is not None:
                strange = strange[:-1]
        odd = rng.random(number) < rng.random(number)
        columns[name] = np.where(odd, strange[rng.integers(0, len(strange), number)], drawn)
    return pd.DataFrame(columns)


def typed(rows: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """Rows of any values as the table of `features.table`: float64, and categories with exactly the feature's levels."""
    columns: dict[str, Any] = {}
    for feature in features:
        values = rows[feature["name"]]
        if feature["type"] == "number":
            columns[feature["name"]] = values.astype(float)
        else:
            columns[feature["name"]] = categories(values.astype(object), feature["levels"])
    return pd.DataFrame(columns, index=rows.index)


def vectors(rows: pd.DataFrame, features: Sequence[Feature]) -> list[Vector]:
    """Rows as the online vectors they would be: names to values, missing is None."""
    columns = []
    for feature in features:
        values = rows[feature["name"]].to_numpy(dtype=object)
        columns.append([None if value is None or value != value else value for value in values])
    names = [feature["name"] for feature in features]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
