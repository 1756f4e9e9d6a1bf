"""What happened → what we know of each person. In: events, traits. Out: rows of Profiles, each event counted once.

A person's row is read, changed and written back only if nobody wrote it meanwhile; who loses reads again. Since the row
itself knows which events it holds (`profile.seen`), a repetition changes nothing: of a message, of a file, of a crash at
any point. It does not know files, queues or chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

from nudge.errors import Unavailable
from nudge.ports import Profiles
from nudge.profile import seen, traits
from nudge.profile.fold import fold_many
from nudge.vocabulary import Consent, Event, Micros, Profile

TRIES, AT_ONCE = 12, 100

type Person = tuple[str, Mapping[str, tuple[Any, Micros]], Mapping[str, Consent]]
"""(user_id, traits with their times, consents by channel)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What an application changed: people written; events counted, known already, and undecidable (too old to tell)."""

    people: int = 0
    events: int = 0
    known: int = 0
    undecidable: int = 0


def change(profiles: Profiles, user_ids: Iterable[str], new: Callable[[Profile], Profile | None]) -> int:
    """Read people, make each new (None = leave as it is), write those that changed; losers of a race are read again.

    Returns how many were written. Raises Unavailable when somebody kept losing.
    """
    written = 0
    for some in batched(sorted(set(user_ids)), AT_ONCE, strict=False):
        waiting: Sequence[str] = some
        for _ in range(TRIES):
            held = profiles.get_many(waiting)
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
        said: dict[str, Mapping[str, tuple[Any, Micros]]] = {}
        consents: dict[tuple[str, str], Consent] = {}
        for user_id, some, allowed in people:
            said[user_id] = traits.merge(said.get(user_id, {}), some)
            for channel, consent in allowed.items():
                consents[user_id, channel] = traits.later(consents.get((user_id, channel)), consent)

        def with_traits(profile: Profile) -> Profile | None:
            merged = traits.merge(profile.traits, said[profile.user_id])
            return None if profile.version and merged == profile.traits else replace(profile, traits=merged)

        written = change(self.profiles, said, with_traits)
        for (user_id, channel), consent in sorted(consents.items()):
            self.profiles.consent(user_id, channel, consent)
        return Applied(people=written)
