"""When a campaign's run begins, and when it reaches a person. In: schedules, dates, zones, now. Out: moments. Knows no store.

A run is named by the wall-clock time that it is for: `20261122T0900`. Where that is each person's own time, the run begins when
the first place on Earth has it, and a person's messages wait for theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from nudge.decide.audience import day_of
from nudge.decide.quiet import EPOCH, instant, micros
from nudge.vocabulary import Campaign, CampaignRun, Micros, OnDate, OnPrediction, Schedule

FIRST_ON_EARTH = timezone(timedelta(hours=14))
NAMED = "%Y%m%dT%H%M"
_NAMED = re.compile(r"\d{8}T\d{4}")
LOOK_AT = 6 * 60
"""Predictions are looked at once a day, at this minute of the plan's day: they change when a night's events are in."""
LONGEST_AGO = 366


def schedule_of(campaign: Campaign) -> Schedule | None:
    """When runs of a campaign begin; those of a trigger by date or prediction begin every day. None for what events begin."""
    match campaign.trigger:
        case OnDate(at_minute=at_minute, zone=zone):
            return Schedule("day", at_minute, zone=zone)
        case OnPrediction():
            return Schedule("day", LOOK_AT)
    return campaign.schedule


def latest(schedule: Schedule, now: Micros, zone: ZoneInfo, *, within: Micros) -> tuple[str, Micros] | None:
    """Name and beginning of the last run that was to begin in the time `within` before now; None when there was none."""
    where = FIRST_ON_EARTH if schedule.zone == "person" else zone
    today = (EPOCH + timedelta(microseconds=now)).astimezone(where).date()
    hour, minute = divmod(schedule.at_minute, 60)
    for day in _days(schedule, today):
        wall = datetime.combine(day, time(hour, minute))
        began = micros(wall.replace(tzinfo=where)) if schedule.zone == "person" else instant(wall, zone)
        if began <= now:
            return (wall.strftime(NAMED), began) if now - began < within else None
    return None


def _days(schedule: Schedule, today: date) -> Iterator[date]:
    """Days of the schedule, from today back."""
    if schedule.every == "once":
        if schedule.on is not None:
            yield schedule.on
        return
    for ago in range(LONGEST_AGO):
        day = today - timedelta(days=ago)
        if schedule.every == "week" and day.weekday() != schedule.weekday:
            continue
        if schedule.every == "month" and day.day != min(schedule.day or 1, _last_day(day)):
            continue
        yield day


def _last_day(of: date) -> int:
    """The number of days of a date's month."""
    return ((of.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def wall(run: str) -> datetime | None:
    """The wall-clock time that a run is for; None of one that was begun by hand under another name."""
    try:
        return datetime.fromisoformat(run) if _NAMED.fullmatch(run) else None
    except ValueError:
        return None


def begins(run: CampaignRun | None, where: ZoneInfo, now: Micros) -> Micros:
    """When a run reaches a person who lives there: now, or at the person's own time of day."""
    if run is None:
        return now
    schedule = schedule_of(run.campaign)
    said = wall(run.run) if schedule is not None and schedule.zone == "person" else None
    return now if said is None else max(now, instant(said, where))


def is_the_day(trigger: OnDate, value: Any, run: str) -> bool:
    """Whether a person's date, `before_days` ago from its own view, is the day of the run: in any year, or in that one. Who was
    born on 29 February has a day on the 28th of other years."""
    said, day = wall(run), day_of(value)
    if said is None or day is None:
        return False
    asked = said.date() + timedelta(days=trigger.before_days)
    if not trigger.yearly:
        return day == asked
    if (day.month, day.day) == (2, 29) and _last_day(asked.replace(month=2, day=1)) == 28:
        return (asked.month, asked.day) == (2, 28)
    return (day.month, day.day) == (asked.month, asked.day)


def crosses(trigger: OnPrediction, value: Any) -> bool:
    """Whether a prediction lies beyond the line."""
    if not isinstance(value, int | float):
        return False
    return value > trigger.line if trigger.above else value < trigger.line


def is_open(campaign: Campaign, at: Micros) -> bool:
    """Whether a run may begin at a moment: after the campaign starts, before it ends."""
    return (campaign.starts_at is None or at >= campaign.starts_at) and (
        campaign.ends_at is None or at < campaign.ends_at
    )


def by_hand(now: Micros) -> str:
    """The name of a run that is begun by hand."""
    return (EPOCH + timedelta(microseconds=now)).astimezone(UTC).strftime("by-hand-%Y%m%dT%H%M%SZ")
