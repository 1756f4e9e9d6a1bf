"""A campaign of the plan as one comparison: two groups by each person's first decision, followed to the end of its last window."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from nudge import plan
from nudge.measure import findings, frames, privacy, records
from tests.unit.measure import world
from tests.unit.measure.world import NOW, START, decision

WEEKLY = {
    "goal": "purchase",
    "activities": ["discount_mail", "reminder_mail"],
    "schedule": {"every": "week", "on": "monday", "at": "10:00"},
    "holdout": 0.5,
    "ends_at": "2026-03-23T00:00:00+01:00",
}
DAY, WEEK = timedelta(days=1), timedelta(days=7)


type Bought = list[tuple[str, timedelta, float]]
"""Who, how long after START, for how much."""


def body(decisions: list[dict[str, Any]], bought: Bought, **changes: Any) -> dict[str, Any]:
    """A report on these decisions of the weekly campaign, and purchases."""
    activities = world.PLAN["activities"] | {
        "receipt": {"goal": "purchase", "channel": "email", "template": "r", "cost": 0.0, "transactional": True}
    }
    data = world.PLAN | {"timezone": "UTC", "activities": activities, "campaigns": {"weekly": WEEKLY | changes}}
    rows = [one | {"record": json.dumps({"campaign": "weekly", "candidates": []})} for one in decisions]
    part = world.parquet("decisions", rows)
    events = [
        {"event_id": f"e{n}", "user_id": who, "event_type": "purchase", "event_time": START + since, "value": value}
        for n, (who, since, value) in enumerate(bought)
    ]
    evidence = findings.Evidence(
        plan=plan.load(plan.parse(json.dumps(_parsed(data)))),
        decisions=frames.read([part], frames.DECISIONS),
        events=world.frame(frames.EVENTS, events),
        outcomes=world.frame(frames.OUTCOMES, []),
        now=world.micros(NOW),
        told=records.read([part], "purchase"),
    )
    return findings.report_body(evidence)


def told(decisions: list[dict[str, Any]], bought: Bought, **changes: Any) -> dict[str, Any]:
    """The weekly campaign."""
    (said,) = body(decisions, bought, **changes)["campaigns"]
    return dict(said)


def _parsed(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "version"}


def pairs(people: int = 40) -> list[tuple[str, str]]:
    """Every other person is held out."""
    return [(f"u{n}", "holdout" if n % 2 else "treatment") for n in range(people)]


def test_two_messages_in_one_window_count_their_effect_once_and_later_ones_of_an_activity_count_too() -> None:
    made, bought = [], []
    for who, group in pairs():
        for after, name in ((0 * DAY, "discount_mail"), (2 * DAY, "reminder_mail"), (14 * DAY, "discount_mail")):
            made.append(decision(who, START + after, name, group))
        bought.append((who, 3 * DAY, 10.0 + int(who[1:]) % 3))
        if group == "treatment":
            bought += [(who, 3 * DAY + timedelta(hours=1), 5.0), (who, 15 * DAY, 7.0)]
    said = told(made, bought)
    gain = said["total"]["incremental_value"]
    each = 12.0 + sum((10 + n % 3) * (-1) ** n for n in range(40)) / 20
    assert gain["per_person"]["estimate"] == pytest.approx(each)
    assert gain["estimate"] == pytest.approx(20 * each)
    assert gain["low"] < 20 * each < gain["high"]
    assert said["people"] == {"treatment": 20, "holdout": 20, "not_matured": 0}
    assert said["total"]["cost"] == pytest.approx(20 * (0.5 + 0.01 + 0.5))
    assert said["incremental_conversions"]["estimate"] == 0
    assert said["revenue"] == pytest.approx(sum(value for who, _, value in bought if int(who[1:]) % 2 == 0))


def test_the_first_decision_tells_the_group_whatever_it_drew_but_for_what_is_owed() -> None:
    made = []
    for who, group in pairs():
        made.append(decision(who, START, "receipt", "treatment"))
        made.append(decision(who, START + DAY, "nothing", group))
        made.append(decision(who, START + 2 * DAY, "discount_mail", group))
    bought = [(who, 1.5 * DAY, 4.0 + int(who[1:]) % 4) for who, group in pairs() if group == "treatment"]
    said = told(made, bought)
    assert said["people"] == {"treatment": 20, "holdout": 20, "not_matured": 0}
    assert said["incremental_conversions"]["estimate"] == 20


def test_what_happens_after_the_last_window_or_before_the_first_decision_is_not_the_campaigns() -> None:
    made = [decision(who, START + 8 * DAY, "discount_mail", group) for who, group in pairs()]
    inside = [(who, 9 * DAY, 4.0 + int(who[1:]) % 4) for who, _ in pairs()]
    outside = [(who, days * DAY, 100.0) for who, group in pairs() if group == "treatment" for days in (1, 15.5)]
    assert told(made, inside + outside)["total"]["incremental_value"]["estimate"] == pytest.approx(-20.0)


def test_whoever_came_lately_waits_and_the_fixed_interval_is_read_when_all_is_over() -> None:
    made = [decision(who, START, "discount_mail", group) for who, group in pairs()]
    late = [decision(f"late {n}", NOW - DAY, "discount_mail", "treatment") for n in range(3)]
    bought = [(who, 2 * DAY, 4.0 + int(who[1:]) % 4) for who, _ in pairs()]
    assert told(made + late, bought)["people"] == {"treatment": 20, "holdout": 20, "not_matured": 3}
    assert told(made, bought)["total"]["reading"]["interval"] == "fixed"
    assert told(made, bought, ends_at="2026-05-01T00:00:00Z")["total"]["reading"]["interval"] == "sequence"


def test_what_people_were_worth_before_takes_noise_away() -> None:
    made = [decision(who, START + 8 * DAY, "discount_mail", group) for who, group in pairs(400)]
    bought = []
    for who, _ in pairs(400):
        usual = float(int(who[1:]) * 7919 % 97)
        bought.append((who, 7 * DAY, usual))
        bought += [(who, 9 * DAY, usual + int(who[1:]) * 31 % 11)] if usual > 10 else []
    reduced = told(made, bought)["total"]["incremental_value"]["variance_reduced"]
    assert reduced["removed"] > 0.9


def test_a_campaign_of_few_people_tells_nothing_even_where_it_drew_nothing() -> None:
    made = [decision(who, START, "nothing", group) for who, group in pairs(12)]
    whole = body(made, [(who, 2 * DAY, 4.0 + int(who[1:]) % 4) for who, _ in pairs(12)])
    (hidden,), (open_one,) = (privacy.withhold(whole, smallest)["campaigns"] for smallest in (10, 5))
    assert hidden["withheld"]
    assert hidden["total"]["incremental_value"]["estimate"] is None
    assert hidden["revenue"] is None
    assert open_one["total"]["incremental_value"]["estimate"] is not None


def test_an_activity_after_another_of_the_campaign_is_not_given_its_effect() -> None:
    """The discount works for everybody it is first sent to, for a week; the reminder does nothing. Half begin with either, and two days
    later have the other. Compared with whoever was to have it, the reminder would seem to work as well."""
    made, bought = [], []
    for number in range(400):
        who, group = f"u{number}", "holdout" if number % 2 else "treatment"
        names = ("discount_mail", "reminder_mail")[:: 1 if number % 4 < 2 else -1]
        for after, name in zip((0 * DAY, 2 * DAY), names, strict=True):
            made.append(decision(who, START + after, name, group))
        worked = group == "treatment" and names[0] == "discount_mail"
        bought.append((who, 3 * DAY, 10.0 + number % 5 + 6.0 * worked))
    (said,) = body(made, bought)["campaigns"]
    rows = {one["activity"]: one for one in said["activities"]}
    for name, each in (("discount_mail", 6.0), ("reminder_mail", 0.0)):
        assert rows[name]["people"] == {"treatment": 100, "holdout": 100, "not_matured": 0, "after_another": 200}
        gain = rows[name]["incremental_value"]["per_person"]
        assert gain["estimate"] == pytest.approx(each, abs=0.5)
        assert gain["low"] < each < gain["high"]
    everybody = {one["activity"]: one for one in body(made, bought)["goals"][0]["activities"]}
    for name, row in rows.items():
        assert everybody[name]["incremental_value"] == row["incremental_value"]


def test_what_a_campaign_owes_or_did_not_do_keeps_no_activity_from_being_its_first() -> None:
    made = []
    for who, group in pairs():
        made.append(decision(who, START, "receipt", "treatment"))
        made.append(decision(who, START + DAY, "nothing", group))
        made.append(decision(who, START + 2 * DAY, "discount_mail", group))
        made.append(decision(who, START + 9 * DAY, "discount_mail", group))
    bought = [(who, 3 * DAY, 4.0 + int(who[1:]) % 4) for who, group in pairs() if group == "treatment"]
    (said,) = body(made, bought)["campaigns"]
    (row,) = [one for one in said["activities"] if one["activity"] == "discount_mail"]
    assert row["people"] == {"treatment": 20, "holdout": 20, "not_matured": 0, "after_another": 0}
    assert row["incremental_conversions"]["estimate"] == 20
