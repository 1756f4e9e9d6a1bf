"""Neighbour tables in plain Python: the formula, the rules, and what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.learn.recommend.parity import reference
from nudge.learn.recommend.tables import parts_of
from nudge.score import neighbours, verify
from tests.unit.score.neighbours_models import drawn, small

NOW = 1_000


def ask(recent: dict[str, int], n: int = 4, *, model: dict[str, Any] | None = None, **more: Any) -> list[str]:
    return [item for item, _ in neighbours.load(model or small()).top(recent, n, now=NOW, **more)]


def test_the_score_is_popularity_and_what_the_tables_say_of_each_item_met() -> None:
    found = dict(neighbours.load(small()).top({"boots": 5, "hat": 9}, 4, now=NOW))
    assert found == {
        "socks": pytest.approx(0.0 + 0.5 * 4 * 0.5),  # boots were met before the hat: decay once
        "shoes": pytest.approx(0.25 + 1.0),  # boots are of the category `feet`
        "hat": pytest.approx(0.5 + 0.5 * 1 * 0.5),
        "boots": pytest.approx(1.0 - 2 * 0.5),
    }


def test_items_met_at_the_same_moment_have_the_same_rank() -> None:
    scorer = neighbours.load(small())
    both = dict(zip(scorer.items, scorer.scores({"boots": 9, "hat": 9}), strict=True))
    assert both["socks"] == pytest.approx(0.5 * 4)


def test_a_newcomer_sees_what_is_popular() -> None:
    assert ask({}) == ["boots", "hat", "shoes", "socks"]


def test_items_that_nobody_knew_change_only_the_ranks() -> None:
    assert ask({"from the moon": 3}) == ["boots", "hat", "shoes", "socks"]


def test_what_was_bought_is_not_named_again_unless_the_plan_says_so() -> None:
    assert "hat" not in ask({"hat": 3}, bought=["hat"])
    assert "hat" in ask({"hat": 3}, bought=["hat"], model=small(again=True))


def test_rules_leave_out_what_is_out_of_stock_or_not_available_now() -> None:
    assert "boots" not in ask({}, model=small(out=[0]))
    assert "hat" not in ask({}, model=small(windows=[[1, NOW + 1, None]]))
    assert "hat" not in ask({}, model=small(windows=[[1, None, NOW]]))
    assert "hat" in ask({}, model=small(windows=[[1, NOW, NOW + 1]]))


def test_at_most_so_many_of_one_category() -> None:
    assert ask({}, model=small(per_category=1)) == ["boots", "hat"]
    assert ask({}, model=small(per_category=2)) == ["boots", "hat", "shoes"]


def test_a_basket_counts_as_met_just_now_and_is_not_named() -> None:
    assert ask({"hat": 5}, 1, basket=["boots"]) == ["socks"]
    assert "boots" not in ask({}, basket=["boots"])


def test_only_and_leave_out_narrow_the_answer() -> None:
    assert ask({}, only={"socks", "shoes"}) == ["shoes", "socks"]
    assert ask({}, leave_out=["boots"]) == ["hat", "shoes", "socks"]


def test_how_strongly_an_item_was_met_weighs() -> None:
    weak = neighbours.load(small()).scores({"boots": 5}, strength={"boots": 0.5})
    full = neighbours.load(small()).scores({"boots": 5})
    rest = neighbours.load(small()).scores({})
    assert np.allclose((np.array(full) - rest) / 2, np.array(weak) - rest)


def test_items_that_go_with_one() -> None:
    assert [item for item, _ in neighbours.load(small()).similar("boots", 2)] == ["socks", "shoes"]
    assert [item for item, _ in neighbours.load(small()).similar("unknown", 2)] == ["boots", "hat"]


def test_what_the_catalogue_says_is_told_with_an_item() -> None:
    scorer = neighbours.load(small())
    assert scorer.about("boots") == {"item_id": "boots", "title": "Boots", "price": 90.0, "category": "feet"}
    assert scorer.about("unknown") == {"item_id": "unknown"}


@given(st.integers(0, 10_000), st.integers(0, 10_000))
@settings(max_examples=80, deadline=None)
def test_plain_python_and_numpy_agree_for_random_models_and_histories(seed: int, other: int) -> None:
    model = json.loads(json.dumps(drawn(seed)))
    scorer, rng = neighbours.load(model), np.random.default_rng(other)
    names = [*model["items"], "never seen", ""]
    met = rng.choice(len(names), int(rng.integers(0, len(names) + 1)), replace=False).tolist()
    recent = {names[one]: int(rng.integers(-3, 3)) * int(rng.choice([1, 2**60])) for one in met}
    strength = {names[one]: float(rng.choice([0.0, 1e-300, 0.3, 1e6])) for one in met if rng.random() < 0.5}
    ours = np.array(scorer.scores(recent, strength=strength))
    theirs = reference(model, parts_of(model), recent, strength)
    assert np.abs(ours - theirs).max() <= 1e-9 * max(1.0, np.abs(theirs).max())


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_the_top_is_what_sorting_all_scores_gives(seed: int, n: int) -> None:
    model = drawn(seed)
    scorer = neighbours.load(model)
    recent = {item: number for number, item in enumerate(model["items"][::3])}
    scores = scorer.scores(recent)
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    found = scorer.top(recent, n, now=NOW)
    assert [score for _, score in found] == pytest.approx([scores[place] for place in order[:n]], rel=1e-9, abs=1e-9)
    assert len({item for item, _ in found}) == min(n, len(scores))


BROKEN: list[Callable[[dict[str, Any]], Any]] = [
    lambda model: model.update(format=2),
    lambda model: model.pop("items"),
    lambda model: model.update(items=[]),
    lambda model: model.update(items=["a", "a", "b", "c"]),
    lambda model: model.update(category=[0, 1, 0, 2]),
    lambda model: model.update(category=[0, 1, 0]),
    lambda model: model.update(popularity=[1, 2, 3, 4]),
    lambda model: model.update(popularity=[8, 4, 2, 0.5]),
    lambda model: model.update(popularity_scale=float("nan")),
    lambda model: model.update(again=1),
    lambda model: model.update(per_category=0),
    lambda model: model.update(events={"purchase": float("inf")}),
    lambda model: model.update(about=[{}]),
    lambda model: model.update(about=[{"item_id": "other"}, {}, {}, {}]),
    lambda model: model.update(out=[4]),
    lambda model: model.update(windows=[[0, "now", None]]),
    lambda model: model["tables"][0].update(item=[1, 4, 0]),
    lambda model: model["tables"][0].update(item=[1, -1, 0]),
    lambda model: model["tables"][0].update(length=[2, 1, 0, 1]),
    lambda model: model["tables"][0].update(length=[3, 1, 0, -1]),
    lambda model: model["tables"][0].update(weight=[1, True, 2]),
    lambda model: model["tables"][0].update(weight=[1, float("nan"), 2]),
    lambda model: model["tables"][0].update(decay=0),
    lambda model: model["tables"][0].update(by="people"),
    lambda model: model["tables"][1].update(length=[1, 0, 0]),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_artefact_is_refused(number: int) -> None:
    model = copy.deepcopy(small())
    BROKEN[number](model)
    with pytest.raises(BadInput) as wrong:
        verify.structure(model)
    assert wrong.value.reason == "bad_model"
