"""`Arrivals` in this process's memory, held to the same contract tests as the table."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from copy import replace

from nudge.adapters.arrivals import OPEN, padded
from nudge.ports import Arrival
from nudge.vocabulary import Chunk, Counts, Kind, Micros


class MemoryArrivals:
    """Keeps what the table keeps, in dictionaries, under one lock."""

    def __init__(self) -> None:
        self._sequencers: dict[tuple[str, str], str] = {}
        self._contents: dict[str, Arrival] = {}
        self._chunks: dict[tuple[str, int], tuple[Counts, tuple[str, ...]]] = {}
        self._lock = threading.RLock()

    def newest(self, bucket: str, key: str, sequencer: str | None) -> bool:
        if sequencer is None:
            return True
        with self._lock:
            mine = padded(sequencer)
            if self._sequencers.get((bucket, key), "") > mine:
                return False
            self._sequencers[bucket, key] = mine
            return True

    def claim(self, content: str, *, bucket: str, key: str, kind: Kind, chunks: int, owner: str, now: Micros) -> bool:
        with self._lock:
            held = self._contents.get(content)
            if held is not None and held.state != "claimed":
                return False
            fresh = held or Arrival(content, key, kind, "claimed")
            self._contents[content] = replace(fresh, key=key, kind=kind, planned=chunks)
            return True

    def queued(self, content: str) -> None:
        with self._lock:
            held = self._contents.get(content)
            if held is not None and held.state == "claimed":
                self._contents[content] = replace(held, state="queued")

    def close(self, content: str, *, bucket: str, key: str, kind: Kind, state: str, detail: str, now: Micros) -> None:
        with self._lock:
            held = self._contents.get(content)
            if held is None or held.state in OPEN:
                fresh = held or Arrival(content, key, kind, state)
                self._contents[content] = replace(fresh, key=key, kind=kind, state=state, detail=detail)

    def chunk_done(self, chunk: Chunk, counts: Counts, parts: Sequence[str], now: Micros) -> Arrival:
        with self._lock:
            name = (chunk.content, chunk.number)
            if name not in self._chunks:
                self._chunks[name] = (counts, tuple(parts))
                held = self._contents.get(chunk.content) or Arrival(chunk.content, chunk.key, chunk.kind, "claimed")
                held = replace(held, planned=held.planned or chunk.of)
                self._contents[chunk.content] = replace(held, done=held.done + 1, counts=held.counts + counts)
            return _as_it_stands(self._contents[chunk.content])

    def is_chunk_done(self, content: str, number: int) -> bool:
        with self._lock:
            return (content, number) in self._chunks

    def get(self, content: str) -> Arrival | None:
        with self._lock:
            held = self._contents.get(content)
            return None if held is None else _as_it_stands(held)

    def all(self) -> Iterator[Arrival]:
        with self._lock:
            found = [_as_it_stands(held) for _, held in sorted(self._contents.items())]
        yield from found


def _as_it_stands(held: Arrival) -> Arrival:
    return replace(held, state="done") if held.planned and held.done >= held.planned else held
