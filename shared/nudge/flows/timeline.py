"""Why did they get this? A person's id comes in; their decisions with reasons, messages, and what is known of them goes out.

Reads only. Traits that say who somebody is (addresses, names) are named and not shown: who reads the console need not know them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nudge.decide.quiet import iso
from nudge.decide.record import explained
from nudge.errors import BadInput, NotFound
from nudge.ports import History, Past, People
from nudge.profile.spec import FIRST, LAST, TOTAL, WORTH
from nudge.profile.vector import is_private
from nudge.vocabulary import Message, Profile

LONGEST_ID = 256
TOP_TYPES = 20
"""Event types of a person that are told: those seen last."""


class Timeline(NamedTuple):
    """`GET /v1/people/{id}/timeline`."""

    history: History
    people: People

    def __call__(self, user_id: str, *, before: str | None = None) -> dict[str, Any]:
        """A page of the person's decisions, newest first; `before` of the answer asks for the next one.

        Raises
        ------
        BadInput
            The id is empty or too long, or `before` is no cursor.
        NotFound
            Nobody is known by this id, and nothing was ever decided for it.
        """
        if not 0 < len(user_id) <= LONGEST_ID:
            raise BadInput(f"id: 1 to {LONGEST_ID} characters", reason="bad_id", where="id")
        past, following = self.history.of(user_id, before=before)
        profile = self.people.get(user_id)
        if profile is None and not past and before is None:
            raise NotFound("nobody is known by this id")
        return {
            "user_id": user_id,
            "profile": None if profile is None else portrait(profile),
            "decisions": [_entry(one) for one in past],
            "before": following,
        }


def portrait(profile: Profile) -> dict[str, Any]:
    """What is known of a person: consents, suppressions, traits (those that identify are masked), what they did how often."""
    types: dict[str, Any] = profile.state.get("e", {})
    newest = sorted(types.items(), key=lambda one: (-one[1][LAST], one[0]))[:TOP_TYPES]
    return {
        "consents": [
            {"channel": name, "granted": one.granted, "at": iso(one.at), "source": one.source}
            for name, one in sorted(profile.consents.items())
        ],
        "suppressions": [
            {"channel": name, "reason": one.reason, "at": iso(one.at)}
            for name, one in sorted(profile.suppressions.items())
        ],
        "traits": [_trait(name, *held) for name, held in sorted(profile.traits.items())],
        "activity": [
            {
                "event_type": name,
                "total": row[TOTAL],
                "worth": row[WORTH],
                "first": iso(row[FIRST]),
                "last": iso(row[LAST]),
            }
            for name, row in newest
        ],
    }


def _trait(name: str, value: Any, at: int) -> dict[str, Any]:
    masked = is_private(name) or (isinstance(value, str) and "@" in value)
    return {"name": name, "value": None if masked else value, "masked": masked, "at": iso(at)}


def _entry(past: Past) -> dict[str, Any]:
    made, message = past
    return {
        "decision_id": made.decision_id,
        "decided_at": iso(made.decided_at),
        "goal": made.goal,
        "campaign": made.campaign,
        "run": made.run,
        "chosen": made.chosen,
        "activity": made.activity,
        "channel": made.channel,
        "group": made.group,
        "reason": made.reason,
        "probability": made.probability,
        "value": made.value,
        "propensity": made.propensity,
        "policy": made.policy,
        "candidates": [one._asdict() for one in made.candidates],
        "contributions": None if made.why is None else explained(made.why),
        "person": made.person,
        "items": [dict(one) for one in made.items],
        "model_version": made.model_version,
        "plan_version": made.plan_version,
        "message": None if message is None else _message(message),
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "state": message.state,
        "reason": message.reason,
        "due_at": iso(message.due_at),
        "changed_at": iso(message.changed_at) if message.changed_at else None,
    }
