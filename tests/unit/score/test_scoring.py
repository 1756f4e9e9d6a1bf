"""Scoring: what the fast walk gives is what the artefact says, for any person and any model."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.score import bits, load, trees
from nudge.score.calibration import calibrated, sigmoid
from tests.unit.score import models

SIGMOID = {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0}


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_trees_score_any_person_as_the_artefact_says(data: st.DataObject) -> None:
    made = data.draw(models.boosting())
    vector = data.draw(models.vectors(made))
    slow = calibrated(made["calibration"])(models.walked(made, vector))
    assert load(json.loads(json.dumps(made))).probability(vector) == pytest.approx(slow, abs=1e-12)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_activities_asked_together_score_as_each_alone(data: st.DataObject) -> None:
    made = data.draw(models.boosting())
    vector = data.draw(models.vectors(made))
    scorer = load(made)
    names = ["nothing", "mail", "never seen"]
    assert scorer.probabilities(vector, names) == {
        name: scorer.probability(vector | {"activity": name}) for name in names
    }


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_model_that_is_asked_often_says_to_the_last_bit_what_it_said_at_first(data: st.DataObject) -> None:
    made = data.draw(models.boosting())
    vector, names = data.draw(models.vectors(made)), ["nothing", "mail", "never seen", None]
    read = trees.raw(made["features"], made["model"])
    first = read(vector, names)
    for _ in range(trees.OFTEN):
        assert read(vector, names) == first
    grown = [root for root in made["model"]["root"] if root >= 0]
    assert bits.prepared(made["features"], made["model"], 0.0) is not None or not grown


def test_a_large_tree_and_nodes_that_are_no_trees_are_walked() -> None:
    one = one_split()
    assert bits.prepared(one["features"], one["model"], 0.0)
    for change in ({"right": [-1]}, {"root": [0, 0]}, {"root": [-1]}):
        odd = one_split(**change)
        assert bits.prepared(odd["features"], odd["model"], 0.0) is None
    chain = list(range(1, 70))  # each node's left child is a leaf, its right one the next node
    model = {"root": [0], "feature": [0] * 69, "threshold": chain, "missing_left": [0] * 69}
    model |= {"left": [~leaf for leaf in range(69)], "right": [*chain[:-1], ~69], "leaf": [float(n) for n in range(70)]}
    many = one_split(**model)
    assert bits.prepared(many["features"], many["model"], 0.0) is None
    read = trees.raw(many["features"], many["model"])
    assert {read({"days": 40.5}, [None])[0] for _ in range(trees.OFTEN + 1)} == {40.0}


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_damaged_artefact_is_refused_or_still_ends(data: st.DataObject) -> None:
    made = copy.deepcopy(data.draw(models.boosting()))
    where = data.draw(st.sampled_from(sorted(made["model"])))
    wrong = data.draw(st.sampled_from([None, -1, 10**6, 1.5, "x", math.nan, math.inf, [], {}]))
    if isinstance(made["model"][where], list) and made["model"][where]:
        place = data.draw(st.integers(0, len(made["model"][where]) - 1))
        made["model"][where][place] = wrong
    else:
        made["model"][where] = wrong
    try:
        scorer = load(made)
    except BadInput:
        return
    assert 0 <= scorer.probability({}) <= 1


def one_split(**change: Any) -> dict[str, Any]:
    model = {"base": 0.0, "root": [0], "feature": [0], "threshold": [1.0], "missing_left": [1], "left": [-1]}
    model |= {"right": [-2], "leaf": [-1.0, 1.0], "sets": []} | change
    return models.artefact("boosting", [{"name": "days", "type": "number", "absent": None}], model, SIGMOID)


@pytest.mark.parametrize(
    "change",
    [
        {"left": [0]},
        {"left": [-3]},
        {"feature": [1]},
        {"threshold": [math.nan]},
        {"threshold": ["1"]},
        {"leaf": [1.0, math.inf]},
        {"root": [1]},
        {"missing_left": [2]},
        {"right": []},
    ],
)
def test_a_tree_that_could_run_away_is_refused(change: dict[str, Any]) -> None:
    load(one_split())
    with pytest.raises(BadInput, match="the model is broken"):
        load(one_split(**change))


@pytest.mark.parametrize("missing", [None, math.nan, math.inf, "text", 10**400])
def test_a_missing_number_goes_the_way_it_went_in_training(missing: Any) -> None:
    scorer = load(one_split())
    assert scorer.probability({"days": missing}) == scorer.probability({}) == sigmoid(-1.0)
    assert scorer.probability({"days": 2.0}) == sigmoid(1.0)


def test_an_absent_count_is_zero_and_an_unknown_name_changes_nothing() -> None:
    made = one_split()
    made["features"][0]["absent"] = 0.0
    made["model"]["missing_left"] = [0]
    assert load(made).probability({"other": 5.0}) == sigmoid(-1.0)


def test_it_says_which_activities_it_knows() -> None:
    made = one_split()
    made["activities"] = ["nothing", "mail"]
    assert load(made).knows("mail")
    assert not load(made).knows("banner")
    assert load(made).features == ("days",)


def test_a_linear_model_bends_by_activity() -> None:
    named = [
        {"name": "activity", "type": "category", "levels": ["mail", "nothing"], "absent": "nothing"},
        {"name": "n", "type": "number", "absent": 0.0},
        {"name": "d", "type": "number", "absent": None},
    ]
    terms: list[dict[str, Any]] = [
        {"levels": [0.5, 0.0], "other": -9.0},
        {"weight": 2.0, "center": 0.0, "missing": 0.0},
        {"weight": 1.0, "center": 0.0, "missing": 0.25},
    ]
    bends = [{"number": 1, "category": 0, "levels": [1.0, 0.0]}]
    made = models.artefact("logistic", named, {"intercept": 0.1, "terms": terms, "interactions": bends}, SIGMOID)
    scorer = load(made)
    assert scorer.probability({"n": math.e - 1}) == pytest.approx(sigmoid(0.1 + 2.0 + 0.25))
    assert scorer.probability({"n": math.e - 1, "activity": "mail"}) == pytest.approx(sigmoid(0.1 + 0.5 + 3.0 + 0.25))
    assert scorer.probability({"activity": "dance", "d": -math.e + 1}) == pytest.approx(sigmoid(0.1 - 9.0 - 1.0))


@given(st.floats(allow_nan=False))
def test_a_probability_stays_a_probability(z: float) -> None:
    assert 0 <= sigmoid(z) <= 1


@st.composite
def curved(draw: st.DrawFn) -> dict[str, Any]:
    """A regression with curves, bounds and bends."""
    named = draw(models.features())
    terms: list[dict[str, Any]] = []
    for feature in named:
        if feature["type"] == "number":
            xs = sorted(draw(st.lists(st.integers(-9, 9), unique=True, max_size=5)))
            low, high = sorted(draw(st.tuples(st.floats(-700, 700), st.floats(-700, 700))))
            term = {name: draw(st.floats(-3, 3)) for name in ("weight", "center", "missing")}
            terms.append({**term, "low": low, "high": high, "x": [float(x) for x in xs], "y": [0.5 * x for x in xs]})
        else:
            levels = [draw(st.floats(-3, 3)) for _ in feature["levels"]]
            terms.append({"levels": levels, "other": draw(st.floats(-3, 3))})
    kinds = {kind: [n for n, one in enumerate(named) if one["type"] == kind] for kind in ("number", "category")}
    bends = [
        {"number": number, "category": by, "levels": [0.25 * n for n in range(len(named[by]["levels"]))]}
        for number in kinds["number"][:2]
        for by in kinds["category"][:1]
    ]
    model = {"intercept": draw(st.floats(-3, 3)), "terms": terms, "interactions": bends}
    return models.artefact("logistic", named, model, SIGMOID)


@st.composite
def any_kind(draw: st.DrawFn) -> dict[str, Any]:
    """Trees with or without counts, a regression, or a blend of trees."""
    made = draw(st.one_of(models.boosting(), curved()))
    if made["kind"] == "boosting" and draw(st.booleans()):
        made["model"]["count"] = [1 + n % 7 for n in range(len(made["model"]["leaf"]))]
    if draw(st.booleans()):
        parts = [{"kind": made["kind"], "weight": weight, "model": made["model"]} for weight in (0.25, 0.75)]
        made |= {"kind": "blend", "model": {"parts": parts}}
    return made


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_what_the_features_add_adds_up_to_the_score(data: st.DataObject) -> None:
    made = data.draw(any_kind())
    vector = data.draw(models.vectors(made))
    scorer = load(json.loads(json.dumps(made)))
    for activity in ("nothing", "mail", "never seen"):
        base, added = scorer.contributions(vector, activity)
        assert base + sum(added.values()) == pytest.approx(scorer.log_odds(vector, activity), abs=1e-9)
        assert set(added) <= set(scorer.features)
        assert scorer.probabilities(vector, [activity])[activity] == scorer.probability(vector | {"activity": activity})


def test_a_curve_is_straight_between_its_points_and_level_beyond_them() -> None:
    term = {"weight": 0.0, "center": 0.0, "missing": 0.0, "x": [0.0, 1.0], "y": [0.0, 2.0], "low": -1.0, "high": 9.0}
    named = [{"name": "n", "type": "number", "absent": 0.0}]
    scorer = load(models.artefact("logistic", named, {"intercept": 0.0, "terms": [term], "interactions": []}, SIGMOID))
    half = math.expm1(0.5)
    assert scorer.log_odds({"n": half}, "nothing") == pytest.approx(1.0)
    assert scorer.log_odds({"n": -5.0}, "nothing") == 0.0
    assert scorer.log_odds({"n": 1e300}, "nothing") == 2.0


@pytest.mark.parametrize(
    "change", [{"x": [1.0, 1.0], "y": [0.0, 0.0]}, {"x": [1.0], "y": []}, {"low": math.nan}, {"low": 2.0, "high": 1.0}]
)
def test_a_curve_that_is_broken_is_refused(change: dict[str, Any]) -> None:
    term = {"weight": 0.0, "center": 0.0, "missing": 0.0} | change
    named = [{"name": "n", "type": "number", "absent": 0.0}]
    with pytest.raises(BadInput, match="the model is broken"):
        load(models.artefact("logistic", named, {"intercept": 0.0, "terms": [term], "interactions": []}, SIGMOID))
