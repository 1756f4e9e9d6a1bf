"""The season of campaigns: its truth is that of its world, it is the same for a seed, and its arithmetic is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from local.shop import proof, season
from local.shop.play import START
from local.shop.season import Season
from local.shop.world import SWAY, WORKS_FOR, World
from nudge.vocabulary import DAY

AT = START + 13 * 7 * DAY


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=5, count=1500, start=START, weeks=16)


@pytest.mark.parametrize("activity", ["offer_mail", "cart_mail", "hello_text"])
def test_what_an_activity_is_worth_is_what_it_causes_on_average(world: World, activity: str) -> None:
    caused, worth = [], []
    for number, user_id in enumerate(world.people.ids):
        if world.people.reachable[number]:
            world.offered(f"{activity}-{user_id}", user_id, activity, AT)
            world.show(f"{activity}-{user_id}", AT)
            caused.append(world.caused(f"{activity}-{user_id}"))
            worth.append(world.worth(user_id, activity, AT))
    error = float(np.std(np.array(caused) - np.array(worth))) / len(caused) ** 0.5
    assert abs(np.mean(caused) - np.mean(worth)) <= 3 * error
    assert (np.mean(worth) > 0) == (activity in SWAY)


def test_an_activity_is_worth_more_to_those_it_is_made_for_and_nothing_to_whoever_buys_anyway(world: World) -> None:
    bought = world.events.filter((pl.col("event_type") == "purchase") & pl.col("at").is_between(AT, AT + 7 * DAY - 1))
    anyway = {world.people.ids[one] for one in bought["person"]}
    assert {world.worth(one, "offer_mail", AT) for one in anyway} == {0.0}
    for activity, segments in WORKS_FOR.items():
        chances = np.array([world.swayed(number, activity) for number in range(len(world.people))])
        made_for = np.array([one in segments for one in world.people.segment])
        assert chances[made_for].mean() > 5 * chances[~made_for].mean()


def test_two_activities_at_one_moment_have_each_their_own_effect(world: World) -> None:
    for number, user_id in enumerate(world.people.ids):
        for activity in ("new_in_mail", "cart_offer_mail"):
            world.offered(f"both-{activity}-{number}", user_id, activity, AT + DAY)
            world.show(f"both-{activity}-{number}", AT + DAY)
    total = {
        activity: sum(world.caused(f"both-{activity}-{number}") for number in range(len(world.people)))
        for activity in ("new_in_mail", "cart_offer_mail")
    }
    assert total["cart_offer_mail"] > total["new_in_mail"] > 0


def test_what_no_message_caused_is_nobodys() -> None:
    assert World(seed=1, count=5, start=START, weeks=2).caused("unknown") == 0.0


def test_a_seed_is_a_season(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(season, "WEEKS", 2)

    def played() -> tuple[dict[str, Any], dict[str, float]]:
        one = Season(seed=4, people=100, learns_after=())
        return one.play(), one.truth()

    first, again = played(), played()
    assert first == again
    assert first[1]["weekly"] > 0 == first[1]["texts"]


def test_the_bound_on_intervals_fits_their_number() -> None:
    assert [proof.fewest(seeds) for seeds in (1, 3, 20, 100)] == [0, 2, 17, 90]


def test_an_interval_and_a_choice_are_read_as_they_are_written() -> None:
    said = proof.Said(estimate=5.0, low=-1.0, high=11.0, truth=12.0)
    assert (said.holds, said.finds_nothing) == (False, True)
    chosen = proof.Chosen(policy=3.0, always={"a": 1.0, "b": 2.5}, people=10)
    assert (chosen.best_fixed, chosen.gain) == ("b", 0.5)
    low, high = proof.interval([1.0, 2.0, 3.0])
    assert (low + high) / 2 == pytest.approx(2.0)
    assert high - 2.0 == pytest.approx(4.302652729911275 / 3**0.5)
