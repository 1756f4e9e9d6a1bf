"""A calibration is fitted on what models like the stored one say of rows that they had not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nudge.learn.calibrate import inverse
from nudge.learn.periods import Rows, periods
from nudge.learn.recipe import Recipe
from nudge.learn.trials import Ask, Trials
from nudge.learn.unseen import Unseen, too_small

HALF = 600
"""Of so many rows, a model says half of what is true."""


def shrunken(table: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> Ask:
    """A model that says more, the more it saw; all that it says is in the right order."""
    said = len(table) / (len(table) + HALF)
    return lambda held: [said * held["x"].to_numpy()]


def world(sizes: list[int], *, carries: bool = True, in_time: bool = True) -> Unseen:
    """A moment each, of so many rows; every row is of another person."""
    at = np.repeat(np.arange(len(sizes)), sizes)
    draw = np.random.default_rng(1)
    x = draw.normal(0, 1.5, len(at))
    label = (draw.random(len(at)) < inverse(x - 1.5)).astype(float)
    rows = Rows(at, draw.permutation(len(at)), label, np.ones(len(at)))
    found, by = periods(rows, 0, Recipe())
    assert by == "time"
    trials = Trials(pd.DataFrame({"x": x}), rows, found, rows.weight)
    return Unseen(trials, {"it": trials.said(shrunken)[0]}, {"it": shrunken}, in_time, carries)


def spread(one: Unseen) -> float:
    """By how much the stored model's log-odds rise with what is true, after calibration: 1 is right."""
    calibration, _, _ = one.calibration({"it": 1.0})
    rows = len(one.trials.table)
    z = np.array([-1.0, 1.0]) * rows / (rows + HALF)
    p = calibration.probability(z)
    return float(np.diff(np.log(p) - np.log1p(-p))[0] / 2)


def test_where_earlier_models_saw_little_models_of_other_people_are_asked() -> None:
    lumps = world([150, 150, 2000])
    assert too_small(lumps.trials)
    assert lumps.calibration({"it": 1.0})[2]
    assert spread(lumps) == pytest.approx(1.0, abs=0.2)


def test_without_them_the_stored_model_would_be_too_sure() -> None:
    lumps = world([150, 150, 2000], carries=False)
    assert not lumps.calibration({"it": 1.0})[2]
    assert spread(lumps) > 1.5


def test_where_rows_come_evenly_later_rows_are_asked() -> None:
    even = world([400] * 8)
    assert not too_small(even.trials)
    assert not even.calibration({"it": 1.0})[2]


def test_five_hundred_of_the_rarer_label_are_enough() -> None:
    assert not too_small(world([2600, 2600, 20_000]).trials)


def test_the_level_is_that_of_the_rows_that_were_judged() -> None:
    lumps = world([150, 150, 2000])
    calibration, number, _ = lumps.calibration({"it": 1.0})
    judged = np.concatenate([one.judge for one in lumps.trials.periods[-number:]])
    z = shrunken(lumps.trials.table, lumps.trials.rows.label, lumps.trials.weight)(lumps.trials.table)[0][judged]
    assert calibration.probability(z).mean() == pytest.approx(lumps.trials.rows.label[judged].mean(), abs=0.01)
