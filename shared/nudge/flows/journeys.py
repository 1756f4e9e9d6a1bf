"""Journeys: people who are on their way through a campaign and due are taken on, each decision by the same flow as any app's.

In: a shard of those who are due. Out: decisions, and rows that say where everybody stands. A decision's key is made of the
journey and the step, and a row is written only by who read its latest version: killed anywhere, done twice or by two workers at
once, a step is decided once. Time comes from the rows' due times alone; nobody waits in a function.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from itertools import batched
from typing import Literal

from nudge.decide.journey import Journey
from nudge.errors import NotReady, Unavailable
from nudge.flows.campaign_members import Read
from nudge.flows.campaign_runs import Runs
from nudge.flows.decide import Decide
from nudge.flows.gathered import Gathered
from nudge.flows.journey_walk import Walk
from nudge.ports import Journeys, Profiles, Traveller
from nudge.vocabulary import SECOND, Micros, Profile

MOST_AT_ONCE, AT_ONCE = 5000, 100
RESERVE_SECONDS = 20.0

type Swept = Literal["walked", "out of time"]


@dataclass(frozen=True, slots=True)
class Walks:
    """Takes people on. `decide` is the flow of decisions, with its own plan and models."""

    decide: Decide
    profiles: Profiles
    journeys: Journeys
    runs: Runs

    def waiting(self, *, now: Micros) -> list[int]:
        """The shards in which somebody is due."""
        return [one for one in range(self.journeys.shards) if self.journeys.due(one, now=now, limit=1)]

    def sweep(self, shard: int, *, now: Micros, left: Callable[[], float]) -> Swept:
        """Take on who is due in a shard, while `left()` seconds allow. Two workers who begin at different moments begin at different
        people.

        Raises
        ------
        Unavailable
            A store did not answer: who was not taken on is still due.
        Exception
            The first that keeps one person where they are; everybody else was taken on.
        """
        due = self.journeys.due(shard, now=now, limit=MOST_AT_ONCE)
        parts, failed = list(batched(due, AT_ONCE, strict=False)), list[Exception]()
        first = now // SECOND % max(len(parts), 1)
        for some in (*parts[first:], *parts[:first]):
            if left() < RESERVE_SECONDS:
                return "out of time"
            failed += self._some(some, now)
        if failed:
            raise failed[0]
        return "walked" if len(due) < MOST_AT_ONCE else "out of time"

    def _some(self, some: tuple[Traveller, ...], now: Micros) -> list[Exception]:
        """Take these on; what went wrong with one of them keeps nobody else."""
        held = [
            one for one in self.journeys.get_many(some).values() if one.state != "ended" and one.due_at <= now
        ]  # the index may say what was true a moment ago
        people = self.profiles.get_many(one.user_id for one in held)
        gathered = Gathered(self.decide.queue)
        decide = replace(self.decide, profiles=Read(people), queue=gathered)
        paused = {name: self.runs.paused(name) is not None for name in {one.campaign for one in held}}
        failed: list[Exception] = []
        for one in held:
            try:
                self._on(decide, one, people.get(one.user_id), paused[one.campaign], now)
            except (Unavailable, NotReady):
                raise
            except Exception as wrong:
                wrong.add_note(f"a journey of the campaign {one.campaign} that began at {one.began}")
                failed.append(wrong)
        gathered.flush()
        return failed

    def _on(self, decide: Decide, held: Journey, profile: Profile | None, paused: bool, now: Micros) -> None:
        """Take one person on until there is something to wait for; whoever wrote the row meanwhile has the word."""
        while held.state != "ended" and held.due_at <= now:
            gone, tally = Walk(decide, held, profile, paused, now).on()
            gone = gone._replace(changed_at=now)
            if not self.journeys.save(gone, tally=tally):
                return
            held = gone._replace(version=held.version + 1)
