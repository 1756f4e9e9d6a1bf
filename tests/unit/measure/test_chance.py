"""Our tests of chance give what SciPy's own give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nudge.measure import chance


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_fishers_exact_test_equals_scipys(hits: int, misses: int, other_hits: int, other_misses: int) -> None:
    theirs = stats.fisher_exact([[hits, misses], [other_hits, other_misses]])[1]
    assert chance.fisher(hits, hits + misses, other_hits, other_hits + other_misses) == pytest.approx(theirs, rel=1e-9)


@given(st.integers(0, 300), st.integers(0, 300), st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0]))
def test_the_exact_binomial_test_equals_scipys(hits: int, misses: int, share: float) -> None:
    size = hits + misses
    if size:
        theirs = stats.binomtest(hits, size, share).pvalue
        assert chance.binomial(hits, size, share) == pytest.approx(theirs, rel=1e-7, abs=1e-12)


def test_a_million_people_are_no_trouble() -> None:
    assert chance.binomial(300_000, 1_000_000, 0.3) == pytest.approx(1.0)
    assert chance.binomial(303_000, 1_000_000, 0.3) < 1e-9


@given(st.floats(-40, 40), st.floats(1, 1e6))
def test_students_t_equals_scipys(distance: float, freedom: float) -> None:
    assert chance.t_test(distance, freedom) == pytest.approx(
        2 * stats.t.sf(abs(distance), freedom), rel=1e-7, abs=1e-300
    )
    assert chance.t_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)
    assert chance.z_test(distance) == pytest.approx(2 * stats.norm.sf(abs(distance)), rel=1e-9, abs=1e-300)
