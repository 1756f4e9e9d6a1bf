"""Resend: a campaign's messages that failed are put on their way again, because a person says so.

In: a campaign, one of its runs or all, who asks. Out: how many go again, and why the others do not. Only what ended as `failed` does:
the channel said a definite no, or the message could not be written, so nobody has it. What is unknown may have arrived, and stays.
Nothing is sent here: a message is due again, and `deliver` asks for consent, suppression, caps and quiet hours as it always does.
Killed anywhere, called again or by two people at once: a message moves once from each failure, and ends in one state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from nudge.decide import chance
from nudge.errors import NotFound
from nudge.flows.campaign_runs import Run, Runs
from nudge.flows.champions import PlanInForce
from nudge.flows.deliver import overdue
from nudge.ports import Ledger
from nudge.vocabulary import Decision, Message, Micros, Plan

AT_ONCE = 100
FAILED = "failed"


@dataclass(slots=True)
class Resent:
    """What came of a call: `again` messages go again (by the reason for which they had failed); `left` do not, by the reason why not."""

    found: int = 0
    again: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    def plain(self) -> dict[str, Any]:
        return {"messages": self.found, "again": dict(self.again), "left": dict(self.left)}


@dataclass(frozen=True, slots=True)
class Resend:
    """`nudge campaign resend CAMPAIGN --only failed`."""

    ledger: Ledger
    runs: Runs
    plan: PlanInForce

    def __call__(self, campaign: str, run: str | None = None, *, by: str, now: Micros) -> Resent:
        """Put on its way again what failed. `by`: who asks, kept with each message.

        Raises
        ------
        NotFound
            The campaign never ran, or has no such run.
        NotReady, Unavailable
            There is no plan; a store did not answer. Call again: what was moved is not moved twice.
        """
        runs = self.runs.all(campaign) if run is None else [self.runs.get(campaign, run)]
        if not runs:
            raise NotFound(f"{campaign} never ran; there is nothing to send again")
        told, plan = Resent(), self.plan()
        for one in runs:
            for some in batched(self._ids(one), AT_ONCE, strict=False):
                self._some(some, plan, by, now, told)
        return told

    def _ids(self, run: Run) -> Iterator[str]:
        """The decisions that a run made, or will make."""
        open_ones = set(self.runs.unfrozen(run))
        for segment in range(run.segments):
            if segment not in open_ones:
                yield from (chance.decision_id(one.user_id, run.key) for one in self.runs.members(run, segment))

    def _some(self, decision_ids: Sequence[str], plan: Plan, by: str, now: Micros, told: Resent) -> None:
        for message in self.ledger.messages_of(decision_ids):
            told.found += 1
            if message.state != FAILED:
                told.left[message.state] += 1
                continue
            found = self.ledger.find(message.decision_id)
            reason = why_not(message, found[0] if found else None, plan, now)
            if reason is not None:
                told.left[reason] += 1
            elif self.ledger.resend(message.decision_id, attempt=message.attempt, by=by, now=now):
                told.again[message.reason or FAILED] += 1
            else:
                told.left["resent_meanwhile"] += 1


def why_not(message: Message, decision: Decision | None, plan: Plan, now: Micros) -> str | None:
    """Why a failed message cannot go again, or None: what `deliver` would skip at once is not set in motion."""
    activity = plan.activities.get(message.activity)
    if activity is None or decision is None:
        return "withdrawn"
    return overdue(decision, activity, plan, now)
