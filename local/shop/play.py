"""The sample shop's story, told to a running stack: load, learn, decide, watch, learn again, decide again, report.

In: a laptop, a world. Out: what happened. The story only does what people and schedulers do: drops files, posts events,
asks for decisions, lets time pass.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from local.clock import VirtualClock
from local.laptop import Laptop, Progress, day, silent
from local.shop import files
from local.shop.behaviour import WEEK
from local.shop.world import HOUR, World
from nudge.vocabulary import DAY, Counts, Micros

HERE = Path(__file__).parent
GOAL = "purchase"
HISTORY_WEEKS = 12
LIVE_WEEKS = 4
STOPS = (1, 7, 13, 19)
"""Hours (UTC) at which the clock stops on a day of decisions; mail decided at 1 and 19 waits for the morning in Europe."""
COMPACTED = 2 * 86_400
"""Hourly schedules (compaction) are fired every other day here: their number of firings changes nothing but the time."""
START: Micros = 1_772_409_600_000_000
"""2026-03-02T00:00:00Z, a Monday: the shop's first day."""
POSTED = 60
"""How many of a drop's events also come over HTTP: the same events, by two ways."""


@dataclass
class Story:
    """One play of the shop: `wave` people are decided for in each of two waves."""

    world: World
    wave: int
    progress: Progress = silent
    decisions: list[dict[str, Any]] = field(default_factory=list)
    expected: dict[str, Counts] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    posted: int = 0
    _dropped_until: Micros = 0

    @classmethod
    def of(cls, *, seed: int, people: int, wave: int | None = None, progress: Progress = silent) -> Story:
        """The story of a shop with so many people; a wave is a quarter of them unless told otherwise."""
        world = World(seed=seed, count=people, start=START, weeks=HISTORY_WEEKS + LIVE_WEEKS)
        return cls(world, wave or people // 4, progress)

    @property
    def opens(self) -> Micros:
        """When the shop starts with Nudge."""
        return self.world.start + HISTORY_WEEKS * WEEK

    def clock(self) -> VirtualClock:
        return VirtualClock(self.opens)

    def tell(self, laptop: Laptop, clock: VirtualClock) -> None:
        """Everything, in order."""
        with self.step("load"):
            self.load(laptop)
        with self.step("train"):
            laptop.train()
        with self.step("decide"):
            self.waves(laptop, clock, self.opens, range(0, self.wave))
        with self.step("live"):
            self.live(laptop, clock, self.opens + 13 * DAY)
        with self.step("train again"):
            laptop.train()
        with self.step("decide again"):
            self.waves(laptop, clock, self.opens + 13 * DAY, range(self.wave, 2 * self.wave))
        with self.step("live again"):
            self.live(laptop, clock, self.opens + 25 * DAY)
        with self.step("report"):
            laptop.compact()
            laptop.settle()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step of the story, in real seconds."""
        began = time.perf_counter()
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
            self.progress("load", number + 1, len(dropped))
        self._dropped_until = self.opens

    def waves(self, laptop: Laptop, clock: VirtualClock, first: Micros, numbers: range) -> None:
        """Decisions for some people, spread over five days and nights, for those who come then."""
        order = np.random.default_rng([self.world.seed, 7]).permutation(self.world.count)
        chosen = [int(order[number % self.world.count]) for number in numbers]
        stops = [first + day * DAY + hour * HOUR for day in range(5) for hour in STOPS]
        for number, stop in enumerate(stops):
            self._let_time_pass(laptop, clock, stop)
            for person in chosen[number :: len(stops)]:
                self._decide(laptop, person)
            laptop.part.tick(shortest=COMPACTED)
            self.progress("decide", number + 1, len(stops))
        self._drop(laptop, clock.now())

    def live(self, laptop: Laptop, clock: VirtualClock, until: Micros) -> None:
        """Nothing but life: people come and go, mail is read, files arrive twice a week."""
        stops = list(range(clock.now() + 12 * HOUR, until + 1, 12 * HOUR))
        for number, stop in enumerate(stops):
            self._let_time_pass(laptop, clock, stop)
            laptop.part.tick(shortest=COMPACTED)
            if stop - self._dropped_until >= day(3.5) or stop == stops[-1]:
                self._drop(laptop, stop)
            self.progress("live", number + 1, len(stops))

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
        laptop.part.doors.cold() if until % DAY == 0 else None
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
