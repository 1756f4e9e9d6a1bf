"""The ports in this process's memory: first-class adapters for tests and prototypes, held to the same contract tests."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nudge.errors import Conflict, NotFound
from nudge.ports import ObjectInfo
from nudge.traces import ObjectVersion
from nudge.vocabulary import Micros


@dataclass(frozen=True, slots=True)
class _Held:
    body: bytes
    etag: str
    version: str
    at: Micros


class MemoryObjects:
    """A versioned bucket. `clock` gives the upload times; by default every write is one second after the last."""

    def __init__(self, name: str = "lake", *, start: Micros = 1_700_000_000_000_000) -> None:
        self.name = name
        self._now = start
        self._versions: dict[str, list[_Held]] = {}
        self._live: dict[str, _Held] = {}
        self._lock = threading.RLock()
        self.writes = 0

    def _find(self, key: str, version: str | None) -> _Held:
        if version is None:
            held = self._live.get(key)
        else:
            held = next((one for one in self._versions.get(key, []) if one.version == version), None)
        if held is None:
            raise NotFound(f"{key} is not there")
        return held

    def head(self, key: str, *, version: str | None = None) -> ObjectInfo:
        with self._lock:
            held = self._find(key, version)
            return ObjectInfo(key, len(held.body), held.etag, held.version, held.at)

    def get(
        self, key: str, *, span: tuple[int, int] | None = None, version: str | None = None, etag: str | None = None
    ) -> bytes:
        with self._lock:
            held = self._find(key, version)
            if etag is not None and held.etag != etag:
                raise Conflict(f"{key} was written by someone else first")
            return held.body if span is None else held.body[span[0] : span[1]]

    def read(self, key: str) -> tuple[bytes, str]:
        with self._lock:
            held = self._find(key, None)
            return held.body, held.etag

    def stream(
        self, key: str, *, version: str | None = None, etag: str | None = None, block: int = 8 << 20
    ) -> Iterator[bytes]:
        body = self.get(key, version=version, etag=etag)
        for start in range(0, len(body), block):
            yield body[start : start + block]

    def put(
        self,
        key: str,
        body: bytes,
        *,
        new: bool = False,
        etag: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        with self._lock:
            there = self._live.get(key)
            if new and there is not None:
                raise Conflict(f"{key} was written by someone else first")
            if etag is not None and there is None:
                raise NotFound(f"{key} is not there")
            if etag is not None and there is not None and there.etag != etag:
                raise Conflict(f"{key} was written by someone else first")
            self._now += 1_000_000
            self.writes += 1
            held = _Held(body, hashlib.md5(body, usedforsecurity=False).hexdigest(), f"v{self.writes}", self._now)
            self._live[key] = held
            self._versions.setdefault(key, []).append(held)
            return held.etag

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._lock:
            keys = sorted(key for key in self._live if key.startswith(prefix))
            found = [self.head(key) for key in keys]
        yield from found

    def delete(self, keys: Sequence[str]) -> None:
        with self._lock:
            for key in keys:
                self._live.pop(key, None)

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        with self._lock:
            live = {key: one.version for key, one in self._live.items()}
            found = [
                ObjectVersion(key, one.version, one.etag, live.get(key) == one.version)
                for key in sorted(self._versions)
                if key.startswith(prefix)
                for one in reversed(self._versions[key])
            ]
        yield from found

    def expunge(self, versions: Sequence[ObjectVersion]) -> None:
        with self._lock:
            for gone in versions:
                left = [one for one in self._versions.get(gone.key, []) if one.version != gone.version]
                self._versions[gone.key] = left
                there = self._live.get(gone.key)
                if there is not None and there.version == gone.version:
                    del self._live[gone.key]
                    if left:
                        self._live[gone.key] = left[-1]


@dataclass
class MemoryQueue:
    """Keeps what was sent, as (body, delay in seconds)."""

    sent: list[tuple[dict[str, Any], int]] = field(default_factory=list)

    def send(self, bodies: Sequence[Mapping[str, Any]], *, delay_seconds: int = 0) -> None:
        self.sent.extend((json.loads(json.dumps(body, allow_nan=False)), delay_seconds) for body in bodies)

    def waiting(self) -> int:
        return len(self.sent)

    def take(self) -> list[dict[str, Any]]:
        """Everything sent so far, taken off the queue."""
        bodies = [copy.deepcopy(body) for body, _ in self.sent]
        self.sent.clear()
        return bodies


class MemorySigner:
    """HMAC-SHA-256 with a key of this process."""

    def __init__(self, key: bytes = b"a key for tests") -> None:
        self._key = key

    def sign(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, "sha256")

    def verify(self, message: bytes, mac: bytes) -> bool:
        return hmac.compare_digest(self.sign(message), mac)


class MemoryPlans:
    """The plan in force, given as its checked JSON form; None = never published."""

    def __init__(self, plan: dict[str, Any] | None) -> None:
        self._plan = plan

    def current(self) -> dict[str, Any]:
        from nudge.errors import NotReady

        if self._plan is None:
            raise NotReady("no plan was published; run `nudge plan apply plan.yaml`", missing={"plan": "plan.json"})
        return self._plan
