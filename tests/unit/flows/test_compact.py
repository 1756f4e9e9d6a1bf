"""What came of a day becomes one part, whatever dies or happens meanwhile."""

from __future__ import annotations

from io import BytesIO

import polars as pl
import pytest

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.errors import NotFound
from nudge.flows.compact import Compact
from nudge.profile.batch import read_events
from nudge.vocabulary import Kind
from tests.unit.clean.examples import cleaned

HEADER = b"event_id,user_id,event_type,event_time,value\n"
FIRST = HEADER + b"e1,1,view,2026-01-01T10:00:00Z,1\ne2,2,view,2026-01-01T09:00:00Z,\n"
SECOND = (
    HEADER + b"e2,2,view,2026-01-01T09:00:00Z,7\ne3,3,buy,2026-01-01T08:00:00Z,2\ne4,3,buy,2026-01-02T08:00:00Z,2\n"
)


def lake_of(*bodies: bytes, kind: Kind = "events", uploads: tuple[int, ...] = ()) -> tuple[ObjectsLake, MemoryObjects]:
    objects = MemoryObjects()
    lake = ObjectsLake(objects)
    for number, body in enumerate(bodies):
        how = {"uploaded_at": uploads[number]} if uploads else {}
        for part in cleaned(body, kind, **how).parts:
            lake.put(part.kind, part.day, part.body, label=part.label)
    return lake, objects


def held(lake: ObjectsLake, kind: Kind = "events") -> dict[str, bytes]:
    return {part.key: lake.get(part.key) for part in lake.parts(kind)}


def rows(lake: ObjectsLake, kind: Kind = "events") -> pl.DataFrame:
    return pl.concat([pl.read_parquet(BytesIO(body)) for body in held(lake, kind).values()])


def test_a_day_becomes_one_part_in_the_order_of_time_with_each_event_once() -> None:
    lake, _ = lake_of(FIRST, SECOND)
    assert len(lake.parts("events")) == 3
    assert Compact(lake)() == 3
    assert len(lake.parts("events")) == 2
    day = rows(lake).filter(pl.col("event_time").dt.day() == 1)
    assert day.select("user_id", "event_id", "value").rows() == [("3", "e3", 2.0), ("2", "e2", None), ("1", "e1", 1.0)]


def test_readers_see_the_same_events_before_and_after() -> None:
    lake, _ = lake_of(FIRST, SECOND, FIRST)
    key = ["user_id", "event_id"]
    before = read_events(list(held(lake).values())).collect().sort(key)
    Compact(lake)()
    assert read_events(list(held(lake).values())).collect().sort(key).equals(before)


def test_again_changes_nothing() -> None:
    lake, objects = lake_of(FIRST, SECOND)
    Compact(lake)()
    before, writes = held(lake), objects.writes
    assert Compact(lake)() == 0
    assert held(lake) == before
    assert objects.writes == writes


@pytest.mark.parametrize(
    "way", [(SECOND, FIRST), (FIRST, SECOND, SECOND), (HEADER + FIRST.split(b"\n", 1)[1] + SECOND.split(b"\n", 1)[1],)]
)
def test_order_repetition_and_split_do_not_matter(way: tuple[bytes, ...]) -> None:
    lake, _ = lake_of(FIRST, SECOND)
    other, _ = lake_of(*way)
    for one in (lake, other):
        Compact(one)()
    days = [{key: body for key, body in held(one).items() if "dt=2026-01-01" in key} for one in (lake, other)]
    assert days[0] == days[1]


def test_late_parts_are_merged_into_a_compacted_day() -> None:
    lake, _ = lake_of(FIRST)
    Compact(lake)()
    for part in cleaned(SECOND).parts:
        lake.put(part.kind, part.day, part.body, label=part.label)
    Compact(lake)()
    at_once, _ = lake_of(FIRST, SECOND)
    Compact(at_once)()
    assert held(lake) == held(at_once)


class Died(BaseException):
    """The worker is gone."""


def test_a_death_between_writing_and_dropping_is_healed_by_the_next_run() -> None:
    lake, _ = lake_of(FIRST, SECOND)
    calm, _ = lake_of(FIRST, SECOND)

    class Dying(ObjectsLake):
        def drop(self, keys: object) -> None:
            raise Died

    dying = Dying(lake._objects)
    with pytest.raises(Died):
        Compact(dying)()
    Compact(lake)()
    Compact(calm)()
    assert held(lake) == held(calm)


def test_a_part_that_someone_else_took_away_leaves_the_day_for_the_next_run() -> None:
    lake, _ = lake_of(FIRST, SECOND)

    class Emptied(ObjectsLake):
        def get(self, key: str) -> bytes:
            raise NotFound(key)

    before = held(lake)
    assert Compact(Emptied(lake._objects))() == 0
    assert held(lake) == before


def test_rows_of_users_are_kept_for_each_time_they_say_something_new() -> None:
    header = b"user_id,email,updated_at\n"
    bodies = (header + b"1,a@b.de,2026-01-01\n", header + b"1,a@b.de,2026-01-01\n1,c@d.de,2026-01-02\n")
    lake, _ = lake_of(*bodies, kind="users")
    Compact(lake)()
    assert len(lake.parts("users")) == 1
    assert rows(lake, "users").select("email").to_series().to_list() == ["a@b.de", "c@d.de"]


def test_a_day_larger_than_memory_becomes_several_parts_that_are_left_alone() -> None:
    uploads = [
        HEADER + f"a{number},1,view,2026-01-01T10:00:{number:02}Z,1\nb{number},2,view,2026-01-01T09:00:00Z,\n".encode()
        for number in range(7)
    ]
    lake, objects = lake_of(*uploads)
    before = read_events(list(held(lake).values())).collect().sort("user_id", "event_id")
    size = int(pl.read_parquet(BytesIO(next(iter(held(lake).values())))).estimated_size())
    small = Compact(lake, largest=3 * size - 1)
    assert small() == 7
    names = sorted(key.rsplit("/", 1)[1][:5] for key in held(lake))
    assert [name == "full-" for name in names].count(True) == 2
    assert len(names) == 3
    assert read_events(list(held(lake).values())).collect().sort("user_id", "event_id").equals(before)
    writes = objects.writes
    assert small() == 0
    assert objects.writes == writes


def test_what_comes_later_to_a_large_day_is_merged_beside_its_full_parts() -> None:
    lake, _ = lake_of(FIRST, SECOND)
    Compact(lake, largest=1)()
    full = set(held(lake))
    for part in cleaned(HEADER + b"e9,9,view,2026-01-01T10:00:00Z,1\n").parts:
        lake.put(part.kind, part.day, part.body, label=part.label)
    Compact(lake)()
    assert full < set(held(lake))
    assert {"1", "2", "3", "9"} == set(rows(lake)["user_id"])
