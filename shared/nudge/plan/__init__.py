"""The plan: the one file that a marketer edits. Text or JSON comes in, a checked `Plan` goes out.

Every mistake is reported, with its line where the text is YAML; a plan with a mistake is never put in force. The doors
read the checked JSON; YAML, and what only campaigns and audiences need, is imported where there is any.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from nudge.errors import BadInput
from nudge.plan import activities, goals, learn, policy
from nudge.plan.checks import Checks
from nudge.vocabulary import Campaign, Plan

TOP = {
    "currency",
    "timezone",
    "goals",
    "activities",
    "policy",
    "channels",
    "columns",
    "retention",
    "learn",
    "campaigns",
}


def parse(text: str, *, name: str = "plan.yaml") -> dict[str, Any]:
    """Read YAML text into the checked JSON form of a plan.

    Raises
    ------
    BadInput
        With every mistake found, one a line: `plan.yaml:12: activities.spring.cost: must be a number ≥ 0`.
    """
    from nudge.plan import reading

    data, lines = reading.read(text, name=name)
    problems = check(data)
    if problems:
        told = sorted((lines[path], f"{path or 'plan'}: {what}") for path, what in problems)
        raise BadInput("\n".join(f"{name}:{line}: {what}" for line, what in told), reason="bad_plan")
    data["version"] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return dict(data)


def check(data: Any) -> list[tuple[str, str]]:
    """Every mistake of a plan in JSON form as (path, what is wrong); empty when it is good."""
    c = Checks()
    top = c.mapping(data, "", TOP | {"version"})
    c.text(top.get("currency"), "currency")
    c.text(top.get("version", "unversioned"), "version")
    if not _is_zone(top.get("timezone", "UTC")):
        c.wrong("timezone", "must be an IANA zone such as Europe/Berlin")
    known_goals, channels = _mapping(top.get("goals")), _mapping(top.get("channels"))
    c.each(top.get("goals"), "goals", lambda one, path: goals.check(c, one, path))
    learn.check(c, top)
    c.each(
        top.get("activities"),
        "activities",
        lambda one, path: activities.check(c, one, path, known_goals, channels),
    )
    policy.check(c, top.get("policy", {}))
    if "channels" in top and not isinstance(top["channels"], dict):
        c.wrong("channels", "must be a mapping of channels to their settings")
    for name, one in channels.items():
        policy.check_channel(c, name, one)
    for section in ("columns", "retention"):
        if not isinstance(top.get(section, {}), dict):
            c.wrong(section, "must be a mapping of names to values")
    if "campaigns" in top:
        from nudge.plan import campaigns

        campaigns.check(c, top["campaigns"], top)
    return c.problems


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_zone(name: Any) -> bool:
    """Whether the zone is known here. One file is opened: listing all zones takes tens of milliseconds, at every cold start."""
    try:
        ZoneInfo(name)
    except (TypeError, ValueError, KeyError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def load(data: Mapping[str, Any]) -> Plan:
    """The plan of a checked JSON form. Raises BadInput when it was not checked."""
    problems = check(dict(data))
    if problems:
        raise BadInput("; ".join(f"{path}: {what}" for path, what in problems), reason="bad_plan")
    return Plan(
        version=str(data.get("version", "unversioned")),
        currency=data["currency"],
        timezone=data.get("timezone", "UTC"),
        goals={name: goals.made(name, one) for name, one in data["goals"].items()},
        activities={name: activities.made(name, one, data["goals"]) for name, one in data["activities"].items()},
        policy=policy.made(data.get("policy", {})),
        channels={name: policy.made_channel(name, one) for name, one in data.get("channels", {}).items()},
        columns=data.get("columns", {}),
        learn=learn.filled(data),
        campaigns=_campaigns(data),
    )


def _campaigns(data: Mapping[str, Any]) -> dict[str, Campaign]:
    if not data.get("campaigns"):
        return {}
    from nudge.plan import campaigns

    return {name: campaigns.made(name, one, data["goals"]) for name, one in data["campaigns"].items()}
