"""Recommend, told with adapters in memory."""

from __future__ import annotations

from typing import Any

import pytest

from nudge.adapters.memory import MemoryPlans
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.errors import BadInput, NotReady
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.profiles import ApplyEvents
from nudge.flows.recommend import Question, Recommend
from nudge.vocabulary import DAY, Event
from tests.acting import NOON, plan_data
from tests.unit.score.neighbours_models import small


class Shelf:
    """A model store with what it is given."""

    def __init__(self, models: dict[str, dict[str, Any]]) -> None:
        self.held = models

    def champion(self, name: str) -> tuple[str, dict[str, Any]]:
        if name not in self.held:
            raise NotReady("none")
        return "v1", self.held[name]


def flow(models: dict[str, dict[str, Any]] | None = None, **learn: Any) -> Recommend:
    held = {"recommend.purchase": small()} if models is None else models
    plans = MemoryPlans(plan_data() | {"learn": learn})
    return Recommend(MemoryProfiles(), PlanInForce(plans), Champions(Shelf(held)))  # type: ignore[arg-type]


def met(there: Recommend, *events: tuple[str, str, int]) -> None:
    happened = [
        Event(f"e{number}", "ana", kind, NOON - days * DAY, item_id=item)
        for number, (kind, item, days) in enumerate(events)
    ]
    ApplyEvents(there.profiles)(happened, now=NOON)


def items(answer: dict[str, Any]) -> list[str]:
    return [one["item_id"] for one in answer["items"]]


def test_items_come_from_what_the_person_met_and_not_what_was_bought() -> None:
    there = flow()
    met(there, ("purchase", "boots", 3), ("page_view", "boots", 1), ("page_view", "hat", 2))
    answer = there("ana", Question(n=3), now=NOON)
    assert items(answer) == ["socks", "shoes", "hat"]
    assert (answer["cold_start"], answer["model_version"]) == (False, "v1")


def test_a_stranger_and_a_newcomer_see_what_is_popular_with_what_the_catalogue_says() -> None:
    answer = flow()("nobody", Question(n=1), now=NOON)
    assert answer["cold_start"]
    assert answer["items"] == [{"item_id": "boots", "title": "Boots", "price": 90.0, "category": "feet", "score": 1.0}]


def test_a_basket_adds_to_the_past_and_an_item_stands_for_itself() -> None:
    there = flow()
    met(there, ("page_view", "hat", 1))
    assert items(there("ana", Question(n=1, basket=("boots",)), now=NOON)) == ["socks"]
    alone = there("ana", Question(n=4, item="boots"), now=NOON)
    assert alone["items"] == flow()("nobody", Question(n=4, item="boots"), now=NOON)["items"]
    assert not alone["cold_start"]


def test_without_a_recommender_or_with_one_turned_off_it_says_so() -> None:
    with pytest.raises(NotReady, match="no recommender is in force"):
        flow({})("ana", Question(), now=NOON)
    with pytest.raises(NotReady, match="recommends nothing"):
        flow(recommend=False)("ana", Question(), now=NOON)


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"n": "0"}, "n"),
        ({"n": "51"}, "n"),
        ({"n": "five"}, "n"),
        ({"n": "²"}, "n"),
        ({"n": "9" * 5000}, "n"),
        ({"item": ""}, "item"),
        ({"item": "x" * 257}, "item"),
        ({"basket": ",".join(map(str, range(51)))}, "basket"),
        ({"basket": "x" * 257}, "basket"),
        ({"nn": "5"}, "nn"),
    ],
)
def test_a_wrong_question_is_refused_where_it_is_wrong(query: dict[str, str], where: str) -> None:
    with pytest.raises(BadInput) as wrong:
        Question.of(query)
    assert wrong.value.where == where


def test_a_question_says_how_many_and_beside_what() -> None:
    assert Question.of({}) == Question(5, (), None)
    assert Question.of({"n": "7", "basket": "a,,b,a", "item": "c"}) == Question(7, ("a", "b"), "c")


@pytest.mark.parametrize("user_id", ["", "x" * 257])
def test_an_id_that_is_none_is_refused(user_id: str) -> None:
    with pytest.raises(BadInput):
        flow()(user_id, Question(), now=NOON)
