"""Propensities: the closed form of inverse-gap weighting, and its limits."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nudge.decide.explore import pick, propensities, rewards

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)
GAMMA = st.floats(0, 1e9)


@given(VALUES, GAMMA)
def test_propensities_sum_to_one_and_each_is_positive(values: list[float], gamma: float) -> None:
    found = propensities(values, gamma)
    assert isclose(sum(found), 1.0, abs_tol=1e-12)
    assert all(one > 0 for one in found)


@example([-1.0, -1.6e-126, 0.0], 1.0)
@given(VALUES, GAMMA)
def test_the_best_has_the_most(values: list[float], gamma: float) -> None:
    found = propensities(values, gamma)
    best = max(range(len(values)), key=values.__getitem__)
    assert found[best] >= max(found) - 1e-12


@given(VALUES)
def test_gamma_zero_is_uniform(values: list[float]) -> None:
    assert all(isclose(one, 1 / len(values), abs_tol=1e-12) for one in propensities(values, 0.0))


def test_a_large_gamma_is_greedy() -> None:
    assert propensities([1.0, 0.5, 2.0], 1e12)[2] == pytest.approx(1.0, abs=1e-9)


@given(VALUES, GAMMA, st.floats(1e-3, 1e3))
def test_the_unit_of_money_does_not_matter(values: list[float], gamma: float, unit: float) -> None:
    values = [value if abs(value) > 1e-290 else 0.0 for value in values]  # below, floats have too few digits for ratios
    a, b = propensities(values, gamma), propensities([value * unit for value in values], gamma)
    assert a == pytest.approx(b, rel=1e-6, abs=1e-6)


def test_ten_percent_less_is_tried_as_the_formula_says() -> None:
    assert propensities([1.0, 0.9], 100.0)[1] == pytest.approx(1 / (2 + 100 * 0.1))


@given(VALUES)
def test_rewards_lie_between_zero_and_one(values: list[float]) -> None:
    assert all(0 <= one <= 1 for one in rewards(values))


@given(VALUES, GAMMA, st.floats(0, 1, exclude_max=True))
def test_every_draw_falls_on_a_candidate(values: list[float], gamma: float, draw: float) -> None:
    assert 0 <= pick(propensities(values, gamma), draw) < len(values)


def test_draws_fall_in_proportion() -> None:
    shares = propensities([1.0, 0.9, 0.2], 20.0)
    drawn = [pick(shares, number / 10_000) for number in range(10_000)]
    for candidate, share in enumerate(shares):
        assert drawn.count(candidate) / 10_000 == pytest.approx(share, abs=2e-4)
