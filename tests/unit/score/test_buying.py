"""When customers buy and when they stop: formulas against other forms of them, and against what they must say at their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import hyp2f1 as exact

from nudge.learn.lifetime import models
from nudge.learn.lifetime.customers import Customers
from nudge.score import buying


def logarithmic(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(math.log(low), math.log(high)).map(math.exp)


ages = logarithmic(0.001, 36_500)
repeats = st.sampled_from([0.0, 0.0, 1.0, 2.0, 7.0, 60.0, 3_000.0])


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["bg_nbd", "mbg_nbd", "pareto_nbd"]),
    st.tuples(logarithmic(1e-3, 20), logarithmic(0.05, 1e4), logarithmic(1e-3, 100), logarithmic(1e-3, 1e4)),
    st.lists(st.tuples(repeats, st.floats(0, 1), ages), min_size=1, max_size=6),
    st.sampled_from([1.0, 30.0, 90.0, 730.0]),
)
def test_one_person_in_plain_python_is_a_row_of_many(
    model: str, parameters: tuple[float, ...], people: list[tuple[float, float, float]], ahead: float
) -> None:
    if min(abs(parameters[2] - 1), abs(parameters[2] + parameters[3] - 1)) < 1e-3:
        return
    x, share, age = (np.array(column) for column in zip(*people, strict=True))
    recency = np.where(x > 0, share * age, 0.0)
    alive, purchases = models.expect(model, parameters, Customers.plain(x, recency, age), ahead)
    expect = buying.MODELS[model](*parameters)
    for place in range(len(people)):
        ours = expect(float(x[place]), float(recency[place]), float(age[place]), ahead)
        assert 0 <= ours[0] <= 1
        assert ours[1] >= 0
        assert ours[0] == pytest.approx(alive[place], abs=1e-9)
        assert ours[1] == pytest.approx(purchases[place], abs=1e-9, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 30), st.floats(0.01, 30), st.floats(0, 0.99))
def test_the_series_and_the_continued_fraction_are_exact_where_scipy_is_not(a: float, b: float, z: float) -> None:
    c = a + b + 1.0
    assert buying.hyp2f1(a, b, c, z) == pytest.approx(float(exact(a, b, c, z)), rel=1e-11)
    assert buying.hyp2f1_of_one(b, c, z) == pytest.approx(float(exact(1.0, b, c, z)), rel=1e-11)


def test_bg_nbd_says_what_the_paper_says() -> None:
    """Fader, Hardie, Lee (2005): a customer with x = 2, t_x = 30.43, T = 38.86 buys 1.226 times in the next 39 weeks."""
    _, purchases = buying.bg_nbd(0.243, 4.414, 0.793, 2.426)(2.0, 30.43, 38.86, 39.0)
    assert purchases == pytest.approx(1.226, abs=0.001)


def test_who_bought_once_may_be_gone_by_mbg_nbd_and_not_by_bg_nbd() -> None:
    once = (0.0, 0.0, 270.0, 90.0)
    assert buying.bg_nbd(0.24, 31.0, 0.8, 2.4)(*once)[0] == 1.0
    assert 0 < buying.mbg_nbd(0.52, 43.0, 0.9, 1.6)(*once)[0] < 1


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_who_was_there_lately_is_alive_and_who_bought_often_and_long_ago_is_not(model: str) -> None:
    expect = buying.MODELS[model](0.55, 74.0, 0.61, 82.0)
    recent, gone, often_gone = (
        expect(4.0, 270.0, 272.0, 90.0),
        expect(4.0, 40.0, 272.0, 90.0),
        expect(20.0, 40.0, 272.0, 90.0),
    )
    assert recent[0] > gone[0] > often_gone[0]
    assert recent[1] > gone[1]
    nothing, some, more = (expect(4.0, 270.0, 272.0, ahead)[1] for ahead in (0.0, 30.0, 90.0))
    assert nothing == pytest.approx(0, abs=1e-12)
    assert some < more < 3 * some
