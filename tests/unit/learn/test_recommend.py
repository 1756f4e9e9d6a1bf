"""Recommendations learned from a small shop whose people stay within their taste."""

from __future__ import annotations

import json
from copy import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from nudge.errors import NotReady
from nudge.learn import Recipe, recommend
from nudge.learn.recommend import Rules, Settings, parts
from nudge.learn.recommend.cases import by_chance, by_last, by_time, collect
from nudge.learn.recommend.interactions import Interactions
from nudge.learn.recommend.ranking import Part, ndcg
from nudge.score import neighbours
from nudge.vocabulary import DAY

START = 1_780_000_000_000_000 // DAY * DAY
QUICK = Settings(cases=300, search_cases=300)


def shop(people: int = 250, days: int = 80, seed: int = 0, share: float = 0.9) -> pl.DataFrame:
    """Each person likes one of five groups of eight items; who bought item n of a group likes n + 1 next."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        group, item = int(rng.integers(0, 5)), int(rng.integers(0, 8))
        for day in sorted(rng.integers(0, days, rng.poisson(6)).tolist()):
            item = (item + 1) % 8 if rng.random() < 0.7 else int(rng.integers(0, 8))
            mine = group if rng.random() < share else int(rng.integers(0, 5))
            at = START + day * DAY + int(rng.integers(DAY // 3, DAY))
            name = f"item-{mine}-{item}"
            rows += [(f"u{person:03d}", name, "page_view", at - 60_000_000, f"group {mine}")] * int(rng.integers(1, 3))
            rows.append((f"u{person:03d}", name, "purchase", at, f"group {mine}"))
    return pl.DataFrame(rows, schema=["user_id", "item_id", "event_type", "at", "category"], orient="row").sort(
        "user_id", "at"
    )


def train(events: pl.DataFrame, **more: Any) -> recommend.Trained:
    given: dict[str, Any] = {"settings": QUICK, "rules": Rules("purchase"), "seed": 0} | more
    items = pl.DataFrame({"item_id": events["item_id"].unique()})
    return recommend.train(
        events,
        lambda names: recommend.facts(names, items, events),
        given.pop("rules"),
        name="recommend.purchase",
        load=neighbours.load,
        **given,
    )


@pytest.fixture(scope="module")
def made() -> recommend.Trained:
    return train(shop())


def test_it_is_better_than_popularity_by_more_than_noise(made: recommend.Trained) -> None:
    answer = recommend.gates(made, "v1", None, Recipe())
    assert answer.passed, answer.reason
    figures = recommend.figures(made, Recipe())
    value, low, high = figures["blend"]["ndcg"]
    assert low < value < high
    assert low > figures["popular"]["ndcg"][2]


def test_the_blend_is_no_worse_than_its_best_part_where_it_was_chosen(made: recommend.Trained) -> None:
    chosen = made.chosen_by
    assert chosen["blend"] >= max(score for name, score in chosen.items() if name != "blend") * 0.999


@pytest.mark.parametrize("seed", [10, 11])
def test_noise_is_not_promoted(seed: int) -> None:
    events = shop(share=0.0, seed=seed)
    shuffled = events.with_columns(pl.col("item_id").shuffle(seed=seed), pl.lit(None, pl.String).alias("category"))
    answer = recommend.gates(train(shuffled), "v1", None, Recipe())
    assert not answer.passed
    assert "not better than popularity" in answer.reason


def test_the_same_events_give_the_same_bytes(made: recommend.Trained) -> None:
    assert train(shop()).stored == made.stored


def test_the_model_in_force_is_judged_on_the_same_cases_and_itself_is_not_better(made: recommend.Trained) -> None:
    again = train(shop(), present=json.loads(made.stored))
    assert np.allclose(again.judged["present"], again.judged["blend"])
    assert not recommend.gates(again, "v2", "v1", Recipe()).passed
    assert recommend.gates(again, "v1", "v1", Recipe()).reason == "this version is the champion already"


def test_the_present_model_may_know_other_items(made: recommend.Trained) -> None:
    older = train(shop().filter(pl.col("item_id") != "item-0-0"), catalogue=["gone"])
    again = train(shop(), present=json.loads(older.stored))
    assert len(again.judged["present"]) == len(again.judged["blend"])


def test_too_little_is_said_with_what_is_missing() -> None:
    with pytest.raises(NotReady) as wrong:
        train(shop(people=3))
    assert wrong.value.missing


def test_what_comes_after_the_last_slice_begins_is_in_no_table(made: recommend.Trained) -> None:
    until = made.artefact["until"]
    events = shop()
    later = events.with_columns(
        pl.when(pl.col("at") >= until).then(pl.lit("item-0-0")).otherwise("item_id").alias("item_id")
    )
    other = train(later)
    assert other.artefact["until"] == until
    assert {item: made.artefact["popularity"][n] for n, item in enumerate(made.artefact["items"])} == {
        item: other.artefact["popularity"][n] for n, item in enumerate(other.artefact["items"])
    }


def test_a_case_knows_nothing_of_its_day_or_later() -> None:
    data = Interactions.of(shop(), "purchase", most=1000)
    since, until = START + 40 * DAY, START + 60 * DAY
    for case in by_time(data, since, until, 200, 0):
        midnight = data.time[case.answer].min() // DAY * DAY
        assert (data.time[case.history] < midnight).all()
        assert (data.person[case.history] == case.person).all()
        assert data.bought[case.answer].all()
        assert ((data.time[case.answer] >= since) & (data.time[case.answer] < until)).all()


def test_held_back_steps_and_quarters_are_not_learned_from() -> None:
    data = Interactions.of(shop(), "purchase", most=1000)
    kept, cases = by_last(data, 2, 10_000, 0)
    assert not kept[np.concatenate([case.answer for case in cases])].any()
    kept, cases = by_chance(data, 0.25, 10_000, 0)
    assert not kept[np.concatenate([case.answer for case in cases])].any()
    assert kept[np.concatenate([case.history for case in cases])].all()


def test_everybody_is_asked_once_before_anybody_is_asked_twice() -> None:
    bought = shop(people=60).filter(pl.col("event_type") == "purchase")
    people = bought["user_id"].n_unique()
    asked = {
        cases: train(bought, settings=replace(QUICK, scheme="last", cases=cases)).counts["cases_choose"]
        for cases in (2 * people - 1, 3 * people)
    }
    assert asked[2 * people - 1] <= people < asked[3 * people]


def test_a_case_ranks_distinct_items_by_how_many_came_later_and_leaves_out_what_was_bought() -> None:
    rows = [
        ("u", "a", "purchase", 1),
        ("u", "b", "page_view", 2),
        ("u", "c", "page_view", 3),
        ("u", "a", "page_view", 3),
        ("u", "a", "purchase", DAY + 1),
        ("u", "d", "purchase", DAY + 2),
    ]
    data = Interactions.of(
        pl.DataFrame(rows, schema=["user_id", "item_id", "event_type", "at"], orient="row"), "purchase", most=10
    )
    data = data.weighted({"page_view": 0.3})
    cases = collect(data, by_time(data, 0, 3 * DAY, 10, 0), again=False, settings=Settings())
    last = cases.count - 1
    here = cases.row == last
    told = zip(cases.item[here].tolist(), cases.rank[here].tolist(), cases.strength[here].tolist(), strict=True)
    assert {data.items[item]: (rank, strength) for item, rank, strength in told} == {
        "a": (0, 1.0),
        "c": (0, 0.3),
        "b": (2, 0.3),
    }
    assert [data.items[item] for item in cases.answers[cases.answers // cases.items == last] % cases.items] == ["d"]
    assert [data.items[item] for item in cases.known[last].indices] == ["a"]


def matrix(*baskets: str) -> Interactions:
    rows = [
        (f"u{n}", item, "purchase", n * 100 + place)
        for n, told in enumerate(baskets)
        for place, item in enumerate(told)
    ]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "event_type", "at"], orient="row")
    return Interactions.of(frame, "purchase", most=100)


def test_ease_is_the_ridge_regression_of_each_item_on_the_others() -> None:
    rng = np.random.default_rng(0)
    baskets = ["".join(rng.choice(list("abcdef"), 3, replace=False)) for _ in range(60)]
    data = matrix(*baskets)
    weights = parts.ease(data, l2=2.0, dropout=0.5, damp=0.0, dense=100)
    held = data.matrix.toarray()
    gram = held.T @ held
    ridge = 2.0 + 0.5 * np.diag(gram)
    for item in range(held.shape[1]):
        others = np.delete(np.arange(held.shape[1]), item)
        solved = np.linalg.solve(gram[np.ix_(others, others)] + np.diag(ridge[others]), gram[others, item])
        assert np.allclose(weights[others, item], solved)
    assert (np.diag(weights) == 0).all()


def test_item_knn_without_shrinkage_is_the_cosine() -> None:
    data = matrix("ab", "abc", "bc", "ac", "d")
    held = data.matrix.toarray()
    found = parts.similar(data, damp=0.0, shrink=0.0, source=0.5, target=0.5).toarray()
    size = np.linalg.norm(held, axis=0)
    cosine = held.T @ held / np.outer(size, size)
    np.fill_diagonal(cosine, 0)
    assert np.allclose(found, cosine)


def test_the_sequence_counts_pairs_in_order_and_those_further_apart_less() -> None:
    data = matrix("abc")
    place = {item: number for number, item in enumerate(data.items)}
    found = parts.sequence(
        data, parts.steps(data, 3), skip=0.5, source=1.0, target=0.0, shrink=0.0, repeat=1.0
    ).toarray()
    assert found[place["a"], place["b"]] == 1.0
    assert found[place["a"], place["c"]] == 0.5
    assert found[place["b"], place["a"]] == 0.0


def test_what_is_met_at_one_moment_counts_in_both_directions() -> None:
    data = matrix("ab")
    data = replace(data, time=np.zeros_like(data.time))
    found = parts.sequence(data, parts.steps(data, 1), skip=0.0, source=1.0, target=0.0, shrink=0.0, repeat=1.0)
    assert found.toarray().tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_ndcg_is_one_for_the_right_order_and_less_further_down() -> None:
    data = Interactions.of(shop(people=40), "purchase", most=1000)
    _, questions = by_last(data, 1, 1000, 0)
    cases = collect(data, questions, again=True, settings=Settings())
    perfect = np.zeros((cases.count, cases.items))
    perfect[cases.answers // cases.items, cases.answers % cases.items] = 1.0

    class Told(Part):
        def scores(self, cases: Any, items: int) -> Any:
            for first in range(0, len(perfect), 256):
                yield perfect[first : first + 256]

    assert (ndcg([Told("told", None, 1.0, {})], cases, 10) == 1.0).all()
    assert ndcg([Part("none", None, 1.0, {}, prior=np.zeros(cases.items))], cases, 10).mean() < 0.5


def test_facts_come_from_the_catalogue_and_where_it_is_silent_from_events() -> None:
    events = pl.DataFrame({"item_id": ["a", "a", "a", "b"], "category": ["x", "y", "y", "z"]})
    rows = pl.DataFrame(
        {
            "item_id": ["b", "c"],
            "category": ["w", None],
            "title": ["Bee", None],
            "price": [2.5, None],
            "available_to": pl.Series([5, None]).cast(pl.Datetime("us", "UTC")),
            "attributes": ['{"stock": "0", "url": "https://shop.example/b"}', None],
        }
    )
    found = recommend.facts(["a", "b", "c"], rows, events)
    assert [found.categories[n] if n >= 0 else None for n in found.category.tolist()] == ["y", "w", None]
    assert found.out == [1]
    assert found.windows == [(1, None, 5)]
    assert found.about == [{}, {"title": "Bee", "price": 2.5, "url": "https://shop.example/b"}, {}]


def test_the_card_says_what_was_read_how_it_was_chosen_and_how_it_did(made: recommend.Trained) -> None:
    card = recommend.card(made, {"snapshot": "s"}, QUICK, Recipe())
    assert card["data"] == {"snapshot": "s"}
    assert set(card["all_kinds"]) >= {"blend", "popular", "ease", "similar", "sequence", "category"}
    assert card["metrics"] == card["all_kinds"]["blend"]
    assert card["parity"] <= 1e-9
    assert set(card["definitions"]) == set(card["features"])
    json.dumps(card, allow_nan=False)


def test_tables_stay_within_their_bounds() -> None:
    artefact = train(shop(), settings=replace(QUICK, neighbours=3, entries=200)).artefact
    by_item = [table for table in artefact["tables"] if table["by"] == "item"]
    assert sum(len(table["item"]) for table in by_item) <= 200 + 10 * 40 * len(by_item)
