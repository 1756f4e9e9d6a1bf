"""Traces and versions: what an erasure asks of the Ledger and of a bucket, in AWS and in memory."""

from __future__ import annotations

from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from nudge.adapters.clicks import DynamoClicks
from nudge.adapters.clients import client
from nudge.adapters.journeys import DynamoJourneys
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.memory_traces import MemoryTraces
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.adapters.s3_versions import S3Versions
from nudge.adapters.sent import DynamoSent
from nudge.adapters.traces import NOBODY, DynamoTraces, trace_of
from nudge.decide import record as records
from nudge.decide.journey import Journey
from nudge.errors import Unavailable
from nudge.ports import Clicks, Journeys, Ledger, Objects, Profiles, Sent
from nudge.traces import Traces, Versions
from nudge.vocabulary import DAY, Profile, Suppression
from tests.acting import NOON, person, put_person, tables
from tests.faults.explorer import FAULTS, Died, fault
from tests.ports.conftest import make_table
from tests.ports.test_ledger import decision, message

KINDS = {"decision", "message", "clicks", "sent", "once", "count", "journey"}
DAY_OF_ANA, DAY_OF_BOB = "cap/email/ana/day/2026-11-18", "cap/email/ana/b/day/2026-11-18"


@dataclass
class Rig:
    traces: Traces
    ledger: Ledger
    journeys: Journeys
    clicks: Clicks
    sent: Sent

    def live(self, user: str) -> str:
        """A row of every kind of one person; returns the decision's id."""
        made = replace(decision(user), decision_id=user.encode().hex() * 4, user_id=user)
        told: dict[str, Any] = {"request_hash": "h", "answer": {}, "budgets": (), "expires_at": NOON + DAY}
        cap = {f"cap/email/{user}/day/2026-11-18": 3, "campaign/spring/r/messages": 99}
        sent = replace(message(made), user_id=user, state="failed")
        self.ledger.record(made, message=sent, caps=cap, **told)
        self.ledger.count_once(f"{made.decision_id}/cap/email/{user}/week/2026-W47", {}, now=NOON)
        self.ledger.reserve(f"spring/r/mail/{user.encode().hex()}", user, expires_at=NOON + DAY)
        self.clicks.note(made.decision_id, "l", at=NOON)
        self.sent.note("sms", f"p-{user}", made.decision_id, at=NOON)
        self.journeys.save(Journey("hello", user, NOON, NOON))
        return made.decision_id


@pytest.fixture(params=["memory", "dynamodb"])
def rig(request: pytest.FixtureRequest, aws: None) -> Rig:
    if request.param == "memory":
        held = MemoryTraces(MemoryLedger())
        return Rig(held, held.ledger, held.journeys, held.clicks, held.sent)
    dynamodb = client("dynamodb")
    tables(dynamodb)
    each = (one(dynamodb, "ledger") for one in (DynamoTraces, DynamoLedger, DynamoJourneys, DynamoClicks, DynamoSent))
    return Rig(*each)  # type: ignore[arg-type]


def test_every_row_of_somebody_is_found_and_none_of_anybody_else(rig: Rig) -> None:
    ana, bob = rig.live("ana"), rig.live("ana/b")
    found = rig.traces.of({"ana"}, {ana})
    assert {one.kind for one in found} == KINDS
    assert {one.user_id for one in found} <= {"ana", None}
    assert {one.decision_id for one in found} <= {ana, None}
    assert [one.state for one in found if one.kind == "message"] == ["failed"]
    assert not {one.id for one in found} & {one.id for one in rig.traces.of({"ana/b"}, {bob})}
    assert list(rig.traces.decisions_of("ana")) == [ana]
    assert list(rig.traces.decisions_of("nobody")) == []


def test_what_is_dropped_is_gone_and_the_rest_is_what_it_was(rig: Rig) -> None:
    ana, bob = rig.live("ana"), rig.live("ana/b")
    others = rig.traces.of({"ana/b"}, {bob})
    for _ in range(2):
        rig.traces.drop(rig.traces.of({"ana"}, {ana}))
    assert rig.traces.of({"ana"}, {ana}) == []
    assert rig.traces.of({"ana/b"}, {bob}) == others
    assert rig.ledger.message(ana) is None
    assert rig.ledger.find(ana) is None
    kept = rig.ledger.find(bob)
    assert kept is not None
    assert records.loads(records.dumps(kept[0])) == kept[0]
    assert rig.ledger.counts([DAY_OF_ANA, DAY_OF_BOB, "campaign/spring/r/messages"]) == {
        DAY_OF_ANA: 0.0, DAY_OF_BOB: 1.0, "campaign/spring/r/messages": 2.0,
    }  # fmt: skip
    assert rig.journeys.get_many([("hello", "ana")]) == {}
    assert [one.user_id for one in rig.journeys.under_way("hello")] == ["ana/b"]


def test_an_address_that_was_reached_on_an_occasion_is_not_reached_again_by_another_id(rig: Rig) -> None:
    ana = rig.live("ana")
    rig.traces.drop(rig.traces.of({"ana"}, {ana}))
    key = f"spring/r/mail/{b'ana'.hex()}"
    assert not rig.ledger.reserve(key, "ana again", expires_at=NOON + DAY)
    assert rig.ledger.reserve(key, NOBODY, expires_at=NOON + DAY)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_any_call_and_a_repetition_leave_nothing(kind: str, aws: None) -> None:
    dynamodb = client("dynamodb")
    tables(dynamodb)
    each = (one(dynamodb, "ledger") for one in (DynamoTraces, DynamoLedger, DynamoJourneys, DynamoClicks, DynamoSent))
    rig = Rig(*each)  # type: ignore[arg-type]
    for at in range(1, len(KINDS) + 5):
        ana = rig.live(f"ana {at}")
        with suppress(Died, Unavailable), fault(kind, at):
            rig.traces.drop(rig.traces.of({f"ana {at}"}, {ana}))
        rig.traces.drop(rig.traces.of({f"ana {at}"}, {ana}))
        assert rig.traces.of({f"ana {at}"}, {ana}) == []


@pytest.mark.parametrize(
    ("row", "whose"),
    [
        ("count#cap/sms/a/day/b/week/2026-W47", ("a/day/b", None)),
        ("count#campaign/cap/r/messages", (None, None)),
        ("count#budget/2026-11-18", (None, None)),
        ("journey#hello/a/b", ("a/b", None)),
        ("journeys#hello", (None, None)),
        ("once#counted/d1/campaign/x/r/messages", (None, "d1")),
        ("blamed#bounce/m-1", (None, None)),
    ],
)
def test_whose_a_row_is_stands_in_its_key(row: str, whose: tuple[str | None, str | None]) -> None:
    found = trace_of({"id": row})
    assert (found.user_id, found.decision_id) == whose


# ── profiles ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["memory", "dynamodb"])
def test_a_person_who_is_forgotten_has_no_row_and_a_writer_who_read_it_before_loses(name: str, aws: None) -> None:
    if name == "memory":
        profiles: Profiles = MemoryProfiles()
    else:
        make_table("people")
        profiles = DynamoProfiles(client("dynamodb"), "people")
    put_person(profiles, person("ana"))
    put_person(profiles, person("bob"))
    profiles.suppress_address("email", "ana@customer.example", Suppression("bounce", 5))
    read, bob = profiles.get_many(["ana"])["ana"], profiles.get("bob")
    for _ in range(2):
        profiles.forget("ana")
    assert profiles.get("ana", consistent=True) is None
    assert profiles.save([read]) == ["ana"]
    assert [one.user_id for one in profiles.all()] == ["bob"]
    assert profiles.get("bob") == bob
    assert profiles.is_address_suppressed("email", "ana@customer.example")
    assert profiles.save([Profile("ana", seen=b"")]) == []


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest, aws: None) -> tuple[Objects, Versions]:
    if request.param == "memory":
        held = MemoryObjects("lake")
        return held, held
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    return S3Objects(client("s3"), "lake"), S3Versions(client("s3"), "lake", at_once=4)


def test_every_version_is_listed_those_of_deleted_objects_too(bucket: tuple[Objects, Versions]) -> None:
    objects, versions = bucket
    for body in (b"1", b"2"):
        objects.put("k/a", body)
    objects.put("k/gone", b"3")
    objects.delete(["k/gone"])
    objects.put("other", b"4")
    found = list(versions.versions("k/"))
    bodies = {(one.key, objects.get(one.key, version=one.version)): one.live for one in found}
    assert bodies == {("k/a", b"1"): False, ("k/a", b"2"): True, ("k/gone", b"3"): False}
    assert found[0].etag == objects.head("k/a", version=found[0].version).etag


def test_a_version_that_is_expunged_is_gone_for_good_and_the_others_stay(bucket: tuple[Objects, Versions]) -> None:
    objects, versions = bucket
    for body in (b"1", b"2"):
        objects.put("k/a", body)
    old = [one for one in versions.versions("k/") if not one.live]
    for _ in range(2):
        versions.expunge(old)
    assert [objects.get("k/a", version=one.version) for one in versions.versions("k/")] == [b"2"]
    assert objects.get("k/a") == b"2"
    objects.delete(["k/a"])
    versions.expunge(list(versions.versions("")))
    assert list(versions.versions("")) == []
    assert list(objects.list("")) == []


def test_more_versions_than_a_page_are_all_listed_and_all_go(bucket: tuple[Objects, Versions]) -> None:
    objects, versions = bucket
    for number in range(21):
        objects.put(f"k/{number % 7}", str(number).encode())
    found = list(versions.versions("k/"))
    assert len({(one.key, one.version) for one in found}) == 21
    versions.expunge([one for one in found if not one.live])
    assert len(list(versions.versions("k/"))) == 7
