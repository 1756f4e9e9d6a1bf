"""Rows are drawn before their features are made: they are the rows, and the features, that drawing afterwards would have left."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.flows.training_rows import History
from nudge.learn import Recipe, labels, slices
from nudge.learn.lifetime.windows import sampled
from nudge.profile import batch
from nudge.vocabulary import DAY, Goal
from tests.unit.learn import shop

PEOPLE = 80
FEW = Recipe(cuts=4, rows=120, later_rows=40, logged=100)
BUYS = Goal("purchase", "purchase", 7)
GOALS = {
    "at cuts": BUYS,
    "after an event": Goal("buys_next", "purchase", 3, after="page_view"),
    "of those who did something": Goal("purchase", "purchase", 7, among="page_view"),
    "that nothing comes": Goal("leaves", "purchase", 7, value=3.0, absent=True),
}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    lake = ObjectsLake(MemoryObjects())
    decisions = shop.decisions(people=PEOPLE)
    both = [decisions.with_columns(pl.lit(name).alias("goal")) for name in ("purchase", "buys_next")]
    held = {"events": shop.events(people=PEOPLE), "users": shop.users(people=PEOPLE), "decisions": pl.concat(both)}
    named = held["decisions"].with_columns(decision_id=pl.format("{}-{}", "goal", "decision_id"))
    for kind, frame in (held | {"decisions": named}).items():
        lake.put(kind, "2026-06-01", shop.parquet(frame))  # type: ignore[arg-type]
    return History.copy(lake, tmp_path_factory.mktemp("lake"), shop.START + 71 * DAY)


def alike(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """The same columns but for such as say nothing, and the same numbers to what the order of a sum changes."""
    for frame, beside in ((one, other), (other, one)):
        silent = frame.select(set(frame.columns) - set(beside.columns))
        assert all(column.is_null().all() or not column.drop_nulls().any() for column in silent)
    both = sorted(set(one.columns) & set(other.columns))
    assert {"label", "weight", "user_id", "at"} < set(both)
    assert_frame_equal(one.select(both), other.select(both), rel_tol=1e-12)


@pytest.mark.parametrize("kind", [*GOALS])
def test_rows_that_are_drawn_first_are_those_that_would_have_been_drawn_with_their_features(
    history: History, kind: str
) -> None:
    goal = GOALS[kind]
    parts, cuts = history.rows(goal, FEW)
    window = labels.window_of(goal)
    first = slices.split(parts, goal, cuts, window, FEW)
    after = slices.split([history.filled(part) for part in parts], goal, cuts, window, FEW)
    assert first.said == after.said
    assert {name: first.said[name]["used"] for name in slices.NAMES} == {"train": 120, "test": 40}
    made = first.filled(history.filled)
    assert made.train.columns == made.test.columns
    for one, other in ((made.train, after.train), (made.test, after.test)):
        alike(one, other)


def test_features_are_made_of_those_who_were_drawn_and_of_nobody_else(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, cuts = history.rows(BUYS, FEW)
    cut = slices.split(parts, BUYS, cuts, 7 * DAY, FEW)
    asked: list[pl.DataFrame] = []
    whole = batch.vectors

    def counted(events: pl.LazyFrame, as_of: pl.DataFrame, **more: Any) -> pl.DataFrame:
        asked.append(as_of)
        return whole(events, as_of, **more)

    monkeypatch.setattr(batch, "vectors", counted)
    made = cut.filled(history.filled)
    drawn = pl.concat([made.train, made.test]).filter(~pl.col("logged")).select("user_id", as_of="at")
    assert 0 < drawn.height < sum(part.height for part in parts) / 3
    assert_frame_equal(pl.concat(asked), drawn, check_row_order=False)


def test_of_rare_positives_all_are_learned_from_and_the_weights_are_those_of_everybody(history: History) -> None:
    rare = Goal("purchase", "purchase", 1)
    recipe = Recipe(cuts=8, rows=250, later_rows=40, logged=10_000)
    parts, cuts = history.rows(rare, recipe)
    train = slices.split(parts, rare, cuts, DAY, recipe).filled(history.filled).train
    before = pl.concat(parts, how="diagonal_relaxed").filter(pl.col("at") <= train["at"].max())
    assert train["label"].sum() == before["label"].sum() > 0
    assert train.height == recipe.rows < before.height
    assert train["weight"].sum() == pytest.approx(before["weight"].sum())


def test_the_features_of_a_decision_are_those_that_it_logged(history: History) -> None:
    parts, _ = history.rows(BUYS, FEW)
    told = history.filled(parts[-1])
    assert told["logged"].all()
    again = labels.logged(
        history.log.recorded(labels.decided(history.log.decisions, BUYS, history.end)),
        labels.happened(history.events, BUYS),
        BUYS,
        None,
    )
    assert_frame_equal(told, again, check_column_order=False)


def test_a_row_keeps_its_place(history: History) -> None:
    parts, _ = history.rows(BUYS, FEW)
    mixed = pl.concat(parts, how="diagonal_relaxed").sample(fraction=1.0, shuffle=True, seed=3)
    names = ["user_id", "at", "label", "logged"]
    assert_frame_equal(history.filled(mixed).select(names), mixed.select(names))


def test_people_who_are_drawn_from_a_population_are_known_as_they_would_be_among_all(history: History) -> None:
    for goal in GOALS.values():
        everyone = history.population(goal)
        assert 0 < everyone.height <= PEOPLE
        some = everyone.sample(20, seed=1)
        whole = history.filled(everyone).join(some.select("user_id"), on="user_id", maintain_order="right")
        assert_frame_equal(history.filled(some), whole, rel_tol=1e-12)


def test_what_came_since_is_filled_like_everything_else(history: History) -> None:
    logged = history.matured(BUYS, history.end - 30 * DAY)
    assert logged["logged"].all()
    assert "count.page_view.7d" in history.filled(logged).columns
    everyone = history.matured(Goal("views", "page_view", 7), history.end - 30 * DAY)
    assert not everyone["logged"].any()
    assert "count.page_view.7d" in history.filled(everyone).columns
    assert history.matured(BUYS, history.end).height == 0


def test_nobody_has_no_features(history: History) -> None:
    assert history.filled(history.population(BUYS).clear()).height == 0


def test_the_value_of_people_is_learned_from_the_same_people_as_if_all_had_been_known(history: History) -> None:
    at = history.end - 20 * DAY
    few = history.known(sampled(history.people(at), 15, seed=4))
    all_of_them = sampled(history.known(history.people(at)), 15, seed=4)
    assert few.height == 15
    alike_people = [frame.sort("user_id").select(sorted(frame.columns)) for frame in (few, all_of_them)]
    assert_frame_equal(*alike_people, rel_tol=1e-12)
