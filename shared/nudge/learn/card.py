"""What a reader must know about a model to trust it: data, bounds, figures with intervals, versions. No clock in it:
the same training gives the same bytes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy
import pandas
import polars
import sklearn

from nudge.learn.recipe import Recipe
from nudge.vocabulary import Goal

LIMITS = (
    "Traits of before they were first told are taken from their earliest value: where a trait reflects an outcome, "
    "that is a leak. A file with `updated_at`, and the vectors logged with decisions, are free of it.",
)


def card(
    goal: Goal,
    *,
    kind: str,
    spec: str,
    data: Mapping[str, Any],
    slices: Mapping[str, Any],
    figures: Mapping[str, Any],
    chosen_by: Mapping[str, Any],
    parity: float,
    reliability: list[dict[str, float]],
    features: list[dict[str, Any]],
    recipe: Recipe,
    importances: list[dict[str, Any]],
) -> dict[str, Any]:
    """The card as JSON. `figures` is {model kind: {metric: [value, low, high]}} on the last slice of time."""
    capped = [name for name in ("train", "test") if slices[name]["used"] < slices[name]["rows"]]
    return {
        "goal": goal._asdict(),
        "kind": kind,
        "spec": spec,
        "data": dict(data),
        "slices": dict(slices),
        "sampled": capped,
        "metrics": figures[kind],
        "all_kinds": dict(figures),
        "chosen_by": dict(chosen_by),
        "parity": parity,
        "reliability": reliability,
        "features": [feature["name"] for feature in features],
        "importances": importances,
        "limits": list(LIMITS),
        "recipe": asdict(recipe),
        "libraries": {
            "python": platform.python_version(),
            **{one.__name__: one.__version__ for one in (numpy, pandas, polars, sklearn)},
        },
    }
