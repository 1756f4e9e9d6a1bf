"""What happened → what we know of each person. In: events, traits. Out: rows of Profiles, each event counted once.

A person's row is read, changed and written back only if nobody wrote it meanwhile; who loses reads again. Since the row
itself knows which events it holds (`profile.seen`), a repetition changes nothing: of a message, of a file, of a crash at
any point. It does not know files, queues or chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nudge.errors import NotFound, Unavailable
from nudge.ports import Lake, Profiles
from nudge.profile import seen, traits
from nudge.profile.fold import fold_many
from nudge.vocabulary import MACHINE_TYPES, Consent, Event, Kind, Micros, Profile

TRIES, AT_ONCE, SNAPSHOTS = 12, 100, 3

type Person = tuple[str, Mapping[str, tuple[Any, Micros]], Mapping[str, Consent]]
"""(user_id, traits with their times, consents by channel)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What an application changed: people written; events counted, known already, and undecidable (too old to tell)."""

    people: int = 0
    events: int = 0
    known: int = 0
    undecidable: int = 0


def change(
    profiles: Profiles, user_ids: Iterable[str], new: Callable[[Profile], Profile | None], *, unread: bool = False
) -> int:
    """Read people, make each new (None = leave as it is), write those that changed; losers of a race are read again.

    `unread` takes people for new at first: who is there already loses, and is read then. Returns how many were written.
    Raises Unavailable when somebody kept losing.
    """
    written = 0
    for some in batched(sorted(set(user_ids)), AT_ONCE, strict=False):
        waiting: Sequence[str] = some
        for attempt in range(TRIES):
            held = profiles.get_many(waiting) if attempt or not unread else {}
            wanted = (new(held.get(user_id) or Profile(user_id, seen=b"")) for user_id in waiting)
            changed = [profile for profile in wanted if profile is not None]
            waiting = profiles.save(changed)
            written += len(changed) - len(waiting)
            if not waiting:
                break
        else:
            raise Unavailable(f"{len(waiting)} people were written by someone else {TRIES} times in a row")
    return written


@dataclass(frozen=True, slots=True)
class ApplyEvents:
    """Fold events into the people they are about, each once."""

    profiles: Profiles

    def __call__(self, events: Iterable[Event], *, now: Micros) -> Applied:
        """Raises Unavailable when the store does not answer; then some people may be written, and a repetition is safe."""
        by_user: dict[str, list[Event]] = {}
        for event in events:
            if event.event_type not in MACHINE_TYPES:
                by_user.setdefault(event.user_id, []).append(event)
        outcomes: dict[str, tuple[int, int]] = {}

        def with_events(profile: Profile) -> Profile | None:
            ids = profile.seen or b""
            new, undecidable = seen.fresh(ids, by_user[profile.user_id])
            outcomes[profile.user_id] = (len(new), len(undecidable))
            if not new and (not undecidable or profile.state.get("stale")):
                return None
            state = fold_many(profile.state, new)
            if undecidable:
                state["stale"] = True
            return replace(profile, state=state, seen=seen.add(ids, new))

        people = change(self.profiles, by_user, with_events)
        counted, unclear = (sum(column) for column in zip(*outcomes.values(), strict=True)) if outcomes else (0, 0)
        return Applied(people, counted, sum(map(len, by_user.values())) - counted - unclear, unclear)


@dataclass(frozen=True, slots=True)
class ApplyTraits:
    """Merge what files and calls say about people; creates people. Per trait and per consent the latest wins."""

    profiles: Profiles

    def __call__(self, people: Iterable[Person], *, now: Micros) -> Applied:
        """Raises Unavailable as `ApplyEvents`."""
        said = Said.by(people)
        return Applied(people=change(self.profiles, said, said.news))


class Said(dict[str, tuple[traits.Traits, Mapping[str, Consent]]]):
    """What is said of each person, in one."""

    @classmethod
    def by(cls, people: Iterable[Person]) -> Said:
        said = cls()
        for user_id, some, allowed in people:
            before, consents = said.get(user_id, ({}, {}))
            said[user_id] = traits.merge(before, some), traits.consents(consents, allowed)
        return said

    def told(self, profile: Profile) -> Profile:
        """The person with what is said of them."""
        some, allowed = self.get(profile.user_id, ({}, {}))
        merged, consents = traits.merge(profile.traits, some), traits.consents(profile.consents, allowed)
        return replace(profile, traits=merged, consents=consents)

    def news(self, profile: Profile) -> Profile | None:
        """As `told`; None when all of it is known."""
        new = self.told(profile)
        return None if profile.version and new == profile else new


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Make everybody's row from the lake: a first load, after a change of the spec, or for people marked `stale`."""

    lake: Lake
    profiles: Profiles

    def __call__(self, *, now: Micros) -> Applied:
        """Rows may be written meanwhile: one that holds an event which the snapshot of the lake lacks waits for the next.

        `undecidable` of the answer counts people who stay as they are because the lake lacks their events.
        """
        from nudge.profile import batch  # Polars: only heavy doors rebuild

        people = events = 0
        waiting: set[str] | None = None
        first = next(self.profiles.all(), None) is None
        for _ in range(SNAPSHOTS):
            with TemporaryDirectory() as folder:
                parts = [*self._fetch("events", folder), *self._fetch("outcomes", folder)]
                happened = batch.of_people(batch.read_events(parts))
                said = Said.by(batch.people(self._fetch("users", folder)))
                some, counted, waiting = self._write(batch.states(happened), said, waiting, first)
            people, events = people + some, events + counted
            if not waiting:
                break
        return Applied(people, events, undecidable=len(waiting or ()))

    def _fetch(self, kind: Kind, folder: str) -> list[Path]:
        """Copies of all parts of a kind. A part that is gone was compacted into another: list again."""
        for _ in range(TRIES):
            files = []
            try:
                for part in self.lake.parts(kind):
                    files.append(Path(folder) / part.key.replace("/", "_"))
                    if not files[-1].exists():
                        files[-1].write_bytes(self.lake.get(part.key))
            except NotFound:
                continue
            return files
        raise Unavailable(f"lake/{kind} changed under every one of {TRIES} looks")

    def _write(
        self, states: Iterable[tuple[str, dict[str, Any], bytes]], said: Said, only: set[str] | None, first: bool
    ) -> tuple[int, int, set[str]]:
        """Write people (`only` these); returns people and events written, and who is ahead of the snapshot."""
        written, counted, ahead, met = 0, 0, set[str](), set[str]()
        for some in batched(states, AT_ONCE, strict=False):
            made = {user_id: (state, ids) for user_id, state, ids in some if only is None or user_id in only}
            met.update(made)

            def rebuilt(profile: Profile, made: Mapping[str, tuple[Any, bytes]] = made) -> Profile | None:
                state, ids = made[profile.user_id]
                if seen.lacks(ids, profile.seen or b""):
                    ahead.add(profile.user_id)
                    return None
                return replace(said.told(profile), state=state, seen=ids)

            written += change(self.profiles, made, rebuilt, unread=first)
            counted += sum(len(ids) // 10 for user_id, (_, ids) in made.items() if user_id not in ahead)
        rest = [user_id for user_id in said if user_id not in met and (only is None or user_id in only)]
        written += change(self.profiles, rest, said.news, unread=first)
        return written, counted, ahead
