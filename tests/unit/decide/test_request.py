"""What may be asked of `decide`."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.decide.request import activities_of, goal_of, idempotency_key, parse
from nudge.errors import BadInput
from tests.acting import plan

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["user_id", "goal", "context", "candidates", "dry_run", "x"]), ANY_JSON))
def test_any_json_is_a_request_or_a_mistake_of_the_caller(body: dict[str, object]) -> None:
    where: str | None = "told"
    try:
        parse(body)
    except BadInput as wrong:
        where = wrong.where
    assert where is not None


@pytest.mark.parametrize("spelling", ["NFC", "NFD"])
def test_two_spellings_of_one_id_are_one_person(spelling: str) -> None:
    typed = unicodedata.normalize(spelling, "josé")
    assert parse({"user_id": typed}) == parse({"user_id": "josé"})


def test_the_same_request_in_another_order_has_the_same_hash() -> None:
    a = parse({"user_id": "ana", "candidates": ["banner", "discount_mail"], "context": {"a": 1, "b": 2}})
    b = parse({"context": {"b": 2, "a": 1}, "candidates": ["discount_mail", "banner"], "user_id": "ana"})
    assert a.hash == b.hash != parse({"user_id": "ana"}).hash


@pytest.mark.parametrize("key", [None, "", "  ", "a b", "é", "a\r\nb", "x" * 256])
def test_a_key_is_printable_and_there(key: str | None) -> None:
    with pytest.raises(BadInput):
        idempotency_key(key, needed=True)


def test_a_key_that_is_not_needed_may_be_absent() -> None:
    assert idempotency_key(None, needed=False) is None
    assert idempotency_key("k", needed=False) == "k"


def test_without_a_goal_the_plans_first_is_meant() -> None:
    assert goal_of(parse({"user_id": "a"}), plan()) == "purchase"
    assert goal_of(parse({"user_id": "a", "goal": "visit"}), plan()) == "visit"


def test_candidates_are_the_goals_activities_or_those_that_are_named() -> None:
    here = plan()
    assert activities_of(parse({"user_id": "a"}), here, "purchase") == ["discount_mail", "banner"]
    assert activities_of(parse({"user_id": "a", "candidates": ["nothing"]}), here, "purchase") == []
    assert activities_of(parse({"user_id": "a", "candidates": ["banner", "nothing"]}), here, "purchase") == ["banner"]
    with pytest.raises(BadInput, match="another goal"):
        activities_of(parse({"user_id": "a", "candidates": ["receipt"]}), here, "purchase")
