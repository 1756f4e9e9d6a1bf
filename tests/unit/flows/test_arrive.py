"""A notification becomes chunk tasks, once, whatever happens on the way."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any
from urllib.parse import quote_plus

import polars as pl
import pytest

from nudge.adapters.memory import MemoryObjects, MemoryQueue
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.collect.notification import content_id
from nudge.errors import BadInput, Unavailable
from nudge.flows.arrive import Arrive
from nudge.flows.tasks import from_task
from nudge.vocabulary import Chunk, Counts

NOW = 1_795_000_000_000_000
EVENTS = b"user_id,event_type,event_time\nana,visit,2026-01-01T00:00:00Z\n"


def notice(
    key: str, *, bucket: str = "lake", version: str | None = None, etag: str | None = None, seq: str = "01"
) -> dict:
    entry = {"key": quote_plus(key), "size": 1, "eTag": etag, "versionId": version, "sequencer": seq}
    shown = {name: value for name, value in entry.items() if value is not None}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": shown}}]}


def bridged(key: str, *, version: str | None = None, etag: str | None = None, seq: str = "01") -> dict:
    entry = {"key": key, "etag": etag, "version-id": version, "sequencer": seq}
    detail = {"bucket": {"name": "lake"}, "object": {name: value for name, value in entry.items() if value}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def in_sns(body: dict) -> dict:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-central-1:1:t", "Message": json.dumps(body)}


class CountingObjects(MemoryObjects):
    """Counts the reads, by kind."""

    def __init__(self, name: str = "lake") -> None:
        super().__init__(name)
        self.reads: list[str] = []

    def head(self, key: str, **more: Any) -> Any:
        self.reads.append("head")
        return super().head(key, **more)

    def get(self, key: str, **more: Any) -> bytes:
        self.reads.append("get")
        return super().get(key, **more)


@dataclass
class World:
    inbox: CountingObjects = field(default_factory=CountingObjects)
    arrivals: MemoryArrivals = field(default_factory=MemoryArrivals)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    chunk_bytes: int = 64 << 20

    def put(self, key: str, body: bytes) -> dict[str, str]:
        """Put an object; what its notification says of it."""
        etag = self.inbox.put(key, body)
        return {"etag": etag, "version": str(self.inbox.head(key).version)}

    def hear(self, notification: dict, owner: str = "one") -> dict[str, str]:
        flow = Arrive(self.inbox, self.arrivals, self.queue, "lake", self.chunk_bytes)
        return flow(notification, owner=owner, now=NOW)

    def chunks(self) -> list[Chunk]:
        return [from_task(task) for task in self.queue.take()]


@pytest.fixture
def world() -> World:
    return World()


def test_a_small_file_is_one_task_that_says_how_it_is_written(world: World) -> None:
    facts = world.put("inbox/events/a.csv", EVENTS)
    (content,) = world.hear(notice("inbox/events/a.csv", **facts))
    (chunk,) = world.chunks()
    assert (chunk.content, chunk.kind, chunk.format, chunk.of) == (content, "events", "csv", 1)
    assert chunk.header == ("user_id", "event_type", "event_time")
    assert (chunk.version, chunk.etag, chunk.span) == (facts["version"], facts["etag"], None)
    assert world.arrivals.get(content).state == "queued"


def test_a1_the_same_notification_ten_times_is_one_effect(world: World) -> None:
    facts = world.put("inbox/events/a.csv", EVENTS)
    states = [next(iter(world.hear(notice("inbox/events/a.csv", **facts)).values())) for _ in range(10)]
    assert states == ["queued"] + ["known"] * 9
    assert len(world.chunks()) == 1


def test_a2_every_order_of_six_notifications_ends_in_the_same_state() -> None:
    told = []
    world = World()
    for number in range(3):
        body = EVENTS + b"ana,visit,2026-01-0%dT00:00:00Z\n" % (number + 2)
        told.append(notice("inbox/events/a.csv", **world.put("inbox/events/a.csv", body), seq=f"0{number}"))
    told.append(notice("inbox/users/u.csv", **world.put("inbox/users/u.csv", b"user_id\nana\n")))
    told.append(told[0])
    told.append(notice("inbox/events/gone.csv", version="v99", etag="e"))
    ends = set()
    for order in permutations(told):
        world.arrivals, world.queue = MemoryArrivals(), MemoryQueue()
        for notification in order:
            world.hear(notification)
        tasks = sorted(json.dumps(task, sort_keys=True) for task in world.queue.take())
        ends.add((tuple(tasks), tuple(world.arrivals.all())))
    assert len(ends) == 1


def test_a3_the_second_version_heard_first_and_both_count_once(world: World) -> None:
    one = world.put("inbox/events/a.csv", EVENTS)
    two = world.put("inbox/events/a.csv", EVENTS + EVENTS.splitlines(True)[1])
    world.hear(notice("inbox/events/a.csv", **two, seq="02"))
    world.hear(notice("inbox/events/a.csv", **one, seq="01"))
    assert [chunk.version for chunk in world.chunks()] == [two["version"], one["version"]]


def test_a3_without_versions_the_overwritten_one_is_superseded(world: World) -> None:
    one = world.put("inbox/events/a.csv", EVENTS)["etag"]
    two = world.put("inbox/events/a.csv", EVENTS + b"\n")["etag"]
    assert list(world.hear(notice("inbox/events/a.csv", etag=two, seq="02")).values()) == ["queued"]
    assert list(world.hear(notice("inbox/events/a.csv", etag=one, seq="01")).values()) == ["superseded"]
    assert len(world.chunks()) == 1


def test_a5_an_object_that_is_gone_is_missing_and_does_not_come_again(world: World) -> None:
    (ended,) = world.hear(notice("inbox/events/gone.csv", version="v1", etag="e")).items()
    assert ended[1] == "missing"
    assert world.arrivals.get(ended[0]).state == "missing"
    assert world.hear(notice("inbox/events/gone.csv", version="v1", etag="e")) == {ended[0]: "known"}
    assert world.inbox.reads == ["head"]


@pytest.mark.parametrize(
    "key", ["inbox/events/a+b c=é/日本.csv", "inbox/events/100%25 of it.csv", "inbox/events/a%2Bb.csv"]
)
def test_a6_a_key_is_decoded_once(world: World, key: str) -> None:
    facts = world.put(key, EVENTS)
    assert list(world.hear(notice(key, **facts)).values()) == ["queued"]
    assert world.chunks()[0].key == key


def test_a7_the_test_event_of_s3_is_ignored(world: World) -> None:
    assert world.hear({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"}) == {}
    assert world.inbox.reads == []


@pytest.mark.parametrize("key", ["inbox/events/a+b c=é/日本.csv", "inbox/events/plain.csv"])
def test_a8_the_form_of_event_bridge_names_the_same_content(world: World, key: str) -> None:
    facts = world.put(key, EVENTS)
    content = content_id("lake", key, facts["version"], facts["etag"])
    assert world.hear(bridged(key, **facts)) == {content: "queued"}
    assert world.hear(notice(key, **facts)) == {content: "known"}


def test_a8_a_key_that_event_bridge_encoded_after_all_is_found(world: World) -> None:
    key = "inbox/events/a b+c.csv"
    facts = world.put(key, EVENTS)
    assert world.hear(bridged(quote_plus(key), **facts)) == {
        content_id("lake", key, facts["version"], facts["etag"]): "queued"
    }


def test_a9_wrapped_by_sns_once_or_twice_or_not_is_the_same(world: World) -> None:
    plain = notice("inbox/events/a.csv", **world.put("inbox/events/a.csv", EVENTS))
    first = world.hear(in_sns(in_sns(plain)))
    assert list(first.values()) == ["queued"]
    assert world.hear(in_sns(plain)) == world.hear(plain) == dict.fromkeys(first, "known")


def test_a10_a_put_and_the_completion_of_its_parts_are_one_effect(world: World) -> None:
    plain = notice("inbox/events/a.csv", **world.put("inbox/events/a.csv", EVENTS))
    completed = json.loads(json.dumps(plain).replace("ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload"))
    plain["Records"] += completed["Records"]
    world.hear(plain)
    assert len(world.chunks()) == 1


def test_a11_a_foreign_bucket_is_refused_and_not_read(world: World) -> None:
    assert list(world.hear(notice("inbox/events/a.csv", bucket="theirs", version="v1")).values()) == ["refused"]
    assert world.inbox.reads == []


def test_a11_what_lies_outside_the_inbox_is_refused_and_not_read(world: World) -> None:
    assert list(world.hear(notice("lake/events/dt=2026-01-01/x.parquet", version="v1")).values()) == ["refused"]
    assert world.inbox.reads == []


def test_a_notice_that_names_no_version_means_what_lies_there_now(world: World) -> None:
    ids = set()
    for body in (EVENTS, EVENTS * 2):
        facts = world.put("inbox/events/a.csv", body)
        ids |= set(world.hear(notice("inbox/events/a.csv")))
        assert list(world.hear(notice("inbox/events/a.csv", **facts)).values()) == ["known"]
    assert len(ids) == 2


def test_a_removal_is_no_news(world: World) -> None:
    gone = json.loads(json.dumps(notice("inbox/events/a.csv")).replace("ObjectCreated:Put", "ObjectRemoved:Delete"))
    assert world.hear(gone) == {}


def test_one_bad_object_does_not_stop_the_others_of_a_notification(world: World) -> None:
    told = notice("inbox/events/bad.csv", **world.put("inbox/events/bad.csv", b"a,a\n1,2\n"))
    told["Records"] += notice("inbox/events/a.csv", **world.put("inbox/events/a.csv", EVENTS))["Records"]
    assert list(world.hear(told).values()) == ["refused", "queued"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"a,a\n1,2\n", "duplicate_header"),
        (b"\n\n \n", "no_header"),
        (b"PK\x03\x04....", "unsupported_format"),
        (b"PAR1 and no more", "bad_parquet"),
        (b"\x1f\x8b\x08\xff\xff", "bad_gzip"),
        (b"\x00\x01\x02\x03" * 100, "unsupported_format"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(world: World, body: bytes, reason: str) -> None:
    (ended,) = world.hear(notice("inbox/events/bad.csv", **world.put("inbox/events/bad.csv", body))).items()
    assert ended[1] == "refused"
    assert world.arrivals.get(ended[0]).detail.startswith(f"{reason}: ")


def test_an_object_without_a_byte_is_empty(world: World) -> None:
    assert list(world.hear(notice("inbox/events/", **world.put("inbox/events/", b""))).values()) == ["empty"]


def test_an_object_that_is_too_large_is_refused_before_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nudge.flows.chunking.LARGEST_OBJECT", 10)
    facts = world.put("inbox/events/a.csv", EVENTS)
    world.inbox.reads.clear()
    assert list(world.hear(notice("inbox/events/a.csv", **facts)).values()) == ["refused"]
    assert world.inbox.reads == ["head"]


def test_a_large_csv_is_cut_where_records_end(world: World) -> None:
    rows = [b'u%d,"visit\nagain",2026-01-01T00:00:00Z\n' % number for number in range(1000)]
    body = b"user_id,event_type,event_time\n" + b"".join(rows)
    world.chunk_bytes = 4096
    world.hear(notice("inbox/events/a.csv", **world.put("inbox/events/a.csv", body)))
    chunks = world.chunks()
    assert [chunk.number for chunk in chunks] == list(range(chunks[0].of))
    assert b"".join(body[slice(*chunk.span)] for chunk in chunks) == body
    assert all(body[chunk.span[0] :].startswith((b"u", b"user_id")) for chunk in chunks)
    assert chunks[1].first_line == body[: chunks[1].span[0]].count(b"\n") + 1
    assert len({chunk.header for chunk in chunks}) == 1


def test_a_compressed_file_is_one_task(world: World) -> None:
    world.chunk_bytes = 64
    world.hear(notice("inbox/events/a.csv", **world.put("inbox/events/a.csv", gzip.compress(EVENTS * 100, mtime=0))))
    (chunk,) = world.chunks()
    assert (chunk.compression, chunk.span, chunk.header) == ("gzip", None, ("user_id", "event_type", "event_time"))


def test_parquet_is_cut_by_row_groups(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nudge.flows.chunking.ROWS_A_RANGE", 250)
    body = io.BytesIO()
    pl.DataFrame({"user_id": ["a"] * 1000, "event_type": "x", "event_time": "y"}).write_parquet(
        body, row_group_size=100
    )
    world.hear(notice("inbox/some.parquet", **world.put("inbox/some.parquet", body.getvalue())))
    chunks = world.chunks()
    assert [chunk.rows for chunk in chunks] == [(0, 200), (200, 400), (400, 600), (600, 800), (800, 1000)]
    assert {chunk.kind for chunk in chunks} == {"events"}


@pytest.mark.parametrize(
    ("key", "body", "kind"),
    [
        ("inbox/user_data.csv", b"user_id,country\nana,ES\n", "users"),
        ("inbox/2026/event_data.csv", b"user_id,event_type,event_time,event_action\n", "events"),
        ("inbox/whatever.csv", b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n1,2,3,4\n", "events"),
        ("inbox/whatever.csv", b"Email Address,First Name,Tags\na@example.com,A,x\n", "users"),
        ("inbox/whatever.csv", b"ITEM_ID,PRICE\n1,2\n", "items"),
        ("inbox/whatever.jsonl", b'{"user_id": "a", "event_type": "x", "event_time": 1}\n', "events"),
        ("inbox/outcomes/whatever.csv", b"a\n1\n", "outcomes"),
    ],
)
def test_the_kind_comes_from_the_folder_the_name_or_the_columns(world: World, key: str, body: bytes, kind: str) -> None:
    world.hear(notice(key, **world.put(key, body)))
    assert [chunk.kind for chunk in world.chunks()] == [kind]


def test_a_file_of_an_unknown_kind_is_refused(world: World) -> None:
    (ended,) = world.hear(notice("inbox/x/y.csv", **world.put("inbox/x/y.csv", b"colour,size\nred,1\n"))).items()
    assert ended[1] == "refused"
    assert "unknown_kind" in world.arrivals.get(ended[0]).detail


def test_an_attempt_that_died_before_it_noted_the_sending_is_made_again_in_the_same_words(world: World) -> None:
    facts = world.put("inbox/events/a.csv", EVENTS * 3)
    world.chunk_bytes = 64

    class Dying(MemoryArrivals):
        def queued(self, content: str) -> None:
            raise Unavailable("killed")

    real, world.arrivals = world.arrivals, Dying()
    with pytest.raises(Unavailable):
        world.hear(notice("inbox/events/a.csv", **facts))
    first = world.queue.take()
    real._contents = world.arrivals._contents
    world.arrivals = real
    assert list(world.hear(notice("inbox/events/a.csv", **facts), owner="two").values()) == ["queued"]
    assert world.queue.take() == first


def test_a_chunk_that_was_done_before_the_second_sending_counts_once(world: World) -> None:
    facts = world.put("inbox/events/a.csv", EVENTS)
    (content,) = world.hear(notice("inbox/events/a.csv", **facts))
    (chunk,) = world.chunks()
    for _ in range(2):
        held = world.arrivals.chunk_done(chunk, Counts(read=1, accepted=1), (), NOW)
    assert (held.state, held.counts) == ("done", Counts(read=1, accepted=1))
    assert world.hear(notice("inbox/events/a.csv", **facts)) == {content: "known"}


@pytest.mark.parametrize("body", [{}, {"Records": [1]}, {"Records": [{"eventName": "ObjectCreated:Put"}]}, {"a": 1}])
def test_what_is_no_notification_is_bad_input(world: World, body: dict) -> None:
    with pytest.raises(BadInput) as caught:
        world.hear(body)
    assert caught.value.reason == "bad_notification"
