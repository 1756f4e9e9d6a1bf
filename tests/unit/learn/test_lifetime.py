"""Value: parameters come out of simulated data and of the published set; the choice is made out of time; the same lake gives the same bytes."""

from __future__ import annotations

import json
from copy import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from benchmarks.quality import data
from benchmarks.quality import lifetime as cdnow
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.errors import NotReady
from nudge.flows.training_rows import History
from nudge.flows.trainings import value
from nudge.flows.trainings.task import Made, Task
from nudge.learn import Recipe
from nudge.learn.lifetime import judge, models, spend
from nudge.learn.lifetime.correction import Correction
from nudge.learn.lifetime.customers import Customers, Past
from nudge.learn.lifetime.spend import Spend
from nudge.learn.lifetime.windows import followed, outcomes, windows
from nudge.profile import batch
from nudge.score import lifetime
from nudge.vocabulary import DAY
from tests.unit.learn import shop

RECIPE = Recipe(resamples=50, iterations=40)


# ── the models of buying ─────────────────────────────────────────────────────────────────────────────────────────────
def simulated(model: str, truth: tuple[float, ...], people: int, seed: int) -> Customers:
    """Customers who do exactly what the model says, watched for 100 to 300 days."""
    rng = np.random.default_rng(seed)
    r, alpha, third, fourth = truth
    age, rate = rng.uniform(100, 300, people), rng.gamma(r, 1 / alpha, people)
    repeats, recency = np.zeros(people), np.zeros(people)
    until = rng.exponential(1 / np.maximum(rng.gamma(third, 1 / fourth, people), 1e-12))
    stops = rng.beta(third, fourth, people)
    for one in range(people):
        at = 1e9 if model == "mbg_nbd" and rng.random() < stops[one] else 0.0
        while (at := at + rng.exponential(1 / max(rate[one], 1e-12))) < age[one]:
            if model == "pareto_nbd" and at > until[one]:
                break
            repeats[one], recency[one] = repeats[one] + 1, at
            if model in ("bg_nbd", "mbg_nbd") and rng.random() < stops[one]:
                break
    return Customers.plain(repeats, recency, age)


@pytest.mark.parametrize(
    ("model", "truth"),
    [
        ("bg_nbd", (0.8, 20.0, 0.9, 2.5)),
        ("mbg_nbd", (0.8, 20.0, 0.9, 2.5)),
        ("pareto_nbd", (0.8, 20.0, 0.7, 60.0)),
    ],
)
def test_known_parameters_come_out_of_simulated_customers(model: str, truth: tuple[float, ...]) -> None:
    customers = simulated(model, truth, 4_000, seed=1)
    fit = models.fit(model, customers)
    at_truth = -models.LOSSES[model](np.append(np.log(truth), 0.0), customers)[0].sum()
    assert fit.log_likelihood >= at_truth - 1e-6
    assert fit.log_likelihood - at_truth < 8  # four parameters: twice this is χ² with four degrees of freedom
    assert np.array(fit.parameters) == pytest.approx(np.array(truth), rel=0.35)
    held = models.expect(model, fit.parameters, customers, 90.0)[1].sum()
    assert held == pytest.approx(models.expect(model, truth, customers, 90.0)[1].sum(), rel=0.05)


def test_the_unit_of_time_does_not_matter() -> None:
    days = simulated("bg_nbd", (0.8, 20.0, 0.9, 2.5), 500, seed=2)
    weeks = days.timed(7.0)
    for model in ("bg_nbd", "mbg_nbd", "pareto_nbd"):
        a, b = models.fit(model, days), models.fit(model, weeks)
        assert a.parameters[1] == pytest.approx(7 * b.parameters[1], rel=1e-3)
        assert a.parameters[0] == pytest.approx(b.parameters[0], rel=1e-3)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
@pytest.mark.parametrize("second", [2.0, 9.0, 40.0])
def test_a_gradient_is_that_of_its_loss(model: str, second: float) -> None:
    held = simulated("bg_nbd", (0.8, 20.0, 0.9, 2.5), 200, seed=3)
    worth = np.random.default_rng(3).uniform(-1, 1, len(held))
    customers = Customers(held.repeats, held.recency, held.age, worth)
    point = np.array([*np.log([0.5, 9.0, 0.7, second]), 0.4])
    told = models.LOSSES[model](point, customers)[1]
    for place, step in enumerate(np.eye(5) * 1e-5):
        up, down = (models.LOSSES[model](point + one, customers)[0].sum() for one in (step, -step))
        assert told[place] == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_a_bend_comes_out_where_larger_orders_come_faster(model: str) -> None:
    rng = np.random.default_rng(6)
    worth, age = rng.choice([-1.0, 1.0], 4_000), rng.uniform(200, 300, 4_000)
    rate = rng.gamma(0.8, np.exp(0.5 * worth) / 20.0)
    repeats = rng.poisson(rate * age).astype(float)  # nobody stops
    recency = np.where(repeats > 0, age * rng.beta(np.maximum(repeats, 1.0), 1.0), 0.0)
    fit = models.fit(model, Customers(repeats, recency, age, worth), prior=1.0, tolerance=1e-9)
    assert fit.bend == pytest.approx(0.5, abs=0.08)


def test_what_orders_are_worth_is_told_against_others_and_within_bounds() -> None:
    rng = np.random.default_rng(7)
    orders = np.r_[0.0, 1.0 + rng.poisson(2, 999)]
    mean = np.r_[0.0, rng.gamma(3.0, 10.0, 998), 1e6]
    past = Past(orders, orders, orders + 1, mean)
    made = Spend.of(past, seed=0)
    assert made is not None
    worth = made.worth(past)
    assert (worth.min(), worth.max()) == (-1.0, 1.0)
    assert np.corrcoef(worth[1:-1], mean[1:-1])[0, 1] > 0.8
    assert made.order(past)[0] == made.everyone


def test_gamma_gamma_comes_out_of_simulated_orders() -> None:
    rng = np.random.default_rng(4)
    orders = 1.0 + rng.poisson(3, 6_000)
    rate = rng.gamma(4.0, 1 / 15.0, len(orders))
    mean = rng.gamma(6.0 * orders) / (rate * orders)
    p, q, v = spend.fit(orders, mean)
    assert p * v / (q - 1) == pytest.approx(6.0 * 15 / 3, rel=0.05)
    assert (p, q) == (pytest.approx(6.0, rel=0.25), pytest.approx(4.0, rel=0.25))


@pytest.mark.skipif(not (data.root() / cdnow.NAME).exists(), reason=f"data absent: {cdnow.NAME}")
def test_the_published_parameters_of_cdnow_come_out() -> None:
    events = cdnow.purchases(data.root() / cdnow.NAME).filter(pl.col("event_time") <= cdnow.END)
    at = pl.col("event_time").dt.epoch("us") / (7 * DAY)
    people = events.group_by("user_id").agg(
        x=pl.len() - 1,
        recency=at.max() - at.min(),
        age=cdnow.micros(cdnow.END) / (7 * DAY) - at.min(),
        mean=pl.col("value").sort_by("event_time").slice(1).mean(),
    )
    x, recency, age = (people[name].to_numpy().astype(float) for name in ("x", "recency", "age"))
    for model, (*published, likelihood) in cdnow.PUBLISHED.items():
        fit = models.fit(model, Customers.plain(x, recency, age))
        assert list(fit.parameters) == pytest.approx(published, abs=0.0015 if model == "pareto_nbd" else 0.0006)
        assert fit.log_likelihood == pytest.approx(likelihood, abs=0.05)
    again = people.filter(pl.col("x") > 0)
    found = spend.fit(again["x"].to_numpy().astype(float), again["mean"].to_numpy())
    assert list(found) == pytest.approx([6.25, 3.74, 15.44], abs=0.006)


@pytest.mark.parametrize("who", [3, 59, 118, 200])
def test_a_number_that_one_person_has_breaks_no_correction_whoever_is_held_back_to_stop_early(who: int) -> None:
    rng = np.random.default_rng(4)
    rare = np.full(300, np.nan)
    rare[who] = 1.0
    rows = pl.DataFrame({"rare": rare, "known": rng.random(300), "purchases": rng.poisson(1.0, 300).astype(float)})
    for seed in range(5):
        recipe = replace(RECIPE, iterations=3, seed=seed)
        learned = Correction.learned(rows, rng.random(300), rng.random(300) + 0.1, 30.0, recipe, lambda name: None)
        assert learned is not None
        assert "rare" not in {feature["name"] for feature in learned.features}


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_windows_do_not_overlap_and_end_with_the_data() -> None:
    days, cuts = windows(0, 400 * DAY, 90.0)
    assert (days, cuts[-1], len(cuts)) == (66, 334 * DAY, 5)
    assert {b - a for a, b in pairwise(cuts)} == {66 * DAY}
    assert windows(0, 4000 * DAY, 90.0)[0] == 90
    with pytest.raises(NotReady):
        windows(0, 11 * DAY, 90.0)


def test_an_outcome_is_what_came_at_the_cut_or_after_it() -> None:
    rows = [("ann", 9, 5.0), ("ann", 10, 7.0), ("ann", 19, None), ("ann", 20, 1.0), ("bob", 12, float("nan"))]
    events = pl.DataFrame(rows, schema=["user_id", "t", "value"], orient="row").with_columns(
        event_type=pl.lit("purchase"), event_time=pl.from_epoch(pl.col("t"), time_unit="us").dt.replace_time_zone("UTC")
    )
    came = outcomes(events.lazy(), "purchase", 10, 20)
    assert came.rows() == [("ann", 2.0, 7.0), ("bob", 1.0, 0.0)]
    assert followed(pl.DataFrame({"user_id": ["cid", "ann"]}), came).rows() == [("cid", 0.0, 0.0), ("ann", 2.0, 7.0)]


# ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_better_forecast_is_better_by_more_than_noise_and_the_same_one_is_not() -> None:
    rng = np.random.default_rng(5)
    rate = rng.gamma(1.0, 1.0, 2_000)
    came = rng.poisson(rate).astype(float)
    assert judge.compare(rate, np.full(2_000, came.mean()), came, RECIPE)[1] > 0
    assert judge.compare(rate, rate, came, RECIPE) == (0.0, 0.0)
    seen = judge.Seen(came, came * 10, np.ones(2_000, dtype=bool))
    said = {"purchases": rate, "typical": np.floor(rate), "alive": rate, "spend": rate * 10}
    found = judge.figures(said, seen, RECIPE)
    assert found["ratio"][1] < 1 < found["ratio"][2]
    assert all(low <= value <= high for value, low, high in found.values())
    table = judge.deciles(rate, came, came)
    assert sum(one["share_of_spend"] for one in table) == pytest.approx(1)
    assert table[0]["came"] > table[-1]["came"]


# ── the whole of it ──────────────────────────────────────────────────────────────────────────────────────────────────
def made(tmp_path: Any, events: pl.DataFrame, present: Any = None, **options: Any) -> tuple[Made, pl.DataFrame]:
    lake = ObjectsLake(MemoryObjects())
    lake.put("events", "2026-06-01", shop.parquet(events))
    tmp_path.mkdir()
    history = History.copy(lake, tmp_path, shop.START + 90 * DAY)
    said = {"event": "purchase", "horizon_days": 30.0} | options
    task = Task("value", "value.purchase", cast(Any, SimpleNamespace(timezone="UTC")), said)
    answer = value.make(task, history, present, RECIPE, lambda step: None, history.end)
    return answer, batch.vectors(history.events, history.end)


def test_value_is_learned_beats_the_naive_and_repeats_to_the_byte(tmp_path: Any) -> None:
    events = shop.events(people=500, days=84)
    first, vectors = made(tmp_path / "a", events)
    assert first.passed, first.reason
    card = json.loads(first.card)
    assert card["parity"] < 1e-9
    assert card["metrics"]["deviance"][0] < card["all_kinds"]["naive mean"]["deviance"][0]
    assert {"bg_nbd", "mbg_nbd", "pareto_nbd"} <= set(card["all_kinds"])
    assert any("Judged over" in one for one in card["limits"])
    model = lifetime.load(json.loads(first.model))
    said = [model.value(row) for row in vectors.iter_rows(named=True)]
    often = vectors["total.purchase"].to_numpy()
    assert np.corrcoef([one["purchases"] for one in said], often)[0, 1] > 0.8
    buyers = [one for one, total in zip(said, often, strict=True) if total >= 5]
    assert np.mean([one["spend"] / one["purchases"] for one in buyers]) == pytest.approx(20, rel=0.05)
    shuffled = events.sample(fraction=1.0, shuffle=True, seed=3)
    again, _ = made(tmp_path / "b", shuffled, ("v0", json.loads(first.model)))
    assert (again.model, again.version) == (first.model, first.version)
    assert not again.passed
    assert "not better than v0 by more than noise" in again.reason


def test_too_few_buyers_are_said_and_orders_without_a_value_are_worth_nothing(tmp_path: Any) -> None:
    few = shop.events(people=500, days=84).filter(
        (pl.col("event_type") != "purchase") | pl.col("user_id").is_in(["u0001"])
    )
    with pytest.raises(NotReady) as lacking:
        made(tmp_path / "a", few)
    assert lacking.value.missing
    free, _ = made(tmp_path / "b", shop.events(people=300, days=84).with_columns(value=pl.lit(None, pl.Float64)))
    artefact = json.loads(free.model)
    assert artefact["spend"] is None
    assert lifetime.load(artefact).value({"total.purchase": 3.0})["spend"] == 0.0
