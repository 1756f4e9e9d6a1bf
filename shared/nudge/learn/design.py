"""A table → the matrix that a logistic regression is fitted on, and weights of its columns → terms that `score.linear` reads.

In: a table and its features. Out: columns in a fixed order: for each number its squeezed, centred, scaled value (bounded by
what training saw, so that no number outside it runs away), whether it is missing, and for some the points of a curve; for each
category a column a level and one for the rest; for the numbers that the activity bends, one a level of it.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import replace
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from nudge.learn.encodings import hats, points, squeeze
from nudge.learn.features import Feature
from nudge.learn.labels import ACTIVITY

SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Number:
    """How one number enters; `xs` are the points of its curve (none: it has no curve)."""

    center: float
    scale: float
    low: float
    high: float
    missing: bool
    xs: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, curve: int) -> Self:
        """As the training part has it; `curve` is the number of points to seek."""
        squeezed = squeeze(values)
        gaps = np.isnan(squeezed)
        known = squeezed[~gaps]
        if not len(known) or float(known.max() - known.min()) <= SMALLEST:
            center = float(known[0]) if len(known) else 0.0
            return cls(center, 1.0, center, center, bool(gaps.any() and not gaps.all()), np.empty(0))
        spread = float(known.std())
        xs = points(squeezed, curve) if curve else np.empty(0)
        bounds = float(known.min()) - spread, float(known.max()) + spread
        return cls(float(known.mean()), spread, *bounds, bool(gaps.any()), xs if len(xs) > 1 else np.empty(0))

    def columns(self, values: np.ndarray) -> list[np.ndarray]:
        """Scaled value, whether it is missing (where training has gaps), the curve's points."""
        squeezed = np.clip(squeeze(values), self.low, self.high)
        gaps = np.isnan(squeezed)
        found = [np.where(gaps, 0.0, (squeezed - self.center) / self.scale)]
        found += [gaps.astype(float)] if self.missing else []
        return found + (list(hats(squeezed, self.xs).T) if len(self.xs) else [])

    @property
    def width(self) -> int:
        return 1 + self.missing + len(self.xs)

    def term(self, weights: np.ndarray) -> dict[str, Any]:
        """The term of these weights."""
        made: dict[str, Any] = {"weight": float(weights[0]) / self.scale, "center": self.center}
        made |= {"low": self.low, "high": self.high}
        made["missing"] = float(weights[1]) if self.missing else 0.0
        if len(self.xs):
            made |= {"x": [float(x) for x in self.xs], "y": [float(y) for y in weights[1 + self.missing :]]}
        return made


@dataclass(frozen=True, slots=True)
class Design:
    """The columns of a training part; `bent` are the numbers that the activity bends."""

    features: list[Feature]
    numbers: dict[str, Number]
    bent: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: pd.DataFrame, features: list[Feature], curved: Collection[str], curve: int) -> Self:
        """For a training part, with curves of `curve` points for the numbers in `curved`."""
        named = [one["name"] for one in features if one["type"] == "number"]
        return cls(
            features, {name: Number.of(table[name].to_numpy(), curve if name in curved else 0) for name in named}
        )

    def bending(self, bent: tuple[str, ...]) -> Design:
        """The same, with these numbers bent."""
        return replace(self, bent=bent)

    def matrix(self, table: pd.DataFrame) -> np.ndarray:
        """The columns of a table."""
        columns: list[np.ndarray] = []
        for feature in self.features:
            name = feature["name"]
            if feature["type"] == "number":
                columns += self.numbers[name].columns(table[name].to_numpy())
            else:
                codes = table[name].cat.codes.to_numpy()
                columns += [(codes == code).astype(float) for code in range(len(feature["levels"]))]
                columns.append((codes < 0).astype(float))
        plain = np.column_stack(columns) if columns else np.zeros((len(table), 0))
        return np.column_stack([plain, self.bends(plain, table)]) if self.bent else plain

    def bends(self, plain: np.ndarray, table: pd.DataFrame) -> np.ndarray:
        """The columns of the numbers that the activity bends, beside the `plain` ones."""
        codes, places, at = table[ACTIVITY].cat.codes.to_numpy(), {}, 0
        for feature in self.features:
            places[feature["name"]] = at
            at += self.numbers[feature["name"]].width if feature["type"] == "number" else len(feature["levels"]) + 1
        levels = range(len(table[ACTIVITY].cat.categories))
        return np.column_stack(
            [plain[:, places[name]] * (codes == code) for name in self.bent for code in levels] or [plain[:, :0]]
        )

    def terms(self, weights: np.ndarray) -> dict[str, Any]:
        """`terms` and `interactions` of these weights, as `score.linear` reads them."""
        terms: list[dict[str, Any]] = []
        at = 0
        for feature in self.features:
            if feature["type"] == "number":
                number = self.numbers[feature["name"]]
                terms.append(number.term(weights[at : at + number.width]))
                at += number.width
            else:
                levels = [float(one) for one in weights[at : at + len(feature["levels"])]]
                at += len(levels) + 1
                terms.append({"levels": levels, "other": float(weights[at - 1])})
        places = {feature["name"]: place for place, feature in enumerate(self.features)}
        interactions = []
        for name in self.bent:
            count = len(self.features[places[ACTIVITY]]["levels"])
            levels = [float(one) / self.numbers[name].scale for one in weights[at : at + count]]
            at += count
            interactions.append({"number": places[name], "category": places[ACTIVITY], "levels": levels})
        return {"terms": terms, "interactions": interactions}
