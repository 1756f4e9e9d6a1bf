"""Groups that are not split as planned are flagged, and those that are, are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from nudge.measure.ratio import sample_ratio


def test_a_split_as_planned_is_not_flagged() -> None:
    assert not sample_ratio(7000, 3000, 0.3).flagged


def test_a_split_that_chance_does_not_explain_is_flagged() -> None:
    one = sample_ratio(7400, 2600, 0.3)
    assert one.flagged
    assert "not split as planned" in (one.note or "")


def test_a_holdout_that_should_not_be_there_is_flagged() -> None:
    assert sample_ratio(1000, 1, 0.0).flagged
    assert not sample_ratio(1000, 0, 0.0).flagged


def test_nobody_yet_is_no_alarm() -> None:
    one = sample_ratio(0, 0, 0.3)
    assert (one.p_value, one.flagged) == (None, False)


def test_under_the_plan_one_in_a_thousand_is_flagged() -> None:
    random = np.random.default_rng(4)
    held = random.binomial(500, 0.3, 4000)
    flagged = {n: sample_ratio(500 - n, n, 0.3).flagged for n in set(held.tolist())}
    assert sum(flagged[n] for n in held.tolist()) <= 12


@pytest.mark.parametrize("held", [1, 30, 77, 150])
def test_the_probability_is_the_exact_binomial_one(held: int) -> None:
    assert sample_ratio(300 - held, held, 0.25).p_value == pytest.approx(stats.binomtest(held, 300, 0.25).pvalue)
