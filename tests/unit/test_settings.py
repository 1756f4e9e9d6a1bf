"""Settings: read once, all holes reported together."""

import pytest

from nudge.settings import ArriveSettings


def test_all_that_is_missing_is_reported_together() -> None:
    with pytest.raises(LookupError, match="ARRIVALS_TABLE, CHUNKS_QUEUE_URL"):
        ArriveSettings.read({"LAKE_BUCKET": "lake", "CHUNKS_QUEUE_URL": ""})


def test_fields_are_read_from_their_upper_case_names() -> None:
    settings = ArriveSettings.read({"LAKE_BUCKET": "l", "ARRIVALS_TABLE": "a", "CHUNKS_QUEUE_URL": "c", "OTHER": "x"})
    assert (settings.lake_bucket, settings.arrivals_table, settings.chunks_queue_url) == ("l", "a", "c")


def test_settings_are_not_written() -> None:
    settings = ArriveSettings.read({"LAKE_BUCKET": "l", "ARRIVALS_TABLE": "a", "CHUNKS_QUEUE_URL": "c"})
    with pytest.raises(AttributeError, match="lake_bucket"):
        settings.lake_bucket = "another"
