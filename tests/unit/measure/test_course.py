"""The total from day to day, and the files that need a look: what the console shows first."""

from __future__ import annotations

import pytest

from nudge.measure import days, privacy, quality
from nudge.vocabulary import Counts
from tests.unit.measure import reports, world


@pytest.fixture(scope="module")
def report() -> dict:  # type: ignore[type-arg]
    return reports.report(world.shop(900))


def test_the_course_of_the_total_ends_at_todays_total(report: dict) -> None:  # type: ignore[type-arg]
    last, today = report["course"][-1], report["total"]["incremental_value"]
    assert last["estimate"] == today["estimate"]
    assert (last["low"], last["high"]) == (today["sequence"]["low"], today["sequence"]["high"])
    assert last["day"] == world.NOW.date().isoformat()


def test_the_course_goes_forward_and_stays_short(report: dict) -> None:  # type: ignore[type-arg]
    told = report["course"]
    assert 2 < len(told) <= days.MOST_POINTS
    assert [one["day"] for one in told] == sorted({one["day"] for one in told})
    assert [one["people"] for one in told] == sorted(one["people"] for one in told)
    assert all(one["low"] <= one["estimate"] <= one["high"] for one in told)


def test_a_report_of_nothing_has_no_course() -> None:
    assert reports.report(world.World(), truth=False)["course"] == []


def test_a_course_that_speaks_of_withheld_groups_is_withheld(report: dict) -> None:  # type: ignore[type-arg]
    assert privacy.withhold(report, 2)["course"] == report["course"]
    assert privacy.withhold(report, 10_000)["course"] == []


def test_files_that_are_not_done_come_first_then_those_with_most_rejected_rows() -> None:
    told = quality.pieces(
        [
            quality.Piece("a", "events", "done", None, Counts(100, 99, 1, 0), {"bad_time": 1}),
            quality.Piece("b", "events", "done", None, Counts(500, 500, 0, 0)),
            quality.Piece("c", "users", "queued", None, Counts()),
            quality.Piece("d", "users", "done", None, Counts(90, 50, 40, 0), {"bad_email": 30, "no_person": 10}),
        ]
    )
    assert [one["key"] for one in told] == ["c", "d", "a", "b"]
    assert told[1]["reasons"] == [{"reason": "bad_email", "count": 30}, {"reason": "no_person", "count": 10}]
    assert all(one["reconciles"] for one in told)


def test_no_more_files_are_listed_than_somebody_reads() -> None:
    many = [quality.Piece(f"{n}", "events", "done", None, Counts(1, 1, 0, 0)) for n in range(80)]
    assert len(quality.pieces(many)) == quality.MOST_PIECES
