"""Campaigns as a plan says them: what comes of a good one, and what is said about each mistake."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge import plan
from nudge.errors import BadInput
from nudge.plan.expression import written
from nudge.plan.triggers import duration
from nudge.vocabulary import DAY, SECOND, OnDate, OnEvent, OnPrediction, Schedule, Step
from tests.unit.plan.plans import EXAMPLE, WRONG
from tests.unit.plan.trees import GOOD, PLACES, changed, json_values

HOUR = 3600 * SECOND


def campaign(text: str, name: str) -> Any:
    return plan.load(plan.parse(text)).campaigns[name]


def test_the_example_of_the_guide_is_what_it_says() -> None:
    campaigns = plan.load(plan.parse(EXAMPLE)).campaigns
    assert list(campaigns) == ["winback", "cart", "birthday", "leaving"]
    winback = campaigns["winback"]
    assert winback.schedule == Schedule("week", 600, weekday=0, zone="person")
    assert written(winback.audience) == (
        'total.purchase >= 2 and predicted.churn > 0.6 and trait.country in ["DE", "AT"] and has consent(email)'
    )
    assert (winback.activities, winback.holdout) == (("discount_mail", "reminder_mail"), 0.1)
    assert (winback.budget, winback.budget_per_run, winback.capacity, winback.policy) == (
        5000.0,
        500.0,
        2000,
        "squarecb",
    )
    assert (winback.ends_at - winback.starts_at) == 90 * DAY
    assert campaigns["cart"].trigger == OnEvent("add_to_cart", "purchase", 2 * HOUR)
    assert campaigns["birthday"].trigger == OnDate("birthday", 540, before_days=3, yearly=True, zone="person")
    assert campaigns["leaving"].trigger == OnPrediction("churn", 0.6, above=True)
    assert (campaigns["birthday"].policy, campaigns["leaving"].policy) == ("rules", "uplift_first")


def test_a_sequence_is_a_tree_of_steps_and_names_its_activities() -> None:
    cart = campaign(EXAMPLE, "cart")
    assert cart.activities == ("reminder_mail", "discount_mail")
    assert cart.steps == (
        Step("stop_on", "purchase"),
        Step("do", "reminder_mail"),
        Step("branch", "opened", 2 * DAY, yes=(Step("wait", time=DAY), Step("do", "discount_mail"))),
    )


@pytest.mark.parametrize(
    ("said", "schedule"),
    [
        ('{every: day, at: "06:30"}', Schedule("day", 390)),
        ("{every: day, at: 06:30}", Schedule("day", 390)),
        ('{every: week, on: Sunday, at: "10:00"}', Schedule("week", 600, weekday=6)),
        ('{every: month, on: 31, at: "10:00"}', Schedule("month", 600, day=31)),
        ('{every: once, on: 2026-12-01, at: "10:00"}', Schedule("once", 600, on=date(2026, 12, 1))),
    ],
)
def test_a_schedule_says_when_runs_begin(said: str, schedule: Schedule) -> None:
    text = EXAMPLE.replace('{every: week, on: monday, at: "10:00", zone: person}', said)
    assert campaign(text, "winback").schedule == schedule


@pytest.mark.parametrize(
    ("said", "trigger"),
    [
        ("{event: signup}", OnEvent("signup")),
        (
            "{date: trait.renewal, at: 09:00, before: 14, repeat: once, zone: plan}",
            OnDate("renewal", 540, 14, False, "plan"),
        ),
        ("{predicted: predicted.spend, below: 20}", OnPrediction("spend", 20.0, above=False)),
        ("{predicted: alive, below: 12.5%}", OnPrediction("alive", 0.125, above=False)),
    ],
)
def test_a_trigger_says_what_begins_it(said: str, trigger: Any) -> None:
    text = EXAMPLE.replace("{event: add_to_cart, without: purchase, within: 2h}", said)
    held = campaign(text, "cart").trigger
    assert (type(held), held) == (type(trigger), trigger)


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_each_mistake_is_told_with_its_line(old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(BadInput) as caught:
        plan.parse(EXAMPLE.replace(old, new, 1))
    line = next(line for line in str(caught.value).splitlines() if said in line)
    number = int(line.split(":")[1])
    changed = EXAMPLE.replace(old, new, 1).splitlines()
    first = EXAMPLE[: EXAMPLE.index(old)].count("\n")
    assert 1 <= number <= len(changed)
    assert (
        number >= 1
        if new == "" or "transactional" in new or "goal: churn" in new or "inline" in new
        else abs(number - 1 - first) <= 6
    )


def test_too_many_steps_and_too_deep_branches_are_refused() -> None:
    many = EXAMPLE.replace("      - do: reminder_mail\n", "      - do: reminder_mail\n" * 60)
    with pytest.raises(BadInput, match=r"campaigns\.cart\.steps: at most 50 steps"):
        plan.parse(many)
    inner = "[{do: discount_mail}]"
    for _ in range(7):
        inner = f"[{{branch: {{on: clicked, within: 1h, yes: {inner}}}}}]"
    with pytest.raises(BadInput, match="at most 5 branches within each other"):
        plan.parse(EXAMPLE.replace("[{wait: 1 day}, {do: discount_mail}]", inner))


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2h", 2 * HOUR),
        ("90 min", 90 * 60 * SECOND),
        ("1.5 hours", 90 * 60 * SECOND),
        ("2 days", 2 * DAY),
        ("1 Week", 7 * DAY),
        ("h", None),
        ("2 moons", None),
        ("-1 day", None),
        (2, None),
    ],
)
def test_times_are_said_in_words(text: Any, micros: int | None) -> None:
    assert duration(text) == micros


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), json_values)
def test_whatever_stands_in_a_plan_is_checked_and_loaded_or_told(place: tuple[Any, ...], value: Any) -> None:
    data = changed(GOOD, place, value)
    problems = plan.check(data)
    assert all(isinstance(path, str) and what for path, what in problems)
    assert problems or plan.load(data).version
