"""When runs begin, and when they reach whom: schedules, zones, leap days, predictions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.decide.occasion import begins, crosses, is_open, is_the_day, latest, schedule_of, wall
from nudge.decide.quiet import micros
from nudge.vocabulary import DAY, SECOND, Campaign, CampaignRun, Micros, OnDate, OnEvent, OnPrediction, Schedule

BERLIN = ZoneInfo("Europe/Berlin")
HOUR: Micros = 3600 * SECOND
DAILY = Schedule("day", 9 * 60)


def at(text: str, zone: ZoneInfo = BERLIN) -> Micros:
    return micros(datetime.fromisoformat(text).replace(tzinfo=zone))


def campaign(**changes: object) -> Campaign:
    return Campaign("spring", "purchase", ("mail",), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("schedule", "now", "run"),
    [
        (DAILY, "2026-11-18T09:00", "20261118T0900"),
        (DAILY, "2026-11-18T10:59", "20261118T0900"),
        (DAILY, "2026-11-18T08:59", None),
        (DAILY, "2026-11-18T11:00", None),
        (Schedule("week", 9 * 60, weekday=2), "2026-11-18T09:05", "20261118T0900"),
        (Schedule("week", 9 * 60, weekday=3), "2026-11-18T09:05", None),
        (Schedule("month", 9 * 60, day=18), "2026-11-18T09:05", "20261118T0900"),
        (Schedule("month", 9 * 60, day=31), "2026-11-30T09:05", "20261130T0900"),
        (Schedule("month", 9 * 60, day=31), "2026-11-29T09:05", None),
        (Schedule("once", 9 * 60, on=date(2026, 11, 18)), "2026-11-18T09:05", "20261118T0900"),
        (Schedule("once", 9 * 60, on=date(2026, 11, 18)), "2027-11-18T09:05", None),
        (Schedule("day", 23 * 60 + 30), "2026-11-18T00:10", "20261117T2330"),
    ],
)
def test_a_run_is_due_for_two_hours_from_its_time(schedule: Schedule, now: str, run: str | None) -> None:
    found = latest(schedule, at(now), BERLIN, within=2 * HOUR)
    assert (found and found[0]) == run


def test_a_time_that_clocks_skip_comes_when_they_have_skipped_it_and_a_doubled_one_comes_once() -> None:
    spring = latest(Schedule("day", 2 * 60 + 30), at("2026-03-29T03:00"), BERLIN, within=2 * HOUR)
    assert spring == ("20260329T0230", at("2026-03-29T03:00"))
    autumn = Schedule("day", 2 * 60 + 30)
    names = {
        found[0]
        for hour in range(6)
        if (found := latest(autumn, at("2026-10-25T00:00") + hour * HOUR, BERLIN, within=6 * HOUR))
    }
    assert names <= {"20261024T0230", "20261025T0230"}
    assert "20261025T0230" in names


def test_a_run_by_peoples_own_clocks_begins_with_the_first_place_on_earth_and_waits_for_each() -> None:
    schedule = Schedule("day", 9 * 60, zone="person")
    first = at("2026-11-18T09:00", ZoneInfo("Pacific/Kiritimati"))
    assert latest(schedule, first, BERLIN, within=2 * HOUR) == ("20261118T0900", first)
    run = CampaignRun(campaign(schedule=schedule), "20261118T0900")
    for zone in ("Pacific/Kiritimati", "Europe/Berlin", "Pacific/Pago_Pago"):
        assert begins(run, ZoneInfo(zone), first) == at("2026-11-18T09:00", ZoneInfo(zone))
    late = at("2026-11-20T09:00")
    assert begins(run, BERLIN, late) == late


def test_a_run_by_the_plans_clock_or_by_hand_reaches_everybody_now() -> None:
    now = at("2026-11-18T09:00")
    assert begins(CampaignRun(campaign(schedule=DAILY), "20261118T0900"), ZoneInfo("Asia/Tokyo"), now) == now
    own = campaign(schedule=Schedule("day", 540, zone="person"))
    assert begins(CampaignRun(own, "by-hand-1"), BERLIN, now) == now
    assert begins(None, BERLIN, now) == now


@pytest.mark.parametrize(
    ("born", "run", "yearly", "before", "is_it"),
    [
        ("1990-11-18", "20261118T0900", True, 0, True),
        ("1990-11-19", "20261118T0900", True, 1, True),
        ("1990-11-18", "20261118T0900", False, 0, False),
        ("2026-11-18", "20261118T0900", False, 0, True),
        ("1992-02-29", "20270228T0900", True, 0, True),
        ("1992-02-29", "20280228T0900", True, 0, False),
        ("1992-02-29", "20280229T0900", True, 0, True),
        ("1990-01-01", "20261231T0900", True, 1, True),
        ("soon", "20261118T0900", True, 0, False),
        (None, "20261118T0900", True, 0, False),
        ("1990-11-18", "by-hand-1", True, 0, False),
    ],
)
def test_a_date_calls_on_its_day(born: str | None, run: str, yearly: bool, before: int, is_it: bool) -> None:
    trigger = OnDate("birthday", 540, before_days=before, yearly=yearly)
    assert is_the_day(trigger, born, run) is is_it


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(2026, 2040))
def test_everybody_has_a_birthday_on_exactly_one_day_of_a_year(born: date, year: int) -> None:
    days = [
        date.fromordinal(number)
        for number in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
        if is_the_day(OnDate("b", 0), born.isoformat(), f"{date.fromordinal(number):%Y%m%d}T0900")
    ]
    assert len(days) == 1


def test_a_prediction_crosses_its_line_upwards_or_downwards() -> None:
    assert crosses(OnPrediction("churn", 0.6), 0.61)
    assert not crosses(OnPrediction("churn", 0.6), 0.6)
    assert crosses(OnPrediction("alive", 0.3, above=False), 0.2)
    assert not crosses(OnPrediction("churn", 0.6), None)


def test_what_events_begin_has_no_schedule_and_dates_and_predictions_have_a_daily_one() -> None:
    assert schedule_of(campaign(trigger=OnEvent("add_to_cart"))) is None
    assert schedule_of(campaign(trigger=OnDate("birthday", 540))) == Schedule("day", 540, zone="person")
    assert schedule_of(campaign(trigger=OnPrediction("churn", 0.6))) == Schedule("day", 360)
    assert schedule_of(campaign(schedule=DAILY)) == DAILY


def test_a_campaign_is_open_from_its_start_until_before_its_end() -> None:
    one = campaign(starts_at=10 * DAY, ends_at=20 * DAY)
    assert [is_open(one, day * DAY) for day in (9, 10, 19, 20)] == [False, True, True, False]


def test_names_that_are_no_times_are_no_times() -> None:
    assert wall("20261118T0900") == datetime(2026, 11, 18, 9, 0, tzinfo=UTC).replace(tzinfo=None)
    assert wall("20261399T0900") is None
    assert wall("by-hand-20261118T090000Z") is None
