"""Two workers, each a process of its own, killed at random (`benchmarks.faults.two_workers`, in small; there with 100,000 people)."""

from __future__ import annotations

import pytest

from benchmarks.faults.two_workers import play


@pytest.mark.parametrize("seed", [1, 2])
def test_two_processes_killed_twenty_times_leave_everybody_in_one_final_state_and_break_no_limit(seed: int) -> None:
    told = play(300, kills=20, seed=seed, every=60)
    assert told.broken == []
    assert told.kills == 20
    assert told.states["sent"] > 100
    assert set(told.states) == {"sent", "failed", "unknown"}


def test_a_ledger_that_lets_two_claim_is_noticed() -> None:
    told = play(60, kills=4, seed=1, every=300, ledger="CarelessLedger")
    assert "nobody is mailed twice" in told.broken
