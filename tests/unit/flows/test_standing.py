"""What the report shows of models: their cards, and whether anybody may trust them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nudge.adapters.memory import MemoryObjects, MemorySigner
from nudge.adapters.models import StoredModels
from nudge.flows import standing

ARTEFACT: dict[str, Any] = {
    "format": 1,
    "kind": "logistic",
    "name": "purchase",
    "activities": ["nothing"],
    "features": [{"name": "total.purchase", "type": "number", "absent": 0.0}],
    "calibration": {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0},
    "model": {
        "intercept": 0.1,
        "terms": [{"weight": 0.1, "center": 0.0, "scale": 1.0, "missing": 0.0, "log": False}],
        "interactions": [],
    },
}
CARD: dict[str, Any] = {"kind": "logistic", "metrics": {"auc": [0.7, 0.6, 0.8]}, "golden": [1], "limits": ["Some."]}


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()


@pytest.fixture
def models(objects: MemoryObjects) -> StoredModels:
    made = StoredModels(objects, MemorySigner(), clock=lambda: 0, fresh_for=0)
    files = {"model.json": json.dumps(ARTEFACT).encode(), "card.json": json.dumps(CARD).encode()}
    made.publish("purchase", "v1", files)
    assert made.promote("purchase", "v1", token=made.token("purchase"), reason="better")
    made.verdict("purchase", "v1", {"reason": "better", "gates": [{"name": "leak", "passed": True, "said": "none"}]})
    objects.put("models/purchase/drift.json", json.dumps({"version": "v1", "score": 0.1}).encode())
    return made


def test_a_signed_card_is_shown_as_verified(objects: MemoryObjects, models: StoredModels) -> None:
    purchase, moon = standing.models(objects, ["purchase", "moon"], models)
    assert (purchase["signature"], purchase["version"], purchase["kind"]) == ("verified", "v1", "logistic")
    assert purchase["card"]["limits"] == ["Some."]
    assert not {"golden", "metrics"} & set(purchase["card"])
    assert purchase["gates"][0]["name"] == "leak"
    assert purchase["drift"]["score"] == 0.1
    assert (moon["signature"], moon["card"], moon["drift"]) == (None, {}, {})


def test_a_card_that_somebody_changed_is_shown_as_not_ours(objects: MemoryObjects, models: StoredModels) -> None:
    objects.put("models/purchase/v1/card.json", json.dumps(CARD | {"limits": []}).encode())
    assert standing.models(objects, ["purchase"], models)[0]["signature"] == "not ours"


def test_a_pointer_that_somebody_changed_is_shown_as_not_ours(objects: MemoryObjects, models: StoredModels) -> None:
    pointer = json.loads(objects.get("models/purchase/champion.json")) | {"token": 99}
    objects.put("models/purchase/champion.json", json.dumps(pointer).encode())
    assert standing.models(objects, ["purchase"], models)[0]["signature"] == "not ours"


def test_where_nobody_checked_it_says_so(objects: MemoryObjects, models: StoredModels) -> None:
    assert standing.models(objects, ["purchase"], None)[0]["signature"] == "not checked"


def test_drift_of_an_earlier_champion_is_not_shown(objects: MemoryObjects, models: StoredModels) -> None:
    objects.put("models/purchase/drift.json", json.dumps({"version": "v0", "score": 0.9}).encode())
    assert standing.models(objects, ["purchase"], models)[0]["drift"] == {}


FORECAST: dict[str, Any] = {
    "format": 1,
    "kind": "demand",
    "name": "demand.purchase.value.all.day",
    "event": "purchase",
    "of": "value",
    "by": "all",
    "every": "day",
    "method": "library",
    "naive_method": "seasonal_naive",
    "start": "2026-04-01",
    "horizon": 2,
    "confidence": 0.95,
    "series": [
        {
            "name": "all",
            "value": [10.0, 11.0],
            "low": [8.0, 8.5],
            "high": [12.0, 13.0],
            "naive": [9.0, 9.0],
            "points": [7.0, 8.0, 9.0],
            "flags": [],
        }
    ],
}


def test_a_forecast_in_force_is_told_by_the_calendar_and_a_broken_or_absent_one_is_left_out(
    objects: MemoryObjects,
) -> None:
    made = StoredModels(objects, MemorySigner(), clock=lambda: 0, fresh_for=0)
    for name, artefact in (("demand.good", FORECAST), ("demand.bad", FORECAST | {"horizon": 9})):
        held = json.dumps(artefact | {"name": name}).encode()
        made.publish(name, "v1", {"model.json": held, "card.json": b"{}"})
        made.promote(name, "v1", token=made.token(name), reason="better")
    names = ["demand.good", "demand.bad", "demand.none"]
    for verified in (made, None):
        (told,) = standing.forecasts(objects, names, verified)
        assert (told["name"], told["of"], told["every"]) == ("demand.good", "value", "day")
        (series,) = told["series"]
        assert [point["at"] for point in series["points"]] == ["2026-03-29", "2026-03-30", "2026-03-31"]
        assert series["forecast"][0] == {"at": "2026-04-01", "value": 10.0, "low": 8.0, "high": 12.0, "naive": 9.0}
