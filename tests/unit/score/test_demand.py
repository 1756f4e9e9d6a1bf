"""Stored forecasts: read with their dates; anything that is not whole is refused before it is used."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest

from nudge.errors import BadInput, NotFound
from nudge.score import verify
from nudge.score.demand import load

WHOLE: dict[str, Any] = {
    "format": 1,
    "kind": "demand",
    "name": "demand.purchase.count.category.week",
    "event": "purchase",
    "of": "count",
    "by": "category",
    "every": "week",
    "horizon": 2,
    "confidence": 0.95,
    "start": "2026-08-03",
    "method": "library",
    "naive_method": "naive",
    "series": [
        {
            "name": "books",
            "points": [4.0, 6.0],
            "value": [5.0, 5.5],
            "low": [1.0, 0.0],
            "high": [9.0, 11.0],
            "naive": [6.0, 6.0],
            "flags": [{"at": "2026-07-20", "kind": "anomaly", "value": 4.0, "expected": 9.0, "score": -4.1}],
        }
    ],
}


def test_weeks_are_named_by_their_monday() -> None:
    held = load(WHOLE)
    assert [row["at"] for row in held.forecast("books")] == ["2026-08-03", "2026-08-10"]
    assert held.points("books") == [{"at": "2026-07-20", "value": 4.0}, {"at": "2026-07-27", "value": 6.0}]
    assert held.flags("books")[0]["kind"] == "anomaly"
    assert set(held.shown("books")) == {"series", "every", "points", "forecast", "flags"}
    verify.structure(WHOLE)


def test_a_series_that_is_not_held_is_said_to_be_unknown() -> None:
    with pytest.raises(NotFound):
        load(WHOLE).forecast("moon")


BREAK: list[Callable[[dict[str, Any]], object]] = [
    lambda a: a.update(format=2),
    lambda a: a.update(every="hour"),
    lambda a: a.update(by="colour"),
    lambda a: a.update(of="weight"),
    lambda a: a.update(horizon=0),
    lambda a: a.update(horizon=2.0),
    lambda a: a.update(confidence=1),
    lambda a: a.update(start="tomorrow"),
    lambda a: a.update(series=[]),
    lambda a: a.update(series=a["series"] * 2),
    lambda a: a.pop("method"),
    lambda a: a["series"][0]["value"].append(1.0),
    lambda a: a["series"][0].update(low=[6.0, 0.0]),
    lambda a: a["series"][0].update(high=[math.inf, 11.0]),
    lambda a: a["series"][0].update(naive=[math.nan, 1.0]),
    lambda a: a["series"][0].update(points=[]),
    lambda a: a["series"][0].update(points=["4"]),
    lambda a: a["series"][0].update(name=4),
    lambda a: a["series"][0]["flags"][0].update(at="yesterday"),
    lambda a: a["series"][0]["flags"][0].update(kind="oddity"),
    lambda a: a["series"][0]["flags"][0].update(score=None),
]


@pytest.mark.parametrize("wrong", BREAK)
def test_what_is_not_whole_is_refused(wrong: Callable[[dict[str, Any]], object]) -> None:
    broken = copy.deepcopy(WHOLE)
    wrong(broken)
    with pytest.raises(BadInput) as error:
        load(broken)
    assert error.value.reason == "bad_model"
