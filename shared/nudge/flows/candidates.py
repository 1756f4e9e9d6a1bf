"""One person's case: what may be done, and what each candidate promises.

In: a checked request, the plan, a profile, the panel of models, counters. Out: the `Question` that the policy decides, and the
content of inline candidates. Here the rooms profile, decide and act meet; no store is read but templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from nudge.act.fill import fill
from nudge.act.words import item_words, words
from nudge.decide import eligible, moment, occasion, quiet, value
from nudge.decide import request as requests
from nudge.decide.limits import Claims, claims
from nudge.decide.policy import Question
from nudge.errors import BadInput, NotFound
from nudge.flows.champions import Champion
from nudge.flows.panel import PREDICTED, Panel
from nudge.plan.checks import minutes
from nudge.ports import Templates
from nudge.profile.vector import features
from nudge.vocabulary import (
    NOTHING,
    Activity,
    CampaignRun,
    Candidate,
    Goal,
    Micros,
    Plan,
    Profile,
    QuietHours,
    SendTime,
    Vector,
)

type Items = tuple[Mapping[str, Any], ...]


class Offer(NamedTuple):
    """What the activities of a case would say: why some cannot be done, the content of inline ones, the items of each."""

    removed: dict[str, str | None]
    contents: dict[str, dict[str, str]]
    items: dict[str, Items]


class Case(NamedTuple):
    """What is known of a request before a model is asked. `due_at` is when each activity would reach the person; `send_times`
    says how that was chosen, where it was; `claims` is what each activity adds to, if it is done then."""

    request: requests.Request
    plan: Plan
    profile: Profile
    cold_start: bool
    goal: Goal
    activities: tuple[Activity, ...]
    due_at: dict[str, Micros]
    zone: ZoneInfo
    now: Micros
    send_times: dict[str, SendTime]
    run: CampaignRun | None = None
    claims: Mapping[str, Claims] = {}

    @classmethod
    def of(
        cls,
        request: requests.Request,
        plan: Plan,
        profile: Profile | None,
        now: Micros,
        run: CampaignRun | None = None,
    ) -> Self:
        """The case of a request. Raises BadInput for a goal or an activity that the plan does not have."""
        goal = requests.goal_of(request, plan)
        activities = tuple(plan.activities[name] for name in requests.activities_of(request, plan, goal))
        person = Profile(request.user_id) if profile is None else profile
        zone = quiet.zone(person.trait("timezone"), plan.timezone)
        begins = occasion.begins(run, zone, now)
        calm = quiet.release(begins, zone, plan.policy.quiet_hours)
        free = {one.name for one in activities if one.transactional or one.channel == eligible.INLINE}
        due_at = {one.name: begins if one.name in free else calm for one in activities}
        return cls(request, plan, person, profile is None, plan.goals[goal], activities, due_at, zone, now, {}, run)

    def panel(self, champions: Callable[[str], Champion | None]) -> Panel:
        """The models that the case needs. Raises Unavailable when one cannot be read and was never loaded."""
        return Panel.of(champions, self.plan, self.goal, self.activities, known=not self.cold_start)

    def timed(self, decision_id: str, panel: Panel) -> Self:
        """The case with a send time for each activity that waits for the best one, and with what each activity then adds to."""
        times = self._best_times(decision_id, panel)
        due_at = self.due_at | {name: one.at for name, one in times.items()}
        user, zone = self.profile.user_id, self.zone
        found = {one.name: claims(one, self.plan, user, due_at[one.name], zone, self.run) for one in self.activities}
        return self._replace(send_times=times, due_at=due_at, claims=found)

    def _best_times(self, decision_id: str, panel: Panel) -> dict[str, SendTime]:
        waiting = [one for one in self.activities if one.send_time == "best" and not one.transactional]
        said = self.plan.learn.get("send_time")
        if not waiting or said is None:
            return {}
        hours = QuietHours(*(minutes(said["open_hours"][edge]) or 0 for edge in ("start", "until")))
        moments = moment.open_moments(self.now, self.zone, hours, self.plan.policy.quiet_hours)
        taken = moment.choose(decision_id, moments, panel.best_moment(self.profile, self.now, self.zone))
        return {} if taken is None else {one.name: taken for one in waiting}

    def explains(self) -> bool:
        """Whether the decision says which features made its probability what it is: where the request says so, else where a
        message is in question. What is shown inline is waited for, and an explanation takes as long as all the scores."""
        asked = self.request.explain
        return any(one.channel != eligible.INLINE for one in self.activities) if asked is None else asked

    def counters(self) -> list[str]:
        """The counters that bind any of the activities."""
        return list({key: None for one in self.claims.values() for key in one.keys})

    def question(
        self, decision_id: str, panel: Panel, counts: dict[str, float], templates: Templates
    ) -> tuple[Question, dict[str, dict[str, str]]]:
        """What the policy is asked, and the rendered content of each inline candidate."""
        vector = features(self.profile, self.now)
        for name, one in self.request.context.items():
            vector[f"context.{name}"] = float(one) if isinstance(one, bool | int | float) else one
        person = panel.person(vector)
        offer = self._offer(vector, person, panel, counts, templates)
        removed = offer.removed
        open_ones = [one for one in self.activities if removed[one.name] is None]
        chances, version = panel.probabilities(vector, open_ones, self.plan.policy.base_rate)
        owed = any(one.transactional for one in open_ones)
        candidates = [Candidate(NOTHING, chances[NOTHING], removed="transactional" if owed else None)]
        candidates += [Candidate(one.name, chances.get(one.name), removed=removed[one.name]) for one in self.activities]
        typical = None if panel.propensity is None else panel.propensity.typical_value
        question = Question(
            decision_id=decision_id,
            user_id=self.profile.user_id,
            now=self.now,
            goal=self.goal.name,
            worth=value.goal_value(self.goal, vector, typical),
            candidates=tuple(candidates),
            due_at=self.due_at,
            vector=vector,
            context=self.request.context,
            model_version=version,
            cold_start=self.cold_start,
            models=panel.versions(),
            items=offer.items,
            send_times=self.send_times,
            person=person,
            run=self.run,
            measured=panel.measured(self.activities),
        )
        return question, offer.contents

    def _offer(
        self,
        vector: Vector,
        person: Mapping[str, float] | None,
        panel: Panel,
        counts: dict[str, float],
        templates: Templates,
    ) -> Offer:
        named = frozenset(self.request.candidates or ())
        worth = {f"{PREDICTED}{name}": one for name, one in (person or {}).items()}
        seen = {**vector, **panel.predicted(vector), **worth} if worth or panel.asked else vector
        situation = eligible.Situation(self.profile, seen, self.now, self.due_at, self.claims, counts, named)
        offer = Offer({one.name: eligible.obstacle(one, situation) for one in self.activities}, {}, {})
        open_ones = [one for one in self.activities if offer.removed[one.name] is None]
        best = panel.items(self.profile, max((one.recommended for one in open_ones), default=0), self.now)
        shown = any(one.channel == eligible.INLINE for one in open_ones)
        facts = {"currency": self.plan.currency, "goal": self.goal.name}
        said = words(self.profile.traits, self.request.context, **facts) if shown else {}
        for one in open_ones:
            items = best[: one.recommended]
            if one.recommended and not items:
                offer.removed[one.name] = "no_items"
            elif one.channel == eligible.INLINE and one.template is not None:
                offer.removed[one.name] = _fill(offer, one, templates, said | item_words(items) if items else said)
            offer.items.update({one.name: items} if items else {})
        return offer


def _fill(offer: Offer, activity: Activity, templates: Templates, said: Mapping[str, Any]) -> str | None:
    """Note what an inline activity shows; why it cannot be shown, or None."""
    try:
        offer.contents[activity.name] = fill(templates.get(activity.template or ""), said)
    except NotFound:
        return "no_template"
    except BadInput as wrong:
        return wrong.reason
    return None
