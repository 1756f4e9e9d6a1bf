"""The sample shop's story, told to a running stack: load, learn, decide, watch, learn again, decide again, report.

In: a laptop, a world. Out: what happened. The story only does what people and schedulers do: drops files, posts events,
asks for decisions, lets time pass.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from local.clock import VirtualClock
from local.laptop import Laptop, Progress, silent
from local.shop import files
from local.shop.behaviour import WEEK
from local.shop.world import HOUR, World
from nudge.vocabulary import DAY, Counts, Micros

HERE = Path(__file__).parent
GOAL = "purchase"
LEARNED_AGAIN = (GOAL, f"uplift.{GOAL}")
"""Models that the shop's own activities have taught something new after some weeks."""
HISTORY_WEEKS = 12
LIVE_WEEKS = 6
STOPS = (7, 19)
"""Hours (UTC) at which the clock stops, one after the other: a morning, and an evening whose mail waits for the next."""
COMPACTED = 7 * 86_400
"""Hourly schedules (compaction) are fired once a week here: their number of firings changes nothing but the time."""
START: Micros = 1_772_409_600_000_000
"""2026-03-02T00:00:00Z, a Monday: the shop's first day."""
POSTED = 60
"""How many of a drop's events also come over HTTP: the same events, by two ways."""


@dataclass
class Story:
    """One play of the shop: `wave` people are decided for in each of two waves; weeks are the shop's own, from Monday."""

    world: World
    wave: int
    progress: Progress = silent
    decisions: list[dict[str, Any]] = field(default_factory=list)
    expected: dict[str, Counts] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    posted: int = 0
    _dropped_until: Micros = 0
    _step: str = ""

    @classmethod
    def of(cls, *, seed: int, people: int, wave: int | None = None, progress: Progress = silent) -> Story:
        """The story of a shop with so many people; a wave is a fifth of them unless told otherwise."""
        world = World(seed=seed, count=people, start=START, weeks=HISTORY_WEEKS + LIVE_WEEKS)
        return cls(world, wave or people // 5, progress)

    @property
    def opens(self) -> Micros:
        """When the shop starts with Nudge."""
        return self.world.start + HISTORY_WEEKS * WEEK

    def clock(self) -> VirtualClock:
        return VirtualClock(self.opens)

    def tell(self, laptop: Laptop, clock: VirtualClock) -> None:
        """Everything, in order: two weeks of decisions, a week to see what came of them, and the same once more, shorter.

        All that the plan wants is learned from the past; then what its own activities have taught is learned anew.
        """
        with self.step("load"):
            self.load(laptop)
        with self.step("train"):
            laptop.train()
        with self.step("decide"):
            self.days(laptop, clock, range(0, 14, 2), self._people(0, self.wave))
        with self.step("live"):
            self.days(laptop, clock, range(14, 21, 3))
        with self.step("train again"):
            laptop.train(*LEARNED_AGAIN)
        with self.step("decide again"):
            self.days(laptop, clock, range(21, 28, 2), self._people(self.wave, 2 * self.wave))
        with self.step("live again"):
            self.days(laptop, clock, range(29, 36, 3))
        with self.step("settle"):
            laptop.compact()
            laptop.settle()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step of the story, in real seconds."""
        began = time.perf_counter()
        self._step = name
        self.progress(name, 0, 1)
        yield
        self.seconds[name] = round(time.perf_counter() - began, 2)
        self.progress(name, 1, 1)

    # ── the steps ────────────────────────────────────────────────────────────────────────────────────────────────────
    def load(self, laptop: Laptop) -> None:
        """Plan, templates, and the files of the past."""
        laptop.publish((HERE / "plan.yaml").read_text(encoding="utf-8"), templates=HERE / "templates")
        dropped, self.expected = files.history(self.world, self.opens)
        for number, file in enumerate(dropped):
            laptop.drop(file.key, file.body)
            laptop.settle()
            self.progress(self._step, number + 1, len(dropped))
        self._dropped_until = self.opens

    def days(self, laptop: Laptop, clock: VirtualClock, days: range, people: Sequence[int] = ()) -> None:
        """Let days pass: people come and go, mail is read, a file arrives every Monday and on the last day; and `people` are
        decided for, some each morning or evening."""
        stops = [self.opens + day * DAY + STOPS[number % len(STOPS)] * HOUR for number, day in enumerate(days)]
        for number, stop in enumerate(stops):
            self._let_time_pass(laptop, clock, stop)
            for person in people[number :: len(stops)]:
                self._decide(laptop, person)
            laptop.part.tick(shortest=COMPACTED)
            if stop - self._dropped_until >= WEEK or number == len(stops) - 1:
                self._drop(laptop, stop)
            self.progress(self._step, number + 1, len(stops))

    def _people(self, first: int, last: int) -> list[int]:
        order = np.random.default_rng([self.world.seed, 7]).permutation(self.world.count)
        return [int(order[number % self.world.count]) for number in range(first, last)]

    # ── what happens in them ─────────────────────────────────────────────────────────────────────────────────────────
    def _decide(self, laptop: Laptop, person: int) -> None:
        user_id = self.world.people.ids[person]
        now = laptop.clock.now()
        answer = laptop.decide(user_id, GOAL, key=f"{user_id}/{now // DAY}", context={"page": "home"})
        self.decisions.append(answer)
        if answer["group"] == "treatment" and answer["activity"] != "nothing":
            self.world.offered(answer["decision_id"], user_id, answer["activity"], now)
            if answer["channel"] == "inline":
                self.world.show(answer["decision_id"], now)

    def _let_time_pass(self, laptop: Laptop, clock: VirtualClock, until: Micros) -> None:
        clock.move_to(until)
        leaving = [one for one in self.world.unsubscribes if one[0] <= until]
        for one in leaving:
            self.world.unsubscribes.remove(one)
            laptop.request(
                "POST",
                urlsplit(one[1]).path,
                "List-Unsubscribe=One-Click",
                {"Content-Type": "application/x-www-form-urlencoded"},
            )

    def _drop(self, laptop: Laptop, until: Micros) -> None:
        """What happened since the last file, as a file; some of its events also come over HTTP, under the same ids."""
        file, rows = files.drop(self.world, self._dropped_until, until)
        self._dropped_until = until
        if file is None:
            return
        twice = [row for row in rows.iter_rows(named=True) if row["event_type"] == "purchase"][:POSTED]
        tracked = [
            {
                "type": "track",
                "messageId": row["event_id"],
                "userId": row["user_id"],
                "event": row["event_type"],
                "timestamp": row["event_time"],
                "properties": {name: row[name] for name in ("item_id", "category", "currency", "device") if row[name]}
                | {"value": float(row["value"])},
            }
            for row in twice
        ]
        laptop.drop(file.key, file.body)
        if tracked:
            answer = laptop.request("POST", "/v1/batch", {"batch": tracked})
            if answer.status >= 300:
                raise RuntimeError(f"POST /v1/batch answered {answer.status}: {answer.body[:500]}")
            self.posted += len(tracked)
        laptop.settle()
        events = self.expected["events"]
        self.expected["events"] = events + Counts(len(rows) + len(tracked), len(rows), 0, len(tracked))
