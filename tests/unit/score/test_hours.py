"""The next best hour of a person: inside the open hours, in local time, also on days on which clocks change."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.score import hours, verify
from nudge.vocabulary import DAY

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def artefact(**more: Any) -> dict[str, Any]:
    flat = {"rates": [1.0] * 48, "activity": [1 / 48] * 48}
    return {
        "format": 1,
        "kind": "send_time",
        "name": "send_time.email",
        "channel": "email",
        "open": [480, 1260],
        "segments": {"*": flat},
        "kernel": [0.6, 0.4],
        "strength": 10.0,
        "power": 1.0,
        "half_life_days": 90.0,
        "total_slot": 2,
        "channels": {
            "email": {"sent": "email_sent", "answers": ["email_open", "email_click"], "rate": 0.3, "strength": 20.0},
            "sms": {"sent": "sms_sent", "answers": ["sms_click"], "rate": 0.1, "strength": 20.0},
        },
    } | more


def at(text: str, zone: ZoneInfo = UTC_ZONE) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=zone)
    return int(moment.astimezone(UTC).timestamp()) * 1_000_000


def local(moment: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment / 1e6, UTC).astimezone(zone)


def evenings(now: int, weight: float = 100.0) -> dict[str, Any]:
    """A state of somebody who is there from 18 to 20 UTC on each day of the week."""
    return {
        "h": [now // (90 * DAY) * (90 * DAY), {str(day * 24 + hour): weight for day in range(7) for hour in (18, 19)}]
    }


def test_a_person_with_hours_of_their_own_is_written_to_then() -> None:
    now = at("2026-06-03 09:20")
    moment, gain = hours.load(artefact()).best(evenings(now), {}, now=now, zone=UTC_ZONE)
    assert local(moment, UTC_ZONE).hour == 18
    assert gain > 5


def test_a_newcomer_is_written_to_now_and_gains_nothing() -> None:
    now = at("2026-06-03 09:20")
    assert hours.load(artefact()).best({}, {}, now=now, zone=UTC_ZONE) == (now, 1.0)


def test_a_newcomer_of_a_segment_has_the_hours_of_the_segment() -> None:
    late = {"rates": [1.0] * 12 + [3.0] + [1.0] * 35, "activity": [1 / 48] * 48}
    model = hours.load(artefact(segments={"*": artefact()["segments"]["*"], "Europe/Berlin": late}))
    now = at("2026-06-03 09:20", BERLIN)
    moment, gain = model.best({}, {"timezone": "Europe/Berlin"}, now=now, zone=BERLIN)
    assert (local(moment, BERLIN).hour, gain) == (12, 3.0)
    assert model.best({}, {"timezone": "Mars/Olympus"}, now=now, zone=BERLIN) == (now, 1.0)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham"]
)
@pytest.mark.parametrize("day", ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-06-03"])
@pytest.mark.parametrize("hour", ["00:10", "01:30", "03:00", "12:00", "20:59", "23:59"])
def test_every_answer_lies_ahead_within_a_day_and_in_open_hours(zone: str, day: str, hour: str) -> None:
    where = ZoneInfo(zone)
    now = at(f"{day} {hour}", where)
    for state in ({}, evenings(now), evenings(now, 0.3)):
        moment, gain = hours.load(artefact()).best(state, {}, now=now, zone=where)
        assert now <= moment < now + DAY
        assert gain >= 1.0
        assert 8 <= local(moment, where).hour < 21


def test_when_all_hours_are_open_or_none_can_be() -> None:
    now = at("2026-06-03 03:00")
    assert hours.load(artefact(open=[0, 0])).best({}, {}, now=now, zone=UTC_ZONE) == (now, 1.0)
    night = hours.load(artefact(open=[1320, 360]))
    assert night.best({}, {}, now=now, zone=UTC_ZONE) == (now, 1.0)
    assert night.best({}, {}, now=at("2026-06-03 12:30"), zone=UTC_ZONE)[0] == at("2026-06-03 22:00")


def test_old_habits_count_less() -> None:
    now = at("2026-06-03 09:20")
    model = hours.load(artefact())
    fresh, old = (model.best(evenings(now - days * DAY), {}, now=now, zone=UTC_ZONE)[1] for days in (0, 720))
    assert fresh > old > 1


def test_the_channel_that_a_person_answers_on_is_the_better_one() -> None:
    row = lambda total: [0, 0, total, 0.0]  # noqa: E731
    model = hours.load(artefact())
    assert model.channel({}) == {"email": pytest.approx(0.3), "sms": pytest.approx(0.1)}
    heavy = model.channel(
        {"e": {"sms_sent": row(40), "sms_click": row(30), "email_sent": row(40), "email_open": row(1)}}
    )
    assert heavy["sms"] > 0.5 > heavy["email"]
    assert model.channel({"e": {"email_sent": row(10), "email_open": row(90)}})["email"] == pytest.approx(16 / 30)


@given(st.dictionaries(st.integers(0, 167).map(str), st.floats()), st.integers(0, 2_000_000_000_000_000))
def test_whatever_a_state_holds_the_answer_is_a_moment_and_a_number(weights: dict[str, float], now: int) -> None:
    moment, gain = hours.load(artefact()).best({"h": [0, weights]}, {}, now=now, zone=BERLIN)
    assert now <= moment < now + DAY
    assert verify.finite(gain)
    assert gain >= 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("segments", "*", "rates", 3), 0.0),
        (("segments", "*", "activity", 3), 0.5),
        (("segments",), {}),
        (("kernel",), [0.5]),
        (("kernel",), []),
        (("strength",), 0),
        (("power",), float("nan")),
        (("open",), [0, 2000]),
        (("channels", "email", "rate"), 1.5),
        (("total_slot",), 2.5),
    ],
)
def test_a_broken_artefact_is_refused(path: tuple[Any, ...], value: object) -> None:
    broken = copy.deepcopy(artefact())
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(BadInput):
        verify.structure(broken)
