"""The contest: figures are scikit-learn's, the stored form is the fitted one, and noise promotes nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from threadpoolctl import threadpool_limits

from nudge.errors import NotReady
from nudge.learn import (
    Recipe,
    boosting,
    calibrate,
    export,
    features,
    gate,
    judge,
    labels,
    logistic,
    refit,
    slices,
    train,
)
from nudge.profile.spec import absent
from nudge.score import load
from nudge.vocabulary import DAY, Goal

GOAL = Goal("purchase", "purchase", 7)
RECIPE = Recipe(iterations=40, resamples=60, positives=10)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def people(number: int, seed: int, *, effect: float = 1.5) -> pl.DataFrame:
    """Rows of one moment: a count, a recency that is often missing, a country, an activity that helps."""
    rng = np.random.default_rng(seed)
    count, days = rng.gamma(1, 2, number), np.where(rng.random(number) < 0.3, np.nan, rng.gamma(2, 5, number))
    country = rng.choice(["DE", "FR", "CN", "rare"], number, p=[0.5, 0.3, 0.19, 0.01])
    activity = rng.choice(["nothing", "mail"], number)
    z = -2 + effect * np.log1p(count) - 0.3 * (country == "FR") + 0.5 * (activity == "mail") + np.isnan(days) * 0.3
    label = (rng.random(number) < 1 / (1 + np.exp(-z))).astype(float)
    return pl.DataFrame(
        {
            "user_id": [f"u{n}" for n in range(number)],
            "count.view.7d": count,
            "days_since.buy": days,
            "trait.country": country,
            "activity": activity,
            "is_decision": 1.0,
            "label": label,
            "worth": label * 9.0,
            "weight": 1.0,
            "logged": True,
        }
    ).with_columns(pl.col("days_since.buy").fill_nan(None))


def three(*, effect: float = 1.5, rows: int = 1500, seed: int = 0) -> slices.Slices:
    made = [people(rows, seed * 10 + n, effect=effect).with_columns(at=pl.lit(n * 7 * DAY)) for n in range(3)]
    return slices.Slices(*made, said={name: {"rows": rows, "used": rows} for name in slices.NAMES})


def trained(cut: slices.Slices, recipe: Recipe = RECIPE) -> Any:
    return train(cut, GOAL, end=21 * DAY, data={}, recipe=recipe, load=load, absent=absent)


def test_the_same_rows_and_seed_give_the_same_bytes() -> None:
    cut = three()
    first, second = trained(cut), trained(cut)
    assert (first.model, first.card, first.version) == (second.model, second.card, second.version)


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_the_stored_model_gives_scikit_learns_own_probabilities(kind: str) -> None:
    cut = three()
    made, calibration, table = fitted(kind, cut, RECIPE)
    stored = export.artefact(made, calibration, GOAL, None)
    assert export.parity(stored, load, made, calibration, table, 0) < 1e-9


def fitted(kind: str, cut: slices.Slices, recipe: Recipe) -> tuple[export.Fitted, calibrate.Calibration, pd.DataFrame]:
    chosen = features.choose(cut.train, recipe, absent)
    tables = [features.table(rows, chosen) for rows in (cut.train, cut.calibrate, cut.test)]
    label = [rows["label"].to_numpy() for rows in (cut.train, cut.calibrate)]
    ones = [np.ones(len(one)) for one in label]
    made: export.Fitted
    if kind == "logistic":
        made = logistic.fit(tables[0], label[0], ones[0], chosen, recipe)
    else:
        made = boosting.fit(tables[0], label[0], ones[0], (tables[1], label[1], ones[1]), chosen, recipe)
    z = made.log_odds(tables[1])
    return made, calibrate.fit(z, label[1], ones[1], np.arange(len(z))), tables[2]


@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["logistic", "boosting"]),
    leaves=st.integers(2, 31),
    scale=st.sampled_from([1e-12, 1.0, 1e9, 1e300]),
    missing=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=15, deadline=None)
def test_parity_holds_for_random_models(seed: int, kind: str, leaves: int, scale: float, missing: float) -> None:
    rng = np.random.default_rng(seed)
    cut = three(rows=400, seed=seed % 1000)
    hide = pl.Series(rng.random(400) < missing)
    odd = [
        rows.with_columns(
            pl.when(hide).then(None).otherwise(pl.col("days_since.buy") * scale).alias("days_since.buy"),
            pl.when(hide).then(None).otherwise(pl.col("trait.country")).alias("trait.country"),
        )
        for rows in (cut.train, cut.calibrate, cut.test)
    ]
    recipe = replace(RECIPE, leaves=leaves, iterations=15)
    made, calibration, table = fitted(kind, slices.Slices(odd[0], odd[1], odd[2], {}), recipe)
    stored = export.artefact(made, calibration, GOAL, None)
    assert export.parity(stored, load, made, calibration, table, seed) < 1e-9


def test_a_stored_model_that_differs_is_not_published() -> None:
    cut = three(rows=600)
    made, calibration, table = fitted("boosting", cut, RECIPE)
    stored = json.loads(export.artefact(made, calibration, GOAL, None))
    stored["model"]["leaf"][0] += 1e-6
    with pytest.raises(NotReady, match="differs from scikit-learn") as told:
        export.parity(export.canonical(stored), load, made, calibration, table, 0)
    assert told.value.missing["allowed"] == 1e-9


def test_the_figures_are_scikit_learns() -> None:
    rng = np.random.default_rng(3)
    p, weight = rng.random(800).round(2), rng.integers(1, 4, 800).astype(float)
    label = (rng.random(800) < p).astype(float)
    rows = judge.Rows(label, weight, np.arange(800))
    found = judge.figures(p, rows, resamples=20, confidence=0.95, seed=0)
    held = np.clip(p, judge.EDGE, 1 - judge.EDGE)
    assert found["auc"][0] == pytest.approx(theirs.roc_auc_score(label, p, sample_weight=weight))
    assert found["average_precision"][0] == pytest.approx(
        theirs.average_precision_score(label, p, sample_weight=weight)
    )
    assert found["brier"][0] == pytest.approx(theirs.brier_score_loss(label, p, sample_weight=weight))
    assert found["log_loss"][0] == pytest.approx(theirs.log_loss(label, held, sample_weight=weight))
    for value, low, high in found.values():
        assert low <= value <= high


def test_lift_of_a_perfect_order_is_one_over_the_base_rate() -> None:
    label = np.r_[np.ones(100), np.zeros(900)]
    rows = judge.Rows(label, np.ones(1000), np.arange(1000))
    found = judge.figures(np.linspace(1, 0, 1000), rows, resamples=20, confidence=0.95, seed=0)
    assert found["lift_at_10"][0] == pytest.approx(10.0)
    assert found["auc"][0] == 1.0


def test_a_model_of_noise_does_not_pass_the_first_gate() -> None:
    cut = three(effect=0.0)
    noise = [rows.with_columns(label=pl.Series(np.random.default_rng(n).integers(0, 2, rows.height).astype(float)))
             for n, rows in enumerate((cut.train, cut.calibrate, cut.test))]  # fmt: skip
    answer = gate(trained(slices.Slices(noise[0], noise[1], noise[2], cut.said)), None, RECIPE)
    assert not answer.passed
    assert answer.reason.startswith("not better than the base rate by more than noise")


def test_the_first_champion_must_beat_the_base_rate_and_the_next_the_champion() -> None:
    made = trained(three())
    assert gate(made, None, RECIPE).passed
    weak = trained(three(effect=0.2, seed=5))
    assert gate(made, ("weak", load(json.loads(weak.model))), RECIPE).passed
    cut, strange = three(), three(effect=-1.0, seed=5)
    answer = gate(trained(replace(strange, test=cut.test)), ("strong", load(json.loads(made.model))), RECIPE)
    assert not answer.passed
    assert (
        gate(made, (made.version, load(json.loads(made.model))), RECIPE).reason
        == "this version is the champion already"
    )


def test_what_an_activity_does_is_learned() -> None:
    made = json.loads(trained(three(rows=4000)).model)
    scorer = load(made)
    assert made["activities"] == ["mail", "nothing"]
    person = {"count.view.7d": 1.0, "trait.country": "DE"}
    lift = scorer.probability(person | {"activity": "mail"}) / scorer.probability(person)
    assert 1.1 < lift < 2.2
    assert made["typical_value"] == 9.0


def test_a_level_that_few_have_is_no_level() -> None:
    rows = people(400, 1)
    chosen = {one["name"]: one for one in features.choose(rows, Recipe(level_people=30), absent)}
    assert chosen["trait.country"]["levels"] == ["CN", "DE", "FR"]
    assert chosen["activity"]["absent"] == labels.NOTHING
    assert "is_decision" not in chosen  # it is the same for everyone here


def test_calibration_says_what_it_means() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(0, 2, 6000)
    label = (rng.random(6000) < 1 / (1 + np.exp(-(0.5 * z - 1)))).astype(float)
    calibration = calibrate.fit(z, label, np.ones(6000), np.arange(6000))
    said = calibration.export()
    assert said["kind"] == "sigmoid"
    assert said["slope"] == pytest.approx(0.5, abs=0.05)
    bent = calibrate.fit(np.sign(z) * z**4, label, np.ones(6000), np.arange(6000))
    assert bent.export()["kind"] == "isotonic"


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_where_few_did_it_the_chosen_kind_learns_from_both_earlier_slices(kind: str) -> None:
    cut = three(rows=400)
    table = features.table(cut.train, chosen := features.choose(cut.train, RECIPE, absent))
    label, weight = cut.train["label"].to_numpy(), cut.train["weight"].to_numpy()
    fitted: Any = logistic.fit(table, label, weight, chosen, RECIPE)
    if kind == "boosting":
        fitted = boosting.fit(table, label, weight, (table, label, weight), chosen, RECIPE)
    assert refit.again(fitted, cut, replace(RECIPE, refit=10), absent) is None
    better = refit.again(fitted, cut, replace(RECIPE, refit=10_000), absent)
    assert better is not None
    again, calibration = better
    assert again.kind == kind
    held = features.table(cut.test, again.features)
    label = cut.test["label"].to_numpy()
    said = calibration.probability(again.log_odds(held))
    assert theirs.roc_auc_score(label, said) > 0.6
    assert abs(said.mean() - label.mean()) < 0.06
    stored = export.artefact(again, calibration, GOAL, None)
    assert export.parity(stored, load, again, calibration, held, 0) < 1e-9


def test_the_card_says_whether_it_was_fitted_again() -> None:
    for most, said in ((10, False), (10_000, True)):
        card = json.loads(trained(three(rows=300), replace(RECIPE, refit=most)).card)
        assert card["chosen_by"]["fitted_again"] is said
        assert card["all_kinds"][card["kind"]] == card["metrics"]
