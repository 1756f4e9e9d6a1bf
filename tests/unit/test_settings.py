"""Settings: read once, all holes reported together."""

import pytest

from nudge.settings import ArriveSettings, CampaignSettings, DecideSettings


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


def test_settings_that_build_upon_others_need_all_of_them() -> None:
    assert [*CampaignSettings.variables()] == [*DecideSettings.variables(), "campaigns_queue_url"]
