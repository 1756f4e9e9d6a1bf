"""Who counts, from when, until when, and for how much."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from nudge import plan
from nudge.measure import attribution, findings, frames, tally
from nudge.vocabulary import Goal
from tests.unit.measure import world
from tests.unit.measure.world import NOW, START, decision, event, outcome

DAY = timedelta(days=1)
PURCHASE = Goal("purchase", "purchase", 7, None)
VISIT = Goal("visit", "page_view", 3, 0.2)


def events(*rows: dict[str, Any]) -> pl.DataFrame:
    return world.frame(frames.EVENTS, rows)


def decisions(*rows: dict[str, Any]) -> pl.DataFrame:
    return world.frame(frames.DECISIONS, rows)


def outcomes(*rows: dict[str, Any]) -> pl.DataFrame:
    return world.frame(frames.OUTCOMES, rows)


def followed(
    people: pl.DataFrame, happened: pl.DataFrame, goal: Goal = PURCHASE, until: datetime = NOW, **how: Any
) -> dict[str, Any]:
    result = tally.followed(
        tally.first_choices(people), tally.goal_events(happened, goal, "EUR"), goal, until=until, **how
    )
    return {row["user_id"]: row for row in result.to_dicts()}


def test_the_window_opens_with_the_decision_and_closes_before_its_last_instant() -> None:
    people = decisions(*(decision(name, START, "banner", "treatment") for name in "abcd"))
    instant = timedelta(microseconds=1)
    rows = followed(
        people,
        events(
            event("a", START, "purchase", 10.0),
            event("b", START - instant, "purchase", 10.0),
            event("c", START + 7 * DAY - instant, "purchase", 10.0),
            event("d", START + 7 * DAY, "purchase", 10.0),
        ),
    )
    assert [rows[name]["converted"] for name in "abcd"] == [True, False, True, False]
    assert rows["b"]["before"] == 10.0


def test_before_is_what_came_in_an_equally_long_window_that_ends_with_the_decision() -> None:
    people = decisions(*(decision(name, START, "banner", "treatment") for name in "ab"))
    instant = timedelta(microseconds=1)
    past = events(
        event("a", START - instant, "purchase", 10.0),
        event("a", START - 7 * DAY, "purchase", 5.0),
        event("a", START - 7 * DAY - instant, "purchase", 100.0),
    )
    rows = followed(people, past)
    assert (rows["a"]["before"], rows["b"]["before"], rows["a"]["value"]) == (15.0, 0.0, 0.0)
    assert followed(people, past, until=START + 8 * DAY, whole=True)["a"]["before"] == 115.0


def test_of_a_fixed_value_the_window_before_counts_once_too() -> None:
    people = decisions(decision("a", START, "news_mail", "treatment"))
    past = events(*(event("a", START - n * DAY, "page_view") for n in (1, 2, 4)))
    assert followed(people, past, VISIT)["a"]["before"] == 0.2


def test_a_person_counts_from_the_first_decision_that_drew_the_activity() -> None:
    people = decisions(
        decision("a", START + DAY, "banner", "holdout"),
        decision("a", START, "banner", "treatment"),
        decision("a", START - DAY, "discount_mail", "holdout"),
    )
    first = tally.first_choices(people, "banner").to_dicts()
    assert [(one["decided_at"], one["group"]) for one in first] == [(START, "treatment")]


def test_windows_that_have_not_ended_are_left_out() -> None:
    people = decisions(
        decision("old", NOW - 7 * DAY, "banner", "treatment"),
        decision("new", NOW - 7 * DAY + timedelta(seconds=1), "banner", "treatment"),
    )
    assert set(followed(people, events())) == {"old"}
    assert set(followed(people, events(), whole=True)) == {"old", "new"}


def test_the_events_own_values_add_up_and_a_fixed_value_counts_once() -> None:
    people = decisions(decision("a", START, "banner", "treatment"))
    bought = events(event("a", START + DAY, "purchase", 10.0), event("a", START + 2 * DAY, "purchase", 5.5))
    seen = events(event("a", START + DAY, "page_view"), event("a", START + 2 * DAY, "page_view"))
    assert followed(people, bought)["a"]["value"] == 15.5
    assert followed(people, seen, VISIT)["a"]["value"] == 0.2


def test_over_the_whole_time_a_fixed_value_counts_once_a_window() -> None:
    people = decisions(decision("a", START, "news_mail", "treatment"))
    seen = events(*(event("a", START + hours * timedelta(hours=1), "page_view") for hours in (1, 2, 71, 73, 200)))
    assert followed(people, seen, VISIT, whole=True)["a"]["value"] == pytest.approx(0.6)


def test_only_events_with_the_goals_action_and_category_count() -> None:
    goal = Goal("redeem", "coupon", 7, 3.0, action="redeemed", category="deli")
    happened = events(
        event("a", START, "coupon", event_action="redeemed", category="deli"),
        event("b", START, "coupon", event_action="ignored", category="deli"),
        event("c", START, "coupon", event_action="redeemed", category="meat"),
        event("d", START, "coupon"),
    )
    assert tally.goal_events(happened, goal, "EUR")["user_id"].to_list() == ["a"]


def test_money_in_another_currency_or_none_is_a_conversion_worth_nothing() -> None:
    happened = events(
        event("a", START, "purchase", 10.0, currency="eur"),
        event("b", START, "purchase", 10.0, currency="USD"),
        event("c", START, "purchase", None),
        event("d", START, "purchase", float("inf")),
    )
    found = tally.goal_events(happened, PURCHASE, "EUR")
    assert found.select("user_id", "value").rows() == [("a", 10.0), ("b", 0.0), ("c", 0.0), ("d", 0.0)]


CAMPAIGN = Goal("redeem", "redeem", 7, None, after="campaign", same="action")


def test_of_a_goal_that_must_share_something_only_events_with_the_latest_question_count() -> None:
    people = decisions(*(decision(name, START, "banner", "treatment") for name in "abc"))
    rows = events(
        event("a", START - 2 * DAY, "campaign", event_action="spring"),
        event("a", START - DAY, "campaign", event_action="summer"),
        event("a", START + DAY, "redeem", 3.0, event_action="summer"),
        event("a", START + 2 * DAY, "redeem", 5.0, event_action="spring"),
        event("b", START - DAY, "campaign", event_action="spring"),
        event("b", START + DAY, "redeem", 3.0, event_action="summer"),
        event("c", START + DAY, "campaign", event_action="spring"),
        event("c", START + 2 * DAY, "redeem", 3.0, event_action="spring"),
    )
    found = followed(people, rows, CAMPAIGN, asked=tally.questions(rows, CAMPAIGN))
    assert {name: row["value"] for name, row in found.items()} == {"a": 3.0, "b": 0.0, "c": 0.0}


def test_of_an_absent_goal_who_stays_away_converts_at_its_cost() -> None:
    churn = Goal("churn", "purchase", 7, -20.0, absent=True)
    people = decisions(*(decision(name, START, "banner", "treatment") for name in "ab"))
    rows = events(event("a", START + DAY, "purchase", 9.0), event("a", START + 2 * DAY, "purchase", 9.0))
    found = followed(people, rows, churn)
    assert {name: (row["converted"], row["value"]) for name, row in found.items()} == {
        "a": (False, 0.0),
        "b": (True, -20.0),
    }
    whole = followed(people, rows, churn, until=START + 22 * DAY, whole=True)
    assert {name: row["value"] for name, row in whole.items()} == {"a": -40.0, "b": -60.0}


def messages(*told: dict[str, Any]) -> list[dict[str, Any]]:
    made = decisions(decision("a", START, "discount_mail", "treatment", decision_id="m"))
    return tally.messages(made, outcomes(*told)).to_dicts()


def test_a_message_that_was_unknown_and_then_proved_sent_is_sent() -> None:
    of = decision("a", START, "discount_mail", "treatment", decision_id="m")
    unknown, sent = outcome(of, "email_unknown", DAY), outcome(of, "email_sent", timedelta(0))
    assert [one["state"] for one in messages(unknown, sent)] == ["sent"]
    assert [one["state"] for one in messages(unknown)] == ["unknown"]
    assert [one["state"] for one in messages()] == [None]


def test_a_message_that_was_sent_again_ends_as_its_last_attempt_did() -> None:
    of = decision("a", START, "discount_mail", "treatment", decision_id="m")
    failed, again = outcome(of, "email_failed", DAY), outcome(of, "email_unknown", 2 * DAY, attempt=2)
    assert [one["state"] for one in messages(again, failed)] == ["unknown"]


def test_a_message_that_never_left_cost_nothing() -> None:
    of = decision("a", START, "discount_mail", "treatment", decision_id="m")
    skipped = messages(outcome(of, "email_skipped", DAY, reason="suppressed"))[0]
    assert (skipped["cost"], skipped["why"]) == (0.0, "suppressed")
    assert messages(outcome(of, "email_unknown", DAY))[0]["cost"] == 0.5


def test_who_was_held_out_has_no_message() -> None:
    made = decisions(decision("a", START, "discount_mail", "holdout"), decision("b", START, "nothing", "treatment"))
    assert tally.messages(made, outcomes()).is_empty()


def test_cost_is_that_of_the_persons_own_window() -> None:
    made = decisions(*(decision("a", START + days * DAY, "discount_mail", "treatment") for days in (0, 6, 7)))
    sent = tally.messages(made, outcomes())
    assert tally.cost_within(sent, tally.first_choices(made), PURCHASE) == 1.0


def test_a_person_with_one_decision_of_the_global_holdout_belongs_to_it() -> None:
    made = decisions(
        decision("a", START, "receipt", "treatment"),
        decision("a", START + DAY, "banner", "global_holdout"),
        decision("b", START, "banner", "holdout"),
    )
    assert tally.programme(made).select("user_id", "group").rows() == [("a", "global_holdout"), ("b", "treatment")]


def test_last_touch_credits_the_last_message_within_the_window() -> None:
    one = decision("a", START, "discount_mail", "treatment", decision_id="m1")
    two = decision("a", START + DAY, "reminder_mail", "treatment", decision_id="m2")
    told = outcomes(outcome(one, "email_sent", timedelta(0)), outcome(two, "email_sent", timedelta(0)))
    met = attribution.touches(told, tally.messages(decisions(one, two), told))
    bought = events(
        event("a", START - DAY, "purchase", 1.0),
        event("a", START + timedelta(hours=1), "purchase", 2.0),
        event("a", START + 2 * DAY, "purchase", 4.0),
        event("a", START + 9 * DAY, "purchase", 8.0),
        event("z", START + DAY, "purchase", 16.0),
    )
    found = attribution.last_touch(met, tally.goal_events(bought, PURCHASE, "EUR"), PURCHASE)
    assert found.rows() == [("discount_mail", 1, 2.0), ("reminder_mail", 1, 4.0)]


def test_a_row_that_stands_twice_counts_once_and_the_earliest_telling_wins() -> None:
    late = event("a", START + DAY, "purchase", 9.0, event_id="e")
    early = event("a", START, "purchase", 4.0, event_id="e")
    for rows in ((late, early, late), (early, late, early)):
        assert frames.each_event_once(events(*rows))["value"].to_list() == [4.0]


def test_the_intent_to_treat_totals_do_not_know_what_lies_after_now() -> None:
    shop = world.shop(200)
    late = decision("late", NOW + DAY, "banner", "treatment")
    bodies = (
        frames.read(shop.bodies(kind), getattr(frames, kind.upper())) for kind in ("decisions", "events", "outcomes")
    )
    made, seen, told = bodies
    args = plan.load(world.PLAN), made, seen, told, world.micros(NOW)
    plain = findings.report_body(findings.Evidence(*args))
    more = findings.Evidence(args[0], pl.concat([made, decisions(late)]), *args[2:])
    assert findings.report_body(more) == plain
