"""Preview: what a person would be sent, shown and not sent. In: an activity, a person. Out: the composed message, or why there is none.

Its links are signed with no key of ours: who clicks in a preview changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nudge.decide import eligible
from nudge.errors import NotFound
from nudge.flows.champions import PlanInForce
from nudge.flows.compose import Compose
from nudge.ports import Profiles, Templates
from nudge.vocabulary import Activity, Decision, Email, Message, Micros, Parcel

NOWHERE = "https://preview.invalid"


class NoKey:
    """A signer whose signatures are nobody's."""

    def sign(self, message: bytes) -> bytes:
        return b"preview".ljust(32)

    def verify(self, message: bytes, mac: bytes) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Preview:
    """One message for one person."""

    profiles: Profiles
    plan: PlanInForce
    templates: Templates

    def __call__(
        self, activity: str, user_id: str, *, now: Micros, items: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[Email | Parcel, str | None]:
        """The message, and why it would not be sent to this person now (None where it would).

        Raises
        ------
        NotFound
            The plan has no such activity, or nobody knows the person.
        BadInput
            With the reason why the message cannot be written.
        """
        plan = self.plan()
        chosen, profile = plan.activities.get(activity), self.profiles.get(user_id, consistent=True)
        if chosen is None:
            raise NotFound(f"the plan has no activity {activity}; it has {', '.join(plan.activities)}")
        if profile is None:
            raise NotFound("nobody of that id is known")
        decision = _decision(chosen, user_id, plan.version, now, items)
        message = Message(decision.decision_id, user_id, activity, chosen.goal, chosen.channel, "pending", now)
        compose = Compose(self.templates, NoKey(), lambda day: b"preview", NOWHERE)
        made = compose(message, decision, chosen, profile, plan, now)
        return made, eligible.unreachable(chosen, profile)


def _decision(
    activity: Activity, user_id: str, plan_version: str, now: Micros, items: Sequence[Mapping[str, Any]]
) -> Decision:
    """A decision that nobody made: what a template may ask of one."""
    return Decision(
        decision_id="preview",
        user_id=user_id,
        decided_at=now,
        goal=activity.goal,
        chosen=activity.name,
        activity=activity.name,
        channel=activity.channel,
        group="treatment",
        propensity=1.0,
        draw=0.0,
        probability=0.0,
        value=0.0,
        cost=activity.cost,
        candidates=(),
        vector={},
        context={},
        reason="preview",
        policy="preview",
        plan_version=plan_version,
        model_version=None,
        items=tuple(items),
    )
