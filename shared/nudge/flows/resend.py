"""Resend: a campaign's messages that failed are put on their way again, because a person says so.

In: a campaign, one of its runs or all, who asks. Out: how many go again, and why the others do not. Only what ended as `failed` does:
the channel said a definite no, or the message could not be written, so nobody has it. What is unknown may have arrived, and stays.
The runs of what an event begins are days, and written down nowhere: the decisions alone know them, and say of which days there are any.
Nothing is sent here: a message is due again, and `deliver` asks for consent, suppression, caps and quiet hours as it always does.
Killed anywhere, called again or by two people at once: a message moves once from each failure, and ends in one state.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from nudge.errors import NotFound
from nudge.flows.campaign_runs import Runs
from nudge.flows.champions import PlanInForce
from nudge.flows.deliver import overdue
from nudge.flows.resend_steps import StepsOnTheWay
from nudge.ports import Journeys, Ledger
from nudge.vocabulary import Decision, Message, Micros, OnEvent, Plan

AT_ONCE = 100
MOST = 1_000_000
FAILED = "failed"
DAY_ALONE = re.compile(r"^(\d{4})-?(\d\d)-?(\d\d)$")


@dataclass(slots=True)
class Resent:
    """What came of a call: `again` messages go again (by the reason for which they had failed); `left` do not, by the reason why not;
    `other_runs` are the campaign's failed messages that were not asked for, by their run."""

    again: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    other_runs: Counter[str] = field(default_factory=Counter)

    def plain(self) -> dict[str, Any]:
        counted = {"again": self.again, "left": self.left, "other_runs": self.other_runs}
        return {name: dict(one) for name, one in counted.items()}


@dataclass(frozen=True, slots=True)
class Resend:
    """`nudge campaign resend CAMPAIGN --only failed`."""

    ledger: Ledger
    runs: Runs
    plan: PlanInForce
    journeys: Journeys

    def __call__(self, campaign: str, run: str | None = None, *, by: str, now: Micros) -> Resent:
        """Put on its way again what failed, of a campaign or of one run of it. `by`: who asks, kept with each message.

        Parameters
        ----------
        run
            As decisions name it: `20261118T0900`; for what events begin, a day: `20261118T0000`, `20261118` or `2026-11-18`.

        Raises
        ------
        NotFound
            There is no such campaign in the plan, and none ever ran; or it has no such run, and nothing of it failed.
        NotReady, Unavailable
            There is no plan; a store did not answer. Call again: what was moved is not moved twice.
        """
        told, plan = Resent(), self.plan()
        run = run if run is None else whole(run)
        for some in self._of(self.ledger.failed(limit=MOST), campaign):
            told.other_runs.update(one.run or "" for _, one in some if run not in (None, one.run))
            self._these([one for one in some if run in (None, one[1].run)], plan, by, now, told)
        for some in self._of(self.ledger.unknown(limit=MOST), campaign):
            told.left["unknown"] += sum(run in (None, one.run) for _, one in some)
        told.left = +told.left
        if not (told.again or told.left):
            self._is_known(campaign, run, plan, told)
        return told

    def _is_known(self, campaign: str, run: str | None, plan: Plan, told: Resent) -> None:
        """Nothing was found: whether there could have been anything. Raises NotFound."""
        found = plan.campaigns.get(campaign)
        try:
            if run is not None and not (found is not None and isinstance(found.trigger, OnEvent)):
                self.runs.get(campaign, run)
        except NotFound:
            others = ", ".join(f"{name} ({count})" for name, count in sorted(told.other_runs.items()))
            known = f"; messages failed of {others}" if others else ""
            raise NotFound(f"{campaign} has no run {run}{known}") from None
        if run is None and found is None and not self.runs.all(campaign):
            raise NotFound(f"there is no campaign {campaign}, and none ever ran")

    def _of(self, decision_ids: Sequence[str], campaign: str) -> Iterator[list[tuple[Message, Decision]]]:
        """Those of these messages that are the campaign's, some at a time."""
        for some in batched(decision_ids, AT_ONCE, strict=False):
            found = [(one, self.ledger.find(one.decision_id)) for one in self.ledger.messages_of(some)]
            yield [(message, held[0]) for message, held in found if held is not None and held[0].campaign == campaign]

    def _these(self, some: Sequence[tuple[Message, Decision]], plan: Plan, by: str, now: Micros, told: Resent) -> None:
        passed = StepsOnTheWay(self.ledger, self.journeys).why_not(decision for _, decision in some)
        for message, decision in some:
            reason = why_not(message, decision, plan, now) or passed.get(decision.decision_id)
            if reason is not None:
                told.left[reason] += 1
            elif self.ledger.resend(message.decision_id, attempt=message.attempt, by=by, now=now):
                told.again[message.reason or FAILED] += 1
            else:
                told.left["resent_meanwhile"] += 1


def whole(run: str) -> str:
    """The name of a run, also where only its day is said.

    >>> whole("2026-11-18"), whole("20261118"), whole("20261118T0900")
    ('20261118T0000', '20261118T0000', '20261118T0900')
    """
    return DAY_ALONE.sub(r"\1\2\3T0000", run)


def why_not(message: Message, decision: Decision, plan: Plan, now: Micros) -> str | None:
    """Why a failed message cannot go again, or None: what `deliver` would skip at once is not set in motion."""
    activity = plan.activities.get(message.activity)
    return "withdrawn" if activity is None else overdue(decision, activity, plan, now)
