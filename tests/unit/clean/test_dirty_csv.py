"""Pollock's polluted files: nothing crashes, nothing vanishes, each loss has its reason (all of them: benchmarks/quality)."""

from __future__ import annotations

import pytest

from benchmarks.quality import dirty_csv


@pytest.mark.skipif(not dirty_csv.POLLOCK.exists(), reason="../shared/data/pollock is not there")
def test_every_record_of_a_polluted_file_is_a_row_or_has_a_reason() -> None:
    given = dirty_csv.pollock()
    assert len(given.files) == 2290
    some = [one for number, one in enumerate(given.files) if number % 25 == 0 or one[0].startswith("file_")]
    found = dirty_csv.measure(dirty_csv.Pollock(some, given.weights))
    assert found.vanished == 0
    assert sum(found.ten) / found.files > 8.5
    files_refused = {reason for reason in found.reasons if reason.startswith("file refused")}
    assert files_refused <= {"file refused: no_header", "file refused: bad_header"}
