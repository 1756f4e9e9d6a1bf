"""Campaigns: when a run is due, everybody is looked through, and each member gets a decision by the same flow as any app's.

In: the time, and tasks that name a segment of a run. Out: decisions, made once however often a task comes. A run has two stages, each
a task a segment: *freeze* (who is meant, and what it is worth to speak to each) and, when all segments stand, *decide*.
Killed anywhere, a task comes again: who was frozen stays a member, who was decided keeps the decision. Where a campaign has steps,
its members begin a journey instead; who is due on one is taken on by tasks that name a shard (`flows.journeys`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nudge.decide import occasion, quiet
from nudge.errors import BadInput, NotFound
from nudge.flows.campaign_decisions import Decisions
from nudge.flows.campaign_members import Members
from nudge.flows.campaign_runs import Run, Runs
from nudge.flows.decide import Decide
from nudge.flows.journeys import Walks
from nudge.ports import Journeys, Profiles, Queue
from nudge.vocabulary import SECOND, Campaign, Micros, OnEvent

LATE: Micros = 2 * 3600 * SECOND
"""A run that nobody began in this time is left out: a campaign put in force at noon does not make up for its morning."""
HALTED: Micros = 1800 * SECOND
"""Tasks of a run that has not ended so long after they were sent are sent again."""
FREEZE, DECIDE, WALK = "freeze", "decide", "walk"


@dataclass(frozen=True, slots=True)
class Campaigns:
    """All campaigns of the plan in force. `segments`: in how many parts people are looked through, side by side."""

    decide: Decide
    profiles: Profiles
    runs: Runs
    queue: Queue
    journeys: Journeys
    segments: int = 16

    def tick(self, *, now: Micros) -> list[Run]:
        """Begin the runs that are due, send out again what is left of those that have come to a halt, and a task for each shard in
        which somebody is due to go on. Returns the runs. Raises NotReady when there is no plan."""
        plan, begun = self.decide.plan(), []
        for campaign in plan.campaigns.values():
            schedule = occasion.schedule_of(campaign)
            due = schedule and occasion.latest(schedule, now, quiet.zone(plan.timezone), within=LATE)
            if due and occasion.is_open(campaign, due[1]) and not self.runs.paused(campaign.name):
                begun.append(self.begin(campaign.name, due[0], now=now))
        self._walk(self._walks.waiting(now=now))
        return begun

    def begin(self, name: str, run: str, *, now: Micros) -> Run:
        """Write a run down and send it out; the same run again is the same run.

        Raises
        ------
        NotFound
            The plan has no such campaign.
        BadInput
            An event begins it, for each person at their own time.
        """
        campaign = self._campaign(name)
        if isinstance(campaign.trigger, OnEvent):
            why = f"an event ({campaign.trigger.event}) begins it for each person; it has no runs"
            raise BadInput(f"{name}: {why}", reason="no_runs", where=f"campaigns.{name}")
        held = self.runs.begin(Run(name, run, now, campaign.goal, campaign.activities, self.segments))
        sent = self.runs.sent_at(held)
        if sent is None or now - sent >= HALTED:
            self.send_out(held, now=now)
        return held

    def send_out(self, run: Run, *, now: Micros) -> list[int]:
        """Send a task for each segment that has not ended the stage at which the run is; returns their numbers."""
        if self.runs.is_frozen(run):
            self._members.line(run, self._campaign(run.campaign))
            stage, open_ones = DECIDE, self.runs.undecided(run)
        else:
            stage, open_ones = FREEZE, self.runs.unfrozen(run)
        self._send(run, stage, open_ones)
        self.runs.note_sent(run, now)
        return open_ones

    def go_on(self, task: Mapping[str, Any], *, now: Micros, left: Callable[[], float]) -> str:
        """Do one task: `frozen`, `decided`, `walked`, `out of time` (handed on), `paused`, or `over` (the plan has no such campaign any
        more).

        Raises
        ------
        BadInput
            It is not a task of ours.
        Unavailable
            A store did not answer; the task must come again, and goes on where it was.
        """
        if task.get("stage") == WALK:
            return self._walked(task, now, left)
        run, stage, segment = self._task(task)
        campaign = self.decide.plan().campaigns.get(run.campaign)
        if campaign is None:
            return "over"
        if self.runs.paused(run.campaign):
            return "paused"
        if stage == FREEZE:
            if segment in self.runs.unfrozen(run):
                self._members.freeze(run, campaign, segment, now=now)
            if self.runs.is_frozen(run):
                self.send_out(run, now=now)
            return "frozen"
        line = self._members.line(run, campaign)
        decisions = Decisions(self.decide, self.profiles, self.runs, self.journeys)
        ended = decisions(run, campaign, segment, line=line, now=now, left=left)
        if ended == "out of time":
            self._send(run, DECIDE, [segment])
        return ended

    def _walked(self, task: Mapping[str, Any], now: Micros, left: Callable[[], float]) -> str:
        shard = task.get("shard")
        if not isinstance(shard, int) or not 0 <= shard < self.journeys.shards:
            raise BadInput("there is no such shard of journeys", reason="bad_task", where="shard")
        ended = self._walks.sweep(shard, now=now, left=left)
        if ended == "out of time":
            self._walk([shard])
        return ended

    def _walk(self, shards: Iterable[int]) -> None:
        tasks = [{"stage": WALK, "shard": one} for one in shards]
        if tasks:
            self.queue.send(tasks)

    @property
    def _walks(self) -> Walks:
        return Walks(self.decide, self.profiles, self.journeys, self.runs)

    @property
    def _members(self) -> Members:
        return Members(self.decide, self.profiles, self.runs)

    def _send(self, run: Run, stage: str, segments: Iterable[int]) -> None:
        tasks = [{"campaign": run.campaign, "run": run.run, "stage": stage, "segment": one} for one in segments]
        if tasks:
            self.queue.send(tasks)

    def _task(self, task: Mapping[str, Any]) -> tuple[Run, str, int]:
        name, run, stage, segment = (task.get(one) for one in ("campaign", "run", "stage", "segment"))
        if not (isinstance(name, str) and isinstance(run, str) and isinstance(segment, int)):
            raise BadInput("this is not a task of a campaign", reason="bad_task")
        if stage not in (FREEZE, DECIDE):
            raise BadInput("must be freeze or decide", reason="bad_task", where="stage")
        try:
            held = self.runs.get(name, run)
        except NotFound:
            raise BadInput("there is no such run", reason="bad_task", where="run") from None
        if not 0 <= segment < held.segments:
            raise BadInput("the run has no such segment", reason="bad_task", where="segment")
        return held, str(stage), segment

    def _campaign(self, name: str) -> Campaign:
        campaigns = self.decide.plan().campaigns
        if name not in campaigns:
            raise NotFound(f"the plan has no campaign {name}; it has {', '.join(campaigns) or 'none'}")
        return campaigns[name]
