"""Objects: what every bucket, in AWS or in memory, promises."""

import boto3
import pytest

from nudge.adapters.clients import client
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.s3 import S3Objects
from nudge.errors import Conflict, NotFound
from nudge.ports import Objects


@pytest.fixture(params=["memory", "s3"])
def objects(request: pytest.FixtureRequest, aws: None) -> Objects:
    if request.param == "memory":
        return MemoryObjects("lake")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    return S3Objects(client("s3"), "lake")


def test_what_was_written_is_read(objects: Objects) -> None:
    etag = objects.put("inbox/events/a b+c=é.csv", b"0123456789")
    assert objects.get("inbox/events/a b+c=é.csv") == b"0123456789"
    assert objects.get("inbox/events/a b+c=é.csv", span=(2, 5)) == b"234"
    assert b"".join(objects.stream("inbox/events/a b+c=é.csv", block=3)) == b"0123456789"
    assert objects.read("inbox/events/a b+c=é.csv") == (b"0123456789", etag)
    assert objects.head("inbox/events/a b+c=é.csv").size == 10


def test_what_is_not_there_is_not_found(objects: Objects) -> None:
    for call in (objects.head, objects.get, objects.read):
        with pytest.raises(NotFound):
            call("nothing")
    with pytest.raises(NotFound):
        list(objects.stream("nothing"))


def test_new_means_new(objects: Objects) -> None:
    objects.put("k", b"1", new=True)
    with pytest.raises(Conflict):
        objects.put("k", b"2", new=True)
    assert objects.get("k") == b"1"


def test_a_swap_needs_the_etag_that_is_there(objects: Objects) -> None:
    first = objects.put("k", b"1")
    second = objects.put("k", b"2", etag=first)
    with pytest.raises(Conflict):
        objects.put("k", b"3", etag=first)
    with pytest.raises(Conflict):
        objects.get("k", etag=first)
    assert objects.get("k", etag=second) == b"2"


def test_an_older_version_can_still_be_read(objects: Objects) -> None:
    objects.put("k", b"old")
    old = objects.head("k").version
    objects.put("k", b"new")
    assert objects.get("k", version=old) == b"old"
    assert objects.head("k", version=old).size == 3


def test_a_listing_is_in_key_order_and_complete(objects: Objects) -> None:
    for number in reversed(range(1200 if isinstance(objects, MemoryObjects) else 30)):
        objects.put(f"p/{number:04}", b"")
    objects.put("q", b"")
    keys = [one.key for one in objects.list("p/")]
    assert keys == sorted(keys)
    assert len(keys) in (30, 1200)


def test_deleting_what_is_gone_is_no_error(objects: Objects) -> None:
    objects.put("k", b"1")
    objects.delete(["k", "never"])
    objects.delete(["k"])
    assert list(objects.list("k")) == []
