"""A decision as the caller sees it. In: a `Decision`. Out: a JSON object (DESIGN 5.7). Knows no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nudge.decide.quiet import iso
from nudge.decide.record import explained
from nudge.vocabulary import NOTHING, Candidate, Decision, SendTime


def public(
    decision: Decision, *, content: Mapping[str, str] | None, cold_start: bool, dry_run: bool = False
) -> dict[str, Any]:
    """Predicted demand, activity, channel, when, why, propensity, group, versions, id; `content` where it is shown inline.

    `predicted.nothing` and `predicted.activity` are the probabilities of the goal without and with what is done, and
    `value_of_nothing` and `value` what they are worth: p × the goal's value − cost. `person` is what the person is worth.
    """
    nothing = next(one for one in decision.candidates if one.activity == NOTHING)
    return {
        "decision_id": decision.decision_id,
        "user_id": decision.user_id,
        "goal": decision.goal,
        "predicted": {
            "nothing": nothing.probability,
            "activity": decision.probability,
            "value_of_nothing": nothing.value,
            "value": decision.value,
        },
        "person": decision.person,
        "activity": decision.activity,
        "channel": decision.channel,
        "send_at": None if decision.due_at is None else iso(decision.due_at),
        "send_time": None if decision.send_time is None else _send_time(decision.send_time),
        "items": list(decision.items),
        "content": None if content is None else dict(content),
        "why": {
            "reason": decision.reason,
            "contributions": None if decision.why is None else explained(decision.why),
            "candidates": [_candidate(one) for one in decision.candidates],
        },
        "propensity": decision.propensity,
        "group": decision.group,
        "rules": "model" if decision.model_version and not cold_start else "plan",
        "cold_start": cold_start,
        "model_version": decision.model_version,
        "models": dict(decision.models),
        "plan_version": decision.plan_version,
        "decided_at": iso(decision.decided_at),
        "dry_run": dry_run,
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return one._asdict()


def _send_time(one: SendTime) -> dict[str, Any]:
    return one._asdict() | {"at": iso(one.at)}
