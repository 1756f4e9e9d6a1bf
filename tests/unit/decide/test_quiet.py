"""Quiet hours in the person's own zone, on ordinary days and on those when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.decide.quiet import is_quiet, iso, micros, release, zone
from nudge.vocabulary import QuietHours

NIGHT = QuietHours(21 * 60, 8 * 60)


def local(text: str, where: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(where)))


@pytest.mark.parametrize(
    ("at", "released"),
    [
        ("2026-11-18T20:59:59", "2026-11-18T20:59:59"),
        ("2026-11-18T21:00:00", "2026-11-19T08:00:00"),
        ("2026-11-18T23:59:59", "2026-11-19T08:00:00"),
        ("2026-11-19T00:00:00", "2026-11-19T08:00:00"),
        ("2026-11-19T07:59:59", "2026-11-19T08:00:00"),
        ("2026-11-19T08:00:00", "2026-11-19T08:00:00"),
    ],
)
@pytest.mark.parametrize("where", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"])
def test_messages_wait_for_the_morning_of_the_person(at: str, released: str, where: str) -> None:
    assert release(local(at, where), ZoneInfo(where), NIGHT) == local(released, where)


def test_no_quiet_hours_hold_nothing() -> None:
    now = local("2026-11-18T23:00:00", "UTC")
    assert release(now, ZoneInfo("UTC"), None) == now
    assert release(now, ZoneInfo("UTC"), QuietHours(600, 600)) == now


def test_a_morning_that_clocks_jump_over_begins_after_the_jump() -> None:
    hours = QuietHours(22 * 60, 2 * 60 + 30)  # Berlin, 2026-03-29: 02:00 becomes 03:00, so 02:30 does not come
    now = local("2026-03-29T01:00:00", "Europe/Berlin")
    assert iso(release(now, ZoneInfo("Europe/Berlin"), hours)) == "2026-03-29T01:00:00.000Z"


def test_a_morning_that_comes_twice_begins_the_second_time() -> None:
    hours = QuietHours(22 * 60, 2 * 60 + 30)  # Berlin, 2026-10-25: 03:00 becomes 02:00, so 02:30 comes twice
    now = local("2026-10-25T01:00:00", "Europe/Berlin")
    assert iso(release(now, ZoneInfo("Europe/Berlin"), hours)) == "2026-10-25T01:30:00.000Z"


def test_a_night_of_nine_hours_or_seven_still_ends_at_eight() -> None:
    for evening, morning in (("2026-10-24T22:00", "2026-10-25T08:00"), ("2026-03-28T22:00", "2026-03-29T08:00")):
        now = local(evening, "Europe/Berlin")
        assert release(now, ZoneInfo("Europe/Berlin"), NIGHT) == local(morning, "Europe/Berlin")


def test_a_day_that_a_country_skipped_is_waited_for_on_the_next() -> None:
    where = "Pacific/Apia"  # Samoa had no 2011-12-30
    now = local("2011-12-29T22:00", where)
    assert release(now, ZoneInfo(where), NIGHT) == local("2011-12-31T08:00", where)


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_what_is_released_is_not_quiet_and_not_in_the_past(second: int, where: str, start: int, until: int) -> None:
    hours = QuietHours(start, until)
    now = second * 1_000_000
    then = release(now, ZoneInfo(where), hours)
    assert now <= then <= now + 2 * 86_400_000_000
    at = datetime.fromtimestamp(then // 1_000_000, UTC).astimezone(ZoneInfo(where))
    assert not is_quiet(at.hour * 60 + at.minute, hours)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Asia/Tokyo", "Europe/Berlin"), "Asia/Tokyo"),
        ((None, "Europe/Berlin"), "Europe/Berlin"),
        (("Mars/Olympus", "Europe/Berlin"), "Europe/Berlin"),
        (("../../etc/passwd", "/etc/passwd", 7), "UTC"),
        (("", "a\x00b"), "UTC"),
    ],
)
def test_the_zone_is_the_persons_then_the_plans_then_utc(names: tuple[object, ...], found: str) -> None:
    assert zone(*names).key == found
