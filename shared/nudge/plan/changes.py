"""What a new plan changes, in words. In: the JSON forms of the plan in force and of the new one. Out: lines, and what follows from them.

It compares what plans say, not how they are written: comments, order and layout change nothing. It knows no store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

NAMED = {"goals": "goal", "activities": "activity", "campaigns": "campaign", "channels": "channel"}
"""Sections whose entries have names of their own, and what one of them is called."""
MEANING = {"event", "action", "category", "within_days", "after", "same", "absent", "among"}
"""What a goal is. Its value, and the kinds of model that may compete, are not part of it."""


class Change(NamedTuple):
    """`sign`: `+` new, `-` gone, `~` changed. `where` is a path of the plan, `so` what follows, where that is not plain."""

    sign: str
    where: str
    words: str
    so: str | None = None

    def __str__(self) -> str:
        line = f"{self.sign} {self.where}" + (f": {self.words}" if self.words else "")
        return line if self.so is None else f"{line}\n    {self.so}"


def changes(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[Change]:
    """Every difference, section by section in the order of the new plan. `old` None: nothing was in force."""
    before = old or {}
    found: list[Change] = []
    for section in dict.fromkeys((*new, *before)):
        if section == "version":
            continue
        was, now = before.get(section), new.get(section)
        if section in NAMED and isinstance(was or {}, Mapping) and isinstance(now or {}, Mapping):
            found += _named(section, was or {}, now or {})
        elif was != now:
            found += _leaves(section, was, now)
    return found


def _named(section: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Entries that came, went, or say something else."""
    for name in dict.fromkeys((*after, *before)):
        where = f"{NAMED[section]} {name}"
        if name not in before:
            yield Change("+", where, _summary(after[name]))
        elif name not in after:
            yield Change("-", where, "", _of_the_gone(section))
        elif before[name] != after[name]:
            for one in _leaves(where, before[name], after[name]):
                yield one._replace(so=one.so or _of_the_changed(section, one.where.removeprefix(f"{where}.")))


def _leaves(where: str, before: Any, after: Any) -> Iterator[Change]:
    """Differences inside a value, as deep as both sides are mappings."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*after, *before)):
            if before.get(key) != after.get(key):
                yield from _leaves(f"{where}.{key}", before.get(key), after.get(key))
    elif before is None:
        yield Change("+", where, said(after), _of_everything(where))
    elif after is None:
        yield Change("-", where, f"was {said(before)}", _of_everything(where))
    else:
        yield Change("~", where, f"{said(before)} → {said(after)}", _of_everything(where))


def _of_the_gone(section: str) -> str | None:
    return {
        "goals": "its model is kept, and no longer trained or asked",
        "activities": "nobody gets it anew",
        "campaigns": "no new run begins, and who is on the way through it goes no further",
        "channels": "nothing more is sent on it",
    }[section]


def _of_the_changed(section: str, key: str) -> str | None:
    if key == "holdout":
        return "some people change between the groups: compare only what is decided from now on"
    if section == "campaigns" and key == "steps":
        return "who is on the way goes on by the old steps"
    if section == "goals" and key in MEANING:
        return "its model learned the old meaning: it serves until the next training"
    return None


def _of_everything(where: str) -> str | None:
    return {
        "currency": "amounts are not converted",
        "policy.holdout": "some people change between the groups: compare only what is decided from now on",
        "timezone": "days, weeks and budgets of the plan are counted in the new zone from now on",
    }.get(where)


def _summary(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return said(entry)
    return ", ".join(f"{key} {said(value)}" for key, value in entry.items())


def said(value: Any) -> str:
    """A value as a plan would say it, on one line.

    >>> said({"every": "week", "at": "10:00", "on": None, "days": [1, 2.5], "again": True})
    '{every: week, at: 10:00, on: nothing, days: [1, 2.5], again: true}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{said(key)}: {said(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(said, value)) + "]"
    return " ".join(str(value).split())
