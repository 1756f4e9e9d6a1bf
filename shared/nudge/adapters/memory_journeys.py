"""The port `Journeys` in this process's memory, safe between threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nudge.adapters.journey_rows import SHARDS, journey_of, shard_of, text_of
from nudge.decide.journey import Journey
from nudge.ports import Traveller
from nudge.vocabulary import Micros


@dataclass
class MemoryJourneys:
    """Journeys as texts in a dict behind one lock."""

    shards: int = SHARDS
    rows: dict[Traveller, str] = field(default_factory=dict)
    counted: dict[str, Counter[str]] = field(default_factory=dict)
    _due: dict[int, dict[Traveller, Micros]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def get_many(self, travellers: Iterable[Traveller]) -> dict[Traveller, Journey]:
        with self._lock:
            return {one: journey_of(self.rows[one]) for one in dict.fromkeys(travellers) if one in self.rows}

    def save(self, journey: Journey, *, tally: str | None = None) -> bool:
        text, key = text_of(journey._replace(version=journey.version + 1)), (journey.campaign, journey.user_id)
        with self._lock:
            there = self.rows.get(key)
            if (0 if there is None else journey_of(there).version) != journey.version:
                return there == text
            self.rows[key] = text
            waiting = self._due.setdefault(shard_of(*key), {})
            waiting.pop(key, None)
            if journey.state != "ended":
                waiting[key] = journey.due_at
            if tally is not None:
                self.counted.setdefault(journey.campaign, Counter())[tally] += 1
        return True

    def forget(self, traveller: Traveller) -> None:
        with self._lock:
            self.rows.pop(traveller, None)
            self._due.get(shard_of(*traveller), {}).pop(traveller, None)

    def due(self, shard: int, *, now: Micros, limit: int = 100) -> list[Traveller]:
        with self._lock:
            found = sorted((at, key) for key, at in self._due.get(shard, {}).items() if at <= now)
        return [key for _, key in found[:limit]]

    def under_way(self, campaign: str) -> Iterator[Journey]:
        with self._lock:
            keys = [key for waiting in self._due.values() for key in waiting if key[0] == campaign]
        yield from self.get_many(sorted(keys)).values()

    def tallies(self, campaign: str) -> dict[str, int]:
        with self._lock:
            return dict(self.counted.get(campaign, {}))
