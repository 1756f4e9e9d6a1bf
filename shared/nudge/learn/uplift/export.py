"""Effects of all activities → the JSON that is stored, and the gate that it must pass before it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nudge.errors import NotReady
from nudge.learn.export import FORMAT, TOLERANCE, canonical, hostile, spec, typed, vectors
from nudge.learn.features import Feature
from nudge.learn.uplift.effect import Effect
from nudge.vocabulary import Micros, Vector


class Effects(Protocol):
    """What `score.uplift.load` gives."""

    def effects(self, vector: Vector) -> dict[str, float]: ...


type Load = Callable[[Mapping[str, Any]], Effects]


def artefact(
    name: str, goal: str, features: Sequence[Feature], effects: Mapping[str, Effect], *, until: Micros
) -> bytes:
    """The stored form; see `score.uplift` for its shape. `until` is the last decision that was learned from."""
    return canonical(
        {
            "format": FORMAT,
            "kind": "uplift",
            "name": name,
            "goal": goal,
            "until": until,
            "spec": spec(features),
            "features": list(features),
            "activities": {activity: effect.export() for activity, effect in effects.items()},
        }
    )


def parity(
    stored: bytes,
    load: Load,
    features: Sequence[Feature],
    effects: Mapping[str, Effect],
    held: pd.DataFrame,
    seed: int,
) -> float:
    """The largest difference between the stored form, scored as online, and scikit-learn's, on held and hostile rows.

    Raises NotReady when it exceeds 1e-9: such an artefact is not published.
    """
    scorer = load(json.loads(stored))
    rows = pd.concat([held, hostile(features, held, seed)], ignore_index=True) if features else held
    told = typed(rows, features)
    ours = [scorer.effects(vector) for vector in vectors(rows, features)] if features else [scorer.effects({})]
    worst = 0.0
    for activity, effect in effects.items():
        said = np.array([one[activity] for one in ours])
        worst = max(worst, float(np.max(np.abs(said - effect.on(told)[: len(said)]), initial=0.0)))
    if not worst <= TOLERANCE:
        raise NotReady(
            f"the stored effects differ from scikit-learn's by {worst:.3g}; they are not published",
            missing={"parity": worst, "allowed": TOLERANCE},
        )
    return worst
