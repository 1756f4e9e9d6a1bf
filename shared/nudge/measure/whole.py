"""Decisions of a campaign that holds out the same people from all that it does come in; what it changed as a whole goes out.

Whoever such a campaign holds out gets nothing of it, ever. So its people fall into two groups by the first decision that it makes for
each, whatever is drawn then, and nothing that it does later has a say in that. Both are followed from there until the window of its
last decision is over. What repetitions and steps of a sequence change counts once, all of it: the sum of its activities' comparisons
would count the effect of a second message twice where it falls into the window of the first, and that of any message after the first
of its activity not at all. Knows no page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
import polars as pl

from nudge.measure import adjust, lift, shown, tally
from nudge.measure.evidence import Evidence
from nudge.measure.lift import Arm, Estimate
from nudge.vocabulary import DAY, Campaign, Goal, Micros


@dataclass(frozen=True, slots=True)
class Whole:
    """The two groups of a campaign, those whose first window is over, and what was spent on the treated; `waiting` are not compared yet."""

    goal: Goal
    treated: Arm
    held: Arm
    cost: float
    waiting: int
    over: bool

    @classmethod
    def of(cls, evidence: Evidence, campaign: Campaign, asked: pl.DataFrame) -> Self:
        """Of the decisions `asked` (at least one) on behalf of a campaign of the plan in force."""
        goal, now = evidence.plan.goals[campaign.goal], tally.moment(evidence.now)
        owed = [one.name for one in evidence.plan.activities.values() if one.transactional]
        people = tally.first_choices(asked.filter(~pl.col("chosen").is_in(owed)))
        people = people.filter(pl.col("group").is_in(["treatment", "holdout"]))
        ended = people.filter(pl.col("decided_at") + tally.window(goal) <= now)
        last: datetime = asked["decided_at"].to_list()[asked["decided_at"].arg_max() or 0]
        judged = evidence.followed(ended, goal, whole=True, until=min(now, last + tally.window(goal)))
        treated, held = tally.arm(judged, "treatment"), tally.arm(judged, "holdout")
        spent = evidence.messages.join(asked.select("decision_id"), on="decision_id", how="semi")
        spent = spent.filter(pl.col("user_id").is_in(list(treated.people)))
        cost = float(spent.sort("decision_id")["cost"].sum())
        return cls(goal, treated, held, cost, people.height - ended.height, _over(campaign, goal, evidence.now))

    @property
    def size(self) -> int:
        return self.treated.size + self.held.size

    def total(self) -> dict[str, Any]:
        """Value, cost and return of all treated people."""
        each = lift.value(self.treated, self.held, self.goal.value)
        gain = each.times(self.treated.size)
        return {
            "incremental_value": {
                **shown.estimate(gain, self.size),
                "per_person": shown.estimate(each, self.size),
                "variance_reduced": self._reduced(each),
            },
            "reading": shown.reading(self.over),
            "cost": shown.number(self.cost),
            "roi": shown.estimate(lift.roi(gain, self.cost), self.size),
        }

    def _reduced(self, each: Estimate) -> dict[str, Any]:
        made = adjust.adjusted(self.treated, self.held, each)
        gain = made.estimate.times(self.treated.size)
        return {**shown.estimate(gain, self.size), "removed": shown.number(made.removed)}

    def conversions(self) -> dict[str, Any]:
        """People gained, each once."""
        return shown.estimate(lift.rates(self.treated, self.held).times(self.treated.size), self.size)

    def revenue(self) -> float | None:
        """What the treated were worth since, for whatever reason."""
        return shown.number(float(np.sum(self.treated.values)))

    def people(self) -> dict[str, int]:
        return {"treatment": self.treated.size, "holdout": self.held.size, "not_matured": self.waiting}


def _over(campaign: Campaign, goal: Goal, now: Micros) -> bool:
    """Nothing can change any more: it ended on the day that the plan had said, and so did its last window."""
    return campaign.ends_at is not None and campaign.ends_at + round(goal.within_days * DAY) <= now
