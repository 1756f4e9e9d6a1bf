"""What machines open and click teaches nobody anything: rows of every kind that learns from openings and clicks stay as they were."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.flows.training_rows import History
from nudge.learn import Recipe, labels
from nudge.learn.hours.evidence import activity, messages
from nudge.learn.uplift import Shares, comparable
from nudge.profile.spec import HOURS
from nudge.vocabulary import DAY, MACHINE_TYPES, SECOND, Goal
from tests.unit.learn import mail_world, shop

END = mail_world.START + 70 * DAY
RECIPE = Recipe(resamples=20)
GOALS = {event: Goal("answer", event, 2.0, 1.0) for event in ("email_open", "email_click")}


def machines(events: pl.DataFrame) -> pl.DataFrame:
    """Every mail opened and clicked by a machine, three times over, in the middle of its reader's night and for days after."""
    sent = events.filter(pl.col("event_type") == "email_sent")
    return pl.concat(
        sent.with_columns(
            event_type=pl.lit(kind),
            event_id=pl.format("m-{}-{}-{}", pl.lit(kind), pl.lit(number), "event_id"),
            event_time=pl.col("event_time") + pl.duration(microseconds=number * 7 * 3600 * SECOND + 3 * SECOND),
            properties=pl.lit(json.dumps({"machine": True, "machine_reason": "agent"})),
        )
        for kind in MACHINE_TYPES
        for number in range(3)
    )


def decisions(events: pl.DataFrame) -> pl.DataFrame:
    """A decision a mail, of which every third was drawn and not done."""
    sent = events.filter(pl.col("event_type") == "email_sent").sort("event_time", "user_id").with_row_index("number")
    records = []
    for number in sent["number"].to_list():
        candidates = [{"activity": "nothing", "propensity": 0.3}, {"activity": "mail", "propensity": 0.7}]
        done = "mail" if number % 3 else "nothing"
        record = {"chosen": done, "activity": done, "group": "treatment", "propensity": 0.7 if number % 3 else 0.3}
        records.append(json.dumps(record | {"candidates": candidates, "vector": {"count.email_open.30d": 1.0}}))
    return sent.select(
        "decision_id",
        "user_id",
        pl.col("event_time").alias("decided_at"),
        pl.lit("answer").alias("goal"),
        pl.Series("activity", [json.loads(one)["activity"] for one in records]),
        pl.Series("propensity", [json.loads(one)["propensity"] for one in records]),
        pl.Series("record", records),
    )


def copy(folder: Path, *, with_machines: bool) -> History:
    lake = ObjectsLake(MemoryObjects())
    held = mail_world.world(people=30, weeks=8)
    clicks = held.filter(pl.col("event_type") == "email_open").with_columns(
        event_type=pl.lit("email_click"),
        event_id=pl.format("c-{}", "event_id"),
        event_time=pl.col("event_time") + pl.duration(minutes=1),
    )
    people = pl.concat([held, clicks.gather_every(2)])
    lake.put("events", "2026-06-01", shop.parquet(people.filter(~pl.col("event_type").str.starts_with("email_"))))
    outcomes = people.filter(pl.col("event_type").str.starts_with("email_"))
    lake.put(
        "outcomes", "2026-06-01", shop.parquet(pl.concat([outcomes, machines(held)]) if with_machines else outcomes)
    )
    lake.put("decisions", "2026-06-01", shop.parquet(decisions(held)))
    folder.mkdir()
    return History.copy(lake, folder, END)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[History, History]:
    """The same history without machines, and with them."""
    folder = tmp_path_factory.mktemp("lakes")
    return copy(folder / "without", with_machines=False), copy(folder / "with", with_machines=True)


def test_the_machines_are_in_the_lake_and_in_no_training(both: tuple[History, History]) -> None:
    without, beside = both
    kinds = set(beside.everything.select(pl.col("event_type").unique()).collect()["event_type"])
    assert set(MACHINE_TYPES) <= kinds
    assert_frame_equal(without.events.collect(), beside.events.collect(), check_row_order=False)
    assert without.snapshot == beside.snapshot


@pytest.mark.parametrize("event", [*GOALS])
def test_features_and_labels_of_a_goal_on_answers_are_the_same(both: tuple[History, History], event: str) -> None:
    (plain, cuts), (beside, _) = (one.rows(GOALS[event], RECIPE) for one in both)
    assert len(cuts) > 1
    assert 0 < sum(part["label"].sum() for part in plain) < sum(part.height for part in plain)
    for one, other in zip(plain, beside, strict=True):
        assert_frame_equal(both[0].filled(one), both[1].filled(other))
    assert_frame_equal(*(one.filled(one.population(GOALS[event])) for one in both))


@pytest.mark.parametrize("event", [*GOALS])
def test_what_uplift_compares_is_the_same(both: tuple[History, History], event: str) -> None:
    frames = []
    for history in both:
        decided = labels.decided(history.log.decisions, GOALS[event], history.end)
        labelled = labels.logged(
            history.log.recorded(decided), labels.happened(history.events, GOALS[event]), GOALS[event], None
        )
        compared, _ = comparable(history.log.recorded(history.log.decisions), Shares(0.0, {"mail": 0.0}))
        frames.append((labelled, compared))
    assert 0 < frames[0][0]["label"].sum() < frames[0][0].height
    for one, other in zip(*frames, strict=True):
        assert_frame_equal(one, other)


def test_the_hours_of_answers_and_of_activity_are_the_same(both: tuple[History, History]) -> None:
    told = [messages(one.everything, one.log.recorded(one.log.decisions), "email") for one in both]
    assert 0 < told[0]["answered"].sum() < told[0].height
    assert_frame_equal(*told)
    hours = [activity(one.events, HOURS.leave_out, HOURS.half_life_days, END) for one in both]
    assert_frame_equal(hours[0], hours[1], check_row_order=False)
