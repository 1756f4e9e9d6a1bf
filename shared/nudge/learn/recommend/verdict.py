"""Is the recommender better, on the last slice, than what is in force by more than noise? And its card.

In: a `Trained`. Out: figures with intervals (bootstrap over people), gates, the card as JSON. Knows no data.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import polars
import scipy

from nudge.learn.export import TOLERANCE
from nudge.learn.gate import ALREADY, BETTER, Answer, Gate
from nudge.learn.judge import Rows
from nudge.learn.recipe import Recipe
from nudge.learn.recommend.contest import Trained
from nudge.learn.recommend.interactions import Numbers
from nudge.learn.recommend.recipe import Settings

LIMITS = (
    "Judged on what people chose by themselves and on what they were shown: what nobody was shown may be better than it looks.",
    "Judged by the day: what a person buys on a day, from what was known at its midnight (UTC). Within a session it may do better.",
    "Items that nobody met before the last slice have no neighbours; they are reached when it is trained again.",
)
FEATURES = {
    "recent": "items met, the latest first, with the time of the latest event of each (the profile's newest items)",
    "strength": "the weight of the strongest event with an item (`events` of the artefact)",
    "bought": "items bought before: not named again unless the plan says so",
    "basket": "items in hand, where the question names them: they count as met just now",
}


def figures(trained: Trained, recipe: Recipe) -> dict[str, dict[str, list[float]]]:
    """{model: {ndcg, hit_rate: [value, low, high]}} on the last slice."""
    return {name: _figures(values, trained.people, recipe) for name, values in trained.judged.items()}


def _figures(values: Numbers, people: Numbers, recipe: Recipe) -> dict[str, list[float]]:
    rows = _rows(people)
    measured = {"ndcg": values, "hit_rate": (values > 0).astype(float)}
    drawn = [
        [float(one @ w / w.sum()) for one in measured.values()] for w in rows.resamples(recipe.resamples, recipe.seed)
    ]
    tail = (1 - recipe.confidence) / 2
    edges = np.quantile(np.array(drawn), [tail, 1 - tail], axis=0)
    return {
        name: [float(one.mean()), float(edges[0, number]), float(edges[1, number])]
        for number, (name, one) in enumerate(measured.items())
    }


def gates(trained: Trained, version: str, present: str | None, recipe: Recipe) -> Answer:
    """Better than the model in force (`present`; popularity where there is none), and equal to numpy."""
    return Answer(
        (
            better(trained, version, present, recipe),
            Gate("parity", trained.parity <= TOLERANCE, f"differs from numpy by at most {trained.parity:.2g}"),
        )
    )


def better(trained: Trained, version: str, present: str | None, recipe: Recipe) -> Gate:
    """Is its NDCG on the last slice higher by more than noise (paired bootstrap over people)?"""
    if present == version:
        return Gate(BETTER, False, ALREADY)
    against = "popularity" if present is None else present
    gains = trained.judged["blend"] - trained.judged["popular" if present is None else "present"]
    resamples = _rows(trained.people).resamples(max(recipe.resamples, 500), recipe.seed + 1)
    least = float(np.quantile([float(gains @ w / w.sum()) for w in resamples], 1 - recipe.confidence))
    gain = float(gains.mean())
    sure = f"NDCG@10 higher by {gain:.4f} (at least {least:.4f} with {recipe.confidence:.0%} confidence)"
    if least > 0:
        return Gate(BETTER, True, f"better than {against}: {sure}")
    return Gate(BETTER, False, f"not better than {against} by more than noise: {sure}")


def _rows(people: Numbers) -> Rows:
    number = np.unique(people, return_inverse=True)[1]
    return Rows(np.zeros(len(people)), np.ones(len(people)), number)


def card(trained: Trained, data: Mapping[str, Any], settings: Settings, recipe: Recipe) -> dict[str, Any]:
    """The card as JSON. `all_kinds` holds each part alone and the model in force, on the same cases."""
    found = figures(trained, recipe)
    artefact = trained.artefact
    return {
        "name": artefact["name"],
        "kind": "recommend",
        "data": dict(data),
        "counts": trained.counts,
        "fitted_until": artefact["until"],
        "metrics": found["blend"],
        "all_kinds": found,
        "chosen_by": {"slice": "the one before the last", "ndcg": trained.chosen_by},
        "blend": trained.weights,
        "options": trained.options,
        "parity": trained.parity,
        "features": list(FEATURES),
        "definitions": FEATURES,
        "events": artefact["events"],
        "tables": [
            {"by": table["by"], "decay": table["decay"], "entries": len(table["item"])} for table in artefact["tables"]
        ],
        "limits": list(LIMITS),
        "recipe": asdict(recipe) | {"recommend": asdict(settings)},
        "libraries": {
            "python": platform.python_version(),
            **{one.__name__: one.__version__ for one in (np, scipy, polars)},
        },
    }
