"""The plan: the one file that a marketer edits. Text or JSON comes in, a checked `Plan` goes out.

Every mistake is reported, with its line where the text is YAML; a plan with a mistake is never put in force. The doors
read the checked JSON, so YAML is imported only where a plan is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nudge.errors import BadInput
from nudge.plan import learn
from nudge.plan.checks import Checks, minutes
from nudge.vocabulary import (
    NOTHING,
    Activity,
    Caps,
    Channel,
    Condition,
    Goal,
    Micros,
    Operator,
    Plan,
    Policy,
    QuietHours,
)

CHANNELS = ("email", "inline")
OPERATORS: tuple[Operator, ...] = ("is", "is_not", "in", "at_least", "at_most", "known")
GOAL = {
    *("event", "action", "category", "within_days", "value", "typical_value", "after", "same"),
    *("absent", "among", "kinds", "only", "without"),
}
PROPENSITY = ("logistic", "boosting", "forest", "blend")
SAME = ("category", "action", "item")
RECOMMENDED, RECOMMENDED_ITEMS = "recommended", 3
"""`items: recommended`: so many are chosen for each person."""
SEND_TIMES = ("now", "best")
TOP = {"currency", "timezone", "goals", "activities", "policy", "channels", "columns", "retention", "learn"}


def parse(text: str, *, name: str = "plan.yaml") -> dict[str, Any]:
    """Read YAML text into the checked JSON form of a plan.

    Raises
    ------
    BadInput
        With every mistake found, one a line: `plan.yaml:12: activities.spring.cost: must be a number ≥ 0`.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BadInput(f"not YAML: {getattr(wrong, 'problem', wrong)}", where=f"{name}:{line}") from None
    lines: dict[str, int] = {}
    _note_lines(node, "", lines)
    data = json.loads(json.dumps(data, default=str))
    problems = check(data)
    if problems:
        listed = [f"{name}:{_line_of(path, lines)}: {path or 'plan'}: {what}" for path, what in problems]
        raise BadInput("\n".join(listed), reason="bad_plan")
    data["version"] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return dict(data)


def _note_lines(node: Any, path: str, lines: dict[str, int]) -> None:
    if node is None:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if node.id == "mapping":
        for key, value in node.value:
            below = f"{path}.{key.value}" if path else str(key.value)
            lines[below] = key.start_mark.line + 1
            _note_lines(value, below, lines)
    elif node.id == "sequence":
        for number, value in enumerate(node.value):
            _note_lines(value, f"{path}[{number}]", lines)


def _line_of(path: str, lines: Mapping[str, int]) -> int:
    while path and path not in lines:
        path = path.rpartition(".")[0] if "." in path else path.rpartition("[")[0]
    return lines.get(path, 1)


def check(data: Any) -> list[tuple[str, str]]:
    """Every mistake of a plan in JSON form as (path, what is wrong); empty when it is good."""
    c = Checks()
    top = c.mapping(data, "", TOP | {"version"})
    c.text(top.get("currency"), "currency")
    if not _is_zone(top.get("timezone", "UTC")):
        c.wrong("timezone", "must be an IANA zone such as Europe/Berlin")
    c.each(top.get("goals"), "goals", lambda one, path: _check_goal(c, one, path))
    learn.check(c, top)
    goals = top.get("goals") if isinstance(top.get("goals"), dict) else {}
    channels = top.get("channels") if isinstance(top.get("channels"), dict) else {}
    c.each(
        top.get("activities"),
        "activities",
        lambda one, path: _check_activity(c, one, path, goals or {}, channels or {}),
    )
    _check_policy(c, top.get("policy", {}))
    for name, one in (channels or {}).items():
        _check_channel(c, name, one)
    return c.problems


def _is_zone(name: Any) -> bool:
    """Whether the zone is known here. One file is opened: listing all zones takes tens of milliseconds, at every cold start."""
    try:
        ZoneInfo(name)
    except (TypeError, ValueError, KeyError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _check_goal(c: Checks, one: Any, path: str) -> None:
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

    _check_learning(c, goal, path)


def _check_learning(c: Checks, goal: Mapping[str, Any], path: str) -> None:
    if path.removeprefix("goals.").startswith(tuple(f"{kind}." for kind in learn.KINDS)):
        c.wrong(path, "this name is kept for a model that is not of a goal; choose another")
    if not isinstance(goal.get("absent", False), bool):
        c.wrong(f"{path}.absent", "must be true or false")
    if goal.get("among") is not None:
        c.text(goal["among"], f"{path}.among")
    for key in ("kinds", "only", "without"):
        if key in goal:
            c.names(goal[key], f"{path}.{key}")
    for number, kind in enumerate(goal["kinds"] if isinstance(goal.get("kinds"), list) else []):
        c.one_of(kind, f"{path}.kinds[{number}]", PROPENSITY)


def _check_activity(c: Checks, one: Any, path: str, goals: Mapping[str, Any], channels: Mapping[str, Any]) -> None:
    names = {field.name for field in fields(Activity)} - {"name", "recommended"}
    activity = c.mapping(one, path, names)
    if path.endswith(f".{NOTHING}"):
        c.wrong(path, "'nothing' is always a candidate and cannot be redefined")
    if activity.get("goal") not in goals:
        c.wrong(f"{path}.goal", f"must be one of the goals: {', '.join(map(str, goals)) or 'none given'}")
    channel = activity.get("channel")
    if channel not in CHANNELS:
        c.wrong(f"{path}.channel", f"must be one of {', '.join(CHANNELS)}")
    elif channel != "inline" and channel not in channels:
        c.wrong(f"{path}.channel", f"'{channel}' has no entry under channels")
    if channel != "inline":
        c.text(activity.get("template"), f"{path}.template")
    c.number(activity.get("cost", 0), f"{path}.cost", 0)
    c.number(activity.get("expected_lift", 0.1), f"{path}.expected_lift", -1, 100)
    c.number(activity.get("holdout", 0.1), f"{path}.holdout", 0, 0.9)
    for edge in ("starts_at", "ends_at"):
        if activity.get(edge) is not None and _micros(activity[edge]) is None:
            c.wrong(f"{path}.{edge}", "must be an ISO 8601 time with a zone, such as 2026-11-22T09:00:00+01:00")
    for number, condition in enumerate(activity.get("audience", [])):
        _check_condition(c, condition, f"{path}.audience[{number}]")
    _check_choices(c, activity, path)


def _check_choices(c: Checks, activity: Mapping[str, Any], path: str) -> None:
    """What is chosen for each person: items, the hour."""
    items = activity.get("items", [])
    if isinstance(items, dict):
        c.number(
            c.mapping(items, f"{path}.items", {RECOMMENDED}).get(RECOMMENDED), f"{path}.items.{RECOMMENDED}", 1, 50
        )
    elif items != RECOMMENDED:
        c.names(items, f"{path}.items")
    c.one_of(activity.get("send_time", "now"), f"{path}.send_time", SEND_TIMES)
    if activity.get("send_time") == "best" and activity.get("channel") == "inline":
        c.wrong(f"{path}.send_time", "what is shown inline is shown at once")


def _check_condition(c: Checks, one: Any, path: str) -> None:
    condition = c.mapping(one, path, {"name", *OPERATORS})
    c.text(condition.get("name"), f"{path}.name")
    if sum(operator in condition for operator in OPERATORS) != 1:
        c.wrong(path, f"needs exactly one of {', '.join(OPERATORS)}")


def _check_policy(c: Checks, value: Any) -> None:
    policy = c.mapping(
        value, "policy", {"holdout", "exploration", "base_rate", "caps", "quiet_hours", "budget_per_day"}
    )
    c.number(policy.get("holdout", 0), "policy.holdout", 0, 0.9)
    c.number(policy.get("exploration", 100), "policy.exploration", 0)
    c.number(policy.get("base_rate", 0.05), "policy.base_rate", 0, 1)
    for channel, one in policy.get("caps", {}).items():
        caps = c.mapping(one, f"policy.caps.{channel}", {"per_day", "per_week"})
        for key, number in caps.items():
            c.number(number, f"policy.caps.{channel}.{key}", 0)
    if (quiet := policy.get("quiet_hours")) is not None:
        hours = c.mapping(quiet, "policy.quiet_hours", {"start", "until"})
        for key in ("start", "until"):
            c.time_of_day(hours.get(key), f"policy.quiet_hours.{key}")
    if policy.get("budget_per_day") is not None:
        c.number(policy["budget_per_day"], "policy.budget_per_day", 0)


def _check_channel(c: Checks, name: str, one: Any) -> None:
    path = f"channels.{name}"
    if name not in CHANNELS:
        c.wrong(path, f"must be one of {', '.join(CHANNELS)}")
    channel = c.mapping(one or {}, path, {"sender", "reply_to", "postal_address"})
    if name == "email":
        c.text(channel.get("sender"), f"{path}.sender")
        c.text(channel.get("postal_address"), f"{path}.postal_address")  # the law asks for it in every marketing mail


def load(data: Mapping[str, Any]) -> Plan:
    """The plan of a checked JSON form. Raises BadInput when it was not checked."""
    problems = check(dict(data))
    if problems:
        raise BadInput("; ".join(f"{path}: {what}" for path, what in problems), reason="bad_plan")
    policy = data.get("policy", {})
    return Plan(
        version=str(data.get("version", "unversioned")),
        currency=data["currency"],
        timezone=data.get("timezone", "UTC"),
        goals={name: _goal(name, one) for name, one in data["goals"].items()},
        activities={name: _activity(name, one) for name, one in data["activities"].items()},
        policy=Policy(
            holdout=float(policy.get("holdout", 0.05)),
            exploration=float(policy.get("exploration", 100.0)),
            base_rate=float(policy.get("base_rate", 0.05)),
            caps={channel: Caps(**caps) for channel, caps in policy.get("caps", {}).items()},
            quiet_hours=_quiet(policy.get("quiet_hours")),
            budget_per_day=policy.get("budget_per_day"),
        ),
        channels={name: Channel(name=name, **(one or {})) for name, one in data.get("channels", {}).items()},
        columns=data.get("columns", {}),
        learn=learn.filled(data),
    )


def _goal(name: str, one: Mapping[str, Any]) -> Goal:
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


def _activity(name: str, one: Mapping[str, Any]) -> Activity:
    conditions = tuple(
        Condition(name=condition["name"], op=op, value=condition[op])
        for condition in one.get("audience", [])
        for op in OPERATORS
        if op in condition
    )
    return Activity(
        name=name,
        goal=one["goal"],
        channel=one["channel"],
        template=one.get("template"),
        cost=float(one.get("cost", 0)),
        expected_lift=float(one.get("expected_lift", 0.1)),
        holdout=float(one.get("holdout", 0.1)),
        transactional=bool(one.get("transactional", False)),
        audience=conditions,
        starts_at=_micros(one.get("starts_at")),
        ends_at=_micros(one.get("ends_at")),
        items=tuple(one["items"]) if isinstance(one.get("items"), list) else (),
        recommended=_recommended(one.get("items")),
        send_time=one.get("send_time", "now"),
    )


def _recommended(items: Any) -> int:
    """`items: recommended`, or `items: {recommended: 5}`."""
    return RECOMMENDED_ITEMS if items == RECOMMENDED else int(items[RECOMMENDED]) if isinstance(items, Mapping) else 0


def _quiet(value: Mapping[str, str] | None) -> QuietHours | None:
    if value is None:
        return None
    return QuietHours(start_minute=minutes(value["start"]) or 0, until_minute=minutes(value["until"]) or 0)


def _micros(value: Any) -> Micros | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else round(moment.astimezone(ZoneInfo("UTC")).timestamp() * 1_000_000)
