"""One person's case: what may be done, and what each candidate promises.

In: a checked request, the plan, a profile, the champion, counters. Out: the `Question` that the policy decides, and the content of
inline candidates. Here the rooms profile, score, decide and act meet; no store is read but templates.
"""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from nudge.act.fill import fill
from nudge.act.words import words
from nudge.decide import eligible, quiet, value
from nudge.decide import request as requests
from nudge.decide.policy import Question
from nudge.errors import BadInput, NotFound
from nudge.flows.champions import Champion
from nudge.ports import Templates
from nudge.profile.vector import features
from nudge.vocabulary import NOTHING, Activity, Candidate, Goal, Micros, Plan, Profile, Vector


class Case(NamedTuple):
    """What is known of a request before a model is asked. `due_at` is when each activity would reach the person."""

    request: requests.Request
    plan: Plan
    profile: Profile
    cold_start: bool
    goal: Goal
    activities: tuple[Activity, ...]
    due_at: dict[str, Micros]
    zone: ZoneInfo
    now: Micros

    @classmethod
    def of(cls, request: requests.Request, plan: Plan, profile: Profile | None, now: Micros) -> Self:
        """The case of a request. Raises BadInput for a goal or an activity that the plan does not have."""
        goal = requests.goal_of(request, plan)
        activities = tuple(plan.activities[name] for name in requests.activities_of(request, plan, goal))
        person = Profile(request.user_id) if profile is None else profile
        zone = quiet.zone(person.trait("timezone"), plan.timezone)
        calm = quiet.release(now, zone, plan.policy.quiet_hours)
        free = {one.name for one in activities if one.transactional or one.channel == eligible.INLINE}
        due_at = {one.name: now if one.name in free else calm for one in activities}
        return cls(request, plan, person, profile is None, plan.goals[goal], activities, due_at, zone, now)

    def counters(self) -> list[str]:
        """The counters that bind any of the activities: caps of the person's day and week, the plan's budget."""
        keys: list[str] = []
        for one in self.activities:
            due = self.due_at[one.name]
            keys += eligible.cap_limits(one, self.plan, self.profile.user_id, due, self.zone)
            if (claim := eligible.budget_claim(one, self.plan, due)) is not None:
                keys.append(claim[0])
        return list(dict.fromkeys(keys))

    def question(
        self, decision_id: str, champion: Champion | None, counts: dict[str, float], templates: Templates
    ) -> tuple[Question, dict[str, dict[str, str]]]:
        """What the policy is asked, and the rendered content of each inline candidate."""
        vector = features(self.profile, self.now)
        for name, one in self.request.context.items():
            vector[f"context.{name}"] = float(one) if isinstance(one, bool | int | float) else one
        removed, contents = self._obstacles(vector, counts, templates)
        chances, version = self._probabilities(vector, champion, removed)
        owed = any(one.transactional and removed[one.name] is None for one in self.activities)
        candidates = [Candidate(NOTHING, chances[NOTHING], removed="transactional" if owed else None)]
        candidates += [Candidate(one.name, chances.get(one.name), removed=removed[one.name]) for one in self.activities]
        question = Question(
            decision_id=decision_id,
            user_id=self.profile.user_id,
            now=self.now,
            goal=self.goal.name,
            worth=value.goal_value(self.goal, vector, champion.typical_value if champion else None),
            candidates=tuple(candidates),
            due_at=self.due_at,
            vector=vector,
            context=self.request.context,
            model_version=version,
            cold_start=self.cold_start,
        )
        return question, contents

    def _obstacles(
        self, vector: Vector, counts: dict[str, float], templates: Templates
    ) -> tuple[dict[str, str | None], dict[str, dict[str, str]]]:
        named = frozenset(self.request.candidates or ())
        situation = eligible.Situation(self.profile, vector, self.plan, self.now, self.due_at, self.zone, counts, named)
        removed = {one.name: eligible.obstacle(one, situation) for one in self.activities}
        contents: dict[str, dict[str, str]] = {}
        said = words(self.profile.traits, self.request.context, currency=self.plan.currency, goal=self.goal.name)
        for one in self.activities:
            if removed[one.name] is None and one.channel == eligible.INLINE and one.template is not None:
                try:
                    contents[one.name] = fill(templates.get(one.template), said)
                except NotFound:
                    removed[one.name] = "no_template"
                except BadInput as wrong:
                    removed[one.name] = wrong.reason
        return removed, contents

    def _probabilities(
        self, vector: Vector, champion: Champion | None, removed: dict[str, str | None]
    ) -> tuple[dict[str, float], str | None]:
        """p(goal) of nothing and of each activity that was not removed, and the model's version; by the plan's rules where
        there is no model, or one that does not answer with a probability."""
        open_ones = [one for one in self.activities if removed[one.name] is None]
        if champion is not None:
            known = [one.name for one in open_ones if champion.scorer.knows(one.name)]
            scored = champion.scorer.probabilities(vector, [NOTHING, *known])
            unseen = {one.name: value.lifted(scored[NOTHING], one) for one in open_ones if one.name not in scored}
            chances = scored | unseen
            if all(isfinite(chance) for chance in chances.values()):
                return {name: min(max(chance, 0.0), 1.0) for name, chance in chances.items()}, champion.version
        base = self.plan.policy.base_rate
        return {NOTHING: base} | {one.name: value.lifted(base, one) for one in open_ones}, None
