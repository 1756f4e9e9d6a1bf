"""A plan and the lake's frames come in; the figures of the report, as plain JSON values, go out.

One place says which figure stands where; how each is computed is said in the modules that it calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from nudge.measure import days, lift, rivals, shown, tally
from nudge.measure.activities import Comparison, by_segment, of_activity, reduced, total
from nudge.measure.campaigns import campaigns
from nudge.measure.evidence import Evidence as Evidence
from nudge.measure.ratio import sample_ratio
from nudge.vocabulary import Goal


def report_body(evidence: Evidence) -> dict[str, Any]:
    """period, goals, campaigns, segments, total, its course from day to day, and programme of the report."""
    goals, compared = [], []
    for goal in evidence.plan.goals.values():
        one, comparisons = of_goal(evidence, goal)
        goals.append(one)
        compared += [(goal, comparison) for comparison in comparisons]
    return {
        "currency": evidence.plan.currency,
        "period": _period(evidence),
        "total": total([one for _, one in compared]),
        "course": days.together([(goal, one.judged) for goal, one in compared], tally.moment(evidence.now)),
        "programme": programme(evidence),
        "goals": goals,
        "campaigns": campaigns(evidence),
        "segments": by_segment(evidence, compared),
    }


def of_goal(evidence: Evidence, goal: Goal) -> tuple[dict[str, Any], list[Comparison]]:
    """One goal with its activities, and the comparisons its total is made of."""
    named = [activity for activity in evidence.plan.activities.values() if activity.goal == goal.name]
    credited = evidence.credited(goal)
    pairs = [of_activity(evidence, goal, activity, credited) for activity in named]
    comparisons = [comparison for _, comparison in pairs]
    said = {
        "goal": goal.name,
        "event": goal.event,
        "within_days": goal.within_days,
        "worth": goal.value if goal.value is not None else "from_event",
        "total": total(comparisons),
        "activities": [one for one, _ in pairs],
        "contrasts": rivals.compared(evidence, goal, [one.name for one in named]),
    }
    return said, comparisons


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
            "variance_reduced": reduced([(treated, held)], gain, everyone),
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


def _period(evidence: Evidence) -> dict[str, str | None]:
    return {
        "from": _written(evidence.decisions["decided_at"].min()),
        "until": tally.moment(evidence.now).isoformat(),
        "newest_event": _written(evidence.events["event_time"].max()),
    }


def _written(moment: object) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else None
