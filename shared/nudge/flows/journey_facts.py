"""What happened to a person on the way, as the walk asks for it. In: a journey, a profile, the plan. Out: yes or no. It reads no store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nudge.decide import journey as journeys
from nudge.decide.journey import Done, Journey
from nudge.profile.spec import LAST
from nudge.vocabulary import Micros, Plan, Profile


class Happened(NamedTuple):
    """What a journey asks of its person: answered by the profile's state where that is exact, else by what the journey has heard."""

    journey: Journey
    profile: Profile
    plan: Plan

    def happened(self, name: str, done: Done) -> bool:
        if name == journeys.CONVERTED:
            return self.reached(self.journey.goal, done.decided_at)
        if name in journeys.SIGNS:
            return any(journeys.sign(one, done.decision_id) in self.journey.heard for one in journeys.SIGNS[name])
        at = last(self.profile, name)
        return at is not None and at >= done.decided_at

    def reached(self, goal: str, since: Micros) -> bool:
        meant = self.plan.goals.get(goal)
        if meant is None or meant.absent:
            return False
        narrow = journeys.is_narrow(meant)
        at = self.journey.heard.get(journeys.milestone(goal)) if narrow else last(self.profile, meant.event)
        return at is not None and at >= since


def last(profile: Profile, event_type: str) -> Micros | None:
    """When the latest event of a type happened, of those that we know."""
    held: Mapping[str, Any] = profile.state.get("e", {})
    return held[event_type][LAST] if event_type in held else None
