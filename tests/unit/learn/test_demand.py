"""Demand: smoothing is the library's, forecasts are honest about what they do not know, and what was unusual is told."""

from __future__ import annotations

import csv
import json
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from nudge.errors import NotReady
from nudge.learn import Recipe
from nudge.learn.demand import Counted, forecast, series_of, train
from nudge.learn.demand.flags import flags
from nudge.learn.demand.intervals import sizes, spread
from nudge.learn.demand.library import forecasts
from nudge.learn.demand.members import MEMBERS, told
from nudge.learn.demand.rolling import choose, roll
from nudge.learn.demand.season import indices
from nudge.learn.demand.smooth import Grid, run, trended
from nudge.score import demand as reader

AIR = Path(__file__).parents[4] / "shared/data/airpassengers/AirPassengers.csv"
OPTIONS = {"event": "purchase", "of": "count", "by": "category", "every": "day", "horizon": 14}
WEEKDAYS = np.array([1.0, 1.0, 1.1, 1.2, 1.4, 0.9, 0.4])


def shop(days: int, mean: float, seed: int) -> np.ndarray:
    """Daily counts with a week in them."""
    return np.random.default_rng(seed).poisson(mean * WEEKDAYS[np.arange(days) % 7]).astype(float)


def test_our_recursion_is_the_librarys() -> None:
    series = np.cumsum(np.random.default_rng(0).normal(0.3, 1, 40)) + 30
    grid = Grid.of((0.3,), betas=(0.2,), phis=(0.9,))
    passed = run(series[:, None, None], [(28.0, 0.5)], grid, [len(series)], np.zeros((1, 1)))
    theirs = ExponentialSmoothing(
        series,
        trend="add",
        damped_trend=True,
        initialization_method="known",
        initial_level=28.0,
        initial_trend=0.5,
    ).fit(smoothing_level=0.3, smoothing_trend=0.2, damping_trend=0.9, optimized=False)
    assert passed.level[0, 0, 0] == pytest.approx(theirs.level[-1], abs=1e-9)
    assert passed.gram[0, 0, 0, 0] == pytest.approx(theirs.sse, rel=1e-9)


def test_one_pass_finds_the_starting_state_that_least_squares_finds() -> None:
    series = np.cumsum(np.random.default_rng(1).normal(0.5, 1, 30)) + 50
    grid = Grid.of((0.4,), betas=(0.1,), phis=(0.9,))
    ours = trended([series], 6, grid).values[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ExponentialSmoothing(series, trend="add", damped_trend=True, initialization_method="estimated").fit(
            smoothing_level=0.4, smoothing_trend=0.1, damping_trend=0.9
        )
    # ours is shrunk a little on purpose: a start is not taken to be anything whatever
    assert ours == pytest.approx(theirs.forecast(6), abs=0.1)


def test_theta_is_the_librarys_theta() -> None:
    series = np.cumsum(np.random.default_rng(0).normal(0.3, 1, 60)) + 30
    theirs = np.asarray(ThetaModel(series, period=1, deseasonalize=False).fit(disp=False).forecast(8))
    ours = forecasts([series], None, 1, 8)["theta"][0]
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_a_past_knows_nothing_of_what_came_after() -> None:
    series = shop(80, 20, 0)
    changed = series.copy()
    changed[60:] *= 7
    ends = [40, 60]
    for name, values in told(series, 7, ends, 10).values.items():
        assert values == pytest.approx(told(changed, 7, ends, 10).values[name], rel=1e-12), name


def test_seasons_that_chance_explains_are_shrunk_away() -> None:
    flat = np.random.default_rng(0).normal(100, 10, 200)
    assert np.abs(indices(flat, 7) - 1).max() < 0.03
    weekly = shop(200, 50, 0)
    assert indices(weekly, 7) == pytest.approx(WEEKDAYS / WEEKDAYS.mean(), abs=0.08)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=60), st.sampled_from([1, 7]))
@settings(max_examples=40, deadline=None)
def test_whatever_was_sold_the_forecast_is_finite_and_inside_its_interval(points: list[float], period: int) -> None:
    made = forecast([np.array(points)], period, 5).forecasts[0]
    for values in (made.value, made.low, made.high, made.naive):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert (made.low <= made.value).all()
    assert (made.value <= made.high).all()


def test_a_week_is_learned_and_beats_the_naive_forecast_by_more_than_noise() -> None:
    group = forecast([shop(91, 20, seed) for seed in range(3)], 7, 14)
    assert group.choice.is_better
    assert group.metrics["mase"][0] < group.metrics["mase_naive"][0]
    sunday = (np.arange(91, 105) % 7) == 6
    assert group.forecasts[0].value[sunday].mean() < 0.6 * group.forecasts[0].value[~sunday].mean()


def test_where_nothing_beats_the_naive_forecast_the_naive_one_is_published_as_what_it_is() -> None:
    walks = [np.cumsum(np.random.default_rng(seed).normal(0, 1, 60)) + 1000 for seed in range(10)]
    group = forecast(walks, 1, 5)
    assert group.choice.taken in ("naive", "seasonal_naive")
    assert all((one.value == one.naive).all() for one in group.forecasts)


@pytest.mark.parametrize("mean", [1.0, 30.0])
def test_intervals_hold_the_share_that_they_promise(mean: float) -> None:
    inside = []
    for seed in range(5):
        world = [shop(84, mean, 100 * seed + number) for number in range(4)]
        group = forecast([one[:70] for one in world], 7, 14)
        inside += [
            (one[70:] >= made.low) & (one[70:] <= made.high) for one, made in zip(world, group.forecasts, strict=True)
        ]
    assert 0.90 <= np.mean(inside) <= 0.985


def test_a_single_odd_day_is_told_and_a_usual_one_is_not() -> None:
    series = shop(100, 20, 3)
    assert flags(series, 7, 28) == []
    series[90] += 60
    found = flags(series, 7, 28)
    assert [(one.place, one.kind) for one in found] == [(90, "anomaly")]
    assert found[0].score > 3.5


def test_a_lasting_change_of_level_is_told_with_its_day_and_a_trend_is_not_one() -> None:
    series = np.concatenate([shop(70, 20, 0), shop(35, 34, 1)])
    shift = [one for one in flags(series, 7, 28) if one.kind == "level_shift"]
    assert len(shift) == 1
    assert abs(shift[0].place - 70) <= 3
    assert shift[0].value > 1.4 * shift[0].expected
    rising = np.random.default_rng(0).poisson(np.linspace(20, 40, 105)).astype(float)
    assert not [one for one in flags(rising, 7, 28) if one.kind == "level_shift"]


def test_the_stored_model_is_read_back_as_it_was_made_and_twice_the_same() -> None:
    counted = Counted({"books": shop(70, 20, 0), "toys": np.r_[np.zeros(40), shop(30, 3, 1)]}, date(2026, 8, 5), 4)
    made = train("d", counted, OPTIONS, data={}, recipe=Recipe(), load=reader.load)
    again = train("d", counted, OPTIONS, data={}, recipe=Recipe(), load=reader.load)
    assert (made.model, made.card, made.version) == (again.model, again.card, again.version)
    held = reader.load(json.loads(made.model))
    assert held.series == ("books", "toys")
    rows = held.forecast("books")
    assert (rows[0]["at"], len(rows)) == ("2026-08-06", 14)
    assert held.points("books")[-1] == {"at": "2026-08-05", "value": counted.series["books"][-1]}
    assert len(held.points("toys")) <= 30
    card = json.loads(made.card)
    assert set(MEMBERS) <= set(card["all_kinds"])
    assert card["series"]["in_other"] == 4


def test_a_days_sum_is_the_same_to_the_last_digit_however_the_lake_is_ordered_and_cut() -> None:
    draw = np.random.default_rng(8)
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "event_type": ["purchase"] * 3000,
            "event_time": [start + timedelta(days=int(day)) for day in draw.integers(0, 3, 3000)],
            "value": np.round(draw.gamma(2.0, 20.0, 3000), 2),
        }
    )
    options = OPTIONS | {"of": "value", "by": "all"}
    end = int((start + timedelta(days=3)).timestamp() * 1e6)
    items = pl.DataFrame({"item_id": [], "category": []})
    found = []
    for seed in range(4):
        mixed = rows.sample(fraction=1.0, shuffle=True, seed=seed)
        pieces = pl.concat([mixed.slice(at, 371) for at in range(0, 3000, 371)], rechunk=False)
        found.append(series_of(pieces.lazy(), items, options, ZoneInfo("UTC"), end).series["all"].tolist())
    assert found == [found[0]] * 4


def test_three_days_get_their_mean_and_a_wide_interval() -> None:
    made = forecast([np.array([3.0, 0.0, 6.0])], 7, 7)
    one = made.forecasts[0]
    assert one.value == pytest.approx(np.full(7, 3.0))
    assert one.high[0] > 6


def test_a_series_that_never_happened_is_not_forecast() -> None:
    with pytest.raises(NotReady):
        train("d", Counted({"a": np.zeros(9)}, date(2026, 8, 5)), OPTIONS, data={}, recipe=Recipe(), load=reader.load)


def test_the_growth_of_errors_with_the_horizon_is_found() -> None:
    walks = [np.cumsum(np.random.default_rng(seed).normal(0, 1, 80)) + 100 for seed in range(12)]
    rolled = [roll(one, 1, 8) for one in walks]
    found, factors = spread(
        rolled, [sizes(a, b) for a, b in zip(rolled, walks, strict=True)], choose(rolled).taken, 0.95
    )
    assert 0.2 < found.power < 0.8
    assert all(0.4 < one < 2.5 for one in factors)


@pytest.mark.skipif(not AIR.exists(), reason="data absent: airpassengers")
def test_air_passengers_two_years_ahead() -> None:
    with AIR.open() as file:
        rows = list(csv.reader(file))[1:]
    series = np.array([float(row[-1]) for row in rows])
    made = forecast([series[:-24]], 12, 24).forecasts[0]
    error = np.abs(made.value - series[-24:]) / series[-24:]
    naive = np.abs(series[-36:-24][np.arange(24) % 12] - series[-24:]) / series[-24:]
    assert error.mean() < 0.75 * naive.mean()
