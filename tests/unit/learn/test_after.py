"""What raised the question is known to the model, under the names by which a request's context says it."""

from __future__ import annotations

import polars as pl

from nudge.learn import moments
from nudge.vocabulary import DAY, Goal


def events(*rows: tuple[str, str, float, str, str, float | None]) -> pl.LazyFrame:
    """Events as (person, type, day, action, category, value)."""
    names = ("user_id", "event_type", "day", "event_action", "category", "value")
    frame = pl.DataFrame(rows, schema=names, orient="row")
    at = (pl.col("day") * DAY).round().cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
    return frame.with_columns(event_time=at, item_id=pl.lit(None, pl.String)).lazy()


GOAL = Goal("redeems", "redeemed", 10, after="received", same="action")
HELD = events(
    ("a", "received", 1, "one", "big", 200.0),
    ("a", "received", 1, "two", "small", 8.0),
    ("a", "redeemed", 2, "one", "big", None),
)


def test_each_question_says_of_what_kind_and_how_large_the_event_before_it_was() -> None:
    told = moments.following(HELD, GOAL)
    assert told.select("link", "context.after.category", "context.after.value").rows() == [
        ("one", "big", 200.0),
        ("two", "small", 8.0),
    ]


def test_a_moment_is_asked_about_once_where_nothing_links_it() -> None:
    told = moments.following(HELD, Goal("redeems", "redeemed", 10, after="received"))
    assert told.select("user_id", "at", "link").rows() == [("a", DAY + 1, None)]


def test_logged_decisions_keep_what_their_own_context_said() -> None:
    decided = pl.DataFrame({"user_id": ["a"], "at": [2 * DAY]})
    linked = moments.linked(decided, moments.following(HELD, GOAL))
    assert linked.columns == ["user_id", "at", "link"]
