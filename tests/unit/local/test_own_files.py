"""Your own files, whatever year they are of."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.own import data_end


@pytest.mark.parametrize("year", [1999, 2017, 2024, 2026])
def test_the_data_ends_with_its_newest_event_whatever_the_year(tmp_path: Path, year: int) -> None:
    path = tmp_path / "event_data.csv"
    path.write_text(f"user_id,event_type,event_time\na,buy,{year}-03-01T00:00:00Z\nb,buy,{year}-01-01T00:00:00Z\n")
    assert data_end([path]) == int(datetime(year, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000


def test_files_without_one_readable_event_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "event_data.csv"
    path.write_text("user_id,event_type,event_time\na,buy,soon\n")
    with pytest.raises(ValueError, match="no row of the events could be read"):
        data_end([path])
