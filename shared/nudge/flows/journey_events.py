"""What happens to people may begin a journey, or is heard by one that is under way. In: events, as they become profile state. Out: rows.

Profiles come first: whoever looks at a journey that an event began finds the event in the person's state. Everything may come twice
or late: a journey is begun by a time that lies after the end of the one before it, and what is heard is a latest time; so a
repetition, of a file or of a worker that died between profiles and journeys, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import NamedTuple, Self

from nudge.decide import journey as journeys
from nudge.decide import occasion
from nudge.decide.journey import Journey
from nudge.errors import NotReady, Unavailable
from nudge.flows.profiles import Applied, ApplyEvents
from nudge.ports import Journeys, Traveller
from nudge.vocabulary import DAY, Campaign, Event, Goal, Micros, OnEvent, Plan

HEARD: Micros = 30 * DAY
"""An event that we hear of so late changes no journey. A load of history costs these journeys nothing."""
AHEAD: Micros = DAY
"""An event that is to happen so much later begins nothing: somebody's clock is wrong."""
AT_ONCE, TRIES = 100, 12


class Ears(NamedTuple):
    """What a plan's campaigns listen to: event types in all; campaigns by the type that begins them; those with steps; narrow goals."""

    types: frozenset[str]
    begin: Mapping[str, tuple[Campaign, ...]]
    walked: tuple[Campaign, ...]
    narrow: tuple[Goal, ...]

    @classmethod
    def of(cls, plan: Plan) -> Self | None:
        """None where no campaign listens."""
        walked = tuple(one for one in plan.campaigns.values() if journeys.is_journey(one))
        if not walked:
            return None
        begin: dict[str, tuple[Campaign, ...]] = {}
        for one in walked:
            if isinstance(one.trigger, OnEvent):
                begin[one.trigger.event] = (*begin.get(one.trigger.event, ()), one)
        heard = (journeys.listens(one.steps, plan.goals, one.goal) for one in walked)
        signs = (name for names in journeys.SIGNS.values() for name in names)
        narrow = tuple(one for one in plan.goals.values() if journeys.is_narrow(one) and not one.absent)
        types = frozenset(begin).union(*heard, signs, (one.event for one in narrow))
        return cls(types, begin, tuple(one for one in walked if one.steps), narrow)


@dataclass(frozen=True, slots=True)
class Overheard:
    """`ApplyEvents`, and then what the same events mean to journeys."""

    apply: ApplyEvents
    journeys: Journeys
    plan: Callable[[], Plan]

    def __call__(self, events: Iterable[Event], *, now: Micros) -> Applied:
        """Raises Unavailable when a store does not answer; then it must come again."""
        try:
            ears = Ears.of(self.plan())
        except NotReady:
            ears = None
        if ears is None:
            return self.apply(events, now=now)
        kept: list[Event] = []
        applied = self.apply(_keeping(events, ears.types, now - HEARD, kept), now=now)
        self._hear(ears, kept, now)
        return applied

    def _hear(self, ears: Ears, events: Iterable[Event], now: Micros) -> None:
        by_user: dict[str, list[Event]] = {}
        for one in events:
            by_user.setdefault(one.user_id, []).append(one)
        meant = [(campaign, user) for user, some in by_user.items() for campaign in _meant(ears, some)]
        for some in batched(meant, AT_ONCE, strict=False):
            waiting = {(campaign.name, user): campaign for campaign, user in some}
            for _ in range(TRIES):
                waiting = self._tell(ears, waiting, by_user, now)
                if not waiting:
                    break
            else:
                raise Unavailable(f"{len(waiting)} journeys were written by someone else {TRIES} times in a row")

    def _tell(
        self, ears: Ears, waiting: Mapping[Traveller, Campaign], by_user: Mapping[str, list[Event]], now: Micros
    ) -> dict[Traveller, Campaign]:
        """Tell journeys what happened; returns those that somebody else wrote meanwhile."""
        held = self.journeys.get_many(waiting)
        lost: dict[Traveller, Campaign] = {}
        for key, campaign in waiting.items():
            new = before = held.get(key)
            for event in sorted(by_user[key[1]], key=lambda one: (one.event_time, one.event_id)):
                new = _told(new, campaign, event, ears.narrow, now)
            if new is not None and new != before and not self.journeys.save(new._replace(changed_at=now)):
                lost[key] = campaign
        return lost


def _keeping(events: Iterable[Event], types: frozenset[str], since: Micros, kept: list[Event]) -> Iterator[Event]:
    for event in events:
        if event.event_type in types and event.event_time >= since:
            kept.append(event)
        yield event


def _meant(ears: Ears, events: Iterable[Event]) -> list[Campaign]:
    """The campaigns to which a person's events may mean something."""
    found = {one.name: one for event in events for one in ears.begin.get(event.event_type, ())}
    return list((found | {one.name: one for one in ears.walked}).values())


def _told(
    held: Journey | None, campaign: Campaign, event: Event, narrow: Iterable[Goal], now: Micros
) -> Journey | None:
    """The journey when it knows of an event: begun by it, woken by it, or as it was."""
    trigger = campaign.trigger
    if isinstance(trigger, OnEvent) and event.event_type == trigger.event:
        due_at = event.event_time + trigger.within
        fresh = event.event_time <= now + AHEAD and now < due_at + journeys.LATE
        if fresh and occasion.is_open(campaign, event.event_time) and journeys.begins(held, event.event_time):
            version = 0 if held is None else held.version
            return Journey(campaign.name, event.user_id, event.event_time, due_at, version=version)
    if held is None or held.state != "going":
        return held
    heard = dict(held.heard)
    for sign in _signs(held, event, narrow):
        heard[sign] = max(heard.get(sign, event.event_time), event.event_time)
    due_at = min(held.due_at, now) if event.event_type in held.wakes else held.due_at
    return held._replace(heard=heard, due_at=due_at)


def _signs(held: Journey, event: Event, narrow: Iterable[Goal]) -> Iterator[str]:
    """What the event tells that the person's state does not: of which message it is, which narrow goal it reaches."""
    if event.decision_id is not None and any(event.event_type in names for names in journeys.SIGNS.values()):
        ours = event.decision_id in map(held.decision_id, journeys.dos(held.steps))
        yield from [journeys.sign(event.event_type, event.decision_id)] if ours else []
    for goal in narrow:
        if (
            event.event_type == goal.event
            and goal.action in (None, event.event_action)
            and goal.category in (None, event.category)
        ):
            yield journeys.milestone(goal.name)
