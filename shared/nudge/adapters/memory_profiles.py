"""`Profiles` in this process's memory: for tests and prototypes; the same contract tests as the table."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from zlib import crc32

import orjson

from nudge.adapters.profile_rows import address_id, holds, person, row
from nudge.vocabulary import LIFTED, STOP, Consent, Micros, Profile, Suppression


class MemoryProfiles:
    """People in a dict. What is stored goes through JSON as in the table, so nothing is shared with the caller."""

    def __init__(self) -> None:
        self._people: dict[str, Profile] = {}
        self._addresses: dict[str, Suppression] = {}
        self._lock = threading.RLock()

    def get(self, user_id: str, *, consistent: bool = False) -> Profile | None:
        with self._lock:
            held = self._people.get(user_id)
        return None if held is None else _apart(held)

    def get_many(self, user_ids: Iterable[str]) -> dict[str, Profile]:
        found = ((user_id, self.get(user_id)) for user_id in dict.fromkeys(user_ids))
        return {user_id: profile for user_id, profile in found if profile is not None}

    def all(self, *, part: tuple[int, int] = (0, 1)) -> Iterator[Profile]:
        for user_id in sorted(self._people):
            if crc32(user_id.encode()) % part[1] == part[0] and (profile := self.get(user_id)) is not None:
                yield profile

    def forget(self, user_id: str) -> None:
        with self._lock:
            self._people.pop(user_id, None)

    def save(self, profiles: Sequence[Profile]) -> list[str]:
        return [profile.user_id for profile in profiles if not self._save(profile)]

    def _save(self, profile: Profile) -> bool:
        stored = person(row(profile)[0])
        with self._lock:
            if self._there(profile.user_id).version != profile.version:
                return False
            self._people[profile.user_id] = stored
        return True

    def _there(self, user_id: str) -> Profile:
        return self._people.get(user_id) or Profile(user_id, seen=b"")

    def consent(self, user_id: str, channel: str, consent: Consent) -> None:
        with self._lock:
            there = self._there(user_id)
            held = there.consents.get(channel)
            if held is None or held.at < consent.at or (held.at == consent.at and not consent.granted):
                flags = {**there.consents, channel: consent}
                self._people[user_id] = replace(there, consents=flags, version=there.version + 1)

    def suppress(self, user_id: str, channel: str, suppression: Suppression) -> None:
        with self._lock:
            there = self._there(user_id)
            if _wins(suppression, there.suppressions.get(channel)):
                flags = {**there.suppressions, channel: suppression}
                self._people[user_id] = replace(there, suppressions=flags, version=there.version + 1)

    def suppress_address(self, channel: str, address: str, suppression: Suppression) -> None:
        with self._lock:
            key = address_id(channel, address)
            if _wins(suppression, self._addresses.get(key)):
                self._addresses[key] = suppression

    def lift(self, user_id: str, channel: str, *, at: Micros) -> bool:
        with self._lock:
            there = self._there(user_id)
            if lifts := _is_lifted(there.suppressions.get(channel), at):
                flags = {**there.suppressions, channel: Suppression(LIFTED, at)}
                self._people[user_id] = replace(there, suppressions=flags, version=there.version + 1)
            return lifts

    def lift_address(self, channel: str, address: str, *, at: Micros) -> bool:
        with self._lock:
            key = address_id(channel, address)
            if lifts := _is_lifted(self._addresses.get(key), at):
                self._addresses[key] = Suppression(LIFTED, at)
            return lifts

    def is_address_suppressed(self, channel: str, address: str, *, told_at: Micros = 0) -> bool:
        with self._lock:
            held = self._addresses.get(address_id(channel, address))
            return held is not None and holds(held, told_at)


def _wins(new: Suppression, held: Suppression | None) -> bool:
    """Whether a suppression takes the place of another: the latest does, but a stop only that of a stop, or of one that was lifted."""
    if held is None:
        return True
    return held.at <= new.at and (new.reason != STOP or held.reason in (STOP, LIFTED))


def _is_lifted(held: Suppression | None, at: Micros) -> bool:
    if held is None or held.reason not in (STOP, LIFTED):
        return False
    return held.at < at or held == Suppression(LIFTED, at)


def _apart(profile: Profile) -> Profile:
    """A copy that shares nothing that could be changed."""
    return replace(profile, state=orjson.loads(orjson.dumps(profile.state)), traits=dict(profile.traits))
