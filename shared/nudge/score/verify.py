"""Is this artefact whole? Checked once, before it is used: every walk ends, every look-up hits, every number is finite.

In: parsed JSON. Out: nothing, or BadInput that says where. Knows neither signatures nor files (see `adapters.models`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from nudge.errors import BadInput

FORMAT = 1
KINDS = ("boosting", "logistic")
MOST_NODES = 2_000_000


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an artefact completely. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    try:
        _header(artefact)
        _calibration(artefact["calibration"])
        {"boosting": _trees, "logistic": _linear}[artefact["kind"]](artefact["features"], artefact["model"])
    except BadInput:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        raise _bad(type(wrong).__name__, str(wrong)[:80]) from None


def _bad(where: str, what: str) -> BadInput:
    return BadInput(f"the model is broken: {what}", reason="bad_model", where=where)


def _require(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise _bad(where, what)


def _header(artefact: Mapping[str, Any]) -> None:
    _require(artefact["format"] == FORMAT, "format", f"this code reads format {FORMAT}")
    _require(artefact["kind"] in KINDS, "kind", f"known kinds are {', '.join(KINDS)}")
    _require(isinstance(artefact["goal"], str), "goal", "must be text")
    _require(all(isinstance(name, str) for name in artefact["activities"]), "activities", "must be names")
    features = artefact["features"]
    names = [feature["name"] for feature in features]
    _require(len(set(names)) == len(names), "features", "a name stands twice")
    for feature in features:
        _feature(feature)


def _feature(feature: Mapping[str, Any]) -> None:
    name = feature["name"]
    _require(isinstance(name, str), "features", "a name must be text")
    if feature["type"] == "number":
        held = feature["absent"]
        _require(held is None or _finite(held), f"features.{name}", "absent must be a finite number or null")
    elif feature["type"] == "category":
        levels = feature["levels"]
        _require(all(isinstance(level, str) for level in levels), f"features.{name}", "levels must be text")
        _require(len(set(levels)) == len(levels), f"features.{name}", "a level stands twice")
        standard = feature.get("absent")
        _require(standard is None or isinstance(standard, str), f"features.{name}", "absent must be a level or null")
    else:
        raise _bad(f"features.{name}", "type must be number or category")


def _calibration(calibration: Mapping[str, Any]) -> None:
    kind = calibration["kind"]
    if kind == "sigmoid":
        _require(_finite(calibration["slope"]) and _finite(calibration["intercept"]), "calibration", "not finite")
    elif kind == "isotonic":
        xs, ys = calibration["x"], calibration["y"]
        _require(len(xs) == len(ys) > 0, "calibration", "x and y must be as long as each other")
        _numbers(xs, len(xs), "calibration.x")
        _numbers(ys, len(ys), "calibration.y")
        _require(all(a < b for a, b in pairwise(xs)), "calibration.x", "must rise")
        _require(all(0 < y < 1 for y in ys), "calibration.y", "must lie between 0 and 1")
        _require(all(a <= b for a, b in pairwise(ys)), "calibration.y", "must not fall")
    else:
        raise _bad("calibration.kind", "must be sigmoid or isotonic")


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(values: Sequence[Any], length: int, where: str) -> None:
    _require(isinstance(values, list) and len(values) == length, where, f"must be a list of {length}")
    kinds = set(map(type, values))
    _require(kinds <= {int, float}, where, "must hold numbers")
    if int in kinds:
        _require(all(abs(value) <= 2**53 for value in values if value.__class__ is int), where, "must hold numbers")
    _require(all(map(math.isfinite, values)), where, "must hold finite numbers")


def _indices(values: Sequence[Any], length: int, low: int, high: int, where: str) -> None:
    """`length` whole numbers with low ≤ each < high."""
    _require(isinstance(values, list) and len(values) == length, where, f"must be a list of {length}")
    whole = not values or (set(map(type, values)) == {int} and low <= min(values) and max(values) < high)
    _require(whole, where, f"must hold whole numbers from {low} to {high - 1}")


def _trees(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> None:
    """Nodes lie parents first (child > parent), leaves are `~number`: so each walk goes forward and ends at a leaf."""
    count, leaves = len(model["feature"]), len(model["leaf"])
    _require(count + leaves <= MOST_NODES, "model", "too many nodes")
    _require(_finite(model["base"]), "model.base", "must be a finite number")
    _numbers(model["leaf"], leaves, "model.leaf")
    _indices(model["root"], len(model["root"]), -leaves, count, "model.root")
    _indices(model["feature"], count, 0, len(features), "model.feature")
    _numbers(model["threshold"], count, "model.threshold")
    _indices(model["missing_left"], count, 0, 2, "model.missing_left")
    for side in ("left", "right"):
        _indices(model[side], count, -leaves, count, f"model.{side}")
        ahead = all(child < 0 or child > parent for parent, child in enumerate(model[side]))
        _require(ahead, f"model.{side}", "a child must come after its parent")
    sets = model["sets"]
    for number, (feature, threshold) in enumerate(zip(model["feature"], model["threshold"], strict=True)):
        if features[feature]["type"] == "category":
            known = threshold.__class__ is int and 0 <= threshold < len(sets)
            _require(known, f"model.threshold[{number}]", "must name a set of levels")
            _require(all(level.__class__ is int for level in sets[threshold]), "model.sets", "must hold levels")
            highest = max(sets[threshold], default=0)
            _require(highest < len(features[feature]["levels"]), "model.sets", "names a level that is not there")
            _require(min(sets[threshold], default=0) >= 0, "model.sets", "names a level that is not there")


def _linear(features: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> None:
    _require(_finite(model["intercept"]), "model.intercept", "must be a finite number")
    _require(len(model["terms"]) == len(features), "model.terms", "must be one for each feature")
    for feature, term in zip(features, model["terms"], strict=True):
        where = f"model.terms.{feature['name']}"
        if feature["type"] == "number":
            for key in ("weight", "center", "missing"):
                _require(_finite(term[key]), where, f"{key} must be a finite number")
        else:
            _numbers(term["levels"], len(feature["levels"]), where)
            _require(_finite(term["other"]), where, "other must be a finite number")
    for pair in model["interactions"]:
        _require(features[pair["number"]]["type"] == "number", "model.interactions", "number must be a number")
        _numbers(pair["levels"], len(features[pair["category"]]["levels"]), "model.interactions.levels")
        _require(features[pair["category"]]["type"] == "category", "model.interactions", "category must be one")
        _require(pair["number"] >= 0 and pair["category"] >= 0, "model.interactions", "must point to features")
