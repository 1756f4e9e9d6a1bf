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

from nudge.errors import NotFound
from nudge.flows.campaign_runs import Runs
from nudge.flows.champions import PlanInForce
from nudge.flows.deliver import overdue
from nudge.ports import Ledger
from nudge.vocabulary import Decision, Message, Micros, Plan

AT_ONCE = 100
MOST = 1_000_000
FAILED = "failed"


@dataclass(slots=True)
class Resent:
    """What came of a call: `again` messages go again (by the reason for which they had failed); `left` do not, by the reason why not."""

    again: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    def plain(self) -> dict[str, Any]:
        return {"again": dict(self.again), "left": dict(self.left)}


@dataclass(frozen=True, slots=True)
class Resend:
    """`nudge campaign resend CAMPAIGN --only failed`."""

    ledger: Ledger
    runs: Runs
    plan: PlanInForce

    def __call__(self, campaign: str, run: str | None = None, *, by: str, now: Micros) -> Resent:
        """Put on its way again what failed, of a campaign or of one run of it. `by`: who asks, kept with each message.

        Raises
        ------
        NotFound
            There is no such campaign in the plan, and none ever ran; or it has no such run.
        NotReady, Unavailable
            There is no plan; a store did not answer. Call again: what was moved is not moved twice.
        """
        told, plan = Resent(), self.plan()
        if run is not None:
            self.runs.get(campaign, run)
        elif campaign not in plan.campaigns and not self.runs.all(campaign):
            raise NotFound(f"there is no campaign {campaign}, and none ever ran")
        for message, decision in self._of(self.ledger.failed(limit=MOST), campaign, run):
            self._one(message, decision, plan, by, now, told)
        told.left["unknown"] += sum(1 for _ in self._of(self.ledger.unknown(limit=MOST), campaign, run))
        told.left = +told.left
        return told

    def _of(self, decision_ids: Sequence[str], campaign: str, run: str | None) -> Iterator[tuple[Message, Decision]]:
        """Those of these messages that are the campaign's, or the run's."""
        for some in batched(decision_ids, AT_ONCE, strict=False):
            for message in self.ledger.messages_of(some):
                found = self.ledger.find(message.decision_id)
                if found is not None and found[0].campaign == campaign and run in (None, found[0].run):
                    yield message, found[0]

    def _one(self, message: Message, decision: Decision, plan: Plan, by: str, now: Micros, told: Resent) -> None:
        reason = why_not(message, decision, plan, now)
        if reason is not None:
            told.left[reason] += 1
        elif self.ledger.resend(message.decision_id, attempt=message.attempt, by=by, now=now):
            told.again[message.reason or FAILED] += 1
        else:
            told.left["resent_meanwhile"] += 1


def why_not(message: Message, decision: Decision, plan: Plan, now: Micros) -> str | None:
    """Why a failed message cannot go again, or None: what `deliver` would skip at once is not set in motion."""
    activity = plan.activities.get(message.activity)
    return "withdrawn" if activity is None else overdue(decision, activity, plan, now)
