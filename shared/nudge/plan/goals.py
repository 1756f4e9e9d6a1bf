"""The section `goals` of a plan: what we want people to do. In: its JSON form. Out: what is wrong with it; `Goal`s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nudge.plan import learn
from nudge.plan.checks import Checks
from nudge.vocabulary import Goal

GOAL = {
    *("event", "action", "category", "within_days", "value", "typical_value", "after", "same"),
    *("absent", "among", "kinds", "only", "without"),
}
PROPENSITY = ("logistic", "boosting", "forest", "blend")
SAME = ("category", "action", "item")


def check(c: Checks, one: Any, path: str) -> None:
    """Note every mistake of one goal."""
    goal = c.mapping(one, path, GOAL)
    c.text(goal.get("event"), f"{path}.event")
    c.number(goal.get("within_days"), f"{path}.within_days", 0.01, 730)
    if goal.get("absent") is True:  # that people stay away is a loss
        c.number(goal.get("value"), f"{path}.value", float("-inf"), 0)
    elif goal.get("value", "from_event") != "from_event":
        c.number(goal["value"], f"{path}.value", 0)
    if goal.get("typical_value") is not None:
        c.number(goal["typical_value"], f"{path}.typical_value", 0)
    if goal.get("after") is not None:
        c.text(goal["after"], f"{path}.after")
    if goal.get("same") is not None:
        if goal["same"] not in SAME:
            c.wrong(f"{path}.same", f"must be one of {', '.join(SAME)}")
        if goal.get("after") is None:
            c.wrong(f"{path}.same", "needs 'after': the event whose category, action or item it must share")
    for key in ("action", "category"):
        if goal.get(key) is not None:
            c.text(goal[key], f"{path}.{key}")
    _check_learning(c, goal, path)


def _check_learning(c: Checks, goal: Mapping[str, Any], path: str) -> None:
    if path.removeprefix("goals.").startswith(tuple(f"{kind}." for kind in learn.KINDS)):
        c.wrong(path, "this name is kept for a model that is not of a goal; choose another")
    c.flag(goal.get("absent", False), f"{path}.absent")
    if goal.get("among") is not None:
        c.text(goal["among"], f"{path}.among")
    for key in ("kinds", "only", "without"):
        if key in goal:
            c.names(goal[key], f"{path}.{key}")
    for number, kind in enumerate(goal["kinds"] if isinstance(goal.get("kinds"), list) else []):
        c.one_of(kind, f"{path}.kinds[{number}]", PROPENSITY)


def made(name: str, one: Mapping[str, Any]) -> Goal:
    """The goal of a checked entry."""
    value = one.get("value", "from_event")
    return Goal(
        name=name,
        event=one["event"],
        within_days=float(one["within_days"]),
        value=None if value == "from_event" else float(value),
        action=one.get("action"),
        category=one.get("category"),
        typical_value=None if one.get("typical_value") is None else float(one["typical_value"]),
        after=one.get("after"),
        same=one.get("same"),
        absent=bool(one.get("absent", False)),
        among=one.get("among"),
        kinds=tuple(one.get("kinds", ())),
        only=tuple(one.get("only", ())),
        without=tuple(one.get("without", ())),
    )
