"""Decisions that name the campaign they were made for come in; each campaign as a whole goes out, as plain JSON values.

A campaign of the plan holds out the same people from all that it does: it is one comparison (`whole`). Decisions that only name a
campaign in their context draw from activities with holdouts of their own: what those changed is the sum of their comparisons, never
a comparison of the pooled groups (their mixtures would differ).
"""

from __future__ import annotations

from copy import replace
from typing import Any

import numpy as np
import polars as pl

from nudge.measure import lift, reach, rivals, shown
from nudge.measure.activities import Comparison, of_activity, total
from nudge.measure.evidence import Evidence
from nudge.measure.lift import Arm, Estimate
from nudge.measure.whole import Whole
from nudge.vocabulary import Activity, Goal


def campaigns(evidence: Evidence) -> list[dict[str, Any]]:
    """Every campaign that a decision names, the one that began last first."""
    begun = (
        evidence.decisions.drop_nulls("campaign")
        .group_by("campaign")
        .agg(pl.col("decided_at").min().alias("begun"))
        .sort(["begun", "campaign"], descending=[True, False])
    )
    return [_campaign(evidence, str(name)) for name in begun["campaign"]]


def _campaign(evidence: Evidence, name: str) -> dict[str, Any]:
    asked = evidence.decisions.filter(pl.col("campaign") == name)
    named = set(asked["goal"].to_list())
    goals = [goal for goal in evidence.plan.goals.values() if goal.name in named]
    credited = {goal.name: _credited(evidence, goal, asked) for goal in goals}
    made = [
        (goal, of_activity(evidence, goal, activity, credited[goal.name], asked))
        for goal in goals
        for activity in _drawn(evidence, goal, asked)
    ]
    compared = [(goal, one) for goal, (_, one) in made]
    parts = [{"goal": goal.name, **said} for goal, (said, _) in made]
    known = evidence.plan.campaigns.get(name)
    return {
        "campaign": name,
        "goals": [goal.name for goal in goals],
        "from": asked["decided_at"].min().isoformat(),  # type: ignore[union-attr]
        "until": asked["decided_at"].max().isoformat(),  # type: ignore[union-attr]
        **_messages(evidence, asked),
        **(_summed(parts, compared) if known is None else _together(Whole.of(evidence, known, asked))),
        "attribution": {
            "kind": "last_touch",
            "conversions": sum(one.height for one in credited.values()),
            "value": shown.number(sum(float(one["value"].sum()) for one in credited.values())),
        },
        "sample_ratio": {"flagged": [one["activity"] for one in parts if one["sample_ratio"]["flagged"]]},
        "contrasts": [
            {"goal": goal.name, **rivals.compared(evidence, goal, _named(evidence, goal), asked)} for goal in goals
        ],
        "activities": parts,
    }


def _credited(evidence: Evidence, goal: Goal, asked: pl.DataFrame) -> pl.DataFrame:
    return evidence.credited(goal).join(asked.select("decision_id"), on="decision_id", how="semi")


def _named(evidence: Evidence, goal: Goal) -> list[str]:
    return [one.name for one in evidence.plan.activities.values() if one.goal == goal.name]


def _drawn(evidence: Evidence, goal: Goal, asked: pl.DataFrame) -> list[Activity]:
    drawn = set(asked["chosen"].to_list())
    return [evidence.plan.activities[name] for name in _named(evidence, goal) if name in drawn]


def _messages(evidence: Evidence, asked: pl.DataFrame) -> dict[str, Any]:
    ours = asked.select("decision_id")
    sent = evidence.messages.join(ours, on="decision_id", how="semi")
    told = evidence.told.join(ours, on="decision_id", how="semi")
    return {
        "reach": reach.of_all(asked, told, evidence.messages),
        "messages": shown.messages(sent),
        "cost_so_far": shown.number(float(sent["cost"].sum())),
    }


def _together(whole: Whole) -> dict[str, Any]:
    return {
        "people": whole.people(),
        "total": whole.total(),
        "incremental_conversions": whole.conversions(),
        "revenue": whole.revenue(),
    }


def _summed(parts: list[dict[str, Any]], compared: list[tuple[Goal, Comparison]]) -> dict[str, Any]:
    return {
        "people": _people(parts),
        "total": total([one for _, one in compared]),
        "incremental_conversions": _conversions(compared),
        "revenue": shown.number(sum(float(one.treated.values.sum()) for _, one in compared)),
    }


def _people(parts: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(one["people"][name] for one in parts) for name in ("treatment", "holdout", "not_matured")}


def _conversions(compared: list[tuple[Goal, Comparison]]) -> dict[str, Any]:
    """Conversions gained by all activities, each person once per activity."""
    found: list[tuple[Arm, Arm, Estimate]] = []
    for _, one in compared:
        treated, held = (replace(arm, values=arm.converted.astype(np.float64)) for arm in (one.treated, one.held))
        found.append((treated, held, lift.rates(treated, held).times(treated.size)))
    return shown.estimate(lift.together(found), sum(one.people for _, one in compared))
