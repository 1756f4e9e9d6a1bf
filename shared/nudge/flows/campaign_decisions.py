"""The decisions of one segment of a run: each by the flow that answers apps, under a key that the run gives.

In: a run whose segments are frozen, a line. Out: decisions in the Ledger, messages on their way (or people, where the campaign has
steps), and how far it is. Profiles are
read, and messages sent, many at once; each decision is a transaction of its own. A task that comes again finds the decisions
that were made, and makes the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from itertools import batched
from typing import Any, Literal

from nudge.decide import journey as journeys
from nudge.decide.journey import Journey
from nudge.errors import BadInput, Conflict
from nudge.flows.campaign_members import Read
from nudge.flows.campaign_runs import Member, Progress, Run, Runs
from nudge.flows.decide import Decide
from nudge.flows.gathered import Gathered
from nudge.ports import Journeys, Profiles
from nudge.vocabulary import Campaign, CampaignRun, Micros

AT_ONCE = 100
RESERVE_SECONDS = 20.0
"""A batch is begun only where so much of the time is left."""

type Ended = Literal["decided", "paused", "out of time"]


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decides for the members of a run."""

    decide: Decide
    profiles: Profiles
    runs: Runs
    journeys: Journeys

    def __call__(
        self, run: Run, campaign: Campaign, segment: int, *, line: float | None, now: Micros, left: Callable[[], float]
    ) -> Ended:
        """Decide for what is left of a segment while `left()` seconds allow. Raises Unavailable when a store does not answer."""
        members = self.runs.members(run, segment)
        progress = self.runs.progress(run, segment) or Progress(len(members))
        for some in batched(members[progress.done :], AT_ONCE, strict=False):
            if self.runs.paused(run.campaign):
                return "paused"
            if left() < RESERVE_SECONDS:
                return "out of time"
            reached = [one for one in some if one.user_id and (line is None or one.gain >= line)]
            if campaign.steps:
                self._begin(run, campaign, reached, progress, now)
            else:
                for answer in self._answers(run, CampaignRun(campaign, run.run), reached, now):
                    progress.add(answer)
            progress.left_out += len(some) - len(reached)
            progress.done += len(some)
            self.runs.keep(run, segment, progress)
        progress.ended = True
        self.runs.keep(run, segment, progress)
        return "decided"

    def _answers(
        self, run: Run, on_behalf: CampaignRun, members: Sequence[Member], now: Micros
    ) -> Iterator[Mapping[str, Any] | None]:
        gathered = Gathered(self.decide.queue)
        people = self.profiles.get_many(one.user_id for one in members)
        decide = replace(self.decide, profiles=Read(people), queue=gathered)
        for one in members:
            try:
                yield decide(run.body(one.user_id), key=run.key, now=now, run=on_behalf)
            except (BadInput, Conflict):  # an id that cannot be asked for; an activity that the plan no longer has
                yield None
        gathered.flush()

    def _begin(self, run: Run, campaign: Campaign, members: Sequence[Member], progress: Progress, now: Micros) -> None:
        """Send members on their way; the next sweep takes their first steps. Who has begun this very run is found so again."""
        held = self.journeys.get_many((run.campaign, one.user_id) for one in members)
        for one in members:
            before = held.get((run.campaign, one.user_id))
            begun = before is not None and (before.run, before.began) == (run.run, run.at)
            if not begun and journeys.begins(before, run.at):
                begun = self.journeys.save(_journey(run, campaign, one.user_id, before, now))
            progress.begun, progress.under_way = progress.begun + begun, progress.under_way + (not begun)


def _journey(run: Run, campaign: Campaign, user_id: str, before: Journey | None, now: Micros) -> Journey:
    return Journey(
        run.campaign,
        user_id,
        run.at,
        now,
        run=run.run,
        goal=run.goal,
        activities=run.activities,
        steps=campaign.steps,
        changed_at=now,
        version=0 if before is None else before.version,
    )
