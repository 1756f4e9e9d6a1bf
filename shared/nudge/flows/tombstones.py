"""Who was erased, without saying who: one object, `privacy/tombstones.json`. In: ids, when, what went. Out: when an id was erased.

Of a person stands there a keyed hash of the id (BLAKE2b under a random salt of this bucket), when they were erased, and counts of
what was removed. Written only if nobody wrote meanwhile, so two erasures at once lose nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nudge.errors import Conflict, NotFound, Unavailable
from nudge.ports import Objects
from nudge.vocabulary import Micros

KEY: Final = "privacy/tombstones.json"
SALT_BYTES: Final = 32
_TRIES: Final = 8

type Removed = Mapping[str, Mapping[str, float]]
"""What went of one person: `rows` by kind, `decisions` by activity, `messages` by state, `revenue` by goal and currency."""


@dataclass(frozen=True, slots=True)
class Gone:
    """When each erased person was erased."""

    salt: bytes
    at: Mapping[str, Micros]

    def __call__(self, user_id: str) -> Micros | None:
        """When this person was erased; None of all others."""
        return self.at.get(name_of(user_id, self.salt))


def name_of(user_id: str, salt: bytes) -> str:
    """What stands for an id: 32 hex digits."""
    return hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=16, key=salt).hexdigest()


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All of them, over any bucket. `salt` makes the random bytes of the first erasure."""

    objects: Objects
    salt: Callable[[], bytes] = bytes

    def bury(self, removed: Mapping[str, Removed], *, now: Micros) -> None:
        """Say that these people are erased as of now, and count what goes of them.

        An erasure that did not end is taken up: what it counted stands. Raises Unavailable when others kept writing.
        """

        def buried(held: dict[str, Any]) -> None:
            salt = bytes.fromhex(held["salt"])
            for user_id, counts in removed.items():
                name = name_of(user_id, salt)
                before = held["people"].get(name) or {"open": False, "removed": {}}
                told = before["removed"] if before["open"] else _sum(before["removed"], counts)
                held["people"][name] = {"at": now, "open": True, "removed": told}

        self._change(buried)

    def close(self, user_ids: Iterable[str]) -> None:
        """Say that nothing is left of these people; of who has no tombstone nothing is said."""

        def closed(held: dict[str, Any]) -> None:
            salt = bytes.fromhex(held["salt"])
            for user_id in user_ids:
                if (one := held["people"].get(name_of(user_id, salt))) is not None:
                    one["open"] = False

        self._change(closed)

    def gone(self) -> Gone | None:
        """Who is erased; None where nobody ever was."""
        try:
            return _gone(self.objects.get(KEY))
        except NotFound:
            return None

    def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        for _ in range(_TRIES):
            try:
                body, etag = self.objects.read(KEY)
            except NotFound:
                body, etag = json.dumps({"salt": self.salt().hex(), "people": {}}).encode(), None
            held = json.loads(body)
            change(held)
            changed = json.dumps(held, sort_keys=True).encode()
            if changed == body or (etag is None and not held["people"]):
                return
            try:
                self.objects.put(KEY, changed, new=etag is None, etag=etag, content_type="application/json")
            except (Conflict, NotFound):
                continue
            return
        raise Unavailable(f"{KEY} was written by someone else {_TRIES} times in a row")


@dataclass(slots=True)
class Watched:
    """Who is erased, looked up before each piece of work: one question to the store, and the list again only when it changed."""

    objects: Objects
    _held: tuple[str, Gone] | None = field(default=None, repr=False)

    def __call__(self) -> Gone | None:
        """None where nobody ever was. Raises Unavailable: then nobody knows, and the work must wait."""
        held = self._held
        try:
            if held is None or self.objects.head(KEY).etag != held[0]:
                body, etag = self.objects.read(KEY)
                held = etag, _gone(body)
        except NotFound:
            held = None
        self._held = held
        return None if held is None else held[1]


def nobody() -> Gone | None:
    """Where nobody is ever erased: a benchmark, a prototype."""
    return None


def summary(objects: Objects) -> dict[str, int]:
    """`people` that were erased, and the `decisions` that no report counts any more; both 0 where nobody was."""
    try:
        people = json.loads(objects.get(KEY))["people"].values()
    except NotFound:
        people = []
    decisions = sum(sum(one["removed"].get("decisions", {}).values()) for one in people)
    return {"people": len(people), "decisions": int(decisions)}


def _gone(body: bytes) -> Gone:
    held = json.loads(body)
    return Gone(bytes.fromhex(held["salt"]), {name: one["at"] for name, one in held["people"].items()})


def _sum(before: Removed, more: Removed) -> dict[str, dict[str, float]]:
    total = {part: dict(counts) for part, counts in before.items()}
    for part, counts in more.items():
        held = total.setdefault(part, {})
        for name, count in counts.items():
            held[name] = held.get(name, 0) + count
    return total
