"""Whoever reads every day is told the truth on every day in 95 of 100 campaigns; the fixed interval would not do it."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.measure import lift, sequence
from nudge.measure.lift import Arm, Estimate

DAYS, SEEDS = 60, 200


def _campaign(
    random: np.random.Generator, days: int, base: float, effect: float
) -> tuple[Arm, Arm, list[tuple[int, int]]]:
    """Two groups in the order in which their windows ended, and how many had by each day."""
    joined = np.column_stack([random.poisson(40, days), random.poisson(17, days)]).cumsum(axis=0)
    groups = []
    for size, rate in zip(joined[-1], (base + effect, base), strict=True):
        bought = random.random(size) < rate
        groups.append(Arm(np.where(bought, random.lognormal(3.6, 0.5, size), 0.0), bought, np.zeros(size)))
    return groups[0], groups[1], [(int(one), int(two)) for one, two in joined]


def _by(arm: Arm, size: int) -> Arm:
    return Arm(arm.values[:size], arm.converted[:size], arm.before[:size])


@pytest.mark.parametrize(("base", "effect"), [(0.12, 0.0), (0.12, 0.05)])
def test_read_every_day_for_60_days_the_sequence_holds_the_truth_throughout_and_the_fixed_interval_does_not(
    base: float, effect: float
) -> None:
    random = np.random.default_rng(17)
    truth = effect * exp(3.6 + 0.5**2 / 2)
    always = {"sequence": 0, "fixed": 0}
    for _ in range(SEEDS):
        treated, held, days = _campaign(random, DAYS, base, effect)
        seen = {"sequence": True, "fixed": True}
        for one, two in days:
            fixed = lift.value(_by(treated, one), _by(held, two))
            for name, found in (("fixed", fixed), ("sequence", sequence.anytime(fixed, one + two))):
                if found.low is not None and found.high is not None:
                    seen[name] &= found.low <= truth <= found.high
        for name, held_truth in seen.items():
            always[name] += held_truth
    assert always["sequence"] / SEEDS >= 0.95
    assert always["fixed"] / SEEDS < 0.85


def test_the_factor_is_that_of_the_paper() -> None:
    """√(2 (tρ² + 1) log(√(tρ² + 1) / α) / (t²ρ²)) over 1/√t, with the ρ² that is best at 1,000."""
    rho2 = (-2 * log(0.05) + log(-2 * log(0.05)) + 1) / 1000
    for people in (30, 500, 1000, 20_000):
        mixed = people * rho2
        margin = sqrt(2 * (mixed + 1) * log(sqrt(mixed + 1) / 0.05) / (people**2 * rho2))
        assert sequence.factor(people) == pytest.approx(margin * sqrt(people))


def test_it_is_tightest_where_it_is_said_to_be() -> None:
    factors = {people: sequence.factor(people) for people in range(100, 100_000, 50)}
    assert 700 <= min(factors, key=lambda people: factors[people]) <= 1400


estimates = st.tuples(st.floats(-1e4, 1e4), st.floats(0.01, 1e4), st.floats(0.01, 1e4)).map(
    lambda one: Estimate(one[0], one[0] - one[1], one[0] + one[2])
)


@given(estimates, st.integers(1, 10**7), st.integers(1, 50))
def test_the_sequence_holds_the_fixed_interval_and_more_looks_widen_it(one: Estimate, people: int, looks: int) -> None:
    alone, shared = sequence.anytime(one, people), sequence.anytime(one, people, looks=looks)
    assert shared.low is not None and alone.low is not None and one.low is not None  # noqa: PT018
    assert shared.high is not None and alone.high is not None and one.high is not None  # noqa: PT018
    assert shared.low <= alone.low <= one.low
    assert one.high <= alone.high <= shared.high


@given(estimates, st.integers(1, 10**6))
def test_zero_lies_outside_the_sequence_exactly_when_its_p_value_is_below_5_percent(one: Estimate, people: int) -> None:
    found = sequence.anytime(one, people)
    assert found.low is not None
    assert found.high is not None
    assert found.p_value is not None
    assert 0 <= found.p_value <= 1
    if abs(found.p_value - 0.05) > 1e-9:
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_what_has_no_interval_gets_none() -> None:
    unknown = Estimate(3.0, note="no spread")
    assert sequence.anytime(unknown, 50) == unknown
    assert sequence.p_value(unknown, 50) is None
