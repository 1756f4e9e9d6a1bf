"""A decision as the caller sees it. In: a `Decision`. Out: a JSON object (DESIGN 5.7). Knows no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nudge.decide.quiet import iso
from nudge.vocabulary import NOTHING, Candidate, Decision


def public(
    decision: Decision, *, content: Mapping[str, str] | None, cold_start: bool, dry_run: bool = False
) -> dict[str, Any]:
    """Predicted demand, activity, channel, when, why, propensity, group, versions, id; `content` where it is shown inline.

    `predicted.nothing` and `predicted.activity` are the probabilities of the goal without and with what is done.
    """
    return {
        "decision_id": decision.decision_id,
        "user_id": decision.user_id,
        "goal": decision.goal,
        "predicted": {"nothing": _of_nothing(decision), "activity": decision.probability},
        "activity": decision.activity,
        "channel": decision.channel,
        "send_at": None if decision.due_at is None else iso(decision.due_at),
        "content": None if content is None else dict(content),
        "why": {"reason": decision.reason, "candidates": [_candidate(one) for one in decision.candidates]},
        "propensity": decision.propensity,
        "group": decision.group,
        "rules": "model" if decision.model_version and not cold_start else "plan",
        "cold_start": cold_start,
        "model_version": decision.model_version,
        "plan_version": decision.plan_version,
        "decided_at": iso(decision.decided_at),
        "dry_run": dry_run,
    }


def _of_nothing(decision: Decision) -> float | None:
    return next((one.probability for one in decision.candidates if one.activity == NOTHING), None)


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "activity": one.activity,
        "probability": one.probability,
        "value": one.value,
        "propensity": one.propensity,
        "removed": one.removed,
    }
