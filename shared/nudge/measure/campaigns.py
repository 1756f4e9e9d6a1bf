"""Decisions that name the campaign they were made for come in; each campaign as a whole goes out, as plain JSON values.

A campaign may draw from several activities, each with its own holdout: what it changed is the sum of their comparisons, never a
comparison of the pooled groups (their mixtures would differ).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from nudge.measure import lift, reach, shown
from nudge.measure.activities import Comparison, of_activity, total
from nudge.measure.evidence import Evidence
from nudge.measure.lift import Arm, Estimate
from nudge.vocabulary import Goal


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
    drawn, goals = set(asked["chosen"].to_list()), set(asked["goal"].to_list())
    parts, compared, touched = [], [], pl.DataFrame()
    against: list[dict[str, Any]] = []
    for goal in (goal for goal in evidence.plan.goals.values() if goal.name in goals):
        credited = evidence.credited(goal).join(asked.select("decision_id"), on="decision_id", how="semi")
        touched = pl.concat([touched, credited.select("value")]) if touched.width else credited.select("value")
        names = [one.name for one in evidence.plan.activities.values() if one.goal == goal.name]
        against.append({"goal": goal.name, **rivals.compared(evidence, goal, names, asked)})
        for activity in (
            one for one in evidence.plan.activities.values() if one.name in drawn and one.goal == goal.name
        ):
            said, one = of_activity(evidence, goal, activity, credited, asked)
            parts.append({"goal": goal.name, **said})
            compared.append((goal, one))
    sent = evidence.messages.join(asked.select("decision_id"), on="decision_id", how="semi")
    told = evidence.told.join(asked.select("decision_id"), on="decision_id", how="semi")
    return {
        "campaign": name,
        "goals": sorted(goals),
        "from": asked["decided_at"].min().isoformat(),  # type: ignore[union-attr]
        "until": asked["decided_at"].max().isoformat(),  # type: ignore[union-attr]
        "people": _people(parts),
        "reach": reach.of_all(asked, told, evidence.messages),
        "messages": shown.messages(sent),
        "total": total([one for _, one in compared]),
        "incremental_conversions": _conversions(compared),
        "revenue": shown.number(sum(float(one.treated.values.sum()) for _, one in compared)),
        "cost_so_far": shown.number(float(sent["cost"].sum())),
        "attribution": {
            "kind": "last_touch",
            "conversions": touched.height,
            "value": shown.number(float(touched["value"].sum()) if touched.width else 0.0),
        },
        "sample_ratio": {"flagged": [one["activity"] for one in parts if one["sample_ratio"]["flagged"]]},
        "contrasts": against,
        "activities": parts,
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
