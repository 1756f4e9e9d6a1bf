"""Runs of campaigns and how far they are: objects under `campaigns/<name>/<run>/`. They are the truth; messages only name them.

`run.json`           what is done: goal, activities, number of segments. Written once, so that a later plan changes no run.
`members/<n>.json`   who was meant, of one segment of all people, the most valuable first. Written once: membership is frozen.
`line.json`          where capacity or budget do not reach everybody: who is below it is left out. Written once.
`decided/<n>.json`   how far a segment is, and what was decided. Written again and again, always the same for the same place.
`campaigns/<name>/paused.json` stops all runs of a campaign until it is gone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from nudge.decide import chance
from nudge.errors import Conflict, NotFound
from nudge.ports import Objects
from nudge.vocabulary import Micros

PREFIX = "campaigns/"
COUNTED = ("activities", "groups", "removed")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a campaign: `at` is when it began; people are looked through in so many `segments`."""

    campaign: str
    run: str
    at: Micros
    goal: str
    activities: tuple[str, ...]
    segments: int

    @property
    def place(self) -> str:
        return f"{PREFIX}{self.campaign}/{self.run}/"

    @property
    def key(self) -> str:
        """Under which each member is decided for: it gives the decision its id."""
        return chance.key("campaign", self.campaign, self.run)

    def body(self, user_id: str, *, dry_run: bool = False) -> dict[str, Any]:
        """What the decision is asked for a member: the same in every repetition, whatever the plan says by then. Reasons are
        worked out when somebody asks for them: they would take as long as the decision."""
        asked: dict[str, Any] = {"user_id": user_id, "goal": self.goal, "candidates": list(self.activities)}
        return asked | {"dry_run": dry_run, "explain": False}


class Member(NamedTuple):
    """A person of a run: what the best activity is expected to bring more than nothing, and what it costs. Without an id it is the
    place of somebody who was erased since: nobody is reached there."""

    user_id: str
    gain: float = 0.0
    cost: float = 0.0


@dataclass(slots=True)
class Progress:
    """How far one segment is: `done` of `members` have been decided; `counts` by activity, by group, by reason of removal. Where the
    campaign has steps, members are not decided for here: they have `begun` a journey, or are still `under_way` on an earlier one."""

    members: int
    done: int = 0
    activities: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    refused: int = 0
    begun: int = 0
    under_way: int = 0
    ended: bool = False

    def plain(self) -> dict[str, Any]:
        counted = {name: dict(getattr(self, name)) for name in COUNTED}
        return {one.name: getattr(self, one.name) for one in fields(self)} | counted

    def add(self, answer: Mapping[str, Any] | None) -> None:
        """Count one decision; None is a person of whom nothing could be decided."""
        if answer is None:
            self.refused += 1
            return
        self.activities[answer["activity"]] += 1
        self.groups[answer["group"]] += 1
        self.removed.update(one["removed"] for one in answer["why"]["candidates"] if one["removed"])


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs, over any `Objects`."""

    objects: Objects

    def begin(self, run: Run) -> Run:
        """Write a run down; the one that stands there when it was begun before."""
        self._once(f"{run.place}run.json", asdict(run))
        return self.get(run.campaign, run.run)

    def get(self, campaign: str, run: str) -> Run:
        """Raises NotFound."""
        held = self._read(f"{PREFIX}{campaign}/{run}/run.json")
        return Run(**{**held, "activities": tuple(held["activities"])})

    def all(self, campaign: str) -> list[Run]:
        """The runs of a campaign, oldest name first."""
        keys = [one.key for one in self.objects.list(f"{PREFIX}{campaign}/") if one.key.endswith("/run.json")]
        return [self.get(campaign, key.split("/")[2]) for key in keys]

    # ── who is meant ─────────────────────────────────────────────────────────────────────────────────────────────────
    def freeze(self, run: Run, segment: int, members: Sequence[Member]) -> None:
        """Keep the members of a segment; the first ones that were kept stay."""
        self._once(f"{run.place}members/{segment:04d}.json", {"members": [list(one) for one in members]})

    def members(self, run: Run, segment: int) -> list[Member]:
        """Raises NotFound when the segment is not frozen yet."""
        return [Member(*one) for one in self._read(f"{run.place}members/{segment:04d}.json")["members"]]

    def unfrozen(self, run: Run) -> list[int]:
        """Segments whose membership does not stand yet."""
        held = {one.key.removeprefix(f"{run.place}members/") for one in self.objects.list(f"{run.place}members/")}
        return [one for one in range(run.segments) if f"{one:04d}.json" not in held]

    def is_frozen(self, run: Run) -> bool:
        return not self.unfrozen(run)

    def beyond(self, run: Run, segment: int, people: Sequence[str]) -> None:
        """Keep who of a segment is beyond a prediction's line."""
        self._once(f"{run.place}beyond/{segment:04d}.json", {"people": list(people)})

    def were_beyond(self, run: Run) -> frozenset[str]:
        """Who was beyond the line at the last whole run before this one."""
        earlier = [one for one in self.all(run.campaign) if one.at < run.at and self.is_frozen(one)]
        if not earlier:
            return frozenset()
        keys = [one.key for one in self.objects.list(f"{max(earlier, key=lambda one: one.at).place}beyond/")]
        return frozenset(user_id for key in keys for user_id in self._read(key)["people"])

    # ── how far it goes ──────────────────────────────────────────────────────────────────────────────────────────────
    def draw_line(self, run: Run, line: float | None) -> float | None:
        """Keep the gain below which people are left out (None: nobody is); the first one that was kept stays."""
        self._once(f"{run.place}line.json", {"gain": line})
        held: float | None = self._read(f"{run.place}line.json")["gain"]
        return held

    def line(self, run: Run) -> float | None:
        """Raises NotFound when it is not drawn yet."""
        held: float | None = self._read(f"{run.place}line.json")["gain"]
        return held

    def progress(self, run: Run, segment: int) -> Progress | None:
        """How far a segment is; None when nobody has begun."""
        try:
            return _progress(self._read(f"{run.place}decided/{segment:04d}.json"))
        except NotFound:
            return None

    def keep(self, run: Run, segment: int, progress: Progress) -> None:
        """Keep how far a segment is."""
        self.objects.put(
            f"{run.place}decided/{segment:04d}.json", _body(progress.plain()), content_type="application/json"
        )

    def undecided(self, run: Run) -> list[int]:
        """Segments that have not ended."""
        held = ((one, self.progress(run, one)) for one in range(run.segments))
        return [one for one, progress in held if progress is None or not progress.ended]

    def all_progress(self, run: Run) -> Iterator[Progress]:
        """Of each segment that somebody has begun to decide."""
        for one in self.objects.list(f"{run.place}decided/"):
            yield _progress(self._read(one.key))

    def sent_at(self, run: Run) -> Micros | None:
        """When tasks of a run were last sent out."""
        try:
            return int(self._read(f"{run.place}sent.json")["at"])
        except NotFound:
            return None

    def note_sent(self, run: Run, at: Micros) -> None:
        self.objects.put(f"{run.place}sent.json", _body({"at": at}), content_type="application/json")

    # ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def pause(self, campaign: str, *, at: Micros, why: str) -> None:
        self.objects.put(f"{PREFIX}{campaign}/paused.json", _body({"at": at, "why": why}))

    def resume(self, campaign: str) -> None:
        self.objects.delete([f"{PREFIX}{campaign}/paused.json"])

    def paused(self, campaign: str) -> Mapping[str, Any] | None:
        """When and why a campaign was stopped; None when it was not."""
        try:
            return self._read(f"{PREFIX}{campaign}/paused.json")
        except NotFound:
            return None

    def _once(self, key: str, value: Mapping[str, Any]) -> None:
        try:
            self.objects.put(key, _body(value), new=True, content_type="application/json")
        except Conflict:
            return

    def _read(self, key: str) -> dict[str, Any]:
        return dict(json.loads(self.objects.get(key)))


def _progress(held: Mapping[str, Any]) -> Progress:
    counted = {name: Counter(held[name]) for name in COUNTED}
    return Progress(**{**held, **counted})


def _body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
