"""Who may get what, and the reason that is told when not."""

from __future__ import annotations

from copy import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nudge.decide import dead
from nudge.decide.eligible import Known, Situation, obstacle
from nudge.decide.limits import claims
from nudge.plan import audiences
from nudge.profile import batch
from nudge.profile.spec import HOUR_NAMES, PEAK_HOUR, absent
from nudge.vocabulary import DAY, SECOND, Activity, Caps, Consent, Expression, Plan, Profile, Suppression
from tests.acting import NOON, person, plan

BERLIN = ZoneInfo("Europe/Berlin")
MAIL = Activity("mail", "purchase", "email", "t", cost=1.0)


def audience_of(text: str) -> Expression | None:
    return audiences.made(text, {"churn": {"event": "purchase"}})


def situation(profile: Profile | None = None, **changes: Any) -> Situation:
    held: dict[str, Any] = {
        "profile": person() if profile is None else profile,
        "vector": {"count.purchase.30d": 2.0, "trait.country": "DE"},
        "now": NOON,
        "due_at": {"mail": NOON},
        "claims": {},
        "counts": {},
    }
    return Situation(**(held | changes))


def why_not(activity: Activity, here: Situation, held: Plan | None = None) -> str | None:
    """The obstacle, by the limits of a plan."""
    claimed = claims(activity, plan() if held is None else held, here.profile.user_id, NOON, BERLIN)
    return obstacle(activity, here._replace(claims={activity.name: claimed}))


def with_suppression(reason: str, at: int, consent_at: int = 1) -> Profile:
    return replace(
        person(),
        suppressions={"email": Suppression(reason, at)},
        consents={"email": Consent(True, consent_at, "form")},
    )


@pytest.mark.parametrize(
    ("profile", "activity", "reason"),
    [
        (person(), MAIL, None),
        (person(consent=None), MAIL, "no_consent"),
        (person(consent=False), MAIL, "no_consent"),
        (person(email=None), MAIL, "no_address"),
        (person(email=""), MAIL, "no_address"),
        (with_suppression("bounce", 5), MAIL, "suppressed"),
        (with_suppression("bounce", 5, consent_at=9), MAIL, "suppressed"),
        (with_suppression("complaint", 5, consent_at=9), MAIL, "suppressed"),
        (with_suppression("unsubscribe", 5), MAIL, "suppressed"),
        (with_suppression("unsubscribe", 5, consent_at=9), MAIL, None),
        (person(consent=None), replace(MAIL, transactional=True), None),
        (with_suppression("unsubscribe", 5), replace(MAIL, transactional=True), None),
        (with_suppression("bounce", 5), replace(MAIL, transactional=True), "suppressed"),
        (person(consent=None, email=None), replace(MAIL, channel="inline"), None),
        (person(), replace(MAIL, starts_at=NOON + 1), "not_started"),
        (person(), replace(MAIL, starts_at=NOON), None),
        (person(), replace(MAIL, ends_at=NOON), "ended"),
        (person(), replace(MAIL, ends_at=NOON + 1), None),
        (person(), replace(MAIL, audience=audience_of("country = FR")), "audience"),
        (person(country="DE"), replace(MAIL, audience=audience_of("country = DE")), None),
        (person(), replace(MAIL, cost=100.0), None),
        (person(), replace(MAIL, cost=100.5), "budget"),
    ],
)
def test_the_first_obstacle_is_told(profile: Profile, activity: Activity, reason: str | None) -> None:
    assert why_not(activity, situation(profile, named=frozenset({"mail"}))) == reason


def test_a_transactional_activity_takes_part_only_when_it_is_named() -> None:
    owed = replace(MAIL, transactional=True)
    assert why_not(owed, situation()) == "transactional"
    assert why_not(owed, situation(named=frozenset({"mail"}))) is None


def test_a_message_that_is_held_past_the_end_of_its_activity_is_not_begun() -> None:
    assert why_not(replace(MAIL, ends_at=NOON + 5), situation(due_at={"mail": NOON + 5})) == "ended"


@pytest.mark.parametrize(
    ("audience", "met"),
    [
        ("country = DE", True),
        ("country != DE", False),
        ("country != FR", True),
        ("country in [FR, DE]", True),
        ("country is known", True),
        ("city is known", False),
        ("city != Rome", False),
        ("not city = Rome", False),
        ("age >= 30", True),
        ("age > 30", False),
        ("trait.account_days > 9", True),
        ("count.purchase.30d >= 2", True),
        ("count.refund.30d < 1", True),
        ("days_since.refund > 100", False),
        ("days_since.refund is known", False),
        ("hour_of_week.peak_hour is known", False),
        ("predicted.alive is known", False),
        ("predicted.churn > 60%", True),
        ("context.page = home", True),
        ("has consent(email)", True),
        ("has consent(sms)", False),
        ("reachable(email)", True),
        ("not reachable(sms)", True),
    ],
)
def test_an_audience_asks_attributes_numbers_predictions_consent_and_reachability(audience: str, met: bool) -> None:
    profile = person(country="DE", age=30)
    vector = {"count.purchase.30d": 2.0, "trait.account_days": 10.0, "predicted.churn": 0.7, "context.page": "home"}
    assert audience_of(audience) is not None
    here = situation(profile, vector=vector)
    assert why_not(replace(MAIL, audience=audience_of(audience)), here) == (None if met else "audience")


def test_who_is_suppressed_is_not_reachable_whatever_they_allowed() -> None:
    unsubscribed = with_suppression("unsubscribe", 5)
    here = situation(unsubscribed)
    assert why_not(replace(MAIL, audience=audience_of("reachable(email)")), here) == "audience"
    assert why_not(replace(MAIL, audience=audience_of("has consent(email)")), here) == "suppressed"


def test_what_a_vector_lacks_is_what_the_table_of_features_says() -> None:
    names = [*batch.names_of(("purchase",)), *HOUR_NAMES, PEAK_HOUR, "items.recent", "category.shoes.share"]
    nobody = Known(Profile("nobody"), {})
    assert {name: nobody.get(name) for name in names} == {name: absent(name) for name in names}


# ── caps: a pure function with a table ───────────────────────────────────────────────────────────────────────────────
def caps(per_day: int, per_week: int) -> Any:
    here = plan()
    return replace(here, policy=replace(here.policy, caps={"email": Caps(per_day, per_week)}))


@pytest.mark.parametrize(
    ("per_day", "per_week", "today", "this_week", "transactional", "reason"),
    [
        (1, 3, 0, 0, False, None),
        (1, 3, 1, 1, False, "cap_day"),
        (2, 3, 1, 3, False, "cap_week"),
        (2, 3, 1, 2, False, None),
        (0, 3, 99, 2, False, None),
        (0, 0, 99, 99, False, None),
        (1, 0, 0, 99, False, None),
        (1, 3, 9, 9, True, None),
    ],
)
def test_caps_count_local_days_and_weeks_and_zero_is_off(
    per_day: int, per_week: int, today: int, this_week: int, transactional: bool, reason: str | None
) -> None:
    counts = {"cap/email/ana/day/2026-11-18": float(today), "cap/email/ana/week/2026-W47": float(this_week)}
    here = situation(counts=counts, named=frozenset({"mail"}))
    assert why_not(replace(MAIL, transactional=transactional), here, caps(per_day, per_week)) == reason


def test_a_cap_of_one_channel_does_not_bind_another() -> None:
    assert claims(replace(MAIL, channel="inline"), caps(1, 1), "ana", NOON, BERLIN).caps == {}


@pytest.mark.parametrize(
    ("zone", "day", "week"),
    [
        ("Pacific/Kiritimati", "2027-01-01", "2026-W53"),
        ("Europe/Berlin", "2026-12-31", "2026-W53"),
        ("America/Los_Angeles", "2026-12-31", "2026-W53"),
    ],
)
def test_the_calendar_of_a_cap_is_the_persons_own(zone: str, day: str, week: str) -> None:
    noon_utc = 1_798_718_400 * SECOND  # 2026-12-31T12:00Z
    assert list(claims(MAIL, caps(1, 2), "ana", noon_utc, ZoneInfo(zone)).caps) == [
        f"cap/email/ana/day/{day}",
        f"cap/email/ana/week/{week}",
    ]


def test_the_budget_is_spent_by_the_plans_day() -> None:
    here = plan()
    assert [key for key, _, _ in claims(MAIL, here, "ana", NOON, BERLIN).budgets] == ["budget/2026-11-18"]
    assert [key for key, _, _ in claims(MAIL, here, "ana", NOON + DAY // 2, BERLIN).budgets] == ["budget/2026-11-19"]
    assert why_not(MAIL, situation(counts={"budget/2026-11-18": 99.5})) == "budget"
    assert why_not(MAIL, situation(counts={"budget/2026-11-18": 99.0})) is None
    assert claims(replace(MAIL, cost=0), here, "ana", NOON, BERLIN).budgets == ()


ENDPOINT = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/shop/1"
PUSH = replace(MAIL, channel="push")


def with_push(told: str = ENDPOINT, told_at: int = 1, reason: str = "disabled") -> Profile:
    """Somebody whose endpoint was found dead at 5."""
    return Profile(
        "ana",
        traits={"push": (told, told_at), "email": ("ana@customer.example", 1)},
        consents={"push": Consent(True, 9, "app"), "email": Consent(True, 1, "form")},
        suppressions={dead.scope("push"): dead.suppression(reason, 5, "push", ENDPOINT)},
    )


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (with_push(), "suppressed"),
        (with_push(told_at=5), "suppressed"),
        (with_push(told_at=6), None),
        (with_push(told_at=6, reason="invalid"), "suppressed"),
        (with_push(told=ENDPOINT + "-new", reason="invalid"), None),
    ],
)
def test_a_dead_address_is_not_written_to_until_there_is_another_or_it_is_told_anew(
    profile: Profile, reason: str | None
) -> None:
    for activity in (PUSH, replace(PUSH, transactional=True)):
        assert why_not(activity, situation(profile, named=frozenset({"mail"}))) == reason
    assert why_not(MAIL, situation(profile)) is None


def test_a_suppression_that_was_lifted_stops_nothing() -> None:
    assert why_not(MAIL, situation(with_suppression("stop", 5))) == "suppressed"
    assert why_not(MAIL, situation(with_suppression("lifted", 5))) is None
