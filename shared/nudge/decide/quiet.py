"""When a person may be spoken to. In: a time, zones, quiet hours. Out: the first moment that is not quiet.

Knows no person and no channel. Days on which clocks change are handled: an hour that is missing ends later, an hour that
comes twice is quiet both times.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from nudge.vocabulary import SECOND, Micros, QuietHours

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1024)
def _known(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def zone(*names: Any) -> ZoneInfo:
    """The first of these that is an IANA zone (the person's, then the plan's), else UTC.

    >>> zone("Mars/Olympus", None, "Europe/Berlin").key
    'Europe/Berlin'
    """
    for name in names:
        if isinstance(name, str) and name and (found := _known(name)) is not None:
            return found
    return ZoneInfo("UTC")


def is_quiet(minute: int, hours: QuietHours) -> bool:
    """Whether a minute of the day lies in [start, until), which may cross midnight. start = until means never."""
    start, until = hours.start_minute, hours.until_minute
    if start <= until:
        return start <= minute < until
    return minute >= start or minute < until


@lru_cache(maxsize=512)
def release(now: Micros, where: ZoneInfo, hours: QuietHours | None) -> Micros:
    """The first moment from `now` on that is not quiet there: `now` itself, or the next local `until`.

    When local `until` does not exist on that day (clocks go forward over it), the first moment after the gap; when it
    comes twice, the second, so that both lie behind.
    """
    if hours is None or not _quiet_at(now, where, hours):
        return now
    day = (EPOCH + timedelta(microseconds=now)).astimezone(where).date()
    hour, minute = divmod(hours.until_minute, 60)
    for days in range(4):
        wall = datetime.combine(day + timedelta(days=days), time(hour, minute))
        moment = instant(wall, where)
        if moment > now and not _quiet_at(moment, where, hours):  # it still is where a whole day was skipped
            return moment
    raise AssertionError("a local time of day comes at least once in four days")


def _quiet_at(at: Micros, where: ZoneInfo, hours: QuietHours) -> bool:
    local = (EPOCH + timedelta(microseconds=at)).astimezone(where)
    return is_quiet(local.hour * 60 + local.minute, hours)


def instant(wall: datetime, where: ZoneInfo) -> Micros:
    """The instant of a local time; of a doubled one the later, of a missing one the end of the gap."""
    local = wall.replace(tzinfo=where, fold=1)
    instant = local.astimezone(UTC)
    if instant.astimezone(where).replace(tzinfo=None) != wall:  # in the gap: fold=1 reads it with the offset after it,
        earlier = wall.replace(tzinfo=where, fold=0).astimezone(UTC)  # which lies before the gap; fold=0 lies after it
        instant = _end_of_gap(instant, earlier, where)
    return round((instant - EPOCH) / timedelta(microseconds=1))


def _end_of_gap(low: datetime, high: datetime, where: ZoneInfo) -> datetime:
    """The change of offset between two instants, to the second, by bisection."""
    low, high = min(low, high), max(low, high)
    before = low.astimezone(where).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(where).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def micros(moment: datetime) -> Micros:
    """An aware time as microseconds since the epoch."""
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def iso(at: Micros) -> str:
    """A time as people and JSON read it: ISO 8601, UTC, milliseconds.

    >>> iso(1_700_000_000_000_000)
    '2023-11-14T22:13:20.000Z'
    """
    minute, rest = divmod(at, 60 * SECOND)
    return f"{_minute(minute)}:{rest // SECOND:02d}.{rest % SECOND // 1000:03d}Z"


@lru_cache(maxsize=64)
def _minute(number: int) -> str:
    """A minute since the epoch, to the minute: decisions of one time follow each other, and a date is slow to write."""
    return (EPOCH + timedelta(minutes=number)).isoformat(timespec="minutes")[:16]
