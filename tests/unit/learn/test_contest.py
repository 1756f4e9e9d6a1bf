"""The contest: figures are scikit-learn's, the stored form is the fitted one, and noise promotes nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import replace
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
    blend,
    boosting,
    calibrate,
    export,
    features,
    forest,
    gate,
    judge,
    labels,
    logistic,
    slices,
    train,
)
from nudge.profile.spec import absent
from nudge.score import load
from nudge.vocabulary import DAY, Goal

GOAL = Goal("purchase", "purchase", 7)
RECIPE = Recipe(iterations=20, trees=12, tree_leaves=24, blocks=2, resamples=60)
KINDS = ["logistic", "boosting", "forest", "blend"]


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


def two(*, effect: float = 1.5, rows: int = 1500, seed: int = 0, moments: int = 3) -> slices.Slices:
    made = [
        people(rows, seed * 10 + n, effect=effect).with_columns(at=pl.lit(n * 7 * DAY, pl.Int64))
        for n in range(moments)
    ]
    before, last = pl.concat(made[:-1]), made[-1]
    said = {"train": {"rows": before.height, "used": before.height}, "test": {"rows": rows, "used": rows}}
    return slices.Slices(before, last, said)


def trained(cut: slices.Slices, recipe: Recipe = RECIPE) -> Any:
    return train(cut, GOAL, end=21 * DAY, data={}, recipe=recipe, load=load, absent=absent)


def test_the_same_rows_and_seed_give_the_same_bytes() -> None:
    cut = two()
    first, second = trained(cut), trained(cut)
    assert (first.model, first.card, first.version) == (second.model, second.card, second.version)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stored_model_gives_scikit_learns_own_probabilities(kind: str) -> None:
    made, calibration, table = fitted(kind, two(), RECIPE)
    stored = export.artefact(made, calibration, GOAL, None)
    assert export.parity(stored, load, made, calibration, table, 0) < 1e-9


def fitted(kind: str, cut: slices.Slices, recipe: Recipe) -> tuple[export.Fitted, calibrate.Calibration, pd.DataFrame]:
    chosen = features.choose(cut.train, recipe, absent)
    table, held = features.table(cut.train, chosen), features.table(cut.test, chosen)
    label, weight = cut.train["label"].to_numpy(), np.ones(cut.train.height)
    parts: dict[str, export.Fitted] = {
        "logistic": logistic.fit(table, label, weight, chosen, recipe),
        "boosting": boosting.fit(table, label, weight, chosen, recipe),
        "forest": forest.fit(table, label, weight, chosen, recipe),
    }
    weights = {"logistic": 0.25, "boosting": 0.5, "forest": 0.25} if kind == "blend" else {kind: 1.0}
    made = blend.mixed(weights, parts)
    z = made.log_odds(held)
    return made, calibrate.fit(z, cut.test["label"].to_numpy(), np.ones(len(z)), np.arange(len(z))), held


@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    leaves=st.integers(2, 31),
    scale=st.sampled_from([1e-12, 1.0, 1e9, 1e300]),
    missing=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=20, deadline=None)
def test_parity_and_additions_hold_for_random_models(
    seed: int, kind: str, leaves: int, scale: float, missing: float
) -> None:
    rng = np.random.default_rng(seed)
    cut = two(rows=300, seed=seed % 1000)

    def odd(rows: pl.DataFrame) -> pl.DataFrame:
        hide = pl.Series(rng.random(rows.height) < missing)
        return rows.with_columns(
            pl.when(hide).then(None).otherwise(pl.col("days_since.buy") * scale).alias("days_since.buy"),
            pl.when(hide).then(None).otherwise(pl.col("trait.country")).alias("trait.country"),
        )

    recipe = replace(RECIPE, leaves=(leaves, 3), tree_leaves=leaves, iterations=8, trees=5)
    made, calibration, table = fitted(kind, slices.Slices(odd(cut.train), odd(cut.test), {}), recipe)
    stored = export.artefact(made, calibration, GOAL, None)
    assert export.parity(stored, load, made, calibration, table, seed) < 1e-9
    scorer = load(json.loads(stored))
    for vector in export.vectors(export.hostile(made.features, table, seed, 20), made.features):
        activity = str(vector.get("activity") or "nothing")
        base, added = scorer.contributions(vector, activity)
        assert base + sum(added.values()) == pytest.approx(scorer.log_odds(vector, activity), abs=1e-9)


def test_a_stored_model_that_differs_is_not_published() -> None:
    cut = two(rows=600)
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
    cut = two(effect=0.0)
    noise = [
        rows.with_columns(label=pl.Series(np.random.default_rng(n).integers(0, 2, rows.height).astype(float)))
        for n, rows in enumerate((cut.train, cut.test))
    ]
    answer = gate(trained(slices.Slices(noise[0], noise[1], cut.said)), None, RECIPE)
    assert not answer.passed
    assert answer.reason.startswith("not better than the base rate by more than noise")


def test_the_first_champion_must_beat_the_base_rate_and_the_next_the_champion() -> None:
    made = trained(two())
    assert gate(made, None, RECIPE).passed
    weak = trained(two(effect=0.2, seed=5))
    assert gate(made, ("weak", load(json.loads(weak.model))), RECIPE).passed
    cut, strange = two(), two(effect=-1.0, seed=5)
    answer = gate(trained(replace(strange, test=cut.test)), ("strong", load(json.loads(made.model))), RECIPE)
    assert not answer.passed
    assert (
        gate(made, (made.version, load(json.loads(made.model))), RECIPE).reason
        == "this version is the champion already"
    )


def test_what_an_activity_does_is_learned() -> None:
    made = json.loads(trained(two(rows=3000)).model)
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


def interaction(rows: pl.DataFrame) -> pl.DataFrame:
    """Who does it depends on two numbers together: no sum of terms knows it."""
    rng = np.random.default_rng(rows.height)
    a, b = rng.normal(size=rows.height), rng.normal(size=rows.height)
    label = (rng.random(rows.height) < 1 / (1 + np.exp(-(3 * np.sign(a * b) - 1)))).astype(float)
    return rows.with_columns(a=pl.Series(a), b=pl.Series(b), label=pl.Series(label))


def test_trees_win_where_features_act_together_and_the_plain_kind_where_they_add_up() -> None:
    together = two(rows=1200)
    odd = slices.Slices(interaction(together.train), interaction(together.test), together.said)
    made = json.loads(trained(odd).card)
    assert made["kind"] != "logistic"
    assert made["metrics"]["auc"][0] > made["all_kinds"]["logistic"]["auc"][0] + 0.1
    assert {made["importances"][0]["name"], made["importances"][1]["name"]} == {"a", "b"}
    assert sum(one["share"] for one in made["importances"]) == pytest.approx(1, abs=1e-3)
    assert json.loads(trained(two()).card)["chosen_by"]["mixture"].get("logistic", 0) > 0


def test_a_goal_may_say_which_kinds_and_features_are_used() -> None:
    goal = replace(GOAL, kinds=("boosting",), only=("count.*", "trait.*"), without=("trait.*",))
    made = train(two(rows=600), goal, end=21 * DAY, data={}, recipe=RECIPE, load=load, absent=absent)
    assert made.kind == "boosting"
    assert json.loads(made.card)["features"] == ["activity", "count.view.7d"]


@pytest.mark.parametrize("positives", [5, 12, 40])
def test_with_few_positives_there_is_a_shrunken_model_that_stays_near_the_base_rate(positives: int) -> None:
    cut = two(rows=500)

    def few(rows: pl.DataFrame, number: int) -> pl.DataFrame:
        did = rows.with_row_index("place").filter(pl.col("label") == 1)["place"][:number].implode()
        place = pl.int_range(pl.len())
        return rows.with_columns(label=place.is_in(did).cast(pl.Float64), worth=place.is_in(did) * 9.0)

    made = trained(slices.Slices(few(cut.train, positives), few(cut.test, positives), cut.said))
    card = json.loads(made.card)
    assert made.kind == "logistic"
    low, high = card["metrics"]["auc"][1:]
    assert 0 <= low < high <= 1
    share = positives / cut.train.height
    assert share / 4 < made.probability.mean() < share * 4


def test_where_the_world_has_turned_round_recent_rows_weigh_more_and_the_level_is_the_latest() -> None:
    rng = np.random.default_rng(5)
    at = np.arange(6000)
    x = rng.normal(size=6000)
    turned = np.where(at < 2500, -2.0, 2.0)
    label = (rng.random(6000) < 1 / (1 + np.exp(-(turned * x - 1)))).astype(float)
    rows = people(6000, 1).with_columns(
        x=pl.Series(x), at=pl.Series(at), label=pl.Series(label), user_id=pl.Series([f"p{n}" for n in at])
    )
    said = {name: {"rows": 1, "used": 1} for name in slices.NAMES}
    short = Goal("purchase", "purchase", 1e-9)
    cut = slices.Slices(rows[:5000], rows[5000:], said)
    made = train(cut, short, end=21 * DAY, data={}, recipe=replace(RECIPE, blocks=3), load=load, absent=absent)
    card = json.loads(made.card)
    assert card["chosen_by"]["recent_rows_weigh_more"]
    assert card["metrics"]["auc"][0] > 0.75


def test_a_counter_that_only_tells_the_time_is_left_out_when_it_misleads() -> None:
    rng = np.random.default_rng(6)
    at, x = np.arange(4000), rng.normal(size=4000)
    wave = np.sin(at / 4000 * 9)
    label = (rng.random(4000) < 1 / (1 + np.exp(-(x + 2 * wave - 1)))).astype(float)
    rows = people(4000, 2).with_columns(
        x=pl.Series(x), counter=pl.Series(at * 1.0), at=pl.Series(at), label=pl.Series(label),
        user_id=pl.Series([f"p{n}" for n in at]),
    )  # fmt: skip
    from nudge.learn import world

    chosen = features.choose(rows, RECIPE, absent)
    assert world.clocks(features.table(rows, chosen), chosen) == ["counter"]


def test_a_number_that_never_changes_does_not_stop_boosting_with_weights() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    table = pd.DataFrame({"x": x, "flat": np.zeros(500), "none": np.full(500, np.nan)})
    label = (rng.random(500) < 1 / (1 + np.exp(-x))).astype(float)
    features = [{"name": name, "type": "number", "absent": None} for name in table]
    made = boosting.fit(table, label, rng.random(500) + 0.5, features, Recipe(iterations=10))
    assert set(made.export()["feature"]) == {0}


@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_a_number_that_nobody_had_yet_is_no_obstacle(weight: float) -> None:
    """Mail was introduced last week: of the time before, the number of days since one is missing for all."""
    table = pd.DataFrame({"days": np.full(200, np.nan), "count": np.arange(200.0)})
    named = [{"name": name, "type": "number", "absent": None} for name in table]
    label = (np.arange(200) % 3 == 0).astype(float)
    made = boosting.fit(table, label, np.where(label == 1, weight, 1.0), named, RECIPE)
    asked = table.assign(days=5.0)
    assert made.log_odds(asked) == pytest.approx(made.log_odds(table), abs=0)
