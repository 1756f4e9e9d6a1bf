"""`Profiles` in this process's memory: for tests and prototypes; the same contract tests as the table."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from zlib import crc32

import orjson

from nudge.adapters.profile_rows import address_id, person, row
from nudge.vocabulary import Consent, Profile, Suppression


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
            held = there.suppressions.get(channel)
            if held is None or held.at <= suppression.at:
                flags = {**there.suppressions, channel: suppression}
                self._people[user_id] = replace(there, suppressions=flags, version=there.version + 1)

    def suppress_address(self, channel: str, address: str, suppression: Suppression) -> None:
        with self._lock:
            self._addresses[address_id(channel, address)] = suppression

    def is_address_suppressed(self, channel: str, address: str) -> bool:
        with self._lock:
            return address_id(channel, address) in self._addresses


def _apart(profile: Profile) -> Profile:
    """A copy that shares nothing that could be changed."""
    return replace(profile, state=orjson.loads(orjson.dumps(profile.state)), traits=dict(profile.traits))
