"""Journeys: people who are on their way through a campaign and due are taken on, each decision by the same flow as any app's.

In: a shard of those who are due. Out: decisions, and rows that say where everybody stands. A decision's key is made of the
journey and the step, and a row is written only by who read its latest version: killed anywhere, done twice or by two workers at
once, a step is decided once. Time comes from the rows' due times alone; nobody waits in a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import batched
from typing import Any, Literal, NamedTuple

from nudge.decide import journey as journeys
from nudge.decide import occasion, quiet
from nudge.decide.journey import Done, Journey, Stand
from nudge.errors import BadInput, Conflict, NotReady, Unavailable
from nudge.flows.campaign_members import Read
from nudge.flows.campaign_runs import Runs
from nudge.flows.decide import Decide
from nudge.flows.gathered import Gathered
from nudge.flows.membership import Membership
from nudge.ports import Journeys, Profiles, Traveller
from nudge.profile.spec import LAST
from nudge.vocabulary import FINAL_STATES, SECOND, Campaign, CampaignRun, Micros, OnEvent, Plan, Profile

PAUSED: Micros = 3600 * SECOND
"""A journey of a paused campaign looks again after so long."""
MOST_AT_ONCE, AT_ONCE = 5000, 100
RESERVE_SECONDS = 20.0

type Swept = Literal["walked", "out of time"]


@dataclass(frozen=True, slots=True)
class Walks:
    """Takes people on. `decide` is the flow of decisions, with its own plan and models."""

    decide: Decide
    profiles: Profiles
    journeys: Journeys
    runs: Runs

    def waiting(self, *, now: Micros) -> list[int]:
        """The shards in which somebody is due."""
        return [one for one in range(self.journeys.shards) if self.journeys.due(one, now=now, limit=1)]

    def sweep(self, shard: int, *, now: Micros, left: Callable[[], float]) -> Swept:
        """Take on who is due in a shard, while `left()` seconds allow. Two workers who begin at different moments begin at different
        people.

        Raises
        ------
        Unavailable
            A store did not answer: who was not taken on is still due.
        Exception
            The first that keeps one person where they are; everybody else was taken on.
        """
        due = self.journeys.due(shard, now=now, limit=MOST_AT_ONCE)
        parts, failed = list(batched(due, AT_ONCE, strict=False)), list[Exception]()
        first = now // SECOND % max(len(parts), 1)
        for some in (*parts[first:], *parts[:first]):
            if left() < RESERVE_SECONDS:
                return "out of time"
            failed += self._some(some, now)
        if failed:
            raise failed[0]
        return "walked" if len(due) < MOST_AT_ONCE else "out of time"

    def _some(self, some: tuple[Traveller, ...], now: Micros) -> list[Exception]:
        """Take these on; what went wrong with one of them keeps nobody else."""
        held = [
            one for one in self.journeys.get_many(some).values() if one.state != "ended" and one.due_at <= now
        ]  # the index may say what was true a moment ago
        people = self.profiles.get_many(one.user_id for one in held)
        gathered = Gathered(self.decide.queue)
        decide = replace(self.decide, profiles=Read(people), queue=gathered)
        paused = {name: self.runs.paused(name) is not None for name in {one.campaign for one in held}}
        failed: list[Exception] = []
        for one in held:
            try:
                self._on(decide, one, people.get(one.user_id), paused[one.campaign], now)
            except (Unavailable, NotReady):
                raise
            except Exception as wrong:
                wrong.add_note(f"a journey of the campaign {one.campaign} that began at {one.began}")
                failed.append(wrong)
        gathered.flush()
        return failed

    def _on(self, decide: Decide, held: Journey, profile: Profile | None, paused: bool, now: Micros) -> None:
        """Take one person on until there is something to wait for; whoever wrote the row meanwhile has the word."""
        while held.state != "ended" and held.due_at <= now:
            gone, tally = Walk(decide, held, profile, paused, now).on()
            gone = gone._replace(changed_at=now)
            if not self.journeys.save(gone, tally=tally):
                return
            held = gone._replace(version=held.version + 1)


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
        if campaign.trigger is None or not isinstance(campaign.trigger, OnEvent):
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


def day_of(at: Micros, plan: Plan) -> str:
    """The run of what an event begins: the plan's day on which it happened."""
    local = (quiet.EPOCH + timedelta(microseconds=at)).astimezone(quiet.zone(plan.timezone))
    return local.strftime("%Y%m%dT0000")


def _micros(iso: str) -> Micros:
    return quiet.micros(datetime.fromisoformat(iso))
