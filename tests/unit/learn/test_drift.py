"""Drift: nothing moves by chance alone, what moves is seen and named, and outcomes that do not come are missed."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from nudge.learn import drift, judge

FEATURES: list[dict[str, Any]] = [
    {"name": "visits", "type": "number", "absent": 0.0},
    {"name": "days", "type": "number", "absent": None},
    {"name": "country", "type": "category", "levels": ["DE", "FR"], "absent": None},
]
THRESHOLDS = {"stability": 0.25, "calibration": 0.05}


def people(number: int, seed: int, *, visits: float = 1.0, french: float = 0.3) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "visits": rng.gamma(1, 2 * visits, number),
            "days": np.where(rng.random(number) < 0.3, np.nan, rng.gamma(2, 5, number)),
            "country": np.where(rng.random(number) < french, "FR", "DE"),
        }
    )


def score(rows: pl.DataFrame) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(2 - 0.3 * rows["visits"].to_numpy()))
    return found


def stability(then: pl.DataFrame, now: pl.DataFrame, **weights: float) -> dict[str, Any]:
    return drift.stability(drift.reference(then, FEATURES, score(then)), now, FEATURES, score(now), weights)


def test_the_same_people_have_not_moved() -> None:
    then = people(3000, 0)
    found = stability(then, then)
    assert found["score"] == pytest.approx(0, abs=1e-9)
    assert found["inputs"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("number", [120, 400, 3000])
def test_others_of_the_same_kind_are_not_called_drifted_by_chance(number: int) -> None:
    false = [
        max(drift.over(stability(people(number, seed), people(number, seed + 100)), THRESHOLDS).values()) > 1
        for seed in range(30)
    ]
    assert sum(false) <= 1


def test_what_moved_is_seen_and_named() -> None:
    found = stability(people(3000, 0), people(3000, 1, visits=5.0))
    assert next(iter(found["moved"])) == "visits"
    assert drift.over(found, THRESHOLDS)["score"] > 1


def test_an_input_that_matters_weighs_more() -> None:
    then, now = people(3000, 0), people(3000, 1, french=0.8)
    assert stability(then, now, country=1.0)["inputs"] > 1.0 > stability(then, now, visits=1.0)["inputs"]


def test_a_column_that_stopped_coming_is_drift() -> None:
    then = people(3000, 0)
    found = stability(then, people(3000, 1).drop("country"))
    assert next(iter(found["moved"])) == "country"
    assert found["moved"]["country"] > 1


def test_fewer_people_than_a_hundred_show_nothing() -> None:
    assert drift.over(stability(people(3000, 0), people(60, 1, visits=9.0)), THRESHOLDS)["score"] == 0


def outcomes(p: np.ndarray, factor: float, seed: int) -> dict[str, Any]:
    label = (np.random.default_rng(1000 + seed).random(len(p)) < p * factor).astype(float)
    rows = judge.Rows(label, np.ones(len(p)), np.arange(len(p)))
    return {"people": 0, "score": 0.0, "inputs": 0.0} | {
        "calibration": drift.calibration(p, rows, resamples=60, seed=0)
    }


def test_outcomes_that_come_as_said_are_no_drift() -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        found = outcomes(rng.uniform(0.01, 0.4, 600), 1.0, seed)
        assert drift.over(found, THRESHOLDS)["calibration"] <= 1


def test_outcomes_that_do_not_come_are_drift_also_where_few_were_expected() -> None:
    rng = np.random.default_rng(0)
    common = outcomes(rng.uniform(0.2, 0.6, 2000), 0.4, 1)
    assert drift.over(common, THRESHOLDS)["calibration"] > 1
    rare = outcomes(rng.uniform(0.005, 0.02, 20_000), 3.0, 1)
    assert rare["calibration"]["gap"][1] > 0
    assert drift.over(rare, THRESHOLDS)["calibration"] > 1
    assert drift.over(outcomes(rng.uniform(0.2, 0.6, 60), 0.1, 1), THRESHOLDS)["calibration"] == 0


def test_a_threshold_of_nothing_turns_the_watch_off() -> None:
    found = stability(people(3000, 0), people(3000, 1, visits=5.0))
    assert set(drift.over(found, {"stability": 0, "calibration": 0}).values()) == {0.0}
