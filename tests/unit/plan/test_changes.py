"""What a new plan changes, in words that a marketer reads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.plan.changes import changes
from tests.unit.plan.trees import GOOD, PLACES, changed, json_values


def told(place: tuple[str, ...], value: object) -> list[str]:
    return [str(one) for one in changes(GOOD, changed(GOOD, place, value))]


@pytest.mark.parametrize(
    ("place", "value", "lines"),
    [
        (("activities", "discount_mail", "cost"), 0.6, ["~ activity discount_mail.cost: 0.5 → 0.6"]),
        (("campaigns", "winback", "schedule", "on"), "friday", ["~ campaign winback.schedule.on: monday → friday"]),
        (("campaigns", "cart", "when"), {"event": "signup"}, [
            "~ campaign cart.when.event: add_to_cart → signup",
            "- campaign cart.when.without: was purchase",
            "- campaign cart.when.within: was 2h",
        ]),
        (("campaigns", "new"), {"goal": "purchase", "activities": ["a", "b"]}, ["+ campaign new: goal purchase, activities [a, b]"]),
        (("goals", "purchase", "within_days"), 9, [
            "~ goal purchase.within_days: 7 → 9\n    its model learned the old meaning: it serves until the next training"
        ]),
        (("goals", "churn", "value"), -9, ["~ goal churn.value: -8 → -9"]),
        (("campaigns", "winback", "holdout"), 0.2, [
            "~ campaign winback.holdout: 0.1 → 0.2\n    some people change between the groups: compare only what is decided from now on"
        ]),
        (("campaigns", "cart", "steps"), [{"do": "reminder_mail"}], [
            "~ campaign cart.steps: [{stop_on: goal}, {do: reminder_mail}, {branch: {on: opened, within: 2 days, "
            "yes: [{wait: 1 day}, {do: discount_mail}], no: []}}] → [{do: reminder_mail}]\n    who is on the way goes on by the old steps"
        ]),
        (("policy", "holdout"), 0.1, [
            "~ policy.holdout: 0.05 → 0.1\n    some people change between the groups: compare only what is decided from now on"
        ]),
        (("policy", "budget_per_day"), None, ["- policy.budget_per_day: was 500"]),
        (("currency",), "USD", ["~ currency: EUR → USD\n    amounts are not converted"]),
        (("version",), "another", []),
    ],
)  # fmt: skip
def test_a_change_is_told_where_it_stands_with_what_follows(
    place: tuple[str, ...], value: object, lines: list[str]
) -> None:
    assert told(place, value) == lines


def test_what_is_gone_is_told_with_what_follows() -> None:
    fewer = {**GOOD, "campaigns": {name: one for name, one in GOOD["campaigns"].items() if name != "cart"}}
    assert [str(one) for one in changes(GOOD, fewer)] == [
        "- campaign cart\n    no new run begins, and who is on the way through it goes no further"
    ]
    assert [one.sign for one in changes(GOOD, {"currency": "EUR"})].count("-") == len(
        changes(GOOD, {"currency": "EUR"})
    )


def test_a_first_plan_is_all_new_and_the_same_plan_changes_nothing() -> None:
    assert {one.sign for one in changes(None, GOOD)} == {"+"}
    assert changes(GOOD, GOOD) == []


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), json_values)
def test_something_is_told_exactly_where_something_changed(place: tuple[str, ...], value: object) -> None:
    new = changed(GOOD, place, value)
    lines = [str(one) for one in changes(GOOD, new)]
    assert all("\n" not in line.partition("\n    ")[0] for line in lines)
    assert bool(lines) == (new != GOOD) or place[0] == "version"
    assert bool(changes(new, GOOD)) == bool(lines)
