"""A plan and the lake's frames come in; the figures of the report, as plain JSON values, go out.

One place says which figure stands where; how each is computed is said in `tally`, `lift`, `ratio` and `attribution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from math import isfinite
from typing import Any

import polars as pl

from nudge.measure import attribution, lift, tally
from nudge.measure.frames import each_decision_once, each_event_once
from nudge.measure.lift import Arm, Estimate
from nudge.measure.ratio import SampleRatio, sample_ratio
from nudge.vocabulary import FINAL_STATES, Activity, Goal, Micros, Plan

TOP_REASONS = 5


@dataclass(frozen=True)
class Evidence:
    """What is known at `now`: the plan in force and the rows of the lake (see `frames`; rows may stand there twice)."""

    plan: Plan
    decisions: pl.DataFrame
    events: pl.DataFrame
    outcomes: pl.DataFrame
    now: Micros
    happened: dict[str, pl.DataFrame] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        at = tally.moment(self.now)
        once = each_decision_once(self.decisions).filter(pl.col("decided_at") <= at)
        events = each_event_once(self.events).filter(pl.col("event_time") <= at)
        object.__setattr__(self, "decisions", once)
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "outcomes", each_event_once(self.outcomes))
        for goal in self.plan.goals.values():
            self.happened[goal.name] = tally.goal_events(events, goal, self.plan.currency)

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
    credited = attribution.last_touch(evidence.touches, evidence.happened[goal.name], goal)
    pairs = [of_activity(evidence, goal, activity, credited) for activity in named]
    comparisons = [comparison for _, comparison in pairs]
    shown = {
        "goal": goal.name,
        "event": goal.event,
        "within_days": goal.within_days,
        "worth": goal.value if goal.value is not None else "from_event",
        "total": _total(comparisons),
        "activities": [one for one, _ in pairs],
    }
    return shown, comparisons


def of_activity(
    evidence: Evidence, goal: Goal, activity: Activity, credited: pl.DataFrame
) -> tuple[dict[str, Any], Comparison]:
    """Everything the report says of one activity; value and cost cover the people whose window has ended."""
    drawn = evidence.decisions.filter(pl.col("chosen") == activity.name)
    people = tally.first_choices(drawn).filter(pl.col("group").is_in(["treatment", "holdout"]))
    judged = tally.followed(people, evidence.happened[goal.name], goal, until=tally.moment(evidence.now))
    treated, held = tally.arm(judged, "treatment"), tally.arm(judged, "holdout")
    sent = evidence.messages.filter(pl.col("activity") == activity.name)
    cost = tally.cost_within(sent, judged.filter(pl.col("group") == "treatment"), goal)
    each = lift.value(treated, held, goal.value)
    gain = each.times(treated.size)
    groups = Counter(people["group"].to_list())
    ratio = sample_ratio(groups["treatment"], groups["holdout"], 0.0 if activity.transactional else activity.holdout)
    shown = {
        "activity": activity.name,
        "channel": activity.channel,
        "people": {
            "treatment": groups["treatment"],
            "holdout": groups["holdout"],
            "not_matured": people.height - judged.height,
        },
        "decisions": _counts(drawn["group"].to_list(), ("treatment", "holdout", "global_holdout")),
        "messages": _messages(sent),
        "conversions": {"treatment": _group(treated), "holdout": _group(held)},
        "incremental_conversions": estimate(lift.rates(treated, held).times(treated.size)),
        "incremental_value": {
            **estimate(gain),
            "per_person": estimate(each),
            "variance_reduced": estimate(lift.adjusted(treated, held).times(treated.size)),
        },
        "cost": number(cost),
        "cost_so_far": number(float(sent["cost"].sum())),
        "roi": estimate(lift.roi(gain, cost)),
        "sample_ratio": _ratio(ratio, people),
        "smallest_detectable_effect": _detectable(treated, held),
        "attribution": _credited(credited, activity.name),
    }
    return shown, Comparison(treated, held, gain, cost)


def programme(evidence: Evidence) -> dict[str, Any]:
    """Everyone against the global holdout, from each person's first decision until now, all goals added up."""
    people = tally.programme(evidence.decisions)
    until = tally.moment(evidence.now)
    followed = [
        tally.followed(people, evidence.happened[goal.name], goal, until=until, whole=True)
        for goal in evidence.plan.goals.values()
    ]
    judged = (
        pl.concat(followed)
        .group_by("user_id", "group")
        .agg(pl.col("value").sum(), pl.col("before").sum(), pl.col("converted").any())
    )
    treated, held = tally.arm(judged, "treatment"), tally.arm(judged, "global_holdout")
    each = lift.value(treated, held)
    gain = each.times(treated.size)
    cost = float(evidence.messages["cost"].sum())
    ratio = sample_ratio(treated.size, held.size, evidence.plan.policy.holdout)
    return {
        "people": {"programme": treated.size, "global_holdout": held.size},
        "conversions": {"programme": _group(treated), "global_holdout": _group(held)},
        "incremental_value": {**estimate(gain), "per_person": estimate(each)},
        "cost": number(cost),
        "roi": estimate(lift.roi(gain, cost)),
        "sample_ratio": _ratio(ratio, people),
    }


def with_truth(body: dict[str, Any], truth: Mapping[str, float]) -> dict[str, Any]:
    """The body with what a simulation knows: activity → true incremental value of the people treated."""
    goals = [
        {
            **goal,
            "activities": [
                {**one, "truth": {"incremental_value": number(truth[one["activity"]])}}
                if one["activity"] in truth
                else one
                for one in goal["activities"]
            ],
        }
        for goal in body["goals"]
    ]
    return {**body, "goals": goals}


def number(value: float | None) -> float | None:
    """A figure as it is written down: six decimals, so that the order of additions leaves no trace; None if not finite."""
    return None if value is None or not isfinite(value) else round(float(value), 6) + 0.0


def estimate(one: Estimate) -> dict[str, Any]:
    """An estimate as JSON."""
    return {
        "estimate": number(one.estimate),
        "low": number(one.low),
        "high": number(one.high),
        "p_value": number(one.p_value),
        "note": one.note,
    }


def _total(compared: list[Comparison]) -> dict[str, Any]:
    gain = lift.together([(one.treated, one.held, one.gain) for one in compared])
    counted = [one for one in compared if one.gain.low is not None and one.gain.high is not None]
    cost = sum(one.cost for one in counted)
    return {"incremental_value": estimate(gain), "cost": number(cost), "roi": estimate(lift.roi(gain, cost))}


def _period(evidence: Evidence) -> dict[str, str | None]:
    return {
        "from": _written(evidence.decisions["decided_at"].min()),
        "until": tally.moment(evidence.now).isoformat(),
        "newest_event": _written(evidence.events["event_time"].max()),
    }


def _written(moment: object) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else None


def _counts(values: list[Any], names: tuple[str, ...]) -> dict[str, int]:
    counted = Counter(values)
    return {name: counted[name] for name in names}


def _group(arm: Arm) -> dict[str, Any]:
    low, high = lift.wilson(arm.conversions, arm.size)
    rate = arm.conversions / arm.size if arm.size else None
    return {
        "people": arm.size,
        "converted": arm.conversions,
        "rate": number(rate),
        "rate_low": number(low) if arm.size else None,
        "rate_high": number(high) if arm.size else None,
        "value": number(float(arm.values.sum())),
        "value_per_person": number(float(arm.values.mean())) if arm.size else None,
    }


def _messages(sent: pl.DataFrame) -> dict[str, Any]:
    states = Counter(sent["state"].to_list())
    why = Counter(
        (state, reason)
        for state, reason in sent.select("state", "why").rows()
        if state in ("skipped", "failed", "unknown") and reason
    )
    return {
        **{state: states[state] for state in FINAL_STATES},
        "not_final": states[None],
        **{name: int(sent[name].sum()) for name in tally.REACTIONS},
        "reasons": [
            {"state": state, "reason": reason, "count": count}
            for (state, reason), count in sorted(why.items(), key=lambda one: (-one[1], one[0]))[:TOP_REASONS]
        ],
    }


def _ratio(ratio: SampleRatio, people: pl.DataFrame) -> dict[str, Any]:
    return {
        "planned_holdout": number(ratio.planned),
        "observed_holdout": number(ratio.observed),
        "p_value": number(ratio.p_value),
        "flagged": ratio.flagged,
        "plan_versions": people["plan_version"].n_unique(),
        "note": ratio.note,
    }


def _detectable(treated: Arm, held: Arm) -> dict[str, Any]:
    worth, rate = lift.smallest_detectable(treated, held)
    unknown = worth is None
    return {
        "value": number(None if worth is None else worth * treated.size),
        "value_per_person": number(worth),
        "rate": number(rate),
        "note": "needs at least two people in each group, and some spread" if unknown else None,
    }


def _credited(credited: pl.DataFrame, activity: str) -> dict[str, Any]:
    own = credited.filter(pl.col("activity") == activity)
    return {
        "kind": "last_touch",
        "conversions": int(own["conversions"].sum()),
        "value": number(float(own["value"].sum())),
    }
