"""Eight weeks of campaigns in the sample shop, told with adapters in memory: the report holds the truth, and the policy learns.

Three campaigns (one that learns, one that changes nothing, one that an abandoned basket begins), two channels, known true effects.
`benchmarks/quality/campaigns.py` plays twenty seeds; here are as many as a test run bears, with the bound that fits their number.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import pytest

from local.shop import proof
from local.shop.season import OPENS, WEEK, WEEKS, Season
from nudge.vocabulary import DAY, FINAL_STATES

SEEDS, PEOPLE = (1, 2, 3), 600


class Played(NamedTuple):
    """A season to its end, and its report."""

    season: Season
    report: dict[str, Any]


@pytest.fixture(scope="module")
def seasons() -> list[Played]:
    played = []
    for seed in SEEDS:
        season = Season(seed, PEOPLE)
        played.append(Played(season, season.play()))
    return played


def test_the_interval_of_incremental_revenue_holds_the_truth_of_each_campaign(seasons: list[Played]) -> None:
    told = [proof.said(season, report) for season, report in seasons]
    for name in ("weekly", "texts", "cart"):
        assert sum(one[name].holds for one in told) >= proof.fewest(len(SEEDS)), (name, [one[name] for one in told])
    for _, report in seasons:
        assert {one["total"]["reading"]["interval"] for one in report["campaigns"]} == {"fixed"}


def test_a_campaign_that_changes_nothing_is_called_so_and_one_that_does_is_not(seasons: list[Played]) -> None:
    told = [proof.said(season, report) for season, report in seasons]
    assert all(one[proof.IDLE].truth == 0 for one in told)
    assert sum(one[proof.IDLE].finds_nothing for one in told) >= proof.fewest(len(SEEDS))
    assert sum(not one[proof.LEARNING].finds_nothing for one in told) >= 2


def test_the_learning_policy_ends_above_the_best_fixed_activity(seasons: list[Played]) -> None:
    ends = [proof.chosen(season) for season, _ in seasons]
    assert sum(one.gain > 0 for one in ends) >= 2
    each = [one for season, _ in seasons for one in proof.advantages(season)]
    assert proof.interval(each)[0] > 0
    first = [one for season, _ in seasons for one in proof.advantages(season, weeks=(0, 1))]
    assert proof.interval(first)[0] < 0, "before anything is learned the best fixed activity is hard to beat"


def test_a_basket_that_is_left_is_followed_by_a_reminder_and_then_by_an_offer(seasons: list[Played]) -> None:
    season = seasons[0].season
    made = [one for one in season.stack.records() if one["campaign"] == "cart"]
    done = Counter(one["activity"] for one in made)
    assert done["cart_mail"] > done["cart_offer_mail"] > 0
    reminders = {(one["user_id"], one["run"]): one for one in made if one["chosen"] == "cart_mail"}
    waits = [
        one["decided_at"] - reminders[one["user_id"], one["run"]]["decided_at"]
        for one in made
        if one["chosen"] == "cart_offer_mail"
    ]
    assert min(waits) >= DAY
    outcomes = season.stack.rows("outcomes")
    clicked = set(outcomes.filter(outcomes["event_type"] == "email_click")["decision_id"])
    followed = {journey for journey, one in reminders.items() if one["decision_id"] in clicked}
    offered = {(one["user_id"], one["run"]) for one in made if one["chosen"] == "cart_offer_mail"}
    assert followed
    assert not followed & offered


def test_everybody_ends_in_one_state_on_two_channels_and_held_out_people_get_nothing(seasons: list[Played]) -> None:
    stack = seasons[0].season.stack
    messages = list(stack.ledger.messages.values())
    assert {one.channel for one in messages if one.state == "sent"} == {"email", "sms"}
    assert {one.state for one in messages} <= set(FINAL_STATES)
    treated = {one["decision_id"] for one in stack.records() if one["group"] == "treatment"}
    assert {one.decision_id for one in messages} <= treated
    assert stack.now == OPENS + WEEKS * WEEK
