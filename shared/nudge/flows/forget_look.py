"""Where some people are: every store that may hold one is looked through. In: ids. Out: what was found, and whether it can go.

Each store is asked in the way in which it can answer: the lake by its column, the Ledger by its rows, raw files and rejects by every
word that names somebody (`forget_words`). All versions of an object count: an old one can be brought back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from nudge.collect.notification import content_id
from nudge.errors import NotFound
from nudge.flows import forget_rows
from nudge.flows.forget_rows import Counts
from nudge.flows.forget_words import Finder, Words
from nudge.ports import Arrivals, Objects, Profiles
from nudge.traces import UNVERSIONED, ObjectVersion, Trace, Traces, Versions
from nudge.vocabulary import KINDS, Goal, Kind

LAKE, INBOX, REJECTS, RUNS = "lake/", "inbox/", "quarantine/", "campaigns/"
UNDER_WAY = ("claimed", "queued")
NOT_READ = "not prepared yet"


class Stored(NamedTuple):
    """A version of an object with so many rows of theirs; `stays`: why it cannot go yet."""

    version: ObjectVersion
    rows: int
    stays: str | None = None


@dataclass(slots=True)
class Found:
    """Where they are. `removed` is what each would lose."""

    words: Words
    people: list[str] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    objects: list[Stored] = field(default_factory=list)
    removed: dict[str, Counts] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.people or self.traces or self.objects)

    @property
    def can_go(self) -> bool:
        """Whether anything of it can be removed now."""
        return bool(self.people or self.traces or any(one.stays is None for one in self.objects))

    def places(self) -> dict[str, tuple[int, int]]:
        """Place → objects (or rows of a table), and rows in them; by the names of `docs/runbook.md`."""
        objects, rows = Counter[str](), Counter[str]()
        objects["Profiles person#"] = rows["Profiles person#"] = len(self.people)
        for trace in self.traces:
            objects[f"Ledger {trace.kind}#"] += 1
            rows[f"Ledger {trace.kind}#"] += 1
        for one in self.objects:
            place = place_of(one.version.key) + (f" ({one.stays})" if one.stays else "")
            objects[place] += 1
            rows[place] += one.rows
        return {name: (objects[name], rows[name]) for name in sorted(objects) if objects[name]}


def place_of(key: str) -> str:
    """The first folder; of the lake, the inbox and the quarantine the first two."""
    folders = key.split("/")
    deep = 2 if f"{folders[0]}/" in (LAKE, INBOX, REJECTS) and len(folders) > 2 else 1
    return "s3 " + "/".join(folders[:deep]) + "/"


@dataclass(frozen=True, slots=True)
class Look:
    """Looks through all stores; `at_once` objects are read at the same time."""

    objects: Objects
    versions: Versions
    profiles: Profiles
    traces: Traces
    arrivals: Arrivals
    at_once: int = 8

    def __call__(self, words: Words, goals: Mapping[str, Goal]) -> Found:
        """What is there of the people of `words`, which learns their addresses and decisions on the way. Raises Unavailable."""
        found = Found(words, removed={user_id: {} for user_id in sorted(words.ids)})
        for user_id in sorted(words.ids):
            profile = self.profiles.get(user_id, consistent=True)
            if profile is not None:
                found.people.append(user_id)
                words.addresses |= forget_rows.addresses({name: value for name, (value, _) in profile.traits.items()})
            words.decisions.update(self.traces.decisions_of(user_id))
        self._lake(found, goals)
        found.traces = self.traces.of(words.ids, words.decisions)
        for trace in found.traces:
            if trace.kind == "message" and trace.user_id in found.removed:
                states = found.removed[trace.user_id].setdefault("messages", {})
                states[str(trace.state)] = states.get(str(trace.state), 0) + 1
        finder = words.finder()
        found.objects += self._each(RUNS, lambda one: self._meant(one, words))
        found.objects += self._each(REJECTS, lambda one: self._rejected(one, finder))
        found.objects += self._each(INBOX, lambda one: self._arrived(one, finder))
        return found

    def _lake(self, found: Found, goals: Mapping[str, Goal]) -> None:
        for kind in KINDS:
            if kind == "items":
                continue
            theirs = list(self._each(f"{LAKE}{kind}/", lambda one: self._of_lake(one, found.words)))
            found.objects += theirs
            for one in theirs:
                if one.version.live and (part := self._body(one.version)) is not None:
                    forget_rows.learn(found.words, cast(Kind, kind), part)
                    forget_rows.tell(found.removed, cast(Kind, kind), part, goals)

    def _of_lake(self, one: ObjectVersion, words: Words) -> int:
        part = self._body(one)
        return 0 if part is None else forget_rows.count_of(part, words.ids)

    def _meant(self, one: ObjectVersion, words: Words) -> int:
        if not {"members", "beyond"}.intersection(one.key.split("/")[3:4]) or (body := self._body(one)) is None:
            return 0
        return forget_rows.meant(body, words.ids)[0]

    def _rejected(self, one: ObjectVersion, finder: Finder) -> int:
        body = self._body(one)
        if body is None:
            return 0
        return forget_rows.set_aside(body, finder)[0] if one.key.endswith(".jsonl") else int(finder.is_in(body))

    def _arrived(self, one: ObjectVersion, finder: Finder) -> int:
        try:
            return int(finder.is_in_file(self.objects.stream(one.key, version=one.version)))
        except NotFound:
            return 0

    def _body(self, one: ObjectVersion) -> bytes | None:
        """None of what went away since it was listed."""
        try:
            return self.objects.get(one.key, version=one.version)
        except NotFound:
            return None

    def _each(self, prefix: str, count: Callable[[ObjectVersion], int]) -> Iterator[Stored]:
        """The versions under a prefix in which there is anything."""
        every = list(self.versions.versions(prefix))
        for one, rows in zip(every, self._counts(every, count), strict=True):
            if rows:
                yield Stored(one, rows, self._why_it_stays(one) if prefix == INBOX else None)

    def _counts(self, every: list[ObjectVersion], count: Callable[[ObjectVersion], int]) -> Iterable[int]:
        if self.at_once < 2:
            return map(count, every)
        with ThreadPoolExecutor(self.at_once) as threads:
            return list(threads.map(count, every))

    def _why_it_stays(self, one: ObjectVersion) -> str | None:
        """What arrived goes when it was prepared: until then nobody else has the rows of the others in it."""
        version = None if one.version == UNVERSIONED else one.version
        arrival = self.arrivals.get(content_id(self.objects.name, one.key, version, one.etag))
        return NOT_READ if arrival is None or arrival.state in UNDER_WAY else None
