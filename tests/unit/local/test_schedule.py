"""When a schedule fires."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.clock import micros, moment
from local.deployment import Schedule
from local.schedule import Due, next_firing

FRIDAY = micros(datetime(2026, 5, 1, 12, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", "2026-05-01T12:31"),
        ("rate(2 hours)", "2026-05-01T14:30"),
        ("cron(0 3 * * ? *)", "2026-05-02T03:00"),
        ("cron(0/20 * * * ? *)", "2026-05-01T12:40"),
        ("cron(15,45 12-13 * * ? *)", "2026-05-01T12:45"),
        ("cron(0 5 1 * ? *)", "2026-06-01T05:00"),
        ("cron(0 6 ? * 2 *)", "2026-05-04T06:00"),
    ],
)
def test_the_next_firing_is_the_first_one_later(expression: str, expected: str) -> None:
    assert moment(next_firing(expression, FRIDAY)).strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.parametrize("expression", ["at(2026-05-01T00:00:00)", "cron(0 3 * * ?)", "cron(0 0 31 2 ? *)"])
def test_what_never_fires_is_said(expression: str) -> None:
    with pytest.raises(ValueError, match=r"fire|neither"):
        next_firing(expression, FRIDAY)


def test_a_missed_firing_is_made_up_for_once() -> None:
    due = Due([Schedule("a", "A", "rate(1 minute)", {"task": "sweep"})], FRIDAY)
    assert due.tasks(FRIDAY + 59_000_000) == []
    assert due.tasks(FRIDAY + 600_000_000) == ["sweep"]
    assert due.tasks(FRIDAY + 630_000_000) == []
