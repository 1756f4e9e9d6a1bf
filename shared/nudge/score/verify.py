"""Is this artefact whole? Checked once, before it is used: every walk ends, every look-up hits, every number is finite.

In: parsed JSON. Out: nothing, or BadInput that says where. Knows neither signatures nor files (see `adapters.models`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any

from nudge.errors import BadInput

FORMAT = 1
KINDS = ("logistic", "boosting", "forest", "blend")
"""Kinds of p(goal): what `score.load` reads."""
OTHERS = {
    "uplift": "nudge.score.uplift",
    "value": "nudge.score.lifetime",
    "recommend": "nudge.score.neighbours",
    "send_time": "nudge.score.hours",
    "intent": "nudge.score.text",
    "demand": "nudge.score.demand",
}
"""The others, and the modules that read them: each has `structure(artefact)` and `load(artefact)`. Imported when asked for:
who scores a propensity pays for nothing else."""
MOST_NODES = 2_000_000
MOST_PARTS = 16


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an artefact completely. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    try:
        if artefact["kind"] in OTHERS:
            import_module(OTHERS[artefact["kind"]]).structure(artefact)
            return
        _header(artefact)
        _calibration(artefact["calibration"])
        _model(artefact["kind"], artefact["features"], artefact["model"])
    except BadInput:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        raise bad(type(wrong).__name__, str(wrong)[:80]) from None


def _model(kind: str, features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> None:
    if kind != "blend":
        {"boosting": _trees, "forest": _trees, "logistic": _linear}[kind](features, model)
        return
    require(0 < len(model["parts"]) <= MOST_PARTS, "model.parts", f"must be 1 to {MOST_PARTS}")
    for part in model["parts"]:
        require(part["kind"] in KINDS and part["kind"] != "blend", "model.parts", "a part is no blend")
        require(finite(part["weight"]), "model.parts", "weight must be a finite number")
        _model(part["kind"], features, part["model"])


def bad(where: str, what: str) -> BadInput:
    return BadInput(f"the model is broken: {what}", reason="bad_model", where=where)


def require(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise bad(where, what)


def _header(artefact: Mapping[str, Any]) -> None:
    require(artefact["format"] == FORMAT, "format", f"this code reads format {FORMAT}")
    require(artefact["kind"] in KINDS, "kind", f"known kinds are {', '.join(KINDS)}")
    require(isinstance(artefact["name"], str), "name", "must be text")
    require(all(isinstance(name, str) for name in artefact["activities"]), "activities", "must be names")
    features = artefact["features"]
    names = [feature["name"] for feature in features]
    require(len(set(names)) == len(names), "features", "a name stands twice")
    for feature in features:
        _feature(feature)


def _feature(feature: Mapping[str, Any]) -> None:
    name = feature["name"]
    require(isinstance(name, str), "features", "a name must be text")
    if feature["type"] == "number":
        held = feature["absent"]
        require(held is None or finite(held), f"features.{name}", "absent must be a finite number or null")
    elif feature["type"] == "category":
        levels = feature["levels"]
        require(all(isinstance(level, str) for level in levels), f"features.{name}", "levels must be text")
        require(len(set(levels)) == len(levels), f"features.{name}", "a level stands twice")
        standard = feature.get("absent")
        require(standard is None or isinstance(standard, str), f"features.{name}", "absent must be a level or null")
    else:
        raise bad(f"features.{name}", "type must be number or category")


def _calibration(calibration: Mapping[str, Any]) -> None:
    kind = calibration["kind"]
    if kind == "sigmoid":
        require(finite(calibration["slope"]) and finite(calibration["intercept"]), "calibration", "not finite")
    elif kind == "isotonic":
        xs, ys = calibration["x"], calibration["y"]
        require(len(xs) == len(ys) > 0, "calibration", "x and y must be as long as each other")
        numbers(xs, len(xs), "calibration.x")
        numbers(ys, len(ys), "calibration.y")
        require(all(a < b for a, b in pairwise(xs)), "calibration.x", "must rise")
        require(all(0 < y < 1 for y in ys), "calibration.y", "must lie between 0 and 1")
        require(all(a <= b for a, b in pairwise(ys)), "calibration.y", "must not fall")
    else:
        raise bad("calibration.kind", "must be sigmoid or isotonic")


def finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def numbers(values: Sequence[Any], length: int, where: str) -> None:
    require(isinstance(values, list) and len(values) == length, where, f"must be a list of {length}")
    kinds = set(map(type, values))
    require(kinds <= {int, float}, where, "must hold numbers")
    if int in kinds:
        require(all(abs(value) <= 2**53 for value in values if value.__class__ is int), where, "must hold numbers")
    require(all(map(math.isfinite, values)), where, "must hold finite numbers")


def indices(values: Sequence[Any], length: int, low: int, high: int, where: str) -> None:
    """`length` whole numbers with low ≤ each < high."""
    require(isinstance(values, list) and len(values) == length, where, f"must be a list of {length}")
    whole = not values or (set(map(type, values)) == {int} and low <= min(values) and max(values) < high)
    require(whole, where, f"must hold whole numbers from {low} to {high - 1}")


def _trees(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> None:
    """Nodes lie parents first (child > parent), leaves are `~number`: so each walk goes forward and ends at a leaf."""
    count, leaves = len(model["feature"]), len(model["leaf"])
    require(count + leaves <= MOST_NODES, "model", "too many nodes")
    require(finite(model["base"]), "model.base", "must be a finite number")
    numbers(model["leaf"], leaves, "model.leaf")
    indices(model.get("count", [1] * leaves), leaves, 1, 2**53, "model.count")
    indices(model["root"], len(model["root"]), -leaves, count, "model.root")
    indices(model["feature"], count, 0, len(features), "model.feature")
    numbers(model["threshold"], count, "model.threshold")
    indices(model["missing_left"], count, 0, 2, "model.missing_left")
    for side in ("left", "right"):
        indices(model[side], count, -leaves, count, f"model.{side}")
        ahead = all(child < 0 or child > parent for parent, child in enumerate(model[side]))
        require(ahead, f"model.{side}", "a child must come after its parent")
    sets = model["sets"]
    for number, (feature, threshold) in enumerate(zip(model["feature"], model["threshold"], strict=True)):
        if features[feature]["type"] == "category":
            known = threshold.__class__ is int and 0 <= threshold < len(sets)
            require(known, f"model.threshold[{number}]", "must name a set of levels")
            require(all(level.__class__ is int for level in sets[threshold]), "model.sets", "must hold levels")
            highest = max(sets[threshold], default=0)
            require(highest < len(features[feature]["levels"]), "model.sets", "names a level that is not there")
            require(min(sets[threshold], default=0) >= 0, "model.sets", "names a level that is not there")


def _curve(term: Mapping[str, Any], where: str) -> None:
    """A number may have a curve: points `x` that rise, and its height at each, `y`."""
    xs, ys = term.get("x", []), term.get("y", [])
    numbers(xs, len(xs), where)
    numbers(ys, len(xs), where)
    require(all(a < b for a, b in pairwise(xs)), where, "x must rise")
    require(all(finite(term[edge]) for edge in ("low", "high") if edge in term), where, "bounds must be finite")
    require(term.get("low", -math.inf) <= term.get("high", math.inf), where, "low must not lie above high")


def _linear(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> None:
    require(finite(model["intercept"]), "model.intercept", "must be a finite number")
    require(len(model["terms"]) == len(features), "model.terms", "must be one for each feature")
    for feature, term in zip(features, model["terms"], strict=True):
        where = f"model.terms.{feature['name']}"
        if feature["type"] == "number":
            for key in ("weight", "center", "missing"):
                require(finite(term[key]), where, f"{key} must be a finite number")
            _curve(term, where)
        else:
            numbers(term["levels"], len(feature["levels"]), where)
            require(finite(term["other"]), where, "other must be a finite number")
    for pair in model["interactions"]:
        require(features[pair["number"]]["type"] == "number", "model.interactions", "number must be a number")
        numbers(pair["levels"], len(features[pair["category"]]["levels"]), "model.interactions.levels")
        require(features[pair["category"]]["type"] == "category", "model.interactions", "category must be one")
        require(pair["number"] >= 0 and pair["category"] >= 0, "model.interactions", "must point to features")
