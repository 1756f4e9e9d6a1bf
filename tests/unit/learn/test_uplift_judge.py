"""Qini and doubly robust scores, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nudge.learn.uplift import judge
from nudge.learn.uplift.experiment import EDGE, GROUPS, Experiment
from tests.unit.learn import uplift_world as world

LABEL = np.array([1.0, 0.0, 0.0, 1.0])
TREATED = np.array([True, False, True, False])


def test_the_qini_curve_is_the_one_worked_out_by_hand() -> None:
    # reached 1: one treated who bought; 3: still one more than the controls explain; 4: the control bought too
    x, y = judge.qini_curve(LABEL, np.array([4.0, 3.0, 2.0, 1.0]), TREATED)
    assert (x.tolist(), y.tolist()) == ([0, 1, 2, 3, 4], [0, 1, 1, 1, 0])
    x, y = judge.qini_curve(LABEL, np.array([1.0, 2.0, 3.0, 4.0]), TREATED)
    assert (x.tolist(), y.tolist()) == ([0, 1, 2, 3, 4], [0, 0, -1, -0.5, 0])


def test_qini_is_the_share_of_the_perfect_area_worked_out_by_hand() -> None:
    # area 3, diagonal 0, perfect order: points (0,0) (1,1) (3,1) (4,0), area 3
    assert judge.qini(LABEL, np.array([4.0, 3.0, 2.0, 1.0]), TREATED) == pytest.approx(1.0)
    assert judge.qini(LABEL, np.array([1.0, 2.0, 3.0, 4.0]), TREATED) == pytest.approx(-1.5 / 3)
    assert judge.qini(LABEL, np.zeros(4), TREATED) == pytest.approx(0.0)


def test_six_people_with_ties_and_unequal_arms_by_hand() -> None:
    # reached at 2 (a tie), 3, 5 (a tie), 6; treated 1 2 3 4, controls 1 1 2 2
    # gains: 1 - 0*1; 1 - 0*2; 2 - 1*3/2; 2 - 1*4/2 -> area 1 + 1 + 1.5 + .25 = 3.75, diagonal 0
    # perfect: 2 at 2, 2 - 0*4 at 5 (ties of none), 0 at 6 -> area 2 + 6 + 1 = 9
    label = np.array([1.0, 0, 0, 1, 1, 0])
    treated = np.array([1, 0, 1, 1, 0, 1]).astype(bool)
    effect = np.array([0.9, 0.9, 0.5, 0.2, 0.2, 0.1])
    x, y = judge.qini_curve(label, effect, treated)
    assert (x.tolist(), y.tolist()) == ([0, 2, 3, 5, 6], [0, 1, 1, 0.5, 0])
    assert judge.qini(label, effect, treated) == pytest.approx(3.75 / 9)


def test_a_weight_of_two_is_a_row_that_stands_twice() -> None:
    rng = np.random.default_rng(3)
    label, effect, treated = rng.integers(0, 2, 60).astype(float), rng.normal(size=60).round(1), rng.random(60) < 0.4
    weight = rng.integers(1, 3, 60)
    rows = np.repeat(np.arange(60), weight)
    assert judge.qini(label, effect, treated, weight.astype(float)) == pytest.approx(
        judge.qini(label[rows], effect[rows], treated[rows])
    )


def test_scores_average_to_the_effect_whatever_the_models_say() -> None:
    known = world.experiment(40_000, 1, average=0.08, share=0.3)
    for control, treated in ((0.0, 0.0), (0.9, 0.1)):
        dr = judge.scores(known.rows, np.full(40_000, control), np.full(40_000, treated))
        found = judge.mean(dr, known.rows.weight, known.rows.people)
        assert abs(found.value - known.effect.mean()) < 4 * found.error


def test_rows_of_one_person_are_one_draw() -> None:
    values = np.random.default_rng(0).normal(size=200)
    alone = judge.mean(values, np.ones(200), np.arange(200))
    repeated = judge.mean(np.repeat(values, 5), np.ones(1000), np.repeat(np.arange(200), 5))
    assert repeated.value == pytest.approx(alone.value)
    assert repeated.error == pytest.approx(alone.error)
    assert alone.error == pytest.approx(values.std(ddof=1) / np.sqrt(200))


def test_ranks_are_within_groups_and_ties_share_theirs() -> None:
    groups = np.array([0, 0, 0, 0, 1, 1])
    found = judge.ranks(np.array([1.0, 3.0, 3.0, 9.0, -5.0, -6.0]), groups)
    assert found.tolist() == pytest.approx([-0.375, 0.0, 0.0, 0.375, 0.25, -0.25])


def test_the_interval_of_a_qini_holds_its_value_and_chance_is_zero() -> None:
    known = world.experiment(1500, 2, spread=0.2)
    value, low, high = judge.qini_interval(known.rows, known.effect, resamples=60, confidence=0.95, seed=0)
    assert low < value < high
    assert low > 0
    value, low, high = judge.qini_interval(
        known.rows, np.random.default_rng(1).random(1500), resamples=60, confidence=0.95, seed=0
    )
    assert low < 0 < high


def test_no_row_weighs_more_than_the_edge_allows_and_those_are_counted() -> None:
    table = pd.DataFrame({"x": np.zeros(3)})
    rows = Experiment.of(
        table, np.zeros(3), np.array([True, True, False]), np.arange(3), np.array([1e-9, 0.5, 0.5]), np.full(3, 0.5)
    )
    assert rows.clipped == 1
    assert rows.propensity.min() == EDGE


def test_people_are_dealt_out_whole_and_evenly() -> None:
    known = world.experiment(1000, 4)
    people = np.repeat(np.arange(500), 2)
    rows = Experiment.of(
        known.rows.table,
        np.repeat(known.rows.label[:500], 2),
        np.repeat(known.rows.treated[:500], 2),
        people,
        known.rows.propensity,
        1 - known.rows.propensity,
    )
    groups = rows.groups(seed=0)
    assert all(len(set(groups[people == person])) == 1 for person in range(500))
    shares = [rows.treated[groups == group].mean() for group in range(GROUPS)]
    assert max(shares) - min(shares) < 0.03
