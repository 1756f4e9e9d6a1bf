"""The steps of a sequence: do, wait, branch on what came of it, stop when a goal is reached.

    steps:
      - stop_on: goal                                   # the campaign's own, or the name of a goal
      - do: reminder_mail
      - branch: {on: opened, within: 2 days, yes: [{wait: 1 day}, {do: discount_mail}], no: []}

In: their JSON form. Out: what is wrong with them; `Step`s. It knows nobody who walks them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nudge.plan.checks import Checks
from nudge.plan.triggers import check_duration, duration
from nudge.vocabulary import Step

KINDS = ("do", "wait", "branch", "stop_on")
CONVERTED = "converted"
"""What a branch may ask, beside `opened`, `clicked` and event types: whether the campaign's goal is reached."""
OWN_GOAL = "goal"
MOST, DEEPEST = 50, 5
"""Steps of a sequence, all branches together; branches within each other."""


def check(c: Checks, said: Any, path: str, goals: Mapping[str, Any], activities: Collection[str], goal: Any) -> None:
    """Note every mistake of a sequence. `activities` are those that the campaign may do, `goal` is its own."""
    before = len(c.problems)
    walk = _Walk(c, goals, activities, goal)
    walk.list(said, path, 0, False)
    if walk.steps > MOST:
        c.wrong(path, f"at most {MOST} steps")
    elif len(c.problems) == before and not walk.done:
        c.wrong(path, "needs at least one 'do'")


class _Walk:
    """Walks the steps as a person might, and notes what cannot be."""

    def __init__(self, c: Checks, goals: Mapping[str, Any], activities: Collection[str], goal: Any) -> None:
        self.c = c
        self.goals = goals
        self.activities = activities
        self.goal = goal
        self.steps = 0
        self.done = False

    def list(self, said: Any, path: str, depth: int, sent: bool) -> None:
        """`sent`: whether something was done before, that can be opened."""
        if not isinstance(said, list):
            self.c.wrong(path, "must be a list of steps: do, wait, branch, stop_on")
            return
        if depth > DEEPEST:
            self.c.wrong(path, f"at most {DEEPEST} branches within each other")
            return
        for number, one in enumerate(said):
            sent = self.step(one, f"{path}[{number}]", depth, sent) or sent

    def step(self, one: Any, path: str, depth: int, sent: bool) -> bool:
        """Note the mistakes of one step; whether it does something."""
        self.steps += 1
        step = self.c.mapping(one, path, set(KINDS))
        if len(step) != 1:
            self.c.wrong(path, f"needs exactly one of {', '.join(KINDS)}")
            return False
        kind, value = next(iter(step.items()))
        where = f"{path}.{kind}"
        if kind == "do":
            self.c.one_of(value, where, self.activities)
            self.done = True
        elif kind == "wait":
            check_duration(self.c, value, where)
        elif kind == "stop_on":
            if self.c.one_of(value, where, (OWN_GOAL, *map(str, self.goals))):
                self.reached(self.goal if value == OWN_GOAL and value not in self.goals else value, where)
        elif kind == "branch":
            self.branch(value, where, depth, sent)
        return kind == "do"

    def reached(self, goal: Any, where: str) -> None:
        """No event says that somebody stays away: nothing could be seen to reach such a goal."""
        said = self.goals.get(goal) if isinstance(goal, str) else None
        if isinstance(said, dict) and said.get("absent") is True:
            self.c.wrong(where, f"the goal '{goal}' is reached by staying away, which no event tells; name another")

    def branch(self, one: Any, path: str, depth: int, sent: bool) -> None:
        said = self.c.mapping(one, path, {"on", "within", "yes", "no"})
        self.c.text(said.get("on"), f"{path}.on")
        check_duration(self.c, said.get("within"), f"{path}.within")
        if not sent:
            self.c.wrong(path, "needs a 'do' before it: it asks what came of that")
        if said.get("on") == CONVERTED:
            self.reached(self.goal, f"{path}.on")
        if not said.get("yes") and not said.get("no"):
            self.c.wrong(path, "needs steps under 'yes' or 'no'")
        for side in ("yes", "no"):
            self.list(said.get(side, []), f"{path}.{side}", depth + 1, sent)


def made(said: Iterable[Mapping[str, Any]], goal: str, goals: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps of a checked list; `goal` is the campaign's."""
    return tuple(_step(one, goal, goals) for one in said)


def _step(one: Mapping[str, Any], goal: str, goals: Mapping[str, Any]) -> Step:
    kind, value = next(iter(one.items()))
    if kind == "wait":
        return Step("wait", time=duration(value) or 0)
    if kind == "branch":
        sides = (made(value.get(side, []), goal, goals) for side in ("yes", "no"))
        return Step("branch", value["on"], duration(value["within"]) or 0, *sides)
    if kind == "stop_on":
        return Step("stop_on", goal if value == OWN_GOAL and value not in goals else value)
    return Step("do", value)


def activities(steps: Iterable[Step]) -> list[str]:
    """The activities of all `do` steps, in the order in which they are met, each once."""
    found: dict[str, None] = {}
    for step in steps:
        if step.kind == "do":
            found[step.name] = None
        found |= dict.fromkeys([*activities(step.yes), *activities(step.no)])
    return list(found)
