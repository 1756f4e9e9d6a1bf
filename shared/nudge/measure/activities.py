"""One activity's decisions come in; what it reached, changed, earned and cost goes out, as plain JSON values.

How each figure is computed is said in `tally`, `lift`, `adjust`, `sequence`, `ratio`, `reach` and `attribution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

import polars as pl

from nudge.measure import adjust, attribution, days, lift, reach, segments, shown, strata, tally
from nudge.measure.evidence import Evidence
from nudge.measure.lift import Arm, Estimate
from nudge.measure.ratio import SampleRatio, sample_ratio
from nudge.vocabulary import DAY, Activity, Goal, Micros, Plan


@dataclass(frozen=True, slots=True)
class Comparison:
    """One activity's two groups, the people compared (`tally.followed`), and the change of total value they show."""

    activity: Activity
    judged: pl.DataFrame
    treated: Arm
    held: Arm
    gain: Estimate
    each: Estimate
    cost: float
    over: bool

    @classmethod
    def of(cls, evidence: Evidence, goal: Goal, activity: Activity, people: pl.DataFrame) -> Comparison:
        """Of the people that an activity was first drawn for (`tally.first_choices`); value and cost cover ended windows."""
        planned = [planned_holdout(evidence.plan, activity, campaign) for campaign in people["campaign"].to_list()]
        judged = evidence.followed(people.with_columns(pl.Series(strata.STRATUM, planned, dtype=pl.Float64)), goal)
        treated, held = tally.arm(judged, "treatment"), tally.arm(judged, "holdout")
        sent = evidence.messages.filter(pl.col("activity") == activity.name)
        cost = tally.cost_within(sent, judged.filter(pl.col("group") == "treatment"), goal)
        gain, size = strata.total(strata.arms(judged), lambda one, other: lift.value(one, other, goal.value))
        ended = over(activity, goal, evidence.now)
        return cls(activity, judged, treated, held, gain, strata.each_of(gain, size), cost, ended)

    @property
    def people(self) -> int:
        return self.treated.size + self.held.size


def over(activity: Activity, goal: Goal, now: Micros) -> bool:
    """Nothing can change any more: the activity ended on the day that the plan had said, and so did its last window."""
    return activity.ends_at is not None and activity.ends_at + round(goal.within_days * DAY) <= now


def of_activity(
    evidence: Evidence, goal: Goal, activity: Activity, credited: pl.DataFrame, among: pl.DataFrame | None = None
) -> tuple[dict[str, Any], Comparison]:
    """Everything a report says of one activity, in all decisions or `among` some."""
    asked = evidence.decisions if among is None else among
    drawn = asked.filter(pl.col("chosen") == activity.name)
    groups = pl.col("group").is_in(["treatment", "holdout"])
    apart = drawn.join(evidence.unmixed, on="decision_id", how="semi", maintain_order="left")
    people = tally.first_choices(apart).filter(groups)
    mixed = tally.first_choices(drawn).filter(groups).height - people.height
    one = Comparison.of(evidence, goal, activity, people)
    sent = evidence.messages.filter(pl.col("activity") == activity.name)
    if among is not None:
        sent = sent.join(drawn.select("decision_id"), on="decision_id", how="semi")
    said = {
        "activity": activity.name,
        "channel": activity.channel,
        **_people(one, people, drawn, mixed),
        "reach": reach.of_activity(asked, evidence.told, evidence.messages, activity.name),
        "messages": shown.messages(sent),
        **_changed(one),
        "cost": shown.number(one.cost),
        "cost_so_far": shown.number(float(sent["cost"].sum())),
        "sample_ratio": shown.split(_ratio(evidence, activity, people), people),
        "smallest_detectable_effect": shown.detectable(one.treated, one.held),
        "attribution": shown.credited_to(attribution.by_activity(credited), activity.name),
        "days": days.by_day(people, goal, tally.moment(evidence.now)),
        "course": days.course(one.judged, goal, tally.moment(evidence.now)),
    }
    return said, one


def _people(one: Comparison, people: pl.DataFrame, drawn: pl.DataFrame, mixed: int) -> dict[str, Any]:
    groups = Counter(people["group"].to_list())
    return {
        "people": {
            "treatment": groups["treatment"],
            "holdout": groups["holdout"],
            "not_matured": people.height - one.judged.height,
            "after_another": mixed,
        },
        "decisions": shown.by_name(drawn["group"].to_list(), ("treatment", "holdout", "global_holdout")),
    }


def _changed(one: Comparison) -> dict[str, Any]:
    pairs = strata.arms(one.judged)
    rates, _ = strata.total(pairs, lift.rates)
    return {
        "conversions": {"treatment": shown.group(one.treated), "holdout": shown.group(one.held)},
        "incremental_conversions": shown.estimate(rates, one.people),
        "incremental_value": {
            **shown.estimate(one.gain, one.people),
            "per_person": shown.estimate(one.each, one.people),
            "variance_reduced": reduced(pairs, one.gain, one.people),
        },
        "reading": shown.reading(one.over),
        "roi": shown.estimate(lift.roi(one.gain, one.cost), one.people),
    }


def _ratio(evidence: Evidence, activity: Activity, people: pl.DataFrame) -> SampleRatio:
    """Against the holdouts as planned for each person: the activity's own, or that of the campaign that drew it."""
    groups = Counter(people["group"].to_list())
    planned = [planned_holdout(evidence.plan, activity, campaign) for campaign in people["campaign"].to_list()]
    mean = sum(planned) / len(planned) if planned else planned_holdout(evidence.plan, activity, None)
    return sample_ratio(groups["treatment"], groups["holdout"], mean)


def planned_holdout(plan: Plan, activity: Activity | None, campaign: str | None) -> float:
    """The share that is held out from an activity, on behalf of a campaign or of none; nobody is from what is owed."""
    if activity is None or activity.transactional:
        return 0.0
    known = plan.campaigns.get(campaign) if campaign is not None else None
    return activity.holdout if known is None else known.holdout


def reduced(pairs: Sequence[tuple[Arm, Arm]], gain: Estimate, people: int) -> dict[str, Any]:
    """The total with less noise (`adjust`), and the share of the variance that is gone; never wider than the total without."""
    made = [adjust.adjusted(treated, held, lift.value(treated, held)) for treated, held in pairs]
    found = iter(made)
    lessened, _ = strata.total(pairs, lambda _treated, _held: next(found).estimate)
    before, after = _width(gain), _width(lessened)
    if not 0 < after < before:
        return {**shown.estimate(replace(gain, note=gain.note or made[0].estimate.note), people), "removed": 0.0}
    return {**shown.estimate(lessened, people), "removed": shown.number(1 - (after / before) ** 2)}


def _width(one: Estimate) -> float:
    return 0.0 if one.low is None or one.high is None else one.high - one.low


def total(compared: Sequence[Comparison]) -> dict[str, Any]:
    """Several activities together: value, cost and return of those that can be judged."""
    gain = lift.together([(one.treated, one.held, one.gain) for one in compared])
    counted = [one for one in compared if one.gain.low is not None and one.gain.high is not None]
    cost = sum(one.cost for one in counted)
    people = sum(one.people for one in counted)
    return {
        "incremental_value": shown.estimate(gain, people),
        "reading": shown.reading(bool(compared) and all(one.over for one in compared)),
        "cost": shown.number(cost),
        "roi": shown.estimate(lift.roi(gain, cost), people),
    }


def by_segment(evidence: Evidence, compared: Sequence[tuple[Goal, Comparison]]) -> dict[str, Any]:
    """Every segment of every activity, as one family (see `segments`)."""
    return segments.table(
        [
            found
            for goal, one in compared
            for found in segments.split(one.judged, evidence.told, one.activity.name, goal.value)
        ]
    )
