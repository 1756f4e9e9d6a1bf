"""When a message may choose its hour: open, never quiet, sometimes drawn, and always with its propensity."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.decide import moment, quiet
from nudge.vocabulary import DAY, Micros, QuietHours

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
OPEN, NIGHT = QuietHours(8 * 60, 21 * 60), QuietHours(20 * 60, 9 * 60)
HOUR = moment.HOUR


def at(*parts: int, where: ZoneInfo = BERLIN) -> Micros:
    return quiet.micros(datetime(*parts, tzinfo=where))  # type: ignore[arg-type, misc]


NOON = at(2026, 11, 18, 12, 6)
MOMENTS = moment.open_moments(NOON, BERLIN, OPEN, NIGHT)


def local(moments: list[Micros], where: ZoneInfo = BERLIN) -> list[str]:
    return [datetime.fromtimestamp(one / 1e6, UTC).astimezone(where).strftime("%d %H:%M") for one in moments]


def test_the_hours_of_a_day_are_those_that_are_open_and_not_quiet() -> None:
    assert local(MOMENTS) == [
        *("18 12:06", "18 13:00", "18 14:00", "18 15:00", "18 16:00", "18 17:00", "18 18:00", "18 19:00"),
        *("19 09:00", "19 10:00", "19 11:00", "19 12:00"),
    ]


def test_zones_with_half_hours_have_full_local_hours() -> None:
    found = moment.open_moments(at(2026, 11, 18, 19, 40, where=KOLKATA), KOLKATA, OPEN, None)
    assert local(found, KOLKATA)[:3] == ["18 19:40", "18 20:00", "19 08:00"]


def test_start_and_until_at_the_same_time_mean_always_open() -> None:
    assert len(moment.open_moments(NOON, BERLIN, QuietHours(0, 0), None)) == 25


def test_where_no_hour_is_open_nothing_is_chosen() -> None:
    assert moment.open_moments(NOON, BERLIN, OPEN, QuietHours(8 * 60, 21 * 60)) == []
    assert moment.choose("a", [], None) is None


def test_without_a_model_the_first_open_moment_is_taken() -> None:
    taken = [moment.choose(f"d{n}", MOMENTS, None) for n in range(200)]
    assert {one.at for one in taken if one and not one.drawn} == {NOON}
    assert all(one.gain is None for one in taken if one)


def test_the_model_s_moment_is_taken_as_it_is() -> None:
    best = MOMENTS[9] + 20 * 60 * 1_000_000
    taken = [one for n in range(200) if (one := moment.choose(f"d{n}", MOMENTS, (best, 1.4)))]
    assert {(one.at, one.gain) for one in taken if not one.drawn} == {(best, 1.4)}
    assert all(one.propensity == pytest.approx(0.9 + 0.1 / len(MOMENTS)) for one in taken if not one.drawn)


@pytest.mark.parametrize("wrong", [NOON - HOUR, NOON + 3 * DAY, at(2026, 11, 18, 23, 0)])
def test_a_moment_that_is_not_open_is_not_taken(wrong: Micros) -> None:
    taken = [one for n in range(200) if (one := moment.choose(f"d{n}", MOMENTS, (wrong, 2.0)))]
    assert {one.at for one in taken} <= set(MOMENTS)
    assert {one.gain for one in taken} == {None}


def test_hours_are_drawn_as_often_as_their_propensity_says() -> None:
    taken = [one for n in range(20_000) if (one := moment.choose(f"d{n}", MOMENTS, (MOMENTS[9], 1.4)))]
    assert sum(one.drawn for one in taken) / len(taken) == pytest.approx(moment.DRAWN, abs=0.01)
    share = {one.at: one.propensity for one in taken}
    for place, count in Counter(one.at for one in taken).items():
        assert count / len(taken) == pytest.approx(share[place], abs=0.01)
    assert sum(share.values()) == pytest.approx(1.0)


@given(st.text(max_size=20), st.integers(0, 400 * 24), st.booleans())
def test_what_is_chosen_lies_within_a_day_is_never_quiet_and_repeats(name: str, hours: int, ask: bool) -> None:
    now = NOON + hours * HOUR
    moments = moment.open_moments(now, BERLIN, OPEN, NIGHT)
    best = (moments[-1] + 60_000_000, 1.1) if ask else None
    taken = moment.choose(name, moments, best)
    assert taken is not None
    assert now <= taken.at < now + DAY
    assert quiet.release(taken.at, BERLIN, NIGHT) == taken.at
    assert taken == moment.choose(name, moments, best)
    assert 0 < taken.propensity <= 1
