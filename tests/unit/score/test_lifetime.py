"""What a person is worth, by an artefact: whole ones answer, broken ones are refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.score import lifetime, verify

NAMES = ("total.purchase", "days_since.purchase", "days_since_first.purchase", "value.purchase.total")


def artefact() -> dict[str, Any]:
    trees = {
        "base": 0.1,
        "root": [0],
        "feature": [0],
        "threshold": [2.5],
        "missing_left": [1],
        "left": [-1],
        "right": [-2],
        "leaf": [-0.2, 0.4],
        "sets": [],
    }
    features = [{"name": "count.page_view.7d", "type": "number", "absent": 0.0}]
    return {
        "format": 1,
        "kind": "value",
        "name": "value.purchase",
        "event": "purchase",
        "horizon_days": 90.0,
        "buying": [
            {"model": "bg_nbd", "parameters": [0.243, 30.9, 0.793, 2.426], "bend": 0.3, "share": 0.5},
            {"model": "pareto_nbd", "parameters": [0.553, 74.0, 0.606, 81.7], "bend": 0.5, "share": 0.5},
        ],
        "never": 0.001,
        "correction": {"weight": 0.5, "days": 45.0, "features": features, "model": trees},
        "typical": {"mean": [0.0, 1.0, 3.0], "median": [0.0, 0.0, 2.5]},
        "spend": {"p": 6.25, "q": 3.74, "v": 15.44, "everyone": 36.0, "center": 3.5, "scale": 0.4},
    }


VECTOR = {
    "total.purchase": 5.0,
    "days_since.purchase": 10.0,
    "days_since_first.purchase": 270.0,
    "value.purchase.total": 200.0,
}


def test_a_customer_is_worth_their_purchases_at_their_price() -> None:
    said = lifetime.load(artefact()).value(VECTOR)
    assert 0.9 < said["alive"] <= 1
    assert said["spend"] / said["purchases"] == pytest.approx(6.25 * (15.44 + 200) / (6.25 * 5 + 2.74))
    assert said["typical"] < said["purchases"]


def test_of_two_who_bought_as_often_the_one_with_the_larger_orders_buys_more_by_the_bend() -> None:
    model = lifetime.load(artefact())
    small, large = (model.value(VECTOR | {"value.purchase.total": total})["purchases"] for total in (50.0, 500.0))
    assert small < large
    straight = [one | {"bend": 0.0} for one in artefact()["buying"]]
    plain = lifetime.load(artefact() | {"buying": straight})
    small, large = (plain.value(VECTOR | {"value.purchase.total": total})["purchases"] for total in (50.0, 500.0))
    assert small == large


def test_who_never_bought_has_not_stopped_and_is_worth_what_such_people_are() -> None:
    model = lifetime.load(artefact() | {"correction": None})
    assert model.value({}) == {
        "alive": 1.0,
        "purchases": pytest.approx(0.09),
        "spend": pytest.approx(3.24),
        "typical": 0.0,
    }


def test_the_correction_speaks_of_the_days_it_was_learned_over_and_of_no_later_ones() -> None:
    plain, corrected = lifetime.load(artefact() | {"correction": None}), lifetime.load(artefact())
    busy = VECTOR | {"count.page_view.7d": 9.0}
    added = [
        corrected.value(busy, days)["purchases"] - plain.value(busy, days)["purchases"] for days in (20, 45, 90, 365)
    ]
    assert 0 < added[0] < added[1]
    assert added[2:] == [pytest.approx(added[1])] * 2


@given(
    st.dictionaries(
        st.sampled_from([*NAMES, "count.page_view.7d"]),
        st.one_of(st.none(), st.floats(), st.integers(), st.booleans(), st.text(max_size=3)),
    )
)
def test_whatever_stands_in_a_vector_the_answer_is_finite(vector: dict[str, Any]) -> None:
    said = lifetime.load(artefact()).value(vector)
    assert all(verify.finite(value) and value >= 0 for value in said.values())
    assert said["alive"] <= 1


BROKEN = [
    (("buying", 0, "parameters", 1), 0.0),
    (("buying", 0, "parameters", 2), 1.0),
    (("buying", 0, "share"), 0.7),
    (("buying", 0, "bend"), 9.0),
    (("buying", 1, "model"), "oracle"),
    (("typical", "median"), [0.0, 2.0, 1.0]),
    (("typical", "mean"), []),
    (("spend", "q"), 0.9),
    (("spend", "scale"), 0.0),
    (("correction", "model", "feature"), [7]),
    (("correction", "weight"), 2),
    (("horizon_days",), None),
    (("never",), -1),
    (("format",), 2),
]


@pytest.mark.parametrize(("path", "value"), BROKEN)
def test_a_broken_artefact_is_refused(path: tuple[Any, ...], value: object) -> None:
    broken = copy.deepcopy(artefact())
    at = broken
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(BadInput) as refused:
        verify.structure(broken)
    assert refused.value.reason == "bad_model"


def test_a_whole_one_survives_json() -> None:
    assert lifetime.load(json.loads(json.dumps(artefact()))).value(VECTOR) == lifetime.load(artefact()).value(VECTOR)
