"""Effects learned from experiments whose truth is known: found where they are, not claimed where they are not."""

from __future__ import annotations

import json
from copy import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from nudge.errors import NotReady
from nudge.learn import Recipe, uplift
from nudge.learn.export import vectors
from nudge.learn.features import table
from nudge.learn.uplift import Shares, effect, judge, learners, trees
from nudge.learn.uplift.choose import Chosen, together
from nudge.learn.uplift.effect import Effect, shrunk
from nudge.learn.uplift.experiment import Experiment
from nudge.learn.uplift.export import artefact, parity
from nudge.score.uplift import load
from tests.unit.learn import uplift_world as world

RECIPE = Recipe(resamples=60)


def fitted(rows: Experiment, seed: int = 0) -> Effect:
    return effect.fit({"mail": rows}, world.FEATURES, lifts={"mail": 0.1}, confidence=0.95, seed=seed)["mail"]


@pytest.fixture(scope="module")
def bent() -> Effect:
    """From people whose effect rises with x1 and is larger in segment b; enough of them for every learner."""
    return fitted(world.experiment(900, 5, rate=0.3, spread=0.25).rows)


def test_an_effect_that_differs_is_found_in_the_right_order_and_the_average_is_inside_its_interval(
    bent: Effect,
) -> None:
    truth, fresh = (world.experiment(size, seed, rate=0.3, spread=0.25) for size, seed in ((900, 5), (3000, 6)))
    assert bent.heterogeneous
    assert np.corrcoef(bent.on(fresh.rows.table), fresh.effect)[0, 1] > 0.7
    _, low, high = bent.estimate.interval()
    assert low < truth.effect.mean() < high
    said = bent.on(fresh.rows.table)
    assert judge.qini(fresh.rows.label, said, fresh.rows.treated) > 0.1
    slope = np.polyfit(said, fresh.effect, 1)[0]
    assert 0.6 < slope < 1.6


def test_a_number_that_nobody_has_or_none_of_those_treated_breaks_no_learner() -> None:
    known = world.experiment(2_400, 3, rate=0.3).rows
    held = known.table.assign(x4=np.nan, x5=np.where(known.treated, np.nan, known.table["x5"]), x3=1.0)
    rows = Experiment.randomised(held, known.label, known.treated, known.people)
    made = learners.fit(rows, world.FEATURES, seed=0)
    assert set(made.effects) == {*learners.LINEAR, *learners.TREES}
    for says in made.effects.values():
        assert np.isfinite(says(held)).all()
    fitted = trees.imitation(held, made.effects["T.boosting"], seed=0)
    assert np.isfinite(fitted.predict(held)).all()


def test_what_is_stored_says_what_the_learners_say_of_new_people_too(monkeypatch: pytest.MonkeyPatch) -> None:
    table, fresh = (world.table(700, np.random.default_rng(seed)) for seed in (1, 2))

    def says(table: pd.DataFrame) -> np.ndarray:
        bent = np.where(table["trait.segment"] == "b", 2.0, 1.0) * np.tanh(table["x1"])
        return np.asarray(bent + np.where(table["x5"] > 0, table["x2"], 0.3))

    def missed() -> float:
        return float(np.mean((trees.imitation(table, says, seed=0).predict(fresh) - says(fresh)) ** 2))

    mixed = missed()
    monkeypatch.setattr(trees, "COPIES", 0)
    assert mixed < 0.75 * missed()


def test_mixed_rows_hold_the_same_values_and_come_out_the_same_again() -> None:
    table = world.table(50, np.random.default_rng(1))
    made = trees.widened(table, seed=3)
    assert len(made) == 50 * (1 + trees.COPIES)
    pd.testing.assert_frame_equal(made, trees.widened(table, seed=3))
    pd.testing.assert_frame_equal(made[:50], table)
    for name, column in table.items():
        assert made[name].dtype == column.dtype
        assert set(made[name].dropna()) == set(column.dropna())
    assert len(trees.widened(world.table(trees.ENOUGH, np.random.default_rng(1)), seed=3)) == trees.ENOUGH


def test_learners_that_are_kept_were_not_worse_than_the_best(bent: Effect) -> None:
    assert bent.chosen is not None
    assert set(bent.chosen.learners) == {*learners.LINEAR, "T.forest", "X.forest", "DR.forest"}
    best = max(value for value, _, _ in bent.chosen.learners.values())
    assert all(bent.chosen.learners[name][2] > best * 0.8 for name in bent.chosen.kept)


def test_with_many_rows_every_learner_is_tried_and_finds_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "MANY", 20)
    known, fresh = world.experiment(900, 5, rate=0.3, spread=0.25), world.experiment(2000, 6, rate=0.3, spread=0.25)
    told = learners.fit(known.rows, world.FEATURES, seed=0)
    assert set(told.effects) == {*learners.LINEAR, *learners.TREES}
    for name, said in told.effects.items():
        assert np.corrcoef(said(fresh.rows.table), fresh.effect)[0, 1] > 0.3, name


def test_where_everyone_is_moved_alike_no_heterogeneity_is_claimed() -> None:
    claimed = [
        fitted(world.experiment(400, seed, rate=0.15, average=0.05).rows, seed).heterogeneous for seed in range(10)
    ]
    assert sum(claimed) <= 1


def test_the_interval_of_the_average_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(16):
        known = world.experiment(300, seed, rate=0.2, average=0.08, share=0.7)
        _, low, high = fitted(known.rows, seed).estimate.interval()
        held += low < known.effect.mean() < high
    assert held >= 13


def test_few_rows_stay_near_what_the_plan_expects_and_many_do_not() -> None:
    assert shrunk(judge.Mean(0.30, 0.20), 0.01, 0.05) == pytest.approx(0.01 + 0.29 * 0.05**2 / (0.05**2 + 0.2**2))
    assert shrunk(judge.Mean(0.30, 0.001), 0.01, 0.05) == pytest.approx(0.30, abs=0.001)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_stored_form_says_of_anybody_what_scikit_learn_says(bent: Effect, data: st.DataObject) -> None:
    scorer = load(json.loads(artefact("uplift.g", "g", world.FEATURES, {"mail": bent}, until=0)))
    number = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.just(np.nan), st.floats(-3, 3))
    drawn = {f"x{place}": data.draw(st.lists(number, min_size=3, max_size=3)) for place in range(6)}
    levels = data.draw(st.lists(st.sampled_from(["a", "b", "c", "never seen", None]), min_size=3, max_size=3))
    rows = pl.DataFrame(drawn).with_columns(pl.Series("trait.segment", levels, dtype=pl.String))
    held = table(rows, world.FEATURES)
    asked = held.astype({"trait.segment": object})
    ours = [scorer.effects(vector)["mail"] for vector in vectors(asked, world.FEATURES)]
    assert np.max(np.abs(np.array(ours) - bent.on(held))) <= 1e-9


def test_parity_is_measured_on_hostile_rows_and_refused_when_it_fails(bent: Effect) -> None:
    held = world.experiment(200, 7).rows.table
    stored = artefact("uplift.g", "g", world.FEATURES, {"mail": bent}, until=0)
    assert parity(stored, load, world.FEATURES, {"mail": bent}, held, 0) <= 1e-9
    other = replace(bent, average=bent.average + 1e-6)
    with pytest.raises(NotReady, match="differ from scikit-learn's"):
        parity(stored, load, world.FEATURES, {"mail": other}, held, 0)


# ── a whole training ─────────────────────────────────────────────────────────────────────────────────────────────────
SHARES = Shares(0.1, {"mail": 0.3, "banner": 0.0})


def trained(log: world.Log, recipe: Recipe = RECIPE) -> uplift.Trained:
    pairs, _ = uplift.comparable(log.decisions, SHARES)
    return uplift.train(
        log.frame,
        pairs,
        world.GOAL,
        name="uplift.purchase",
        lifts={"mail": 0.1, "banner": 0.1},
        design={},
        end=world.START,
        data={},
        recipe=recipe,
        load=load,
        absent=lambda name: None,
    )


@pytest.fixture(scope="module")
def made() -> uplift.Trained:
    return trained(world.log(400, 1, 3, average=0.4))


def test_a_training_says_what_each_activity_changes_and_whom_it_compared(made: uplift.Trained) -> None:
    card = json.loads(made.card)
    mail = card["activities"]["mail"]
    assert mail["treated"] > 80
    assert mail["average"]["low"] < 0.4 < mail["average"]["high"]
    assert made.metrics["effect.mail"] == [mail["average"][key] for key in ("measured", "low", "high")]
    assert {
        "kind",
        "data",
        "metrics",
        "all_kinds",
        "chosen_by",
        "parity",
        "features",
        "limits",
        "recipe",
        "libraries",
    } <= set(card)
    said = load(json.loads(made.model)).effects({"x0": 1.0})
    assert said.keys() == {"mail", "banner"}
    assert mail["heterogeneity"] == "no detectable heterogeneity: the average is used"
    assert said["mail"] == mail["average"]["used"]


def test_the_same_log_gives_the_same_bytes(made: uplift.Trained) -> None:
    again = trained(world.log(400, 1, 3, average=0.4))
    assert (again.version, again.model, again.card) == (made.version, made.model, made.card)


def test_every_person_is_judged_by_what_was_learned_from_others(made: uplift.Trained) -> None:
    held = made.effects["mail"].held
    groups = held.rows.groups(RECIPE.seed)
    assert len({float(one) for one in held.said}) == 5
    for group in range(5):
        others = judge.mean(
            held.dr[groups != group], held.rows.weight[groups != group], held.rows.people[groups != group]
        )
        assert abs(held.said[groups == group][0] - others.value) < 0.05


def test_a_large_effect_beats_the_plans_guess_and_what_is_in_force_only_where_it_has_not_seen(
    made: uplift.Trained,
) -> None:
    first = uplift.better(made, None, RECIPE)
    assert first.passed
    assert first.reason.startswith("better than the plan's expected lifts")
    same = {one: effect.held.said for one, effect in made.effects.items()}
    assert not uplift.better(made, uplift.Present("20260101-other", 0, same), RECIPE).passed
    already = uplift.better(made, uplift.Present(made.version, 0, same), RECIPE)
    assert already.reason == "this version is the champion already"
    wrong = {one: np.full(len(effect.held.said), -0.5) for one, effect in made.effects.items()}
    assert uplift.better(made, uplift.Present("20260101-other", 0, wrong), RECIPE).passed
    seen = uplift.better(made, uplift.Present("20260101-other", 1 << 60, wrong), RECIPE)
    assert not seen.passed
    assert "0 people with new decisions" in seen.reason


def test_an_experiment_from_outside_goes_the_same_way() -> None:
    known = world.experiment(400, 8, rate=0.2, average=0.1)
    frame = pl.DataFrame({f"x{n}": known.rows.table[f"x{n}"].to_numpy() for n in range(6)}).with_columns(
        user_id=pl.Series([f"u{n}" for n in range(400)]),
        at=pl.Series(range(400)),
        label=pl.Series(known.rows.label),
    )
    pairs = uplift.imported("voucher", known.rows.treated, 0.5)
    told: dict[str, Any] = {"lifts": {}, "design": {}, "end": 0, "data": {}, "recipe": RECIPE, "load": load}
    one = uplift.train(frame, pairs, world.GOAL, name="uplift.test", absent=lambda name: None, **told)
    _, low, high = one.metrics["effect.voucher"]
    assert low < known.effect.mean() < high


def test_too_few_to_compare_says_how_many_there_are() -> None:
    log = world.log(30, 1, 0)
    with pytest.raises(NotReady, match="20 decisions that did something") as refused:
        trained(log)
    assert refused.value.missing["needs"] == 20


def test_an_arm_that_is_thinned_changes_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    log = world.log(500, 1, 4, average=0.3)
    monkeypatch.setattr("nudge.learn.uplift.training.MOST_AN_ARM", 100)
    one = trained(log)
    card = json.loads(one.card)
    assert "mail" in card["sampled"]
    assert card["activities"]["mail"]["treated"] <= 100
    _, low, high = one.metrics["effect.mail"]
    assert low < 0.3 < high


def looked(p: float) -> Chosen:
    """A choice whose gain has this one-sided p-value."""
    return Chosen((), {}, judge.Mean(float(student.isf(p, 50)), 1.0), 50, 1.0, np.zeros(0))


@pytest.mark.parametrize(
    ("p_values", "found"),
    [
        ((0.024,), (True,)),
        ((0.026,), (False,)),
        ((0.014, 0.009, 0.008), (True, True, True)),
        ((0.4, 0.012, 0.009), (False, True, True)),
        ((0.4, 0.3, 0.008), (False, False, True)),
        ((0.4, 0.03, 0.009), (False, False, False)),
    ],
)
def test_activities_are_asked_together_whether_their_effects_differ(
    p_values: tuple[float, ...], found: tuple[bool, ...]
) -> None:
    several = together({str(number): looked(p) for number, p in enumerate(p_values)}, 0.95)
    assert tuple(one.heterogeneous for one in several.values()) == found
    assert all((one.at_least > 0) == one.heterogeneous for one in several.values())


def test_what_differs_in_the_wrong_direction_or_not_at_all_is_not_found() -> None:
    (one,) = together({"a": replace(looked(0.001), slope=0.0)}, 0.95).values()
    assert not one.heterogeneous
    (flat,) = together({"a": replace(looked(0.5), gain=judge.Mean(0.0, 0.0))}, 0.95).values()
    assert not flat.heterogeneous
