"""Each event counts once: repeated, reordered, split, raced, crashed; and the lake gives the same people."""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import replace
from io import BytesIO
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.errors import NotFound, Unavailable
from nudge.flows.profiles import Applied, ApplyEvents, ApplyTraits, Rebuild
from nudge.ports import ObjectInfo
from nudge.profile import seen
from nudge.profile.fold import fold_many
from nudge.vocabulary import DAY, MACHINE_TYPES, Consent, Event, Micros, Profile
from tests.unit.profile.histories import difference, frame, histories, of, size

NOW: Micros = 1_740_000_000_000_000
NEVER = Event("never", "x", "view", NOW)


def some(count: int = 60, *, seed: int = 1, people: Sequence[str] = ("ann", "bob", "cleo")) -> list[Event]:
    rng = random.Random(seed)
    return [
        Event(
            event_id=f"{seed}-{number}",
            user_id=rng.choice(people),
            event_type=rng.choice(["view", "purchase", "email_sent"]),
            event_time=NOW - rng.randrange(300 * DAY),
            item_id=f"i{rng.randrange(40)}",
            category=rng.choice([None, "shoes", "hats"]),
            value=round(rng.random() * 100, 2),
        )
        for number in range(count)
    ]


def people_of(profiles: MemoryProfiles) -> dict[str, Profile]:
    return {profile.user_id: replace(profile, version=0) for profile in profiles.all()}


def same(a: MemoryProfiles, b: MemoryProfiles) -> bool:
    one, other = people_of(a), people_of(b)
    assert one.keys() == other.keys()
    for user_id in one:
        assert difference(dict(one[user_id].state), dict(other[user_id].state), scale=100.0) is None
        assert replace(one[user_id], state={}) == replace(other[user_id], state={})
    return True


def test_events_are_folded_into_the_people_they_are_about() -> None:
    profiles, events = MemoryProfiles(), some()
    assert ApplyEvents(profiles)(events, now=NOW) == Applied(people=3, events=60)
    for profile in profiles.all():
        mine = of(events, profile.user_id)
        assert difference(dict(profile.state), fold_many({}, mine)) is None
        assert profile.seen == seen.add(b"", mine)


def test_the_same_events_again_change_nothing_and_write_nothing() -> None:
    profiles, events = MemoryProfiles(), some()
    ApplyEvents(profiles)(events, now=NOW)
    before = list(profiles.all())
    assert ApplyEvents(profiles)(events[::-1], now=NOW) == Applied(people=0, events=0, known=60)
    assert list(profiles.all()) == before


@settings(max_examples=30, deadline=None)
@given(histories())
def test_an_event_twice_in_one_call_counts_once(events: list[Event]) -> None:
    once, twice = MemoryProfiles(), MemoryProfiles()
    ApplyEvents(once)(events, now=NOW)
    ApplyEvents(twice)([*events, *events[::-1]], now=NOW)
    for profile in twice.all():
        held = once.get(profile.user_id)
        assert held is not None
        assert difference(dict(profile.state), dict(held.state), scale=size(events)) is None


class Racing(MemoryProfiles):
    """Before each of the first saves somebody else applies events of his own."""

    def __init__(self, batches: list[list[Event]]) -> None:
        super().__init__()
        self.batches = batches

    def save(self, profiles: Sequence[Profile]) -> list[str]:
        if self.batches:
            events = self.batches.pop()
            ApplyEvents(self)(events, now=NOW)
        return super().save(profiles)


def test_two_writers_at_once_lose_nothing_and_count_nothing_twice() -> None:
    events = some()
    racing, alone = Racing([events[10:40], events[30:60]]), MemoryProfiles()
    ApplyEvents(racing)(events[:35], now=NOW)
    ApplyEvents(alone)(events, now=NOW)
    assert same(racing, alone)


def test_who_always_loses_gives_up_as_unavailable() -> None:
    class Lost(MemoryProfiles):
        def save(self, profiles: Sequence[Profile]) -> list[str]:
            return [profile.user_id for profile in profiles]

    with pytest.raises(Unavailable, match="12 times"):
        ApplyEvents(Lost())(some(), now=NOW)


def test_a_crash_between_two_people_is_healed_by_the_repetition() -> None:
    class Crashing(MemoryProfiles):
        left = 2

        def _save(self, profile: Profile) -> bool:
            if self.left == 0:
                raise Unavailable("down")
            self.left -= 1
            return super()._save(profile)

    events, crashing, alone = some(), Crashing(), MemoryProfiles()
    with pytest.raises(Unavailable):
        ApplyEvents(crashing)(events, now=NOW)
    crashing.left = 99
    ApplyEvents(crashing)(events, now=NOW)
    ApplyEvents(alone)(events, now=NOW)
    assert same(crashing, alone)


def test_an_event_older_than_what_was_forgotten_is_not_counted_but_marks_the_person() -> None:
    profiles = MemoryProfiles()
    busy = [Event(f"b{number}", "ann", "view", NOW + number * 60_000_000) for number in range(seen.KEEP + 10)]
    ApplyEvents(profiles)(busy, now=NOW)
    late = Event("late", "ann", "view", NOW - DAY)
    assert ApplyEvents(profiles)([late], now=NOW) == Applied(people=1, undecidable=1)
    assert ApplyEvents(profiles)([late, busy[-1]], now=NOW) == Applied(known=1, undecidable=1)
    held = profiles.get("ann")
    assert held is not None
    assert held.state["stale"] is True
    assert held.state["e"]["view"][2] == seen.KEEP + 10


# ── traits ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_traits_create_people_and_the_latest_value_and_consent_win_in_any_order() -> None:
    said: list[Any] = [
        ("ann", {"plan": ("free", 1), "age": (30, 1)}, {"email": Consent(True, 1, "form")}),
        ("ann", {"plan": ("gold", 5)}, {"email": Consent(False, 5, "link")}),
        ("bob", {}, {}),
        ("ann", {"plan": ("silver", 3)}, {"email": Consent(True, 5, "import"), "sms": Consent(True, 2, "form")}),
    ]
    results = []
    for order in (said, said[::-1]):
        for pieces in (1, 4):
            profiles = MemoryProfiles()
            for piece in range(pieces):
                ApplyTraits(profiles)(order[piece::pieces], now=NOW)
            results.append(people_of(profiles))
    assert all(result == results[0] for result in results)
    ann = results[0]["ann"]
    assert ann.traits == {"plan": ("gold", 5), "age": (30, 1)}
    assert ann.consents == {"email": Consent(False, 5, "link"), "sms": Consent(True, 2, "form")}
    assert results[0]["bob"] == Profile("bob", seen=b"")


def test_traits_that_are_known_write_nothing() -> None:
    profiles = MemoryProfiles()
    person: Any = ("ann", {"plan": ("free", 1)}, {"email": Consent(True, 1, "form")})
    assert ApplyTraits(profiles)([person], now=NOW).people == 1
    assert ApplyTraits(profiles)([person], now=NOW).people == 0
    assert [profile.version for profile in profiles.all()] == [1]


def test_events_and_traits_meet_in_one_row() -> None:
    profiles = MemoryProfiles()
    ApplyTraits(profiles)([("ann", {"plan": ("gold", 5)}, {})], now=NOW)
    ApplyEvents(profiles)(some(people=["ann"]), now=NOW)
    ApplyTraits(profiles)([("ann", {"age": (30, 6)}, {})], now=NOW)
    (ann,) = profiles.all()
    assert ann.version == 3
    assert ann.trait("plan") == "gold"
    assert sum(row[2] for row in ann.state["e"].values()) == 60


# ── rebuilt from the lake ────────────────────────────────────────────────────────────────────────────────────────────
def parquet(table: pl.DataFrame) -> bytes:
    body = BytesIO()
    table.write_parquet(body)
    return body.getvalue()


USERS = pl.DataFrame(
    {
        "user_id": ["ann", "dora", "ann"],
        "effective_at": [NOW - 9, NOW - 8, NOW - 7],
        "email": ["ann@example.com", None, None],
        "created_at": [NOW - 99, None, None],
        "email_consent": [True, False, None],
        "email_consent_at": [None, NOW - 20, None],
        "email_consent_source": [None, "form", None],
        "attributes": ['{"plan": "free"}', None, '{"plan": "gold"}'],
    }
).with_columns(pl.col("effective_at", "created_at", "email_consent_at").cast(pl.Datetime("us", "UTC")))
SAID: list[Any] = [
    (
        "ann",
        {"email": ("ann@example.com", NOW - 9), "created_at": (NOW - 99, NOW - 9), "plan": ("gold", NOW - 7)},
        {"email": Consent(True, NOW - 9, "file")},
    ),
    ("dora", {}, {"email": Consent(False, NOW - 20, "form")}),
]


def lake_of(events: list[Event], *, parts: int = 3, rng: random.Random | None = None) -> ObjectsLake:
    """Events in a few parts, some of them in two; outcomes apart."""
    lake, rng = ObjectsLake(MemoryObjects()), rng or random.Random(3)
    shuffled = rng.sample(events, len(events))
    for part in range(parts):
        some_of = shuffled[part::parts] + shuffled[:5]
        for kind, wanted in (("outcomes", True), ("events", False)):
            rows = [event for event in some_of if event.event_type.startswith("email_") is wanted]
            lake.put(kind, f"2025-02-0{part + 1}", parquet(frame(rows)))  # type: ignore[arg-type]
    lake.put("users", "2025-02-01", parquet(USERS))
    return lake


@pytest.mark.parametrize("seed", range(4))
def test_people_rebuilt_from_the_lake_are_the_people_built_step_by_step(seed: int) -> None:
    rng, events = random.Random(seed), some(120, seed=seed)
    step_by_step, rebuilt = MemoryProfiles(), MemoryProfiles()
    delivered = rng.sample([*events, *events[:50]], len(events) + 50)
    for piece in range(4):
        ApplyEvents(step_by_step)(delivered[piece::4], now=NOW)
    ApplyTraits(step_by_step)(SAID, now=NOW)
    done = Rebuild(lake_of(events, rng=rng), rebuilt)(now=NOW)
    assert done == Applied(people=4, events=120)
    assert same(step_by_step, rebuilt)
    Rebuild(lake_of(events), step_by_step)(now=NOW)
    assert same(step_by_step, rebuilt)


def test_a_rebuild_heals_what_was_undecidable_or_wrong() -> None:
    profiles, expected, events = MemoryProfiles(), MemoryProfiles(), some(people=["ann"])
    ApplyEvents(expected)(events, now=NOW)
    profiles.save([Profile("ann", state={"e": {"view": [1, 1, 9, *[7.0] * 8]}, "stale": True}, seen=b"")])
    Rebuild(ObjectsLakeWithEvents(events), profiles)(now=NOW)
    assert same(profiles, expected)


class ObjectsLakeWithEvents(ObjectsLake):
    """A lake to which `later` events come, after the first look, as a worker would put them: first here, then in Profiles."""

    def __init__(self, events: list[Event], later: list[Event] | None = None, profiles: MemoryProfiles | None = None):
        super().__init__(MemoryObjects())
        self.put("events", "2025-02-01", parquet(frame(events)))
        self.later, self.people, self.looks = later or [], profiles, 0

    def parts(self, kind: Any, **days: Any) -> list[ObjectInfo]:
        found = super().parts(kind, **days)
        self.looks += kind == "events"
        if self.later and self.people is not None and kind == "users":
            self.put("events", "2025-02-02", parquet(frame(self.later)))
            ApplyEvents(self.people)(self.later, now=NOW)
            self.later = []
        return found


def test_events_applied_while_a_rebuild_reads_the_lake_are_kept() -> None:
    profiles, expected = MemoryProfiles(), MemoryProfiles()
    events, later = some(), some(9, seed=2, people=["ann", "new"])
    lake = ObjectsLakeWithEvents(events, later, profiles)
    Rebuild(lake, profiles)(now=NOW)
    ApplyEvents(expected)([*events, *later], now=NOW)
    assert same(profiles, expected)
    assert lake.looks == 2


def test_people_whose_events_the_lake_lost_stay_as_they_are_and_are_counted() -> None:
    profiles, events = MemoryProfiles(), some()
    ApplyEvents(profiles)([*events, replace(NEVER, user_id="ann")], now=NOW)
    before = profiles.get("ann")
    assert Rebuild(ObjectsLakeWithEvents(events), profiles)(now=NOW).undecidable == 1
    assert profiles.get("ann") == before


def test_a_part_compacted_away_under_a_rebuild_is_looked_for_again() -> None:
    class Compacting(ObjectsLakeWithEvents):
        gone = 1

        def get(self, key: str) -> bytes:
            if self.gone:
                self.gone -= 1
                raise NotFound(key)
            return super().get(key)

    profiles, expected, events = MemoryProfiles(), MemoryProfiles(), some()
    Rebuild(Compacting(events), profiles)(now=NOW)
    ApplyEvents(expected)(events, now=NOW)
    assert same(profiles, expected)


def test_an_empty_lake_makes_nobody() -> None:
    profiles = MemoryProfiles()
    assert Rebuild(ObjectsLake(MemoryObjects()), profiles)(now=NOW) == Applied()
    assert list(profiles.all()) == []


def test_what_a_machine_did_to_a_mail_is_in_nobodys_profile_whichever_way_it_is_made() -> None:
    people = some()
    machines = [
        Event(f"m{number}", one.user_id, kind, one.event_time)
        for number, (one, kind) in enumerate(zip(people, MACHINE_TYPES * 30, strict=True))
    ]
    profiles, plain, rebuilt = MemoryProfiles(), MemoryProfiles(), MemoryProfiles()
    assert ApplyEvents(profiles)(people + machines, now=NOW).events == len(people)
    ApplyEvents(plain)(people, now=NOW)
    Rebuild(lake_of(people + machines), rebuilt)(now=NOW)
    assert people_of(profiles) == people_of(plain)
    for user_id, profile in people_of(plain).items():
        held = people_of(rebuilt)[user_id]
        assert difference(dict(held.state), dict(profile.state), scale=100.0) is None
        assert held.seen == profile.seen
