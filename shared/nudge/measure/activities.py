"""One activity's decisions come in; what it reached, changed, earned and cost goes out, as plain JSON values.

How each figure is computed is said in `tally`, `lift`, `adjust`, `sequence`, `ratio`, `reach` and `attribution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from nudge.measure import adjust, attribution, days, lift, reach, segments, shown, tally
from nudge.measure.evidence import Evidence
from nudge.measure.lift import Arm, Estimate
from nudge.measure.ratio import SampleRatio, sample_ratio
from nudge.vocabulary import DAY, Activity, Goal, Micros


@dataclass(frozen=True, slots=True)
class Comparison:
    """One activity's two groups, the people compared (`tally.followed`), and the change of total value they show."""

    activity: Activity
    judged: pl.DataFrame
    treated: Arm
    held: Arm
    each: Estimate
    cost: float
    over: bool

    @classmethod
    def of(cls, evidence: Evidence, goal: Goal, activity: Activity, people: pl.DataFrame) -> Comparison:
        """Of the people that an activity was first drawn for (`tally.first_choices`); value and cost cover ended windows."""
        judged = evidence.followed(people, goal)
        treated, held = tally.arm(judged, "treatment"), tally.arm(judged, "holdout")
        sent = evidence.messages.filter(pl.col("activity") == activity.name)
        cost = tally.cost_within(sent, judged.filter(pl.col("group") == "treatment"), goal)
        each = lift.value(treated, held, goal.value)
        return cls(activity, judged, treated, held, each, cost, over(activity, goal, evidence.now))

    @property
    def gain(self) -> Estimate:
        return self.each.times(self.treated.size)

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
    people = tally.first_choices(drawn).filter(pl.col("group").is_in(["treatment", "holdout"]))
    one = Comparison.of(evidence, goal, activity, people)
    sent = evidence.messages.filter(pl.col("activity") == activity.name)
    if among is not None:
        sent = sent.join(drawn.select("decision_id"), on="decision_id", how="semi")
    said = {
        "activity": activity.name,
        "channel": activity.channel,
        **_people(one, people, drawn),
        "reach": reach.of_activity(asked, evidence.told, evidence.messages, activity.name),
        "messages": shown.messages(sent),
        **_changed(one),
        "cost": shown.number(one.cost),
        "cost_so_far": shown.number(float(sent["cost"].sum())),
        "sample_ratio": shown.split(_ratio(activity, people), people),
        "smallest_detectable_effect": shown.detectable(one.treated, one.held),
        "attribution": shown.credited_to(attribution.by_activity(credited), activity.name),
        "days": days.by_day(people, goal, tally.moment(evidence.now)),
        "course": days.course(one.judged, goal, tally.moment(evidence.now)),
    }
    return said, one


def _people(one: Comparison, people: pl.DataFrame, drawn: pl.DataFrame) -> dict[str, Any]:
    groups = Counter(people["group"].to_list())
    return {
        "people": {
            "treatment": groups["treatment"],
            "holdout": groups["holdout"],
            "not_matured": people.height - one.judged.height,
        },
        "decisions": shown.by_name(drawn["group"].to_list(), ("treatment", "holdout", "global_holdout")),
    }


def _changed(one: Comparison) -> dict[str, Any]:
    rates = lift.rates(one.treated, one.held).times(one.treated.size)
    return {
        "conversions": {"treatment": shown.group(one.treated), "holdout": shown.group(one.held)},
        "incremental_conversions": shown.estimate(rates, one.people),
        "incremental_value": {
            **shown.estimate(one.gain, one.people),
            "per_person": shown.estimate(one.each, one.people),
            "variance_reduced": reduced(one.treated, one.held, one.each),
        },
        "reading": shown.reading(one.over),
        "roi": shown.estimate(lift.roi(one.gain, one.cost), one.people),
    }


def _ratio(activity: Activity, people: pl.DataFrame) -> SampleRatio:
    groups = Counter(people["group"].to_list())
    return sample_ratio(groups["treatment"], groups["holdout"], 0.0 if activity.transactional else activity.holdout)


def reduced(treated: Arm, held: Arm, each: Estimate) -> dict[str, Any]:
    """The total with less noise (`adjust`), and the share of the variance that is gone."""
    found = adjust.adjusted(treated, held, each)
    said = shown.estimate(found.estimate.times(treated.size), treated.size + held.size)
    return {**said, "removed": shown.number(found.removed)}


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
