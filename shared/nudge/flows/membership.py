"""Who belongs to a campaign's audience now. In: a profile, the models in force. Out: yes or no, by the plan's own words.

Predictions are asked only where the audience, or the trigger, names them; what no model says is unknown, and the person then
does not belong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nudge.decide import audience, occasion
from nudge.decide.eligible import Known
from nudge.flows.champions import Champion
from nudge.flows.panel import PREDICTED, Panel
from nudge.profile.vector import features
from nudge.vocabulary import Campaign, Expression, Micros, OnDate, OnPrediction, Plan, Profile


@dataclass(frozen=True, slots=True)
class Membership:
    """Asks for one plan; `champions` stays warm."""

    plan: Plan
    champions: Callable[[str], Champion | None]

    def facts(self, profile: Profile, now: Micros, names: frozenset[str]) -> Known:
        """What is known of a person; of predictions those in `names`."""
        vector: dict[str, Any] = dict(features(profile, now))
        wanted = [name.removeprefix(PREDICTED) for name in names if name.startswith(PREDICTED)]
        return Known(profile, vector | self._predicted(vector, wanted) if wanted else vector)

    def belongs(self, profile: Profile, meant: Expression | None, now: Micros) -> bool:
        """Whether a person belongs to an audience; everybody does where none is named."""
        return meant is None or audience.belongs(meant, self.facts(profile, now, audience.names(meant)))

    def is_called(self, profile: Profile, campaign: Campaign, run: str, now: Micros) -> bool:
        """Whether the campaign's date or prediction calls the person on the day of this run; a schedule calls everybody."""
        match campaign.trigger:
            case OnDate() as trigger:
                return occasion.is_the_day(trigger, profile.trait(trigger.attribute), run)
            case OnPrediction() as trigger:
                return occasion.crosses(
                    trigger, self.facts(profile, now, _names(trigger)).get(PREDICTED + trigger.name)
                )
        return True

    def _predicted(self, vector: dict[str, Any], wanted: list[str]) -> dict[str, float]:
        said: dict[str, float] = {}
        for name in wanted:
            if name in self.plan.goals and (champion := self.champions(name)) is not None:
                said[PREDICTED + name] = champion.scorer.probability(vector)
        value = self.plan.learn.get("value")
        if value and len(said) < len(wanted) and (champion := self.champions(f"value.{value['event']}")) is not None:
            said |= {PREDICTED + name: one for name, one in (Panel(value=champion).person(vector) or {}).items()}
        return said


def _names(trigger: OnPrediction) -> frozenset[str]:
    return frozenset({PREDICTED + trigger.name})
