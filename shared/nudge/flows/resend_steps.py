"""Whether a step of a journey that failed may still go again. In: decisions that failed, journeys as they stand. Out: why not, or None.

People move on while a message lies there: they reach the goal that stops the sequence, get the message after it, or are called anew.
What then comes late would tell who has bought to buy, or the second thing before the first; so it stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nudge.decide import chance
from nudge.decide import journey as journeys
from nudge.decide.journey import Journey
from nudge.ports import Journeys, Ledger, Traveller
from nudge.vocabulary import Decision


@dataclass(frozen=True, slots=True)
class StepsOnTheWay:
    """Asked for many decisions at once: the journeys are read together."""

    ledger: Ledger
    journeys: Journeys

    def why_not(self, decisions: Iterable[Decision]) -> dict[str, str]:
        """Decision id → why its message must not go again; absent where nothing speaks against it. Raises Unavailable.

        `goal_reached`: the journey ended so. `overtaken`: a message of a later step was decided since. `begun_again`: the person is on
        another journey through the campaign by now.
        """
        steps = [one for one in decisions if not of_a_run(one)]
        held = self.journeys.get_many({_traveller(one): None for one in steps})
        found = ((one.decision_id, self._why(one, held.get(_traveller(one)))) for one in steps)
        return {name: why for name, why in found if why is not None}

    def _why(self, decision: Decision, held: Journey | None) -> str | None:
        if held is None:
            return None
        ids = [held.decision_id(place) for place in journeys.dos(held.steps)]
        if decision.decision_id not in ids:
            return "begun_again"
        if held.reason == "goal":
            return "goal_reached"
        later = self.ledger.messages_of(ids[ids.index(decision.decision_id) + 1 :])
        made = (self.ledger.find(one.decision_id) for one in later)
        return "overtaken" if any(one and one[0].decided_at > decision.decided_at for one in made) else None


def of_a_run(decision: Decision) -> bool:
    """Whether it was made for a member of a run, all of whom are decided for at once, and on nobody's journey."""
    key = chance.key("campaign", decision.campaign or "", decision.run or "")
    return decision.decision_id == chance.decision_id(decision.user_id, key)


def _traveller(decision: Decision) -> Traveller:
    return decision.campaign or "", decision.user_id
