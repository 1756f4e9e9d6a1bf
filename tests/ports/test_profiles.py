"""Profiles: what the table and its memory twin promise. Numbers have one writer; flags win by time; nothing is lost."""

import math
from collections.abc import Callable
from copy import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from nudge.adapters.clients import client
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.profiles import DynamoProfiles
from nudge.errors import BadInput, Unavailable
from nudge.ports import Profiles
from nudge.vocabulary import Consent, Profile, Suppression
from tests.ports.conftest import make_table

STATE = {"e": {"view": [5, 1, 2, 1.9999999999999998, 0.1, 1e-300, 3.0, 0.0, 1e15, 7.0]}, "r": {"Ω#1": 5}}
ANN = Profile("ann#1", state=STATE, traits={"plan": ("gold", 7), "age": (31, 5)}, seen=b"\0\0\0\0" + b"0123456789")


@pytest.fixture(params=["memory", "dynamodb"])
def profiles(request: pytest.FixtureRequest, aws: None) -> Profiles:
    if request.param == "memory":
        return MemoryProfiles()
    make_table("profiles")
    return DynamoProfiles(client("dynamodb"), "profiles")


def test_what_was_saved_is_read_bit_for_bit_one_version_higher(profiles: Profiles) -> None:
    assert profiles.save([ANN]) == []
    assert profiles.get("ann#1", consistent=True) == replace(ANN, version=1)
    assert profiles.get("nobody") is None


def test_many_people_are_read_at_once_and_the_unknown_are_absent(profiles: Profiles) -> None:
    people = [replace(ANN, user_id=f"u{number}") for number in range(130)]
    assert profiles.save(people) == []
    found = profiles.get_many([*(one.user_id for one in people), "u0", "nobody"])
    assert found == {one.user_id: replace(one, version=1) for one in people}
    assert profiles.get_many([]) == {}


def test_only_the_writer_who_read_the_latest_version_wins(profiles: Profiles) -> None:
    profiles.save([ANN])
    read = profiles.get_many(["ann#1"])["ann#1"]
    assert profiles.save([replace(read, traits={"plan": ("free", 9)}), replace(ANN, user_id="bob")]) == []
    assert profiles.save([replace(read, traits={}), replace(ANN, user_id="cleo")]) == ["ann#1"]
    assert profiles.save([replace(ANN, traits={})]) == ["ann#1"]
    assert profiles.get_many(["ann#1"])["ann#1"].traits == {"plan": ("free", 9)}
    assert profiles.get_many(["cleo"])["cleo"].version == 1


def test_flags_and_numbers_do_not_touch_each_other(profiles: Profiles) -> None:
    profiles.consent("ann#1", "email", Consent(True, 10, "form"))
    flagged = profiles.get_many(["ann#1"])["ann#1"]
    assert (flagged.state, flagged.seen) == ({}, b"")
    assert profiles.save([replace(flagged, state=STATE)]) == []
    profiles.suppress("ann#1", "email", Suppression("bounce", 12))
    read = profiles.get_many(["ann#1"])["ann#1"]
    profiles.consent("ann#1", "sms", Consent(False, 11, "call"))
    assert profiles.save([replace(read, traits={"plan": ("gold", 1)})]) == ["ann#1"]
    again = profiles.get_many(["ann#1"])["ann#1"]
    assert profiles.save([replace(again, traits={"plan": ("gold", 1)})]) == []
    now = profiles.get_many(["ann#1"])["ann#1"]
    assert now.consents == {"email": Consent(True, 10, "form"), "sms": Consent(False, 11, "call")}
    assert now.suppressions == {"email": Suppression("bounce", 12)}
    assert (now.state, now.traits) == (STATE, {"plan": ("gold", 1)})


def test_flags_are_saved_with_the_row_by_who_read_the_latest_version(profiles: Profiles) -> None:
    early, late = Consent(True, 5, "import"), Consent(False, 9, "link")
    assert profiles.save([replace(ANN, consents={"email": early})]) == []
    assert profiles.get("ann#1", consistent=True) == replace(ANN, consents={"email": early}, version=1)
    profiles.consent("bob", "email", late)
    assert profiles.save([replace(ANN, user_id="bob", consents={"email": early, "sms": early})]) == ["bob"]
    bob = profiles.get_many(["bob"])["bob"]
    assert bob.consents == {"email": late}
    assert profiles.save([replace(bob, consents={**bob.consents, "sms": early})]) == []
    assert profiles.get_many(["bob"])["bob"].consents == {"email": late, "sms": early}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_the_latest_consent_wins_in_any_order_and_a_withdrawal_wins_a_tie(
    profiles: Profiles, order: tuple[int, ...]
) -> None:
    said = (Consent(True, 10, "form"), Consent(False, 20, "link"), Consent(True, 20, "import"))
    for number in order:
        profiles.consent("ann", "email", said[number])
    found = profiles.get("ann", consistent=True)
    assert found is not None
    assert found.consents == {"email": said[1]}


def test_the_latest_suppression_is_kept(profiles: Profiles) -> None:
    for suppression in (Suppression("complaint", 20), Suppression("bounce", 10)):
        profiles.suppress("ann", "email", suppression)
    found = profiles.get("ann", consistent=True)
    assert found is not None
    assert found.suppressions == {"email": Suppression("complaint", 20)}


def test_an_address_is_suppressed_without_a_person_and_whatever_its_case(profiles: Profiles) -> None:
    assert not profiles.is_address_suppressed("email", "ann@example.com")
    profiles.suppress_address("email", " Ann@Example.COM ", Suppression("complaint", 5))
    assert profiles.is_address_suppressed("email", "ann@example.com")
    assert not profiles.is_address_suppressed("sms", "ann@example.com")
    assert list(profiles.all()) == []


STOPPED, DEAD = Suppression("stop", 20), Suppression("disabled", 10, "0011223344556677")


def test_a_stop_is_lifted_by_a_later_wish_and_by_nothing_earlier(profiles: Profiles) -> None:
    assert not profiles.lift("ann", "sms", at=5)
    profiles.suppress("ann", "sms", STOPPED)
    profiles.suppress_address("sms", "+49 151 1234567", STOPPED)
    for at, lifts in ((20, False), (30, True), (30, True), (25, False)):
        assert profiles.lift("ann", "sms", at=at) is lifts
        assert profiles.lift_address("sms", "+491511234567", at=at) is lifts
        assert profiles.is_address_suppressed("sms", "+49-151-1234567") is (at == 20)
    profiles.suppress("ann", "sms", STOPPED)
    profiles.suppress_address("sms", "+491511234567", STOPPED)
    found = profiles.get("ann", consistent=True)
    assert found is not None
    assert found.suppressions == {"sms": Suppression("lifted", 30)}
    assert not profiles.is_address_suppressed("sms", "+491511234567")
    profiles.suppress_address("sms", "+491511234567", Suppression("stop", 40))
    assert profiles.is_address_suppressed("sms", "+491511234567")


def test_only_a_stop_is_lifted_and_it_hides_no_other_reason(profiles: Profiles) -> None:
    profiles.suppress("ann", "sms", Suppression("complaint", 10))
    profiles.suppress_address("sms", "+491511234567", Suppression("invalid", 10))
    profiles.suppress("ann", "sms", STOPPED)
    profiles.suppress_address("sms", "+491511234567", STOPPED)
    assert not profiles.lift("ann", "sms", at=30)
    assert not profiles.lift_address("sms", "+491511234567", at=30)
    assert profiles.is_address_suppressed("sms", "+491511234567")
    found = profiles.get("ann", consistent=True)
    assert found is not None
    assert found.suppressions == {"sms": Suppression("complaint", 10)}


def test_an_endpoint_that_was_off_is_believed_when_it_is_told_anew(profiles: Profiles) -> None:
    profiles.suppress_address("push", "arn:1", DEAD)
    assert profiles.is_address_suppressed("push", "arn:1", told_at=10)
    assert not profiles.is_address_suppressed("push", "arn:1", told_at=11)
    profiles.suppress("ann", "push address", DEAD)
    found = profiles.get("ann", consistent=True)
    assert found is not None
    assert found.suppressions == {"push address": DEAD}
    assert profiles.save([found]) == []
    assert profiles.get("ann", consistent=True) == replace(found, version=found.version + 1)


def test_everybody_is_listed_once_whatever_the_number_of_pages(profiles: Profiles) -> None:
    heavy = {"note": ("x" * 40_000, 1)}
    people = [replace(ANN, user_id=f"u{number:02}", traits=heavy) for number in range(60)]
    profiles.save(people)
    profiles.suppress_address("email", "x@example.com", Suppression("bounce", 1))
    profiles.consent("flagged", "email", Consent(True, 1, "form"))
    listed = sorted(profiles.all(), key=lambda one: one.user_id)
    assert [one.user_id for one in listed] == ["flagged", *(one.user_id for one in people)]
    assert listed[1] == replace(people[0], version=1)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_never_stored(profiles: Profiles, number: float) -> None:
    with pytest.raises(BadInput):
        profiles.save([replace(ANN, state={"e": {"view": [number]}})])
    assert profiles.get("ann#1", consistent=True) is None


# ── only the table ───────────────────────────────────────────────────────────────────────────────────────────────────
class Hooked:
    """A client of which one call behaves otherwise."""

    def __init__(self, real: Any, call: str, instead: Callable[..., Any]) -> None:
        self._real, self._call, self._instead = real, call, instead

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        return (lambda **request: self._instead(real, **request)) if name == self._call else real


@pytest.fixture
def table(aws: None) -> Any:
    make_table("profiles")
    return client("dynamodb")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateItem")


@pytest.mark.parametrize("version", [0, 1])
def test_a_write_whose_answer_was_lost_and_that_was_sent_again_is_a_success(table: Any, version: int) -> None:
    def twice(real: Callable[..., Any], **request: Any) -> Any:
        real(**request)
        return real(**request)

    plain = DynamoProfiles(table, "profiles")
    if version:
        plain.save([ANN])
    hooked = DynamoProfiles(Hooked(table, "put_item", twice), "profiles")
    assert hooked.save([replace(ANN, version=version, traits={"plan": ("new", 9)})]) == []
    found = plain.get("ann#1", consistent=True)
    assert found is not None
    assert (found.version, found.traits) == (version + 1, {"plan": ("new", 9)})


def test_keys_left_unprocessed_are_asked_for_again(table: Any) -> None:
    pauses: list[float] = []

    def some(real: Callable[..., Any], **request: Any) -> Any:
        asked = request["RequestItems"]["profiles"]
        keys = asked["Keys"]
        answer = real(RequestItems={"profiles": {**asked, "Keys": keys[:3]}})
        left = {"profiles": {"Keys": keys[3:]}} if keys[3:] else {}
        return {**answer, "UnprocessedKeys": left}

    profiles = DynamoProfiles(Hooked(table, "batch_get_item", some), "profiles", pause=pauses.append)
    people = [replace(ANN, user_id=f"u{number}") for number in range(10)]
    profiles.save(people)
    assert len(profiles.get_many([one.user_id for one in people])) == 10
    assert pauses == [0.05, 0.1, 0.2]
    with pytest.raises(Unavailable, match="still unprocessed"):
        profiles.get_many([f"u{number}" for number in range(40)])


@pytest.mark.parametrize(
    "error",
    [refusal("ThrottlingException"), EndpointConnectionError(endpoint_url="http://there")],
    ids=["throttled", "down"],
)
def test_a_store_that_does_not_answer_is_unavailable_and_says_no_address(table: Any, error: Exception) -> None:
    def broken(real: Callable[..., Any], **request: Any) -> Any:
        raise error

    for call, use in (
        ("get_item", lambda profiles: profiles.is_address_suppressed("email", "ann@example.com")),
        ("batch_get_item", lambda profiles: profiles.get_many(["ann"])),
        ("update_item", lambda profiles: profiles.consent("ann", "email", Consent(True, 1, "form"))),
        ("put_item", lambda profiles: profiles.save([ANN])),
        ("scan", lambda profiles: list(profiles.all())),
    ):
        with pytest.raises(Unavailable) as raised:
            use(DynamoProfiles(Hooked(table, call, broken), "profiles"))
        assert "ann" not in str(raised.value)


def test_a_person_too_large_for_a_row_is_refused_before_the_call(table: Any) -> None:
    with pytest.raises(BadInput, match="does not fit a row"):
        DynamoProfiles(table, "profiles").save([replace(ANN, traits={"novel": ("x" * 400_000, 1)})])


def test_writing_in_parallel_is_writing_the_same(table: Any) -> None:
    profiles = DynamoProfiles(table, "profiles", workers=4)
    profiles.save([replace(ANN, user_id="u3")])
    people = [replace(ANN, user_id=f"u{number}") for number in range(8)]
    assert profiles.save(people) in (
        [],
        ["u3"],
    )  # u3 holds the very same content: our own write, as far as anyone can tell
    assert len(list(profiles.all())) == 8


def test_the_parts_of_everybody_are_everybody_once(profiles: Profiles) -> None:
    profiles.save([Profile(f"user {number}", state={}) for number in range(40)])
    parts = [[one.user_id for one in profiles.all(part=(number, 4))] for number in range(4)]
    assert sorted(user for part in parts for user in part) == sorted(one.user_id for one in profiles.all())
    assert len(parts) == 4
    assert max(map(len, parts)) < 40
