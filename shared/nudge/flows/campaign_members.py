"""Who a run is for: looked for once, a segment at a time, and kept. In: profiles. Out: members, the most valuable first.

Where capacity or money do not reach everybody, each member is asked for in a dry run of the decision itself: what the best
activity is expected to bring more than doing nothing. A line drawn through all of them says who is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import replace
from dataclasses import dataclass
from math import inf, nextafter
from typing import Any

from nudge.decide import chance
from nudge.errors import BadInput, NotFound
from nudge.flows.campaign_runs import Member, Run, Runs
from nudge.flows.decide import Decide
from nudge.flows.membership import Membership
from nudge.ports import Profiles
from nudge.vocabulary import NOTHING, Campaign, CampaignRun, Micros, OnPrediction, Profile


@dataclass(frozen=True, slots=True)
class Members:
    """Looks for members among all profiles, with the decision's own plan and models."""

    decide: Decide
    profiles: Profiles
    runs: Runs

    def freeze(self, run: Run, campaign: Campaign, segment: int, *, now: Micros) -> None:
        """Find and keep the members of one segment. Raises Unavailable when a store does not answer: nothing is kept then."""
        asks = Membership(self.decide.plan(), self.decide.champions)
        called: Iterable[Profile] = (
            one
            for one in self.profiles.all(part=(segment, run.segments))
            if asks.is_called(one, campaign, run.run, now)
        )
        if isinstance(campaign.trigger, OnPrediction):
            called = self._crossed(run, segment, list(called))
        members = [self._member(run, campaign, one, now) for one in called if asks.belongs(one, campaign.audience, now)]
        order = {one.user_id: chance.uniform(f"order/{run.place}{one.user_id}") for one in members}
        self.runs.freeze(run, segment, sorted(members, key=lambda one: (-one.gain, order[one.user_id])))

    def _crossed(self, run: Run, segment: int, beyond: list[Profile]) -> list[Profile]:
        """Those who were not beyond the line at the last run: they have to fall back before they are called again."""
        before = self.runs.were_beyond(run)
        self.runs.beyond(run, segment, sorted(one.user_id for one in beyond))
        return [one for one in beyond if one.user_id not in before]

    def _member(self, run: Run, campaign: Campaign, profile: Profile, now: Micros) -> Member:
        if not _is_limited(campaign):
            return Member(profile.user_id)
        asked = replace(self.decide, profiles=Read({profile.user_id: profile}))
        try:
            answer = asked(
                run.body(profile.user_id, dry_run=True), key=None, now=now, run=CampaignRun(campaign, run.run)
            )
        except BadInput:
            return Member(profile.user_id)
        return self._worth(profile.user_id, answer)

    def _worth(self, user_id: str, answer: Mapping[str, Any]) -> Member:
        """Of the candidates that may be done: how much more than nothing the best one is worth, and what it costs."""
        open_ones = [one for one in answer["why"]["candidates"] if one["removed"] is None]
        values = {one["activity"]: one["value"] for one in open_ones}
        best = max((name for name in values if name != NOTHING), key=values.__getitem__, default=None)
        if best is None:
            return Member(user_id)
        return Member(user_id, values[best] - values[NOTHING], self.decide.plan().activities[best].cost)

    def line(self, run: Run, campaign: Campaign) -> float | None:
        """The gain below which members are left out; None where nobody is. Drawn once, when all segments are frozen."""
        try:
            return self.runs.line(run)
        except NotFound:
            return self.runs.draw_line(run, self._drawn(run, campaign))

    def _drawn(self, run: Run, campaign: Campaign) -> float | None:
        if not _is_limited(campaign):
            return None
        key = f"campaign/{campaign.name}/all_budget"
        spent = self.decide.ledger.counts([key])[key]
        left = [campaign.budget_per_run, None if campaign.budget is None else max(campaign.budget - spent, 0.0)]
        money = min((one for one in left if one is not None), default=None)
        served = (1 - campaign.holdout) * (1 - self.decide.plan().policy.holdout)
        everybody = (one for segment in range(run.segments) for one in self.runs.members(run, segment))
        return line_through(everybody, capacity=campaign.capacity, money=money, served=served)


def line_through(
    members: Iterable[Member], *, capacity: int | None, money: float | None, served: float
) -> float | None:
    """The gain of the last member that capacity and money reach when the most valuable come first; None when they reach all.

    An approximation, on the side of asking too many: of those asked, the share `served` gets a message (the others are held out),
    and each costs what its best activity costs. The counters of the Ledger keep the limits exactly.
    """
    spent, last = 0.0, None
    for asked, one in enumerate(sorted(members, key=lambda one: -one.gain)):
        over = (capacity is not None and asked * served >= capacity) or (money is not None and spent >= money)
        if over or one.gain <= 0:
            return nextafter(one.gain, inf) if last is None else last
        spent, last = spent + served * one.cost, one.gain
    return None


def _is_limited(campaign: Campaign) -> bool:
    return (campaign.capacity, campaign.budget, campaign.budget_per_run) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Read:
    """Profiles that were read already, as the decision asks for them."""

    people: Mapping[str, Profile]

    def get(self, user_id: str, *, consistent: bool = False) -> Profile | None:
        return self.people.get(user_id)
