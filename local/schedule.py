"""When a schedule fires: `rate(…)` and the `cron(…)` of EventBridge Scheduler, as far as the template uses them.

In: schedules and the time. Out: the tasks that are due. A missed firing is made up for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from local.clock import micros, moment
from local.deployment import Schedule
from nudge.vocabulary import SECOND, Micros

HORIZON_DAYS = 400


def next_firing(expression: str, after: Micros) -> Micros:
    """The first firing later than `after`, in UTC.

    >>> moment(next_firing("cron(0 3 * * ? *)", 1_777_608_000_000_000)).isoformat()
    '2026-05-02T03:00:00+00:00'

    Raises
    ------
    ValueError
        For an expression that is neither a rate nor a cron of numbers, lists, steps and stars.
    """
    period = Schedule("", "", expression, {}).seconds
    if period is not None:
        return after + period * SECOND
    if not expression.startswith("cron(") or len(fields := expression[5:-1].split()) != 6:
        raise ValueError(f"{expression} is neither rate(…) nor cron(…)")
    minutes, hours = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 23)
    days, months = _numbers(fields[2], 1, 31), _numbers(fields[3], 1, 12)
    weekdays = _numbers(fields[4], 1, 7)
    at = moment(after).replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = at + timedelta(days=HORIZON_DAYS)
    while at < end:
        if at.month not in months or at.day not in days or at.isoweekday() % 7 + 1 not in weekdays:
            at = (at + timedelta(days=1)).replace(hour=0, minute=0)
        elif at.hour not in hours:
            at = (at + timedelta(hours=1)).replace(minute=0)
        elif at.minute not in minutes:
            at += timedelta(minutes=1)
        else:
            return micros(at)
    raise ValueError(f"{expression} does not fire within {HORIZON_DAYS} days")


def _numbers(field: str, low: int, high: int) -> set[int]:
    if field in ("*", "?"):
        return set(range(low, high + 1))
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else int(first)
        end = int(last) if last else (high if step else begin)
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


class Due:
    """Which tasks are due as time goes on."""

    def __init__(self, schedules: Sequence[Schedule], now: Micros) -> None:
        self._next = {one.name: (next_firing(one.expression, now), one) for one in schedules}

    def tasks(self, now: Micros) -> list[str]:
        """The tasks of the schedules that have come due, each once."""
        due = [(name, one) for name, (at, one) in self._next.items() if at <= now]
        for name, one in due:
            self._next[name] = (next_firing(one.expression, now), one)
        return [str(one.input.get("task")) for _, one in due]
