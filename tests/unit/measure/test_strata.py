"""An activity in several campaigns, each with its own holdout: no campaign's difference passes for an effect."""

from __future__ import annotations

from math import sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.measure import lift, strata
from nudge.measure.lift import Arm, Estimate


def judged(random: np.random.Generator, effect: float) -> pl.DataFrame:
    """A campaign of good customers that holds out a tenth, one of poor ones that holds out half."""
    parts = []
    for campaign, size, base, holdout in (("vip", 500, 0.5, 0.1), ("rest", 500, 0.05, 0.5)):
        held = random.random(size) < holdout
        bought = random.random(size) < base + effect * ~held
        parts.append(
            pl.DataFrame(
                {
                    "user_id": [f"{campaign}{n:04d}" for n in range(size)],
                    "planned": [holdout] * size,
                    "group": np.where(held, "holdout", "treatment"),
                    "value": np.where(bought, 10.0, 0.0),
                    "converted": bought,
                    "before": np.zeros(size),
                }
            )
        )
    return pl.concat(parts)


@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_the_total_is_unbiased_and_covers_where_a_pooled_one_is_far_off(effect: float) -> None:
    random, errors, covered, pooled = np.random.default_rng(2), [], [], []
    for _ in range(400):
        people = judged(random, effect)
        pairs = strata.arms(people)
        assert len(pairs) == 2
        one, size = strata.total(pairs, lift.value)
        truth = effect * 10 * size
        errors.append((one.estimate or 0.0) - truth)
        covered.append((one.low or 0.0) <= truth <= (one.high or 0.0))
        (treated, held), *_ = strata.arms(people.drop("planned"))
        pooled.append((lift.value(treated, held).estimate or 0.0) * treated.size - truth)
    assert abs(np.mean(errors)) < 4 * np.std(errors) / sqrt(len(errors))
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(pooled) > 500


def test_one_campaign_or_none_is_compared_as_it_was() -> None:
    people = judged(np.random.default_rng(3), 0.0).filter(pl.col("planned") == 0.1)
    (treated, held), *others = strata.arms(people)
    assert others == []
    assert strata.total([(treated, held)], lift.value) == (lift.value(treated, held).times(treated.size), treated.size)


def test_what_cannot_be_judged_is_left_out_and_said() -> None:
    nobody = Arm(np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0))
    (treated, held), _ = strata.arms(judged(np.random.default_rng(4), 0.0))
    one, size = strata.total([(treated, held), (treated, nobody)], lift.value)
    assert size == treated.size
    assert "1 of 2 groups of campaigns" in (one.note or "")
    assert strata.total([(nobody, nobody), (treated, nobody)], lift.value)[0].estimate is None


parts = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 1e3), st.floats(0.1, 1e3)), min_size=1, max_size=5)


@given(parts)
def test_a_sum_is_narrower_than_the_sum_of_widths_and_wider_than_its_widest_part(
    drawn: list[tuple[float, float, float]],
) -> None:
    each = [Estimate(middle, middle - down, middle + up) for middle, down, up in drawn]
    one = strata.summed(each, of=len(each))
    assert one.low is not None
    assert one.high is not None
    width, widths = one.high - one.low, [down + up for _, down, up in drawn]
    assert max(widths) * (1 - 1e-9) - 1e-6 <= width * sqrt(2)
    assert width <= sum(widths) + 1e-6
    assert one.estimate == pytest.approx(sum(middle for middle, *_ in drawn), abs=1e-6)
