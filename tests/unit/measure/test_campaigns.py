"""A campaign as a whole: who was reached and why not, what it changed and cost, and that its parts add up."""

from __future__ import annotations

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from nudge import plan
from nudge.measure import activities, days, frames, reach, records
from nudge.measure.tally import messages
from nudge.vocabulary import DAY
from tests.unit.measure import reports, world
from tests.unit.measure.world import NOW, START, decision, outcome, record


@pytest.fixture(scope="module")
def shop() -> world.World:
    return world.shop(1500, seed=5)


@pytest.fixture(scope="module")
def report(shop: world.World) -> dict[str, Any]:
    return reports.report(shop)


def test_a_campaign_holds_the_decisions_that_name_it_and_no_others(shop: world.World, report: dict[str, Any]) -> None:
    (spring,) = report["campaigns"]
    odd = [one for one in shop.decisions if int(one["user_id"][1:]) % 2]
    assert spring["campaign"] == "spring"
    assert spring["reach"]["considered"] == len({one["user_id"] for one in odd})
    states = sum(spring["messages"][state] for state in ("sent", "skipped", "failed", "unknown", "not_final"))
    assert states == sum(one["group"] == "treatment" and one["activity"] != "nothing" for one in odd)
    assert {one["activity"] for one in spring["activities"]} == set(world.PLAN["activities"])


def test_what_a_campaign_changed_is_the_sum_of_its_activities(report: dict[str, Any]) -> None:
    (spring,) = report["campaigns"]
    parts = spring["activities"]
    for figure in ("incremental_value",):
        assert spring["total"][figure]["estimate"] == pytest.approx(sum(one[figure]["estimate"] for one in parts))
    assert spring["incremental_conversions"]["estimate"] == pytest.approx(
        sum(one["incremental_conversions"]["estimate"] for one in parts)
    )
    assert spring["total"]["cost"] == pytest.approx(sum(one["cost"] for one in parts))
    assert spring["revenue"] == pytest.approx(sum(one["conversions"]["treatment"]["value"] for one in parts))
    total = spring["total"]["incremental_value"]
    assert total["sequence"]["low"] < total["low"] < total["estimate"] < total["high"] < total["sequence"]["high"]


def test_activities_are_compared_among_the_people_of_the_campaign_alone(report: dict[str, Any]) -> None:
    (spring,) = report["campaigns"]
    goals = {one["goal"]: one for one in spring["contrasts"]}
    assert set(goals) == {"purchase", "visit"}
    whole = {one["goal"]: one["contrasts"] for one in report["goals"]}
    for goal, told in goals.items():
        for part, all_of in zip(told["pairs"], whole[goal]["pairs"], strict=True):
            assert 0 < part["people"]["first"] < all_of["people"]["first"]


def test_reach_adds_up_everyone_considered_ends_once(report: dict[str, Any]) -> None:
    for one in [one for goal in report["goals"] for one in goal["activities"]] + report["campaigns"]:
        steps = one["reach"]
        assert steps["considered"] >= steps["possible"] >= steps["chosen"] >= steps["reached"]
        if len(steps["reasons"]) < reach.TOP_REASONS:
            assert steps["considered"] == steps["reached"] + sum(why["people"] for why in steps["reasons"])


def test_each_person_ends_at_the_best_that_came_of_any_decision() -> None:
    rows = []
    for user, chosen, group, removed in (
        ("u1", "banner", "treatment", None),
        ("u2", "discount_mail", "treatment", None),
        ("u3", "discount_mail", "holdout", None),
        ("u4", "nothing", "treatment", {"discount_mail": "no_consent"}),
        ("u5", "discount_mail", "treatment", None),
    ):
        made = decision(user, START, chosen, group)
        rows.append(made | {"record": record(made, removed=removed)})
    again = decision("u4", START + timedelta(days=1), "discount_mail", "treatment")
    rows.append(again | {"record": record(again)})
    sent = [
        outcome(rows[1], "email_sent", timedelta(minutes=1)),
        outcome(rows[4], "email_skipped", timedelta(minutes=1), reason="suppressed"),
        outcome(again, "email_sent", timedelta(minutes=1)),
    ]
    asked = frames.read([world.parquet("decisions", rows)], frames.DECISIONS)
    told = records.read([world.parquet("decisions", rows)], "purchase")
    held = messages(asked, world.frame(frames.OUTCOMES, sent))
    found = reach.of_activity(asked, told, held, "discount_mail")
    assert {name: found[name] for name in ("considered", "possible", "chosen", "held_out", "reached")} == {
        "considered": 5, "possible": 5, "chosen": 4, "held_out": 1, "reached": 2,
    }  # fmt: skip
    assert {(why["end"], why["reason"], why["people"]) for why in found["reasons"]} == {
        ("open", "not_chosen", 1),
        ("held", "holdout", 1),
        ("tried", "suppressed", 1),
    }


def test_any_channel_ends_and_reacts_alike_and_machines_are_counted_apart() -> None:
    made = [decision(f"u{n}", START, "discount_mail", "treatment") for n in range(3)]
    told = [
        outcome(made[0], "sms_sent", timedelta(minutes=1)),
        outcome(made[0], "sms_click", timedelta(minutes=2)),
        outcome(made[0], "email_machine_open", timedelta(minutes=2)),
        outcome(made[1], "email_machine_click", timedelta(minutes=2)),
        outcome(made[1], "push_failed", timedelta(minutes=1), reason="gone"),
    ]
    found = messages(world.frame(frames.DECISIONS, made), world.frame(frames.OUTCOMES, told)).to_dicts()
    assert [(one["state"], one["clicked"], one["why"]) for one in found] == [
        ("sent", True, None),
        ("failed", False, "gone"),
        (None, False, None),
    ]
    assert [(one["opened"], one["machine_opened"], one["machine_clicked"]) for one in found] == [
        (False, True, False),
        (False, False, True),
        (False, False, False),
    ]


def test_days_whose_windows_are_open_are_marked_and_the_course_ends_at_todays_estimate(report: dict[str, Any]) -> None:
    one = report["goals"][0]["activities"][0]
    marked = {row["day"]: row["maturing"] for row in one["days"]}
    assert (
        sum(row["treated"] + row["held_out"] for row in one["days"])
        == one["people"]["treatment"] + one["people"]["holdout"]
    )
    assert marked[max(marked)]
    assert not marked[min(marked)]
    assert len(one["course"]) <= days.MOST_POINTS
    last, today = one["course"][-1], one["incremental_value"]["per_person"]
    assert (last["day"], last["estimate"]) == (NOW.date().isoformat(), today["estimate"])
    assert (last["low"], last["high"]) == (today["sequence"]["low"], today["sequence"]["high"])


def test_the_fixed_interval_is_read_only_when_the_plans_end_and_all_windows_are_over() -> None:
    loaded = plan.load(world.PLAN)
    now = world.micros(NOW)
    for ends_at, over in ((None, False), (now - 8 * DAY, True), (now - 6 * DAY, False)):
        activity = replace(loaded.activities["banner"], ends_at=ends_at)
        assert activities.over(activity, loaded.goals["purchase"], now) is over


def test_decisions_without_records_still_give_a_report(shop: world.World) -> None:
    bare = world.World([{**one, "record": None} for one in shop.decisions], shop.outcomes, shop.events, {}, shop.users)
    report = reports.report(bare, truth=False)
    assert report["campaigns"] == []
    assert report["segments"]["rows"] == []
    assert report["goals"][0]["activities"][0]["reach"]["considered"] is None
    assert report["goals"][0]["contrasts"]["pairs"]


def test_an_empty_campaign_list_is_no_error() -> None:
    assert reports.report(world.World(), truth=False)["campaigns"] == []
