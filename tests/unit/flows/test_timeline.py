"""What is told of one person: decisions with reasons and messages, and a portrait without what says who they are."""

from __future__ import annotations

import json

import pytest

from nudge.adapters.memory_history import MemoryHistory
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.errors import BadInput, NotFound
from nudge.flows.timeline import TOP_TYPES, Timeline, portrait
from nudge.profile.fold import fold_many
from nudge.vocabulary import DAY, Consent, Event, Profile, Suppression
from tests.acting import NOON
from tests.browser import console_shop as shop


def test_a_page_holds_fifty_decisions_and_the_next_one_the_rest() -> None:
    first = shop.timeline()(shop.PERSON)
    second = shop.timeline()(shop.PERSON, before=first["before"])
    names = [one["decision_id"] for one in (*first["decisions"], *second["decisions"])]
    assert (len(first["decisions"]), second["before"]) == (50, None)
    assert len(set(names)) == len(names) == 59
    times = [one["decided_at"] for one in (*first["decisions"], *second["decisions"])]
    assert times == sorted(times, reverse=True)


def test_a_decision_is_told_with_its_candidates_what_moved_it_and_what_became_of_it() -> None:
    latest = shop.timeline()(shop.PERSON)["decisions"][0]
    assert latest["message"]["state"] == "unknown"
    assert {one["activity"]: one["removed"] for one in latest["candidates"]} == {
        "discount_mail": None, "reminder_mail": None, "nothing": None, "news_mail": "cap_week", "banner": "audience",
    }  # fmt: skip
    assert latest["contributions"]["reasons"][0] == {"feature": "days_since.purchase", "effect": 0.62}


def test_nothing_that_says_who_somebody_is_is_shown() -> None:
    told = shop.timeline()(shop.PERSON)
    text = json.dumps(told)
    assert "ana@customer.example" not in text
    assert '"Ana"' not in text
    traits = {one["name"]: (one["value"], one["masked"]) for one in told["profile"]["traits"]}
    assert traits["email"] == traits["first_name"] == (None, True)
    assert traits["country"] == ("DE", False)


@pytest.mark.parametrize(("name", "value"), [("homePhone", "1"), ("note", "write to a@b.example"), ("last_name", "B")])
def test_an_address_is_masked_under_whatever_name_it_came(name: str, value: str) -> None:
    (trait,) = portrait(Profile("a", {}, {name: (value, NOON)}))["traits"]
    assert trait == {"name": name, "value": None, "masked": True, "at": "2026-11-18T11:06:40.000Z"}


def test_consents_and_what_stands_against_them_are_both_told() -> None:
    person = Profile("a", {}, {}, {"email": Consent(True, NOON, "form")}, {"email": Suppression("bounce", NOON + DAY)})
    told = portrait(person)
    assert told["consents"] == [
        {"channel": "email", "granted": True, "at": "2026-11-18T11:06:40.000Z", "source": "form"}
    ]
    assert told["suppressions"] == [{"channel": "email", "reason": "bounce", "at": "2026-11-19T11:06:40.000Z"}]


def test_what_a_person_did_is_told_by_type_those_seen_last() -> None:
    did = [Event(f"e{n}", "a", f"kind_{n:02d}", NOON + n * DAY, value=2.5) for n in range(25)]
    told = portrait(Profile("a", fold_many({}, did)))["activity"]
    assert [one["event_type"] for one in told] == [f"kind_{n:02d}" for n in range(24, 24 - TOP_TYPES, -1)]
    assert (told[0]["total"], told[0]["worth"], told[0]["last"]) == (1, 2.5, "2026-12-12T11:06:40.000Z")


def test_somebody_without_a_profile_still_has_their_decisions() -> None:
    with_decisions = Timeline(shop.timeline().history, MemoryProfiles())(shop.PERSON)
    assert with_decisions["profile"] is None
    assert with_decisions["decisions"]


def test_nobody_is_not_found_and_no_id_is_refused() -> None:
    empty = Timeline(MemoryHistory(MemoryLedger()), MemoryProfiles())
    with pytest.raises(NotFound):
        empty("nobody")
    for wrong in ("", "x" * 257):
        with pytest.raises(BadInput):
            empty(wrong)
