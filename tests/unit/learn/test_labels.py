"""Labels: nothing of the future in what was known, nothing of the past in what came."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest

from nudge.errors import NotReady
from nudge.learn import Recipe, labels, slices, traits
from nudge.profile import batch
from nudge.profile.vector import trait_features
from nudge.vocabulary import DAY, Goal
from tests.unit.learn import shop

GOAL = Goal("purchase", "purchase", 7)
END = shop.START + 70 * DAY


def frame(*rows: tuple[str, str, int, float | None]) -> pl.LazyFrame:
    named = [
        {"user_id": u, "event_id": f"{n}", "event_type": kind, "event_time": at, "value": value, "category": None}
        for n, (u, kind, at, value) in enumerate(rows)
    ]
    made = pl.DataFrame(named, schema_overrides={"value": pl.Float64, "category": pl.String})
    return made.with_columns(pl.col("event_time").cast(pl.Datetime("us", "UTC"))).lazy()


def rows_at(events: pl.LazyFrame, as_of: int, treated: pl.DataFrame | None = None) -> pl.DataFrame:
    nobody = pl.DataFrame(schema={"user_id": pl.String, "at": pl.Int64})
    vectors = batch.vectors(events, as_of)
    return labels.history(vectors, labels.happened(events, GOAL), GOAL, as_of, nobody if treated is None else treated)


def test_an_event_at_the_moment_itself_is_a_label_and_no_feature() -> None:
    events = frame(("a", "page_view", 0, None), ("a", "purchase", DAY, 5.0), ("a", "purchase", 8 * DAY, 7.0))
    row = rows_at(events, DAY).row(0, named=True)
    assert (row["label"], row["worth"]) == (1.0, 5.0)
    assert "count.purchase.7d" not in row
    row = rows_at(events, DAY + 1).row(0, named=True)
    assert (row["label"], row["worth"]) == (1.0, 7.0)
    assert row["total.purchase"] == 1.0
    assert rows_at(events, 8 * DAY + 1).row(0, named=True)["label"] == 0.0


def test_future_rows_change_no_feature() -> None:
    events = shop.events(people=30).lazy()
    as_of = shop.START + 30 * DAY
    later = frame(*((f"u{n:04d}", kind, as_of + n, 1e9) for n in range(30) for kind in ("page_view", "new_kind")))
    columns = [pl.lit(None, pl.String).alias(name) for name in ("event_action", "item_id")]
    both = pl.concat([events, later.with_columns(*columns).select(events.collect_schema().names())])
    before, after = (rows_at(one, as_of).drop("label", "worth").sort("user_id") for one in (events, both))
    names = [name for name in before.columns if before[name].dtype == pl.Float64]
    assert after.columns == before.columns
    for name in names:
        assert after[name].fill_null(-1).to_list() == pytest.approx(before[name].fill_null(-1).to_list(), rel=1e-12)


def test_people_for_whom_we_did_something_do_not_stand_for_doing_nothing() -> None:
    events = frame(("a", "page_view", 0, None), ("b", "page_view", 0, None))
    treated = pl.DataFrame({"user_id": ["a", "b"], "at": [2 * DAY, 9 * DAY]})
    assert rows_at(events, DAY, treated)["user_id"].to_list() == ["b"]


def test_windows_do_not_overlap_and_are_over() -> None:
    cuts = labels.cuts(GOAL, shop.START, END, 8)
    assert len(cuts) == 8
    assert cuts[-1] + 7 * DAY == END
    assert {after - before for before, after in pairwise(cuts)} == {7 * DAY}


def test_a_decision_counts_once_and_only_when_its_window_is_over() -> None:
    decisions = shop.decisions(people=10)
    twice = pl.concat([decisions, decisions])
    matured = labels.decided(twice, GOAL, END)
    assert matured["decision_id"].is_unique().all()
    assert 0 < matured.height < decisions.height
    assert matured["at"].max() <= END - 7 * DAY  # type: ignore[operator]


def test_the_slices_follow_each_other_and_share_no_goal_event() -> None:
    events, recipe = shop.events().lazy(), Recipe(logged=200)
    cuts = labels.cuts(GOAL, shop.START, END, recipe.cuts)
    goals = labels.happened(events, GOAL)
    parts = [rows_at(events, cut) for cut in cuts]
    parts.append(labels.logged(labels.decided(shop.decisions(), GOAL, END), goals, GOAL, None))
    cut = slices.split(parts, GOAL, cuts, 7 * DAY, recipe)
    assert cut.train["at"].max() < cut.test["at"].min()  # type: ignore[operator]
    last = cut.test.group_by("user_id").agg(pl.col("at").min().alias("first"))
    assert (cut.train.join(last, on="user_id").select(pl.col("at") + 7 * DAY <= pl.col("first")).to_series()).all()
    assert min(cut.said[name]["logged"] for name in slices.NAMES) > 0


def test_decisions_that_were_drawn_from_many_stand_for_all_of_them() -> None:
    decided = labels.decided(shop.decisions(people=10), GOAL, END)
    goals = labels.happened(shop.events(people=10).lazy(), GOAL)
    whole, fifth = (labels.logged(decided, goals, GOAL, None, share) for share in (1.0, 0.2))
    assert fifth["weight"].to_list() == pytest.approx([5 * one for one in whole["weight"]])


def test_vectors_are_the_same_however_many_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers stay numbers; what is a word anywhere is a word everywhere."""
    records = pl.Series(
        ['{"vector": {"a": 1.5, "b": 3}}', '{"vector": {"b": "three", "c": 2}}', '{"vector": {"b": null}}', "{}"]
    )
    monkeypatch.setattr(labels, "BLOCK", 10)
    at_once = labels.vectors(records)
    assert at_once.to_dict(as_series=False) == {
        "a": [1.5, None, None, None],
        "b": ["3", "three", None, None],
        "c": [None, 2.0, None, None],
    }
    for block in (1, 2, 3):
        monkeypatch.setattr(labels, "BLOCK", block)
        assert labels.vectors(records).equals(at_once)


def test_too_short_a_history_says_how_many_days_it_needs() -> None:
    with pytest.raises(NotReady) as told:
        slices.split([], GOAL, [1], 7 * DAY, Recipe())
    assert told.value.missing["days"] == 15


def test_a_sample_keeps_the_positives_and_the_weight_of_the_whole() -> None:
    rows = pl.DataFrame({"label": [1.0] * 50 + [0.0] * 950, "weight": [1.0] * 1000})
    sample = slices._capped(rows, 200, keep_positives=True, seed=0)
    assert (sample.height, sample["label"].sum()) == (200, 50)
    assert sample["weight"].sum() == pytest.approx(1000)


def test_an_attribute_holds_from_when_it_was_said_and_its_first_value_also_before() -> None:
    users = pl.DataFrame(
        {
            "user_id": ["a", "a", "b"],
            "effective_at": [10, 20, 30],
            "timezone": [None, None, "Asia/Tokyo"],
            "locale": [None, None, None],
            "created_at": [-DAY, None, None],
            "attributes": ['{"plan": "free", "email": "a@b.c"}', '{"plan": "gold"}', None],
        },
        schema_overrides={"locale": pl.String},
    ).with_columns(pl.col("effective_at", "created_at").cast(pl.Datetime("us", "UTC")))
    told = traits.said(users, trait_features)
    people = pl.DataFrame({"user_id": ["b", "a"]})
    assert traits.known(told, people, 5)["trait.plan"].to_list() == [None, "free"]
    assert traits.known(told, people, 20)["trait.plan"].to_list() == [None, "free"]
    after = traits.known(told, people, 21)
    assert after["trait.plan"].to_list() == [None, "gold"]
    assert after["trait.timezone"].to_list() == ["Asia/Tokyo", None]
    assert "trait.email" not in after.columns
    assert traits.known(told, people, 2 * DAY)["trait.account_days"].to_list() == [None, 3.0]
