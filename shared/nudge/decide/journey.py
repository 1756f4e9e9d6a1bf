"""Where a person stands in a campaign's steps, and what comes next. In: steps, a stand, what is known, now. Out: a stand, an action.

A pure function: it knows no store and no profile. A person only ever moves forward: a `do` is met at most once, and every
walk ends, since steps hold no loops. The clock of a step starts when the step before it ended: a `do` ends when its message is
to go out (quiet hours have passed), a `wait` when its time is over, however late somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

from nudge.decide import chance
from nudge.vocabulary import DAY, Campaign, Goal, Micros, OnEvent, Step

type Place = tuple[int, ...]
"""Where a step is: its number in the list; for each branch that it lies in, before that: the branch's, and 0 for yes, 1 for no."""

YES, NO = 0, 1
CHOICE = ""
"""The name of the one `do` of a campaign without steps: the policy chooses among its activities."""

SIGNS: Mapping[str, tuple[str, ...]] = {"opened": ("email_open", "email_click"), "clicked": ("email_click",)}
"""What a branch may ask of the message before it, and the events that say so: those of people, never of machines. Who clicks has opened."""
CONVERTED = "converted"

LATE: Micros = DAY
"""An event is answered until so long after it was to be; what we hear of later, or come to later, begins nothing."""

type State = Literal["watching", "going", "ended"]
"""`watching`: something called the person, and it is not certain yet that they begin."""


class Done(NamedTuple):
    """The last `do`: its decision ("" where there was none), when that was made, and when its message is to go out."""

    decision_id: str
    decided_at: Micros
    out_at: Micros


class Stand(NamedTuple):
    """A person stands before the step at `place` since then; `stops` are the goals that end it all, each from its time on."""

    place: Place
    since: Micros
    done: Done | None = None
    stops: tuple[tuple[str, Micros], ...] = ()


class Do(NamedTuple):
    """Decide for the activity of the step at `place` (`CHOICE`: for any of the campaign's)."""

    place: Place
    activity: str


class Rest(NamedTuple):
    """Nothing to do before `until`, unless one of `names` happens, or one of `goals` is reached."""

    until: Micros
    names: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()


class End(NamedTuple):
    """`finished`: all steps were taken; `goal`: a goal was reached."""

    reason: Literal["finished", "goal"]


type Action = Do | Rest | End


class Facts(Protocol):
    """What happened to one person."""

    def happened(self, name: str, done: Done) -> bool:
        """Whether what a branch asks for happened since the last `do`."""

    def reached(self, goal: str, since: Micros) -> bool:
        """Whether a goal was reached at that time or after it."""


class Journey(NamedTuple):
    """One person's way through one campaign; there is at most one at a time, and the last one is remembered when it has ended.

    `began` is the time of what called the person (an event's, a run's); with the campaign and the person it names the journey.
    `steps` are those of the plan when it began to go: a later plan changes no journey. `wakes` are event types that make it due
    at once, `heard` what is known of its messages and goals and stands nowhere else (see `sign`). `version` rises with every write.
    """

    campaign: str
    user_id: str
    began: Micros
    due_at: Micros
    state: State = "watching"
    run: str = ""
    goal: str = ""
    activities: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    stand: Stand = Stand((0,), 0)
    reason: str | None = None
    wakes: tuple[str, ...] = ()
    heard: Mapping[str, Micros] = {}
    changed_at: Micros = 0
    version: int = 0

    def key(self, place: Place) -> str:
        """The Idempotency-Key of the decision of a step: the same, however often the step is tried."""
        return chance.key("journey", self.campaign, self.began, said(place))

    def decision_id(self, place: Place) -> str:
        return chance.decision_id(self.user_id, self.key(place))


def begins(held: Journey | None, at: Micros) -> bool:
    """Whether what happened at that time begins a new journey: none is under way, and the last one had ended before it. So what
    happens on the way begins nothing, and neither does what is told twice or late."""
    return held is None or (held.state == "ended" and at > held.changed_at)


def is_journey(campaign: Campaign) -> bool:
    """Whether people go through a campaign one by one: it has steps, or an event begins it."""
    return bool(campaign.steps) or isinstance(campaign.trigger, OnEvent)


def steps_of(campaign: Campaign) -> tuple[Step, ...]:
    """The steps of any campaign: without any of its own, one `do`, for which the policy chooses among the activities."""
    return campaign.steps or (Step("do", CHOICE),)


def walk(steps: tuple[Step, ...], stand: Stand, facts: Facts, *, began: Micros, now: Micros) -> tuple[Stand, Action]:
    """Move on to the next thing that must be done, waited for, or that ends it. `began`: a goal counts from there before the first `do`."""
    while True:
        if any(facts.reached(goal, since) for goal, since in stand.stops):
            return stand, End("goal")
        step = step_at(steps, stand.place)
        if step is None:
            return stand, End("finished")
        if step.kind == "do":
            return stand, Do(stand.place, step.name)
        if step.kind == "stop_on":
            since = began if stand.done is None else stand.since
            stand = _on(steps, stand, stand.since)._replace(stops=(*stand.stops, (step.name, since)))
            continue
        until = stand.since + step.time
        if step.kind == "branch" and stand.done is not None and facts.happened(step.name, stand.done):
            stand = stand._replace(place=_down(steps, stand.place, YES), since=max(now, stand.since))
        elif now < until:
            return stand, Rest(
                until, (step.name,) if step.kind == "branch" else (), tuple(one for one, _ in stand.stops)
            )
        elif step.kind == "branch":
            stand = stand._replace(place=_down(steps, stand.place, NO), since=until)
        else:
            stand = _on(steps, stand, until)


def did(steps: tuple[Step, ...], stand: Stand, done: Done) -> Stand:
    """Behind a `do`."""
    return _on(steps, stand, max(done.out_at, stand.since))._replace(done=done)


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def step_at(steps: tuple[Step, ...], place: Place) -> Step | None:
    """The step of a place; None behind the last one."""
    for number, side in zip(place[:-1:2], place[1::2], strict=True):
        steps = steps[number].no if side else steps[number].yes
    return steps[place[-1]] if place[-1] < len(steps) else None


def said(place: Place) -> str:
    """A place as people count.

    >>> said((2, NO, 0))
    '3.no.1'
    """
    return ".".join(str(one + 1) if level % 2 == 0 else ("yes", "no")[one] for level, one in enumerate(place))


def dos(steps: tuple[Step, ...], above: Place = ()) -> Iterator[Place]:
    """The places of all `do` steps."""
    for number, step in enumerate(steps):
        place = (*above, number)
        if step.kind == "do":
            yield place
        yield from dos(step.yes, (*place, YES))
        yield from dos(step.no, (*place, NO))


def _on(steps: tuple[Step, ...], stand: Stand, since: Micros) -> Stand:
    return stand._replace(place=_out(steps, (*stand.place[:-1], stand.place[-1] + 1)), since=since)


def _down(steps: tuple[Step, ...], place: Place, side: int) -> Place:
    return _out(steps, (*place, side, 0))


def _out(steps: tuple[Step, ...], place: Place) -> Place:
    """Behind the last step of a branch, the step that follows the branch."""
    while len(place) > 1 and step_at(steps, place) is None:
        place = (*place[:-3], place[-3] + 1)
    return place


# ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────────
def sign(event_type: str, decision_id: str) -> str:
    """How an opening or a click of one message stands in `heard`."""
    return f"{event_type}/{decision_id}"


def milestone(goal: str) -> str:
    """How a goal that only some events of its type reach stands in `heard`."""
    return f"goal/{goal}"


def is_narrow(goal: Goal) -> bool:
    """Whether an event's type alone does not say that it reaches the goal."""
    return goal.action is not None or goal.category is not None


def events_of(name: str, goals: Mapping[str, Goal], own: str) -> tuple[str, ...]:
    """The event types that may answer what a branch asks; `own` is the campaign's goal."""
    if name == CONVERTED:
        return (goals[own].event,) if own in goals else ()
    return SIGNS.get(name, (name,))


def listens(steps: tuple[Step, ...], goals: Mapping[str, Goal], own: str) -> frozenset[str]:
    """Every event type that a sequence may ask for."""
    found: set[str] = set()
    for step in steps:
        if step.kind == "branch":
            found.update(events_of(step.name, goals, own))
        elif step.kind == "stop_on" and step.name in goals:
            found.add(goals[step.name].event)
        found |= listens(step.yes, goals, own) | listens(step.no, goals, own)
    return frozenset(found)
