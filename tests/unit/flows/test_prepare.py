"""A chunk goes through the whole flow in memory: lake, quarantine, profiles, arrivals, report."""

from __future__ import annotations

import json
from copy import replace
from io import BytesIO
from typing import Any

import polars as pl
import pytest

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.flows.compact import Compact
from nudge.flows.prepare import Prepare
from nudge.flows.profiles import ApplyEvents, ApplyTraits
from nudge.flows.quality import Quality
from nudge.vocabulary import Chunk, Counts, Reject

UPLOADED = 1_770_000_000_000_000
EVENTS = (
    b"user_id,event_type,event_time,event_action,price\n"
    b"007,view,2026-01-01T10:00:00Z,,3\n"
    b"007,view,2026-01-01T10:00:00Z,,3\n"
    b"8,buy,2026-01-02 11:00:00,bought,5\n"
    b",buy,2026-01-02 11:00:00,bought,5\n"
    b"9,buy,2026-02-30,bought,5\n"
)


class World:
    """Everything a chunk touches, in memory."""

    def __init__(self) -> None:
        self.bucket = MemoryObjects()
        self.lake = ObjectsLake(self.bucket)
        self.arrivals = MemoryArrivals()
        self.profiles = MemoryProfiles()
        self.plans = MemoryPlans({"columns": {"Kunde": "user_id"}})

    def flow(self, **instead: Any) -> Prepare:
        parts: dict[str, Any] = {
            "inbox": self.bucket,
            "lake": self.lake,
            "arrivals": self.arrivals,
            "events": ApplyEvents(self.profiles),
            "people": ApplyTraits(self.profiles),
            "quarantine": self.bucket,
            "plans": self.plans,
        }
        return Prepare(**{**parts, **instead})

    def arrive(self, key: str, body: bytes, *, header: tuple[str, ...] | None = None, **how: Any) -> Chunk:
        etag = self.bucket.put(key, body)
        kind = key.split("/")[1]
        content = how.pop("content", key.replace("/", "_"))
        chunk = Chunk(
            content=content, kind=kind, bucket="lake", key=key, version=None, etag=etag, uploaded_at=UPLOADED,
            format=how.pop("format", "csv"), header=header, **how,
        )  # fmt: skip
        self.arrivals.claim(content, bucket="lake", key=key, kind=kind, chunks=chunk.of, owner="test", now=UPLOADED)
        self.arrivals.queued(content)
        return chunk

    def rows(self, kind: str) -> pl.DataFrame:
        parts = self.lake.parts(kind)  # type: ignore[arg-type]
        return pl.concat([pl.read_parquet(BytesIO(self.lake.get(part.key))) for part in parts])

    def everything(self) -> dict[str, bytes]:
        return {one.key: self.bucket.get(one.key) for one in self.bucket.list("")}


@pytest.fixture
def world() -> World:
    return World()


def test_a_chunk_becomes_rows_rejects_profiles_and_a_report(world: World) -> None:
    chunk = world.arrive("inbox/events/a.csv", EVENTS)
    assert world.flow()(chunk, now=UPLOADED) == Counts(5, 2, 2, 1)
    assert [one.key.split("/")[2] for one in world.lake.parts("events")] == ["dt=2026-01-01", "dt=2026-01-02"]
    rejects = [
        json.loads(line) for line in world.bucket.get(f"quarantine/events/{chunk.content}/00000.jsonl").splitlines()
    ]
    assert [(one["line"], one["column"], one["reason"]) for one in rejects] == [
        (5, "user_id", "no_user_id"),
        (6, "event_time", "bad_time"),
    ]
    assert rejects[1]["raw"] == "9,buy,2026-02-30,bought,5"
    assert rejects[1]["file"] == "inbox/events/a.csv"
    report = json.loads(world.bucket.get(f"reports/quality/{chunk.content}.json"))
    assert report["reasons"] == {"bad_time": 1, "no_user_id": 1}
    assert (report["read"], report["accepted"], report["share_loaded"]) == (5, 2, 0.6)
    assert {profile.user_id for profile in world.profiles.all()} == {"007", "8"}


def test_a_chunk_that_comes_again_changes_nothing(world: World) -> None:
    chunk = world.arrive("inbox/events/a.csv", EVENTS)
    world.flow()(chunk, now=UPLOADED)
    before, people = world.everything(), list(world.profiles.all())
    assert world.flow()(chunk, now=UPLOADED + 1) == Counts()
    assert world.everything() == before
    assert list(world.profiles.all()) == people


@pytest.mark.parametrize("step", ["lake", "events", "people", "quarantine", "arrivals", "report"])
def test_a_death_at_any_step_and_a_redelivery_end_as_if_nothing_had_happened(step: str) -> None:
    calm, struck = World(), World()
    for one in (calm, struck):
        one.arrive("inbox/events/a.csv", EVENTS)
    chunk = calm.arrive("inbox/events/a.csv", EVENTS)
    struck.arrive("inbox/events/a.csv", EVENTS)
    calm.flow()(chunk, now=UPLOADED)
    with pytest.raises(Died):
        _dying(struck, step)(chunk, now=UPLOADED)
    struck.flow()(chunk, now=UPLOADED)
    assert struck.everything() == calm.everything()
    assert [replace(one, version=0) for one in struck.profiles.all()] == [
        replace(one, version=0) for one in calm.profiles.all()
    ]
    assert struck.arrivals.get(chunk.content) == calm.arrivals.get(chunk.content)


class Died(BaseException):
    """The worker is gone."""


def _dying(world: World, step: str) -> Prepare:
    def die(*_: Any, **__: Any) -> Any:
        raise Died

    class Dying:
        def __init__(self, real: Any, method: str, match: str = "") -> None:
            self._real, self._method, self._match = real, method, match

        def __getattr__(self, name: str) -> Any:
            real = getattr(self._real, name)
            if name != self._method:
                return real

            def after(*given: Any, **named: Any) -> Any:
                result = real(*given, **named)
                if not self._match or str(given[0]).startswith(self._match):
                    raise Died
                return result

            return after

    instead: dict[str, dict[str, Any]] = {
        "lake": {"lake": Dying(world.lake, "put")},
        "events": {"events": die},
        "people": {"people": die},
        "quarantine": {"quarantine": Dying(world.bucket, "put", "quarantine/")},
        "arrivals": {"arrivals": Dying(world.arrivals, "chunk_done")},
        "report": {"quarantine": Dying(world.bucket, "put", "reports/")},
    }
    return world.flow(**instead[step])


def test_users_become_profiles_with_traits_and_consents(world: World) -> None:
    body = (
        b"Email,First Name,Email Consent,Email Consent Timestamp,SMS Consent,Phone Number\n"
        b"Anna@Example.COM,Anna,subscribed,2026-01-01 10:00:00,never_subscribed,+49 171 1234567\n"
    )
    world.flow()(world.arrive("inbox/users/klaviyo.csv", body), now=UPLOADED)
    profile = world.profiles.get("anna@example.com")
    assert profile is not None
    assert profile.trait("first_name") == "Anna"
    assert profile.trait("phone") == "+491711234567"
    assert profile.consents["email"].granted
    assert profile.consents["email"].at == 1_767_261_600_000_000
    assert not profile.consents["sms"].granted


def test_what_a_file_says_of_push_is_a_consent_like_the_others(world: World) -> None:
    body = (
        b"user_id,push,push_consent,Push Consent At,pushOptOut\na,arn:a,yes,2026-01-01,\nb,arn:b,,,true\nc,arn:c,,,\n"
    )
    world.flow()(world.arrive("inbox/users/app.csv", body), now=UPLOADED)
    people = [world.profiles.get(user) for user in "abc"]
    assert [one and one.consents.get("push") and one.consents["push"].granted for one in people] == [True, False, None]
    assert people[0] is not None
    assert (people[0].consents["push"].at, people[0].trait("push")) == (1_767_225_600_000_000, "arn:a")


def test_a_mapping_in_the_plan_goes_before_what_is_recognised(world: World) -> None:
    body = b"Kunde,event_type,event_time\n4711,view,2026-01-01\n"
    assert world.flow()(world.arrive("inbox/events/plan.csv", body), now=UPLOADED).accepted == 1
    assert world.rows("events")["user_id"].to_list() == ["4711"]


def test_what_is_set_aside_can_be_read_again_whatever_it_is(world: World) -> None:
    chunk = world.arrive("inbox/events/a.csv", b"")
    told = [
        Reject("inbox/events/a.csv", 2, "value", "bad_number", 'Grüße, "zwölf"\n'),
        Reject("inbox/events/a.csv", 3, None, "bad_text", "half a pair: \ud83d"),
    ]
    Quality(world.bucket).set_aside(chunk, told)
    (key,) = [one.key for one in world.bucket.list("quarantine/")]
    assert [Reject(**json.loads(line)) for line in world.bucket.get(key).splitlines()] == told


def test_an_object_that_is_gone_ends_with_its_reason(world: World) -> None:
    chunk = world.arrive("inbox/events/a.csv", EVENTS)
    world.bucket.delete([chunk.key])
    assert world.flow()(chunk, now=UPLOADED) == Counts(1, 0, 1, 0)
    assert json.loads(world.bucket.get(f"reports/quality/{chunk.content}.json"))["reasons"] == {"missing": 1}


def test_an_object_that_was_overwritten_ends_as_superseded(world: World) -> None:
    chunk = world.arrive("inbox/events/a.csv", EVENTS)
    world.bucket.put(chunk.key, EVENTS + b"9,view,2026-01-01,,\n")
    world.flow()(chunk, now=UPLOADED)
    assert json.loads(world.bucket.get(f"reports/quality/{chunk.content}.json"))["reasons"] == {"superseded": 1}


def test_the_lake_is_the_same_bytes_for_any_order_and_split_after_compaction() -> None:
    header, *lines = EVENTS.splitlines(keepends=True)
    ways = [[lines], [lines[::-1]], [lines[:2], lines[2:]], [lines[2:], lines[:3], lines]]
    lakes = []
    for way in ways:
        world = World()
        for number, some in enumerate(way):
            world.flow()(world.arrive(f"inbox/events/{number}.csv", header + b"".join(some)), now=UPLOADED)
        Compact(world.lake)()
        lakes.append({one.key: world.bucket.get(one.key) for one in world.lake.parts("events")})
    assert lakes[0] == lakes[1] == lakes[2] == lakes[3]
    assert len(lakes[0]) == 2
