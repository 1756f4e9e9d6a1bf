"""Goals that stand after an event: asked just after it, as `decide` would be, and about the same thing where the plan says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from nudge.errors import NotReady
from nudge.learn import Recipe, labels, moments, slices, traits
from nudge.profile import batch
from nudge.profile.vector import trait_features
from nudge.vocabulary import DAY, Goal

GOAL = Goal("redeems", "redeemed", 10, after="received", same="action")
NOBODY = pl.DataFrame(schema={"user_id": pl.String, "at": pl.Int64})


def frame(*rows: tuple[str, str, float, str]) -> pl.LazyFrame:
    """Events as (person, type, day, action)."""
    columns: dict[str, list[Any]] = {
        "user_id": [row[0] for row in rows],
        "event_id": [str(number) for number in range(len(rows))],
        "event_type": [row[1] for row in rows],
        "event_time": [round(row[2] * DAY) for row in rows],
        "event_action": [row[3] for row in rows],
    }
    more = {"value": pl.lit(1.0), "category": pl.lit(None, pl.String), "item_id": pl.lit(None, pl.String)}
    return pl.DataFrame(columns).with_columns(pl.col("event_time").cast(pl.Datetime("us", "UTC")), **more).lazy()


def rows_of(events: pl.LazyFrame, goal: Goal, end: float, treated: pl.DataFrame = NOBODY) -> pl.DataFrame:
    """All rows of a goal, as the flow makes them, oldest first."""
    goals, asked = labels.happened(events, goal), moments.following(events, goal)
    parts = []
    for one in moments.rounds(asked, round(end * DAY), labels.window_of(goal), 8):
        vectors = batch.vectors(events, one.rename({"at": "as_of"}))
        links = one.join(asked, on=["user_id", "at"], how="left", maintain_order="left_right")
        parts.append(labels.history(vectors, goals, goal, links, treated))
    return pl.concat(parts, how="diagonal_relaxed").sort("at", "user_id", "link")


def test_the_event_that_raises_the_question_is_known_and_what_comes_after_it_is_not() -> None:
    events = frame(
        ("a", "received", 1, "x"), ("a", "redeemed", 2, "x"), ("b", "received", 3, "x"), ("b", "view", 3.5, "")
    )
    first, second = rows_of(events, GOAL, 20).iter_rows(named=True)
    assert (first["user_id"], first["at"], first["label"]) == ("a", DAY + 1, 1.0)
    assert (first["total.received"], first["days_since.received"]) == (1.0, pytest.approx(0, abs=1e-9))
    assert first.get("total.redeemed", 0.0) == 0.0
    assert (second["label"], second.get("total.view", 0.0)) == (0.0, 0.0)


def test_only_a_goal_event_about_the_same_thing_counts() -> None:
    events = frame(("a", "received", 1, "x"), ("a", "received", 2, "y"), ("a", "redeemed", 3, "y"))
    assert rows_of(events, GOAL, 30).select("link", "label").rows() == [("x", 0.0), ("y", 1.0)]
    whatever = Goal("redeems", "redeemed", 10, after="received")
    assert rows_of(events, whatever, 30)["label"].to_list() == [1.0, 1.0]


def test_two_questions_of_one_moment_are_two_rows_with_one_vector() -> None:
    events = frame(("a", "received", 1, "y"), ("a", "received", 1, "x"), ("a", "redeemed", 2, "x"))
    rows = rows_of(events, GOAL, 30)
    assert rows.select("link", "label", "total.received").rows() == [("x", 1.0, 2.0), ("y", 0.0, 2.0)]


def test_a_window_that_is_not_over_is_not_asked_about_and_the_newest_go_first() -> None:
    events = frame(*(("a", "received", float(day), "x") for day in range(1, 31)))
    rounds = list(moments.rounds(moments.following(events, GOAL), 25 * DAY, 10 * DAY, 3))
    assert [(one["at"].item() - 1) // DAY for one in rounds] == [14, 13, 12]


def test_people_for_whom_we_did_something_inside_their_own_window_are_left_out() -> None:
    events = frame(("a", "received", 1, "x"), ("b", "received", 5, "x"))
    treated = pl.DataFrame({"user_id": ["a", "b"], "at": [4 * DAY, 4 * DAY]})
    assert rows_of(events, GOAL, 30, treated)["user_id"].to_list() == ["b"]


def test_a_logged_decision_is_about_the_latest_such_event_before_it() -> None:
    asked = moments.following(frame(("a", "received", 1, "x"), ("a", "received", 5, "y")), GOAL)
    decisions = pl.DataFrame({"user_id": ["a", "a", "b", "a"], "at": [0, 3 * DAY, 4 * DAY, 6 * DAY]})
    assert moments.linked(decisions, asked)["link"].to_list() == [None, "x", None, "y"]


def test_traits_hold_as_of_each_ones_own_moment() -> None:
    users = pl.DataFrame(
        {
            "user_id": ["a", "a", "b", "b"],
            "effective_at": [10, 20, 10, 20],
            "attributes": ['{"t": "old"}', '{"t": "new"}'] * 2,
        }
    ).with_columns(
        pl.col("effective_at").cast(pl.Datetime("us", "UTC")),
        *(pl.lit(None, pl.String).alias(name) for name in ("timezone", "locale")),
        created_at=pl.lit(-DAY, pl.Int64).cast(pl.Datetime("us", "UTC")),
    )
    own = pl.DataFrame({"user_id": ["b", "a"], "at": [15, 25]})
    known = traits.known(traits.said(users, trait_features), own.select("user_id"), own)
    assert known["trait.t"].to_list() == ["old", "new"]
    assert known["trait.account_days"].to_list() == pytest.approx([1 + 15 / DAY, 1 + 25 / DAY])


def _lumps(*lumps: tuple[int, int]) -> tuple[pl.DataFrame, list[int]]:
    """Rows of campaigns as (people, of whom did it), ten days and more apart, each to its own people."""
    at = np.repeat(np.arange(len(lumps)) * 20 * DAY, [people for people, _ in lumps])
    label = np.concatenate([np.arange(people) < did for people, did in lumps]).astype(float)
    names = {
        "user_id": [f"u{number}" for number in range(len(at))],
        "logged": [False] * len(at),
        "activity": ["nothing"] * len(at),
    }
    return pl.DataFrame({**names, "at": at, "label": label, "weight": [1.0] * len(at)}), [
        int(one) for one in np.unique(at)
    ]


def test_slices_of_lumps_come_near_to_eighty_twenty_and_leave_each_enough() -> None:
    rows, cuts = _lumps((300, 40), (300, 40), (200, 40), (200, 40))
    cut = slices.split([rows], GOAL, cuts, labels.window_of(GOAL), Recipe())
    assert [cut.said[name]["rows"] for name in slices.NAMES] == [800, 200]
    rows, cuts = _lumps((300, 40), (300, 40), (250, 40), (150, 6))
    cut = slices.split([rows], GOAL, cuts, labels.window_of(GOAL), Recipe())
    assert [cut.said[name]["positives"] for name in slices.NAMES] == [80, 46]


def test_slices_of_few_positives_are_cut_where_both_hold_some() -> None:
    rows, cuts = _lumps((300, 4), (300, 3), (250, 3), (150, 0))
    cut = slices.split([rows], GOAL, cuts, labels.window_of(GOAL), Recipe())
    assert [cut.said[name]["positives"] for name in slices.NAMES] == [7, 3]


def test_where_all_came_at_one_moment_people_are_held_back() -> None:
    rows, cuts = _lumps((300, 8), (300, 0))
    cut = slices.split([rows], GOAL, cuts, labels.window_of(GOAL), Recipe())
    assert cut.said["by"] == "people"
    assert [cut.said[name]["positives"] for name in slices.NAMES] == [6, 2]
    assert not set(cut.train["user_id"]) & set(cut.test["user_id"])


def test_of_next_to_nothing_there_is_no_model() -> None:
    rows, cuts = _lumps((300, 2), (300, 2))
    with pytest.raises(NotReady) as told:
        slices.split([rows], GOAL, cuts, labels.window_of(GOAL), Recipe())
    assert (told.value.missing["has"], told.value.missing["needs"]) == (4, 5)


def test_too_few_moments_say_so() -> None:
    with pytest.raises(NotReady) as told:
        slices.split([], GOAL, [1], labels.window_of(GOAL), Recipe())
    assert told.value.missing == {"moments": 1}
    assert "after a received" in str(told.value)
    assert moments.cuts([]) == []
