"""One person is taken on: begun, if what called them still holds; then from step to step, until there is something to wait for.

In: a journey as it was read, the person, the time. Out: the journey as it is to be written, and decisions, made by the flow that answers
apps under a key of journey and step. It writes no journey: whoever does, does so only on the version that was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from nudge.decide import journey as journeys
from nudge.decide import occasion, quiet
from nudge.decide.journey import Done, Journey, Stand
from nudge.errors import BadInput, Conflict
from nudge.flows.decide import Decide
from nudge.flows.journey_facts import Happened, last
from nudge.flows.membership import Membership
from nudge.vocabulary import FINAL_STATES, SECOND, Campaign, CampaignRun, Micros, OnEvent, Plan, Profile

PAUSED: Micros = 3600 * SECOND
"""A journey of a paused campaign looks again after so long."""


@dataclass(frozen=True)
class Walk:
    """One person's next steps. `paused`: whether the campaign is."""

    decide: Decide
    held: Journey
    profile: Profile | None
    paused: bool
    now: Micros

    def on(self) -> tuple[Journey, str | None]:
        """Where the person stands then, and the word by which that is counted. Raises Unavailable."""
        held, campaign = self.held, self._plan.campaigns.get(self.held.campaign)
        if campaign is None or not journeys.is_journey(campaign):
            return self._ended(held, "removed")
        if campaign.ends_at is not None and self.now >= campaign.ends_at:
            return self._ended(held, "over")
        if self.profile is None:
            return self._ended(held, "no_person")
        if held.state == "watching" and not held.run:
            return self._called(campaign, self.profile)
        if self.paused:
            return held._replace(due_at=self.now + PAUSED), None
        if held.state == "watching":
            return self._begun(campaign, self.profile, held), "begun"
        return self._going(campaign, self.profile)

    @cached_property
    def _plan(self) -> Plan:
        return self.decide.plan()

    # ── an event called ──────────────────────────────────────────────────────────────────────────────────────────────
    def _called(self, campaign: Campaign, profile: Profile) -> tuple[Journey, str | None]:
        """Whether the person begins, now that the trigger's time has passed."""
        held, trigger = self.held, campaign.trigger
        if not isinstance(trigger, OnEvent):
            return self._ended(held, "removed")
        if self.paused or self.now - held.due_at >= journeys.LATE:
            return self._ended(held, "paused" if self.paused else "late")
        if trigger.without is not None and (answered := last(profile, trigger.without) or 0) >= held.began:
            again = last(profile, trigger.event) or 0
            if again <= answered:
                return self._ended(held, "answered")
            held = held._replace(began=again, due_at=again + trigger.within)
            if held.due_at > self.now:
                return held, None
        if not Membership(self._plan, self.decide.champions).belongs(profile, campaign.audience, self.now):
            return self._ended(held, "audience")
        return self._begun(campaign, profile, held._replace(run=day_of(held.began, self._plan))), "begun"

    def _begun(self, campaign: Campaign, profile: Profile, held: Journey) -> Journey:
        """Before the first step, and due."""
        since = held.due_at
        if not isinstance(campaign.trigger, OnEvent):
            where = quiet.zone(profile.trait("timezone"), self._plan.timezone)
            since = occasion.begins(CampaignRun(campaign, held.run), where, self.now)
        goal, activities = held.goal or campaign.goal, held.activities or campaign.activities
        steps = held.steps or journeys.steps_of(campaign)
        return held._replace(
            state="going", goal=goal, activities=activities, steps=steps, stand=Stand((0,), since), due_at=self.now
        )

    # ── step by step ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _going(self, campaign: Campaign, profile: Profile) -> tuple[Journey, str | None]:
        held, stand = self.held, self.held.stand
        facts = Happened(held, profile, self._plan)
        while True:
            stand, action = journeys.walk(held.steps, stand, facts, began=held.began, now=self.now)
            if isinstance(action, journeys.Do):
                stand = journeys.did(held.steps, stand, self._decided(campaign, action))
            elif isinstance(action, journeys.End):
                if action.reason == "goal" and stand.done is not None:
                    self._take_back()
                return self._ended(held._replace(stand=stand), action.reason)
            else:
                wakes = frozenset[str]().union(*map(self._events_of, action.names), self._events_of_goals(action.goals))
                return held._replace(stand=stand, due_at=action.until, wakes=tuple(sorted(wakes))), None

    def _decided(self, campaign: Campaign, do: journeys.Do) -> Done:
        """The decision of a step: made now, or found. Where none can be made (the plan has the activity no more), the step is passed."""
        held = self.held
        named = [do.activity] if do.activity != journeys.CHOICE else list(held.activities)
        body = {"user_id": held.user_id, "goal": held.goal, "candidates": named, "dry_run": False, "explain": False}
        step = journeys.said(do.place) if do.activity != journeys.CHOICE else None
        try:
            answer = self.decide(body, key=held.key(do.place), now=self.now, run=CampaignRun(campaign, held.run, step))
        except (BadInput, Conflict):
            return Done("", self.now, self.now)
        decided_at = _micros(answer["decided_at"])
        out_at = decided_at if answer["send_at"] is None else _micros(answer["send_at"])
        return Done(answer["decision_id"], decided_at, max(decided_at, out_at))

    def _take_back(self) -> None:
        """Messages that still wait when the goal is reached are not sent."""
        ledger, owner = self.decide.ledger, f"journey/{self.held.campaign}"
        ours = [self.held.decision_id(place) for place in journeys.dos(self.held.steps)]
        for message in ledger.messages_of(ours):
            if message.state in FINAL_STATES:
                continue
            if ledger.claim(message.decision_id, owner=owner, now=max(self.now, message.due_at)):
                ledger.finish(message.decision_id, owner=owner, state="skipped", now=self.now, reason="goal_reached")

    def _events_of(self, name: str) -> tuple[str, ...]:
        return journeys.events_of(name, self._plan.goals, self.held.goal)

    def _events_of_goals(self, goals: tuple[str, ...]) -> set[str]:
        return {self._plan.goals[one].event for one in goals if one in self._plan.goals}

    def _ended(self, held: Journey, reason: str) -> tuple[Journey, str]:
        return held._replace(state="ended", reason=reason, wakes=()), reason


def day_of(at: Micros, plan: Plan) -> str:
    """The run of what an event begins: the plan's day on which it happened."""
    local = (quiet.EPOCH + timedelta(microseconds=at)).astimezone(quiet.zone(plan.timezone))
    return local.strftime("%Y%m%dT0000")


def _micros(iso: str) -> Micros:
    return quiet.micros(datetime.fromisoformat(iso))
