"""The batch executor: reading with each event once, choosing names, and what it does with odd tables."""

from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from nudge.profile import batch
from nudge.vocabulary import DAY, Consent, Event
from tests.unit.profile.histories import START, frame

EVENTS = [
    Event("1", "ann", "view", START, category="hats", item_id="a"),
    Event("1", "bob", "view", START + 1, category="hats"),
    Event("2", "ann", "purchase", START + DAY, value=5.0, category="shoes", item_id="b"),
]


def parquet(events: list[Event]) -> bytes:
    body = BytesIO()
    frame(events).write_parquet(body)
    return body.getvalue()


def test_each_event_is_read_once_the_first_by_time_and_content(tmp_path: Path) -> None:
    later = Event("2", "ann", "purchase", START + 2 * DAY, value=9.0)
    tie = Event("1", "ann", "view", START, category="zebras", item_id="a")
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    first.write_bytes(parquet([later, tie, EVENTS[1]]))
    second.write_bytes(parquet(EVENTS))
    for parts in ([first, second], [second, first], [second, first, second]):
        read = batch.read_events(parts).collect().sort("event_time", "user_id")
        assert read.equals(frame(EVENTS).sort("event_time", "user_id"))


def test_bodies_are_read_like_files_and_no_part_is_no_event() -> None:
    assert batch.read_events([parquet(EVENTS)]).collect().height == 3
    assert batch.read_events([]).collect().is_empty()
    assert batch.vectors(batch.read_events([]), START).is_empty()
    assert list(batch.states(batch.read_events([]))) == []


def test_only_the_names_asked_for_are_computed_and_absent_ones_are_filled() -> None:
    names = ["days_since.ghost", "count.view.7d", "total.ghost", "trend.view", "category.hats.share", "open_rate"]
    whole = batch.vectors(frame(EVENTS), START + 9 * DAY)
    chosen = batch.vectors(frame(EVENTS), START + 9 * DAY, only=names)
    assert chosen.columns == ["user_id", *names]
    for name in ("count.view.7d", "trend.view", "category.hats.share", "open_rate"):
        assert chosen[name].to_list() == whole[name].to_list()
    assert chosen["days_since.ghost"].to_list() == [None, None]
    assert chosen["total.ghost"].to_list() == [0.0, 0.0]


def test_only_the_most_widespread_categories_have_a_column() -> None:
    wide = batch.vectors(frame(EVENTS), START + 9 * DAY, categories=1)
    assert [name for name in wide.columns if name.startswith("category.")] == ["category.hats.share"]
    assert wide.filter(pl.col("user_id") == "ann")["category.hats.share"].item() == pytest.approx(
        2 ** (-1 / 30) / (1 + 2 ** (-1 / 30))
    )


def test_a_table_with_only_the_necessary_columns_and_integer_times_will_do() -> None:
    bare = frame(EVENTS).select("user_id", "event_type", pl.col("event_time").dt.epoch("us"))
    wide = batch.vectors(bare, START + 9 * DAY)
    assert wide["total.view"].to_list() == [1.0, 1.0]
    assert wide["value.view.7d"].to_list() == [0.0, 0.0]


def test_states_come_in_slices_of_people_without_losing_any() -> None:
    whole, sliced = (
        sorted(batch.states(frame(EVENTS), rows_at_once=rows), key=lambda one: one[0]) for rows in (1_000, 1)
    )
    assert whole == sliced
    assert [user_id for user_id, _, _ in whole] == ["ann", "bob"]


def test_people_are_what_rows_of_users_say() -> None:
    rows = pl.DataFrame(
        {
            "user_id": ["ann"],
            "effective_at": [START],
            "email": ["ann@example.com"],
            "timezone": [None],
            "sms_consent": [True],
            "sms_consent_at": [START - 5],
            "attributes": ['{"plan": "gold", "tags": [1]}'],
        },
        schema_overrides={"timezone": pl.String},
    ).with_columns(pl.col("effective_at", "sms_consent_at").cast(pl.Datetime("us", "UTC")))
    body = BytesIO()
    rows.write_parquet(body)
    traits = {"email": ("ann@example.com", START), "plan": ("gold", START), "tags": ([1], START)}
    assert list(batch.people([body.getvalue()])) == [("ann", traits, {"sms": Consent(True, START - 5, "file")})]
