"""The models that one case needs, and what they say of it.

In: a case's plan, goal and activities; loaded champions. Out: probabilities, what a person is worth, items, best moments,
explanations; each None where no model is in force. A model that the plan does not use is never read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from nudge.decide import audience, value
from nudge.flows.champions import Champion
from nudge.vocabulary import NOTHING, Activity, Contribution, Explanation, Goal, Micros, Plan, Profile, Vector

MOST_REASONS = 5
PREDICTED = "predicted."
NUMBERS = ("alive", "purchases", "spend")
"""What is told of a person's worth, and may be asked for by an audience as `predicted.<name>`."""


class Panel(NamedTuple):
    """Champions by what they do; None where there is none in force, or none that the case asks for. `asked` are those of the goals
    whose prediction an audience names."""

    propensity: Champion | None = None
    uplift: Champion | None = None
    value: Champion | None = None
    recommend: Champion | None = None
    send_time: Champion | None = None
    asked: Mapping[str, Champion] = {}

    @classmethod
    def of(
        cls,
        champions: Callable[[str], Champion | None],
        plan: Plan,
        goal: Goal,
        activities: Sequence[Activity],
        *,
        known: bool,
    ) -> Self:
        """The panel of a case. Of a person who is not `known`, only items can be recommended.

        Raises
        ------
        Unavailable
            The store is down, and a model was never loaded.
        """
        said = plan.learn

        choosing = any(one.recommended for one in activities)
        waiting = known and any(one.send_time == "best" for one in activities)
        return cls(
            champions(goal.name) if known else None,
            champions(f"uplift.{goal.name}") if known and activities and "uplift" in said else None,
            champions(f"value.{said['value']['event']}") if known and "value" in said else None,
            champions(f"recommend.{said['recommend']['bought']}") if choosing and "recommend" in said else None,
            champions(f"send_time.{said['send_time']['channel']}") if waiting and "send_time" in said else None,
            _asked(champions, plan, activities) if known else {},
        )

    def versions(self) -> dict[str, str]:
        """Kind → version of every model that takes part."""
        held = {kind: one.version for kind, one in zip(self._fields, self[:-1], strict=False) if one is not None}
        return held | {f"audience.{goal}": one.version for goal, one in self.asked.items()}

    def probabilities(
        self, vector: Vector, activities: Sequence[Activity], base_rate: float
    ) -> tuple[dict[str, float], str | None]:
        """p(goal) of nothing and of each activity, and the versions that gave it.

        Where an uplift is known it is added to p(nothing), and stands in place of what the propensity model says of the
        activity; an activity that no model has seen gets the plan's lift; so does everything where there is no model, or
        one that does not answer with a number.
        """
        effects = {} if self.uplift is None else self.uplift.scorer.effects(vector)
        effects = {one.name: effects[one.name] for one in activities if isfinite(effects.get(one.name, nan))}
        scored, version = self._scored(vector, [one for one in activities if one.name not in effects], base_rate)
        nothing = scored[NOTHING]
        scored |= {name: nothing + effect for name, effect in effects.items()}
        scored |= {one.name: value.lifted(nothing, one) for one in activities if one.name not in scored}
        if self.uplift is not None and effects:
            version = "+".join(filter(None, (version, f"uplift/{self.uplift.version}")))
        return {name: min(max(chance, 0.0), 1.0) for name, chance in scored.items()}, version

    def _scored(
        self, vector: Vector, activities: Sequence[Activity], base_rate: float
    ) -> tuple[dict[str, float], str | None]:
        if self.propensity is None:
            return {NOTHING: base_rate}, None
        known = [one.name for one in activities if self.propensity.scorer.knows(one.name)]
        scored: dict[str, float] = self.propensity.scorer.probabilities(vector, [NOTHING, *known])
        if not all(map(isfinite, scored.values())):
            return {NOTHING: base_rate}, None
        return scored, self.propensity.version

    def measured(self, activities: Sequence[Activity]) -> frozenset[str]:
        """The activities whose effect was measured on people held out from them."""
        if self.uplift is None:
            return frozenset()
        known = self.uplift.scorer.averages
        return frozenset(one.name for one in activities if one.name in known)

    def person(self, vector: Vector) -> dict[str, float] | None:
        """What the person is expected to be worth over the plan's horizon: `alive`, `purchases`, `spend`."""
        if self.value is None:
            return None
        said = self.value.scorer.value(vector)
        return {name: said[name] for name in NUMBERS} if all(isfinite(said[name]) for name in NUMBERS) else None

    def predicted(self, vector: Vector) -> dict[str, float]:
        """What audiences may ask for as `predicted.<goal>`, by whole names; only what they do ask for."""
        return {f"{PREDICTED}{goal}": one.scorer.probability(vector) for goal, one in self.asked.items()}

    def best_moment(self, profile: Profile, now: Micros, where: ZoneInfo) -> tuple[Micros, float] | None:
        """The next best moment for a message within a day, and its expected gain over sending now."""
        if self.send_time is None:
            return None
        segment = {name: held for name, (held, _) in profile.traits.items()}
        found: tuple[Micros, float] = self.send_time.scorer.best(profile.state, segment, now=now, zone=where)
        return found

    def items(self, profile: Profile, number: int, now: Micros) -> tuple[dict[str, Any], ...]:
        """The best items for a person, best first; of one who is not known, what newcomers are shown."""
        if self.recommend is None or not number:
            return ()
        scorer = self.recommend.scorer
        return tuple(scorer.about(item) for item, _ in scorer.top(**asked(scorer, profile.state), n=number, now=now))

    def explanation(self, vector: Mapping[str, float | str | None], activity: str) -> Explanation | None:
        """Why the score behind the probability of what is done is what it is; None where no model was asked. Where the
        activity's effect comes from elsewhere (an uplift, the plan), the score is that of doing nothing."""
        if self.propensity is None:
            return None
        scorer = self.propensity.scorer
        apart = self.uplift is not None and activity in self.uplift.scorer.averages
        base, added = scorer.contributions(vector, activity if scorer.knows(activity) and not apart else NOTHING)
        ranked = sorted(added.items(), key=lambda one: (-abs(one[1]), one[0]))
        reasons = tuple(Contribution(*one) for one in ranked[:MOST_REASONS])
        return Explanation(base, reasons, sum(effect for _, effect in ranked[MOST_REASONS:]))


def _asked(
    champions: Callable[[str], Champion | None], plan: Plan, activities: Sequence[Activity]
) -> dict[str, Champion]:
    """Goal → its model, of the goals whose prediction the audience of an activity names."""
    names = {name for one in activities if one.audience is not None for name in audience.names(one.audience)}
    goals = (name.removeprefix(PREDICTED) for name in sorted(names) if name.startswith(PREDICTED))
    return {goal: one for goal in goals if goal in plan.goals and (one := champions(goal)) is not None}


def asked(scorer: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """What a recommender is asked with, of a person's state: items met with their latest time, and how much each counts
    (the largest weight of what happened with it); items bought."""
    recent: dict[str, Micros] = {}
    strength: dict[str, float] = {}
    for kind, items in state.get("i", {}).items():
        weight = scorer.events.get(kind, 1.0)
        for item, at in items.items():
            recent[item] = max(at, recent.get(item, at))
            strength[item] = max(weight, strength.get(item, weight))
    return {"recent": recent, "strength": strength, "bought": state.get("i", {}).get(scorer.bought, ())}
