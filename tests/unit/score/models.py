"""Random artefacts and vectors, for properties of scoring; and a scorer that walks an artefact the slow, obvious way."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
moderate = st.floats(-50, 50)
LEVELS = ("DE", "FR", "中文", "")


@st.composite
def features(draw: st.DrawFn) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        made.append({"name": f"n{number}", "type": "number", "absent": draw(st.sampled_from([0.0, None, 1.0]))})
    for number in range(draw(st.integers(0, 3))):
        levels = draw(st.lists(st.sampled_from(LEVELS), unique=True, min_size=1))
        made.append({"name": f"c{number}", "type": "category", "levels": levels, "absent": None})
    if draw(st.booleans()):
        made.append({"name": "activity", "type": "category", "levels": ["mail", "nothing"], "absent": "nothing"})
    return draw(st.permutations(made))


@st.composite
def boosting(draw: st.DrawFn) -> dict[str, Any]:
    named = draw(features())
    model: dict[str, Any] = {name: [] for name in ("root", "feature", "threshold", "missing_left", "left", "right")}
    model |= {"leaf": [], "sets": [], "base": draw(moderate)}

    def grow(depth: int) -> int:
        if depth == 0 or draw(st.integers(0, 3)) == 0:
            model["leaf"].append(draw(moderate))
            return ~(len(model["leaf"]) - 1)
        place = len(model["feature"])
        feature = draw(st.integers(0, len(named) - 1))
        threshold: Any = draw(st.one_of(moderate, finite))
        if named[feature]["type"] == "category":
            codes = range(len(named[feature]["levels"]))
            model["sets"].append(draw(st.lists(st.sampled_from(codes), unique=True)))
            threshold = len(model["sets"]) - 1
        model["feature"].append(feature)
        model["threshold"].append(threshold)
        model["missing_left"].append(draw(st.integers(0, 1)))
        for side in ("left", "right"):
            model[side].append(0)
        for side in ("left", "right"):
            model[side][place] = grow(depth - 1)
        return place

    for _ in range(draw(st.integers(0, 4))):
        model["root"].append(grow(3))
    return artefact("boosting", named, model, draw(calibrations()))


@st.composite
def calibrations(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"kind": "sigmoid", "slope": draw(st.floats(-3, 3)), "intercept": draw(st.floats(-3, 3))}
    xs = sorted(draw(st.lists(st.integers(-20, 20), unique=True, min_size=1, max_size=6)))
    ys = sorted(draw(st.lists(st.floats(0.001, 0.999), min_size=len(xs), max_size=len(xs))))
    return {"kind": "isotonic", "x": [float(x) for x in xs], "y": ys}


def artefact(
    kind: str, named: list[dict[str, Any]], model: dict[str, Any], calibration: dict[str, Any]
) -> dict[str, Any]:
    return {
        "format": 1,
        "kind": kind,
        "name": "g",
        "spec": "s",
        "features": named,
        "activities": ["nothing"],
        "typical_value": None,
        "model": model,
        "calibration": calibration,
    }


values = st.one_of(
    finite, st.none(), st.sampled_from([*LEVELS, "never seen", math.nan, math.inf, -math.inf, 10**400, True])
)


def vectors(made: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = [feature["name"] for feature in made["features"]]
    return st.dictionaries(st.sampled_from([*names, "a name that no model knows"]), values)


def walked(made: dict[str, Any], vector: dict[str, Any]) -> float:
    """Log-odds of a boosting artefact, node by node, as scikit-learn documents it."""
    model, total = made["model"], made["model"]["base"]
    for root in model["root"]:
        place = root
        while place >= 0:
            feature = made["features"][model["feature"][place]]
            value = vector.get(feature["name"], feature["absent"])
            if feature["type"] == "category":
                level = value if value is None or isinstance(value, str) else str(value)
                known = level in feature["levels"]
                left = known and feature["levels"].index(level) in model["sets"][model["threshold"][place]]
            else:
                usable = isinstance(value, int | float) and _fits(value)
                value = float(value) if usable else feature["absent"]  # type: ignore[arg-type]
                known, left = value is not None, value is not None and value <= model["threshold"][place]
            goes_left = left if known else bool(model["missing_left"][place])
            place = model["left" if goes_left else "right"][place]
        total += model["leaf"][~place]
    return float(total)


def _fits(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
