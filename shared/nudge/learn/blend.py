"""Several fitted kinds, averaged in log-odds.

In: fitted parts over the same features, and their weights. Out: a model of its own kind, `blend`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nudge.learn.export import Fitted
from nudge.learn.features import Feature

MIXTURES: tuple[dict[str, float], ...] = (
    {"logistic": 1.0},
    {"boosting": 1.0},
    {"logistic": 0.5, "boosting": 0.5},
    {"logistic": 0.75, "boosting": 0.25},
    {"logistic": 0.25, "boosting": 0.75},
    {"forest": 1.0},
    {"boosting": 0.5, "forest": 0.5},
    {"boosting": 0.75, "forest": 0.25},
    {"logistic": 0.5, "forest": 0.5},
    {"logistic": 0.25, "boosting": 0.5, "forest": 0.25},
    {"logistic": 0.5, "boosting": 0.25, "forest": 0.25},
)
"""What is compared: weights by kind, the simpler first. A kind alone is that kind."""


@dataclass(frozen=True, slots=True)
class Blend:
    """Fitted parts and their weights."""

    features: list[Feature]
    parts: tuple[tuple[float, Fitted], ...]
    kind: str = "blend"

    def log_odds(self, table: pd.DataFrame) -> np.ndarray:
        """The weighted sum of what the parts say."""
        return np.asarray(sum(weight * part.log_odds(table) for weight, part in self.parts))

    def export(self) -> dict[str, Any]:
        """The `model` part of the artefact, as `score.blend` reads it."""
        return {"parts": [{"kind": part.kind, "weight": weight, "model": part.export()} for weight, part in self.parts]}


def named(mixture: Mapping[str, float]) -> str:
    """`blend`, or the one kind there is."""
    return next(iter(mixture)) if len(mixture) == 1 else "blend"


def mixtures(tried: Sequence[str], allowed: Sequence[str]) -> list[dict[str, float]]:
    """Those of kinds that were tried, and may be used."""
    return [one for one in MIXTURES if set(one) <= set(tried) and (not allowed or named(one) in allowed)]


def mixed(mixture: Mapping[str, float], fitted: Mapping[str, Fitted]) -> Fitted:
    """The model of a mixture."""
    if len(mixture) == 1:
        return fitted[next(iter(mixture))]
    parts = tuple((weight, fitted[kind]) for kind, weight in mixture.items())
    return Blend(parts[0][1].features, parts)
