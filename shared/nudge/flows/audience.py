"""Who would be reached: how large an audience is before anything is launched, who in it cannot be reached and why, and what could be seen.

In: the name of a campaign, or an audience as text. Out: a `Prospect`. Every profile is asked what a run would ask (the same tree, models,
law and caps), and nothing is written. Whom a trigger will call is not known: its audience is counted whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import batched

from nudge.decide import audience, chance, eligible, quiet, value
from nudge.decide.eligible import Known
from nudge.decide.limits import claims
from nudge.errors import BadInput
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.membership import Membership
from nudge.flows.prospect import Prospect, Tally
from nudge.plan import audiences
from nudge.ports import Ledger, Profiles
from nudge.vocabulary import CHANNELS, Activity, Campaign, Group, Micros, Plan, Profile

AT_ONCE = 50
"""People whose counters are read together."""
ANYBODY = "anybody"
"""The campaign that an audience given as text stands for: of the plan's first goal, with a campaign's usual holdout."""


@dataclass(frozen=True, slots=True)
class Audience:
    """`nudge audience`: reads every profile, and the counters of those who belong."""

    profiles: Profiles
    plan: PlanInForce
    champions: Champions
    ledger: Ledger

    def __call__(self, who: str, *, now: Micros) -> Prospect:
        """Count an audience.

        Raises
        ------
        BadInput
            It is neither a campaign nor an audience; with the column of the mistake.
        NotReady
            No plan was ever put in force.
        Unavailable
            A store does not answer.
        """
        plan = self.plan()
        campaign = plan.campaigns.get(who) or _of_text(who, plan)
        names = frozenset(one for one in audience.names(campaign.audience) if not one.startswith(eligible.FLAGS))
        ways, tally = _ways(campaign, plan), Tally()
        for some in batched(self._members(campaign, plan, tally, names, now), AT_ONCE, strict=False):
            for known, reasons in self._asked(some, ways, plan, now):
                if tally.asked(reasons):
                    tally.expected(_group(known.profile, campaign, plan), *self._expected(known, campaign, plan))
        by_model = self.champions(campaign.goal) is not None
        return tally.prospect(who, campaign, names=names, ways=ways, by_model=by_model)

    def _members(
        self, campaign: Campaign, plan: Plan, tally: Tally, names: frozenset[str], now: Micros
    ) -> Iterator[Known]:
        membership = Membership(plan, self.champions)
        for profile in self.profiles.all():
            known = membership.facts(profile, now, names)
            belongs = audience.belongs(campaign.audience, known)
            tally.met((name for name in names if known.get(name) is not None), belongs=belongs)
            if belongs:
                yield known

    def _asked(
        self, people: tuple[Known, ...], ways: Mapping[str, Activity], plan: Plan, now: Micros
    ) -> Iterator[tuple[Known, dict[str, str | None]]]:
        """For each person and way why they cannot be reached on it, or None. The counters of all are read at once."""
        limits = {}
        for known in people:
            zone = quiet.zone(known.profile.trait("timezone"), plan.timezone)
            due = quiet.release(now, zone, plan.policy.quiet_hours)
            for name, way in ways.items():
                claim = claims(way, plan, known.profile.user_id, due, zone)._replace(budgets=())
                limits[known.profile.user_id, name] = claim
        counts = self.ledger.counts(list({key: None for claim in limits.values() for key in claim.keys}))
        for known in people:
            yield (
                known,
                {
                    name: eligible.unreachable(way, known.profile) or limits[known.profile.user_id, name].full(counts)
                    for name, way in ways.items()
                },
            )

    def _expected(self, known: Known, campaign: Campaign, plan: Plan) -> tuple[float, float]:
        """The chance that the person reaches the goal without us, and what it is worth to us."""
        goal, champion = plan.goals[campaign.goal], self.champions(campaign.goal)
        if champion is None:
            return plan.policy.base_rate, value.goal_value(goal, known.vector)
        return champion.scorer.probability(known.vector), value.goal_value(goal, known.vector, champion.typical_value)


def _of_text(text: str, plan: Plan) -> Campaign:
    try:
        tree = audiences.of_text(text, plan)
    except BadInput as wrong:
        named = ", ".join(plan.campaigns) or "there is none"
        message = f"neither a campaign ({named}) nor an audience: {wrong}"
        raise BadInput(message, reason="bad_audience") from None
    return Campaign(ANYBODY, next(iter(plan.goals)), (), tree)


def _ways(campaign: Campaign, plan: Plan) -> dict[str, Activity]:
    """Channel → what stands for it: of a campaign an activity of its own for each channel and consent, else any that the plan has."""
    held = [plan.activities[name] for name in campaign.activities]
    if not held:
        of_people = [name for name in plan.channels if CHANNELS[name].address is not None]
        held = [Activity(name, campaign.goal, name, template=None, cost=0.0) for name in of_people]
    return {one.channel if one.consent is None else f"{one.channel} ({one.consent})": one for one in held}


def _group(profile: Profile, campaign: Campaign, plan: Plan) -> Group:
    if chance.in_global_holdout(profile.user_id, plan.policy.holdout):
        return "global_holdout"
    held = chance.in_campaign_holdout(campaign.name, profile.user_id, campaign.holdout)
    return "holdout" if held else "treatment"
