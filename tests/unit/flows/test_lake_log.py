"""What is read of the log of decisions: all of it, or all of some people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from nudge.flows.lake_log import RECORDED, LakeLog
from nudge.vocabulary import NOTHING

PEOPLE, EACH = 200, 5


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five decisions for each of two hundred people, the last of them `nothing`, in four files by time."""
    rows = [
        {
            "decision_id": f"d{person}.{number}",
            "user_id": f"u{person}",
            "decided_at": datetime(2026, 1, 1 + number, tzinfo=UTC),
            "goal": "purchase",
            "activity": NOTHING if number == EACH - 1 else "mail",
            "propensity": 0.5,
            "record": f'{{"of": "d{person}.{number}"}}',
        }
        for number in range(EACH)
        for person in range(PEOPLE)
    ]
    folder = tmp_path_factory.mktemp("parts")
    frame = pl.DataFrame(rows, schema=RECORDED)
    for number, some in enumerate(frame.iter_slices(PEOPLE * EACH // 4)):
        some.write_parquet(folder / f"{number}.parquet")
    return sorted(folder.iterdir())


def test_few_decisions_are_all_read(parts: list[Path], tmp_path: Path) -> None:
    log = LakeLog.read(parts, tmp_path, most=PEOPLE * EACH)
    assert (log.count, log.decisions.height, log.share, log.drawn) == (1000, 1000, 1.0, None)


def test_of_many_decisions_those_of_some_people_are_read_and_all_of_theirs(parts: list[Path], tmp_path: Path) -> None:
    log = LakeLog.read(parts, tmp_path, most=333)
    assert log.decisions.height == 330  # 66 people: one more would be too many
    assert set(log.decisions["user_id"].value_counts()["count"]) == {EACH}
    assert (log.count, log.share) == (1000, pytest.approx(0.33))


def test_a_robot_with_most_of_the_decisions_crowds_nobody_out(parts: list[Path], tmp_path: Path) -> None:
    whole = pl.concat([pl.read_parquet(one) for one in parts])
    several = tmp_path / "several.parquet"
    robots = [whole.head(500).with_columns(user_id=pl.lit(f"robot {number}")) for number in range(20)]
    pl.concat([whole, *robots]).write_parquet(several)
    log = LakeLog.read([several], tmp_path, most=300)
    assert (log.count, log.decisions.height) == (11_000, 300)
    assert not log.decisions["user_id"].str.starts_with("robot").any()
    assert log.done["user_id"].str.starts_with("robot").any()


def test_what_was_done_is_known_for_everybody(parts: list[Path], tmp_path: Path) -> None:
    log = LakeLog.read(parts, tmp_path, most=50)
    assert log.done["user_id"].n_unique() == PEOPLE
    assert log.done.height == PEOPLE * (EACH - 1)


def test_the_same_people_are_drawn_however_the_lake_is_cut(parts: list[Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    whole = tmp_path / "whole.parquet"
    pl.concat([pl.read_parquet(one) for one in reversed(parts)]).write_parquet(whole)
    one, other = LakeLog.read(parts, tmp_path, most=100), LakeLog.read([whole], tmp_path / "other", most=100)
    assert set(one.decisions["decision_id"]) == set(other.decisions["decision_id"])


def test_rows_of_those_who_were_not_drawn_are_left_out(parts: list[Path], tmp_path: Path) -> None:
    log = LakeLog.read(parts, tmp_path, most=100)
    messages = pl.DataFrame({"user_id": [f"u{number}" for number in range(PEOPLE)]}).lazy()
    assert set(log.of_drawn(messages).collect()["user_id"]) == set(log.decisions["user_id"])
    assert LakeLog.read(parts, tmp_path).of_drawn(messages).collect().height == PEOPLE


@pytest.mark.parametrize("most", [100, PEOPLE * EACH])
def test_records_are_read_for_those_who_ask_in_their_order(parts: list[Path], tmp_path: Path, most: int) -> None:
    log = LakeLog.read(parts, tmp_path, most=most)
    some = log.decisions.sort("decision_id", descending=True).head(20)
    told = log.recorded(some)
    assert told.drop("record").equals(some)
    assert told["record"].to_list() == [f'{{"of": "{one}"}}' for one in some["decision_id"]]


def test_without_decisions_there_is_an_empty_log(tmp_path: Path) -> None:
    log = LakeLog.read([], tmp_path)
    assert (log.count, log.decisions.height, log.done.height) == (0, 0, 0)
