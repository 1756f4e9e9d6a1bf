"""A plan and the lake's frames come in; the figures of the report, as plain JSON values, go out.

One place says which figure stands where; how each is computed is said in `tally`, `lift`, `ratio` and `attribution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl

from nudge.measure import adjust, attribution, lift, shown, tally
from nudge.measure.frames import each_decision_once, each_event_once
from nudge.measure.lift import Arm, Estimate
from nudge.measure.ratio import sample_ratio
from nudge.vocabulary import DAY, Activity, Goal, Micros, Plan


@dataclass(frozen=True)
class Evidence:
    """What is known at `now`: the plan in force and the rows of the lake (see `frames`; rows may stand there twice)."""

    plan: Plan
    decisions: pl.DataFrame
    events: pl.DataFrame
    outcomes: pl.DataFrame
    now: Micros
    happened: dict[str, pl.DataFrame] = field(init=False, default_factory=dict)
    asked: dict[str, pl.DataFrame] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        at = tally.moment(self.now)
        once = each_decision_once(self.decisions).filter(pl.col("decided_at") <= at)
        events = each_event_once(self.events).filter(pl.col("event_time") <= at)
        object.__setattr__(self, "decisions", once)
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "outcomes", each_event_once(self.outcomes))
        for goal in self.plan.goals.values():
            self.happened[goal.name] = tally.goal_events(events, goal, self.plan.currency)
            self.asked[goal.name] = tally.questions(events, goal)

    def followed(self, people: pl.DataFrame, goal: Goal, *, whole: bool = False) -> pl.DataFrame:
        """What these people did about a goal since their decisions (see `tally.followed`)."""
        happened, asked = self.happened[goal.name], self.asked[goal.name]
        return tally.followed(people, happened, goal, until=tally.moment(self.now), whole=whole, asked=asked)

    @cached_property
    def messages(self) -> pl.DataFrame:
        return tally.messages(self.decisions, self.outcomes)

    @cached_property
    def touches(self) -> pl.DataFrame:
        return attribution.touches(self.outcomes, self.messages)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One activity's two groups, and the change of total value they show."""

    treated: Arm
    held: Arm
    gain: Estimate
    cost: float
    over: bool = False


def report_body(evidence: Evidence) -> dict[str, Any]:
    """period, goals, total and programme of the report."""
    goals, compared = [], []
    for goal in evidence.plan.goals.values():
        one, comparisons = of_goal(evidence, goal)
        goals.append(one)
        compared += comparisons
    return {
        "currency": evidence.plan.currency,
        "period": _period(evidence),
        "total": _total(compared),
        "programme": programme(evidence),
        "goals": goals,
    }


def of_goal(evidence: Evidence, goal: Goal) -> tuple[dict[str, Any], list[Comparison]]:
    """One goal with its activities, and the comparisons its total is made of."""
    named = [activity for activity in evidence.plan.activities.values() if activity.goal == goal.name]
    happened = evidence.happened[goal.name]
    credited = attribution.last_touch(evidence.touches, happened.clear() if goal.absent else happened, goal)
    pairs = [of_activity(evidence, goal, activity, credited) for activity in named]
    comparisons = [comparison for _, comparison in pairs]
    said = {
        "goal": goal.name,
        "event": goal.event,
        "within_days": goal.within_days,
        "worth": goal.value if goal.value is not None else "from_event",
        "total": _total(comparisons),
        "activities": [one for one, _ in pairs],
    }
    return said, comparisons


def of_activity(
    evidence: Evidence, goal: Goal, activity: Activity, credited: pl.DataFrame
) -> tuple[dict[str, Any], Comparison]:
    """Everything the report says of one activity; value and cost cover the people whose window has ended."""
    drawn = evidence.decisions.filter(pl.col("chosen") == activity.name)
    people = tally.first_choices(drawn).filter(pl.col("group").is_in(["treatment", "holdout"]))
    judged = evidence.followed(people, goal)
    treated, held = tally.arm(judged, "treatment"), tally.arm(judged, "holdout")
    sent = evidence.messages.filter(pl.col("activity") == activity.name)
    cost = tally.cost_within(sent, judged.filter(pl.col("group") == "treatment"), goal)
    each = lift.value(treated, held, goal.value)
    gain, judged_people = each.times(treated.size), treated.size + held.size
    groups = Counter(people["group"].to_list())
    ended = over(activity, goal, evidence.now)
    ratio = sample_ratio(groups["treatment"], groups["holdout"], 0.0 if activity.transactional else activity.holdout)
    said = {
        "activity": activity.name,
        "channel": activity.channel,
        "people": {
            "treatment": groups["treatment"],
            "holdout": groups["holdout"],
            "not_matured": people.height - judged.height,
        },
        "decisions": shown.by_name(drawn["group"].to_list(), ("treatment", "holdout", "global_holdout")),
        "messages": shown.messages(sent),
        "conversions": {"treatment": shown.group(treated), "holdout": shown.group(held)},
        "incremental_conversions": shown.estimate(lift.rates(treated, held).times(treated.size), judged_people),
        "incremental_value": {
            **shown.estimate(gain, judged_people),
            "per_person": shown.estimate(each, judged_people),
            "variance_reduced": _reduced(treated, held, each),
        },
        "reading": shown.reading(ended),
        "cost": shown.number(cost),
        "cost_so_far": shown.number(float(sent["cost"].sum())),
        "roi": shown.estimate(lift.roi(gain, cost), judged_people),
        "sample_ratio": shown.split(ratio, people),
        "smallest_detectable_effect": shown.detectable(treated, held),
        "attribution": shown.credited_to(credited, activity.name),
    }
    return said, Comparison(treated, held, gain, cost, ended)


def over(activity: Activity, goal: Goal, now: Micros) -> bool:
    """Nothing can change any more: the activity ended on the day that the plan had said, and so did its last window."""
    return activity.ends_at is not None and activity.ends_at + round(goal.within_days * DAY) <= now


def programme(evidence: Evidence) -> dict[str, Any]:
    """Everyone against the global holdout, from each person's first decision until now, all goals added up."""
    people = tally.programme(evidence.decisions)
    followed = [evidence.followed(people, goal, whole=True) for goal in evidence.plan.goals.values()]
    judged = (
        pl.concat(followed)
        .group_by("user_id", "group")
        .agg(pl.col("value").sum(), pl.col("before").sum(), pl.col("converted").any())
    )
    treated, held = tally.arm(judged, "treatment"), tally.arm(judged, "global_holdout")
    each = lift.value(treated, held)
    gain, everyone = each.times(treated.size), treated.size + held.size
    cost = float(evidence.messages["cost"].sum())
    ratio = sample_ratio(treated.size, held.size, evidence.plan.policy.holdout)
    return {
        "people": {"programme": treated.size, "global_holdout": held.size},
        "conversions": {"programme": shown.group(treated), "global_holdout": shown.group(held)},
        "incremental_value": {
            **shown.estimate(gain, everyone),
            "per_person": shown.estimate(each, everyone),
            "variance_reduced": _reduced(treated, held, each),
        },
        "reading": shown.reading(False),
        "cost": shown.number(cost),
        "roi": shown.estimate(lift.roi(gain, cost), everyone),
        "sample_ratio": shown.split(ratio, people),
    }


def with_truth(body: dict[str, Any], truth: Mapping[str, float]) -> dict[str, Any]:
    """The body with what a simulation knows: activity → true incremental value of the people treated."""
    goals = [
        {
            **goal,
            "activities": [
                {**one, "truth": {"incremental_value": shown.number(truth[one["activity"]])}}
                if one["activity"] in truth
                else one
                for one in goal["activities"]
            ],
        }
        for goal in body["goals"]
    ]
    return {**body, "goals": goals}


def _total(compared: list[Comparison]) -> dict[str, Any]:
    gain = lift.together([(one.treated, one.held, one.gain) for one in compared])
    counted = [one for one in compared if one.gain.low is not None and one.gain.high is not None]
    cost = sum(one.cost for one in counted)
    people = sum(one.treated.size + one.held.size for one in counted)
    return {
        "incremental_value": shown.estimate(gain, people),
        "reading": shown.reading(bool(compared) and all(one.over for one in compared)),
        "cost": shown.number(cost),
        "roi": shown.estimate(lift.roi(gain, cost), people),
    }


def _reduced(treated: Arm, held: Arm, each: Estimate) -> dict[str, Any]:
    found = adjust.adjusted(treated, held, each)
    said = shown.estimate(found.estimate.times(treated.size), treated.size + held.size)
    return {**said, "removed": shown.number(found.removed)}


def _period(evidence: Evidence) -> dict[str, str | None]:
    return {
        "from": _written(evidence.decisions["decided_at"].min()),
        "until": tally.moment(evidence.now).isoformat(),
        "newest_event": _written(evidence.events["event_time"].max()),
    }


def _written(moment: object) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else None
