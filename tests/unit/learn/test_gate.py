"""The gates of promotion: each says yes or no for its own reason."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as theirs

from nudge.errors import BadInput
from nudge.learn import Answer, Gate, Recipe, judge
from nudge.learn.contest import Trained
from nudge.learn.gate import LARGEST_BYTES, alone, calibrated, leak, positives, stored

RECIPE = Recipe(resamples=60, positives=30)


def number(name: str, absent: float | None = None) -> dict[str, Any]:
    return {"name": name, "type": "number", "absent": absent}


def frame(rows: int = 800, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    label = (rng.random(rows) < 0.2).astype(float)
    noisy = np.where(rng.random(rows) < 0.3, np.nan, label + rng.normal(0, 1, rows))
    return pl.DataFrame(
        {
            "label": label,
            "weight": np.ones(rows),
            "noisy": noisy,
            "refunded": np.where(label > 0, 1.0, np.nan),
            "inverse": -label + rng.normal(0, 0.01, rows),
            "trait.state": np.where(label > 0, "closed", "open"),
        }
    )


def trained(p: np.ndarray, label: np.ndarray) -> Trained:
    rows = judge.Rows(label, np.ones(len(p)), np.arange(len(p)))
    return Trained("v", "logistic", b"{}", json.dumps({}).encode(), {}, p, 0.2, rows, pl.DataFrame())


@pytest.mark.parametrize("name", ["refunded", "inverse"])
def test_a_number_that_alone_tells_who_does_it_is_an_alarm_that_names_it(name: str) -> None:
    gate = leak(frame(), [number("noisy"), number(name)])
    assert not gate.passed
    assert f"the strongest feature alone, {name}, has AUC 1.000" in gate.said


def test_a_category_that_alone_tells_who_does_it_is_an_alarm_too() -> None:
    category = {"name": "trait.state", "type": "category", "levels": ["closed", "open"], "absent": None}
    assert "trait.state" in leak(frame(), [category]).said
    assert not leak(frame(), [category]).passed


def test_a_number_that_is_a_code_is_seen_through() -> None:
    rows = frame()
    code = pl.Series(
        np.where(rows["label"].to_numpy() > 0, 5.0, np.random.default_rng(3).choice([1, 2, 3, 7, 8, 9], 800))
    )
    assert not leak(rows.with_columns(code=code), [number("code")]).passed


def test_a_level_of_a_single_row_is_no_leak() -> None:
    rows = frame().with_columns(pl.int_range(pl.len()).cast(pl.String).alias("trait.id"))
    assert leak(rows, [{"name": "trait.id", "type": "category", "levels": [], "absent": None}]).passed
    category = {"name": "not there", "type": "category", "levels": ["a"], "absent": None}
    assert alone(rows, category, rows["label"].to_numpy(), np.ones(800)) == 0.5


def test_a_feature_that_helps_is_no_leak() -> None:
    rows = frame()
    gate = leak(rows, [number("noisy"), number("not there", 0.0)])
    assert gate.passed
    filled = rows["noisy"].fill_nan(-1e9).to_numpy()
    assert (
        alone(rows, number("noisy"), rows["label"].to_numpy(), np.ones(rows.height))
        >= theirs.roc_auc_score(rows["label"], filled) - 1e-9
    )
    assert leak(rows, []).passed


def test_probabilities_that_come_true_pass_and_those_that_do_not_fail() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.6, 4000)
    label = (rng.random(4000) < p).astype(float)
    none = np.full(4000, 0.32)
    assert calibrated(trained(p, label), "v0", none, 0.05, RECIPE).passed
    off = calibrated(trained(np.clip(p * 2, 0, 0.99), label), "v0", none, 0.05, RECIPE)
    assert not off.passed
    assert off.said.startswith("calibration error 0.3")


def test_where_the_world_has_moved_the_nearer_of_two_passes() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.05, 0.3, 4000)
    label = (rng.random(4000) < p + 0.2).astype(float)
    gate = calibrated(trained(p, label), "the base rate", np.full(4000, 0.06), 0.05, RECIPE)
    assert gate.passed
    assert "still nearer than the base rate" in gate.said


def test_too_few_of_either_label_is_too_few() -> None:
    slices = {"boundaries": [1, 2], "train": {"rows": 500, "positives": 20}, "test": {"rows": 100, "positives": 9}}
    assert positives(slices, RECIPE) == Gate(
        "positives", False, "29 of 600 rows reached the goal; 30 of each are needed"
    )
    slices["test"] = {"rows": 100, "positives": 10}
    assert positives(slices, RECIPE).passed


def test_an_artefact_is_weighed_loaded_and_timed() -> None:
    ticks = iter(range(100))
    size, load = stored(b'{"a": 1}', dict, stopwatch=lambda: next(ticks) * 0.01)
    assert (size.passed, load.passed) == (True, True)
    slow = stored(b"{}", dict, stopwatch=lambda: next(ticks) * 3.0)[1]
    assert (slow.passed, slow.said) == (False, "takes 3000 ms to load; 2000 at most")
    assert [gate.passed for gate in stored(b" " * (LARGEST_BYTES + 1), dict)] == [False]

    def refuse(artefact: Any) -> object:
        raise BadInput("a hole in it", reason="bad_model")

    assert stored(b"{}", refuse)[1].said == "does not load: BadInput: a hole in it"


def test_an_answer_tells_what_failed_and_else_by_how_much_it_is_better() -> None:
    good, bad = Gate("better", True, "better by 1"), Gate("leak", False, "leak alarm")
    assert (Answer((good, Gate("size", True, "small"))).reason, Answer((good, bad)).reason) == (
        "better by 1",
        "leak alarm",
    )
    assert not Answer((good, bad)).passed
