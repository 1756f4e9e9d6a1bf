"""Effects in plain Python: they are what the artefact says, and a broken artefact is refused."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.score import verify
from nudge.score.uplift import load
from tests.unit.score import models


def artefact(features: list[dict[str, Any]], activities: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "kind": "uplift",
        "name": "uplift.g",
        "until": 0,
        "features": features,
        "activities": activities,
    }


def activity(terms: list[dict[str, Any]], **more: float) -> dict[str, Any]:
    plain = {"average": 0.02, "low": 0.0, "high": 0.04, "center": 0.0, "slope": 1.0}
    return plain | {"heterogeneous": bool(terms), "terms": terms} | more


@st.composite
def uplifts(draw: st.DrawFn) -> dict[str, Any]:
    """Trees through either link, and activities that are the same for all."""
    made = draw(models.boosting().filter(lambda one: all(f["name"] != "activity" for f in one["features"])))
    terms = [
        {"weight": draw(st.floats(-2, 2)), "link": link, "kind": "boosting", "model": made["model"]}
        for link in draw(st.lists(st.sampled_from(["identity", "logistic"]), min_size=1, max_size=3))
    ]
    bent = activity(terms, center=draw(st.floats(-1, 1)), slope=draw(st.floats(0, 1)))
    return artefact(made["features"], {"mail": bent, "banner": activity([], average=draw(st.floats(-1, 1)))})


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_an_effect_is_what_the_artefact_says_of_any_person(data: st.DataObject) -> None:
    made = data.draw(uplifts())
    scorer = load(json.loads(json.dumps(made)))
    for vector in data.draw(st.lists(models.vectors(made), min_size=1, max_size=3)):
        mail, said = made["activities"]["mail"], scorer.effects(vector)
        total = 0.0
        for term in mail["terms"]:
            raw = models.walked({"features": made["features"], "model": term["model"]}, vector)
            total += term["weight"] * (1 / (1 + math.exp(-raw)) if term["link"] == "logistic" else raw)
        wanted = mail["average"] + mail["slope"] * (total - mail["center"])
        assert said["mail"] == pytest.approx(min(max(wanted, -1), 1), abs=1e-9)
        assert said["banner"] == made["activities"]["banner"]["average"]
        assert all(-1 <= one <= 1 for one in said.values())


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_artefact_is_refused_or_still_answers(data: st.DataObject) -> None:
    made = json.loads(json.dumps(data.draw(uplifts())))
    place: Any = made
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 4)) == 0:
            break
        place = place[key]
    odd = st.one_of(st.none(), st.integers(-3, 10), st.floats(), st.text(max_size=2), st.just([]), st.just({}))
    place[key] = data.draw(odd)
    try:
        said = load(made).effects({"n0": 1.0, "c0": "DE"})
    except BadInput:
        return
    assert all(math.isfinite(one) for one in said.values())


def test_a_line_through_a_logistic_is_a_difference_of_probabilities() -> None:
    features = [{"name": "x", "type": "number", "absent": 0.0}]
    terms = [
        {
            "weight": sign,
            "link": "logistic",
            "kind": "logistic",
            "model": {
                "intercept": intercept,
                "terms": [{"weight": weight, "center": 0.0, "missing": 0.0}],
                "interactions": [],
            },
        }
        for sign, intercept, weight in ((1.0, 0.0, 1.0), (-1.0, 0.0, 0.0))
    ]
    scorer = load(artefact(features, {"mail": activity(terms, average=0.0)}))
    assert scorer.effects({})["mail"] == pytest.approx(0.0)
    assert scorer.effects({"x": math.e - 1})["mail"] == pytest.approx(1 / (1 + math.exp(-1)) - 0.5)
    assert scorer.heterogeneous


def test_where_nothing_differs_everybody_has_the_average() -> None:
    scorer = load(artefact([], {"mail": activity([])}))
    assert scorer.effects({"x": 7.0}) == {"mail": 0.02}
    assert not scorer.heterogeneous
    assert scorer.averages == {"mail": (0.02, 0.0, 0.04)}


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"until": None},
        {"activities": {}},
        {"activities": {"mail": activity([], average=1.5)}},
        {"activities": {"mail": activity([], low=math.nan)}},
        {"activities": {"mail": activity([]) | {"heterogeneous": True}}},
        {"features": [{"name": "activity", "type": "category", "levels": ["mail"], "absent": None}]},
    ],
)
def test_what_is_not_whole_is_refused(change: dict[str, Any]) -> None:
    made = artefact([], {"mail": activity([])}) | change
    with pytest.raises(BadInput) as refused:
        verify.structure(copy.deepcopy(made))
    assert refused.value.reason == "bad_model"
