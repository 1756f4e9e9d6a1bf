"""Intervals cover the truth as often as they say, estimates are unbiased, and too little data gives words, not nonsense."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from nudge.measure import lift
from nudge.measure.lift import Arm, Estimate


def arm(values: np.ndarray, before: np.ndarray | None = None, prefix: str = "p") -> Arm:
    past = np.zeros(len(values)) if before is None else before
    return Arm(values.astype(float), values > 0, past, tuple(f"{prefix}{n}" for n in range(len(values))))


def draw(random: np.random.Generator, size: int, rate: float) -> Arm:
    """People of whom a share buys, for a skewed amount around 40."""
    bought = random.random(size) < rate
    return arm(np.where(bought, random.lognormal(3.6, 0.5, size), 0.0))


WORTH = float(np.exp(3.6 + 0.5**2 / 2))


@pytest.mark.parametrize(
    ("treated", "held", "base", "effect"), [(1400, 600, 0.12, 0.05), (700, 700, 0.30, 0.0), (3000, 300, 0.20, 0.04)]
)
def test_the_interval_of_value_covers_the_truth_in_95_of_100_worlds_and_is_unbiased(
    treated: int, held: int, base: float, effect: float
) -> None:
    random = np.random.default_rng(2)
    found = [lift.value(draw(random, treated, base + effect), draw(random, held, base)) for _ in range(1500)]
    truth = effect * WORTH
    covered = np.mean([(one.low or 0) <= truth <= (one.high or 0) for one in found])
    assert 0.93 <= covered <= 0.97
    estimates = np.array([one.estimate for one in found])
    assert abs(estimates.mean() - truth) < 4 * estimates.std() / sqrt(len(estimates))


@pytest.mark.parametrize(
    ("treated", "held", "base", "effect"), [(700, 300, 0.12, 0.05), (200, 90, 0.05, 0.03), (60, 40, 0.2, 0.0)]
)
def test_the_interval_of_rates_covers_the_truth_in_95_of_100_worlds(
    treated: int, held: int, base: float, effect: float
) -> None:
    random = np.random.default_rng(5)
    covered = []
    for _ in range(2000):
        one = lift.rates(
            arm((random.random(treated) < base + effect).astype(float)), arm((random.random(held) < base).astype(float))
        )
        covered.append((one.low or 0) <= effect <= (one.high or 0))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_with_few_buyers_the_interval_still_covers() -> None:
    random = np.random.default_rng(8)
    found = [lift.value(draw(random, 120, 0.03), draw(random, 50, 0.03)) for _ in range(1000)]
    judged = [one for one in found if one.low is not None and one.high is not None]
    assert np.mean([(one.low or 0) <= 0 <= (one.high or 0) for one in judged]) >= 0.95
    assert sum(one.note is not None for one in judged) > 900


def test_without_an_effect_one_in_twenty_is_called_significant() -> None:
    random = np.random.default_rng(11)
    p = [lift.value(draw(random, 500, 0.2), draw(random, 300, 0.2)).p_value or 0.0 for _ in range(1500)]
    assert 0.03 <= np.mean(np.array(p) < 0.05) <= 0.07


def test_the_sum_over_activities_covers_though_the_same_people_stand_in_both() -> None:
    random, covered, sums = np.random.default_rng(21), [], []
    truth = 400 * 1.0 + 400 * 0.5
    for _ in range(800):
        taste = random.normal(10, 6, 600)
        parts = []
        for effect in (1.0, 0.5):
            order = random.permutation(600)
            values = taste + random.normal(0, 3, 600)
            values[order[:400]] += effect
            groups = [
                Arm(values[of], values[of] > 0, np.zeros(len(of)), tuple(f"u{n}" for n in of))
                for of in (order[:400], order[400:])
            ]
            parts.append((groups[0], groups[1], lift.value(*groups).times(400)))
        one = lift.together(parts)
        covered.append((one.low or 0) <= truth <= (one.high or 0))
        sums.append(one.estimate)
    assert 0.93 <= np.mean(covered) <= 0.98
    assert abs(np.mean(sums) - truth) < 4 * np.std(sums) / sqrt(len(sums))


def test_welch_agrees_with_scipy() -> None:
    random = np.random.default_rng(1)
    one, two = random.normal(3, 2, 40), random.normal(2, 5, 25)
    theirs = stats.ttest_ind(one, two, equal_var=False)
    ours = lift.means(one, two)
    interval = theirs.confidence_interval(0.95)
    assert (ours.low, ours.high, ours.p_value) == pytest.approx((interval.low, interval.high, theirs.pvalue))


def test_newcombes_interval_agrees_with_his_paper() -> None:
    """Newcombe 1998, table II, contrast (a) 56/70 − 48/80: 0.0524 to 0.3339 by method 10."""
    one = lift.rates(arm(np.array([1.0] * 56 + [0.0] * 14)), arm(np.array([1.0] * 48 + [0.0] * 32)))
    assert (one.low, one.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_wilsons_interval_of_nothing_seen_is_not_a_point() -> None:
    low, high = lift.wilson(0, 20)
    assert low == 0.0
    assert 0.1 < high < 0.2
    assert lift.wilson(0, 0) == (0.0, 1.0)


def test_nobody_held_out_gives_no_number_and_says_so() -> None:
    one = lift.rates(arm(np.ones(5)), arm(np.array([])))
    assert one.estimate is None
    assert "nobody is held out" in (one.note or "")
    assert lift.value(arm(np.ones(5)), arm(np.array([]))).estimate is None
    assert lift.value(arm(np.array([])), arm(np.array([]))).estimate is None


def test_nobody_converted_is_no_certainty_of_no_effect() -> None:
    free = lift.value(arm(np.zeros(40)), arm(np.zeros(40)))
    assert (free.estimate, free.low, free.high) == (0.0, None, None)
    fixed = lift.value(arm(np.zeros(40)), arm(np.zeros(40)), worth=10.0)
    assert fixed.low is not None
    assert fixed.low < -0.5
    assert fixed.high is not None
    assert fixed.high > 0.5


def test_no_spread_within_the_groups_still_gives_an_interval_with_width() -> None:
    one = lift.value(arm(np.full(50, 8.0)), arm(np.full(50, 8.0)))
    assert one.low is not None
    assert one.high is not None
    assert one.low < 0 < one.high


def test_few_people_are_said_to_be_few() -> None:
    assert "only 4 people" in (lift.value(arm(np.array([1.0, 0, 3, 0, 5])), arm(np.array([0.0, 2, 0, 1]))).note or "")


def test_what_costs_nothing_has_no_return_on_cost() -> None:
    assert lift.roi(Estimate(10.0, 5.0, 15.0), 0.0) == Estimate(None, note="it cost nothing, so there is no ratio")
    assert lift.roi(Estimate(10.0, 5.0, 15.0), 5.0) == Estimate(1.0, 0.0, 2.0)


def test_the_smallest_detectable_effect_is_seen_four_times_in_five() -> None:
    random = np.random.default_rng(31)
    reaches = [lift.smallest_detectable(draw(random, 1000, 0.2), draw(random, 500, 0.2))[0] for _ in range(100)]
    reach = float(np.mean([one for one in reaches if one is not None]))
    seen = []
    for _ in range(1000):
        treated, held = draw(random, 1000, 0.2), draw(random, 500, 0.2)
        seen.append((lift.means(treated.values + reach, held.values).p_value or 0.0) < 0.05)
    assert 0.77 <= np.mean(seen) <= 0.83


amounts = st.lists(st.floats(0, 1e6, allow_nan=False), max_size=12)


def worth(people: Arm, each: float) -> Arm:
    """The same people, of whom each conversion is worth as much."""
    return Arm(people.converted * each, people.converted, people.before, people.people)


@settings(deadline=None)
@given(amounts, amounts)
@example([1.0, 1.0], [2.0, 2.0])
def test_whatever_the_people_did_an_interval_holds_its_estimate(one: list[float], two: list[float]) -> None:
    treated, held = arm(np.array(one, dtype=float)), arm(np.array(two, dtype=float), prefix="q")
    fixed = [lift.value(worth(treated, each), worth(held, each), each) for each in (3.0, -20.0)]
    for found in (lift.value(treated, held), lift.rates(treated, held), *fixed):
        if found.low is not None and found.high is not None:
            assert found.estimate is not None
            slack = 1e-9 * max(1.0, abs(found.estimate))
            assert found.low - slack <= found.estimate <= found.high + slack
        if found.estimate is None:
            assert found.note
    total = lift.together([(treated, held, lift.value(treated, held).times(treated.size))])
    assert total.estimate is not None or total.note
