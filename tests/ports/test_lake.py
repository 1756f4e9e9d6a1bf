"""Lake: what it promises over a bucket in memory and over S3."""

from __future__ import annotations

from hashlib import sha256

import boto3
import pytest

from nudge.adapters.clients import client
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.s3 import S3Objects
from nudge.errors import Conflict, NotFound, Unavailable
from nudge.ports import Objects


@pytest.fixture(params=["memory", "s3"])
def objects(request: pytest.FixtureRequest, aws: None) -> Objects:
    if request.param == "memory":
        return MemoryObjects("lake")
    boto3.client("s3").create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return S3Objects(client("s3"), "lake")


def test_a_part_lies_under_its_kind_and_day_and_is_named_by_what_it_holds(objects: Objects) -> None:
    lake = ObjectsLake(objects)
    key = lake.put("events", "2026-01-31", b"rows")
    assert key == f"lake/events/dt=2026-01-31/{sha256(b'rows').hexdigest()[:32]}.parquet"
    assert lake.get(key) == b"rows"
    assert lake.put("users", "2026-01-31", b"rows", label="00001-").startswith("lake/users/dt=2026-01-31/00001-")


def test_the_same_part_twice_is_there_once(objects: Objects) -> None:
    lake = ObjectsLake(objects)
    assert lake.put("events", "2026-01-31", b"rows") == lake.put("events", "2026-01-31", b"rows")
    assert len(lake.parts("events")) == 1


def test_parts_are_listed_by_kind_and_day_in_key_order(objects: Objects) -> None:
    lake = ObjectsLake(objects)
    for day in ("2026-01-03", "2026-01-01", "2026-01-02"):
        lake.put("events", day, day.encode())
    lake.put("outcomes", "2026-01-02", b"x")
    days = [part.key.split("/")[2] for part in lake.parts("events")]
    assert days == ["dt=2026-01-01", "dt=2026-01-02", "dt=2026-01-03"]
    assert [part.key.split("/")[2] for part in lake.parts("events", since="2026-01-02", until="2026-01-03")] == [
        "dt=2026-01-02"
    ]


def test_a_part_that_was_dropped_is_not_found_and_dropping_again_is_no_error(objects: Objects) -> None:
    lake = ObjectsLake(objects)
    key = lake.put("events", "2026-01-31", b"rows")
    lake.drop([key])
    lake.drop([key])
    with pytest.raises(NotFound):
        lake.get(key)


def test_a_part_that_someone_else_is_just_writing_is_not_taken_for_written() -> None:
    class Racing(MemoryObjects):
        def put(self, *_: object, **__: object) -> str:  # type: ignore[override]
            raise Conflict("someone else is writing")

    with pytest.raises(Unavailable):
        ObjectsLake(Racing()).put("events", "2026-01-31", b"rows")
