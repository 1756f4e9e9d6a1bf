"""The section `campaigns` of a plan: for whom, when, what, within which limits. In: its JSON form. Out: what is wrong; `Campaign`s.

campaigns:
  winback:
    goal: purchase
    audience: orders >= 2 and churn > 60% and country in [DE, AT]
    activities: [discount_mail, reminder_mail]
    schedule: {every: week, on: monday, at: "10:00"}     # or `when`: an event, a date or a prediction, see `triggers`
    holdout: 0.1
    budget: 5000
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from nudge.plan import audiences, steps, triggers
from nudge.plan.activities import INLINE
from nudge.plan.checks import Checks, micros
from nudge.vocabulary import NOTHING, Campaign, PolicyName

NAMES = {
    *("goal", "audience", "activities", "schedule", "when", "steps", "holdout", "budget", "budget_per_run", "capacity"),
    *("starts_at", "ends_at", "policy"),
}
POLICIES: tuple[str, ...] = get_args(PolicyName)
NAME = re.compile(r"[^\s/\\#?%&.][^\s/\\#?%&]{0,63}")
"""It is part of keys: of counters, of what a run keeps."""
MOST = 200
"""Campaigns in one plan."""
LARGEST_RUN = 100_000_000


def check(c: Checks, section: Any, plan: Mapping[str, Any]) -> None:
    """Note every mistake of the section; `plan` is the whole plan, whose goals and activities campaigns name."""
    if not isinstance(section, dict):
        c.wrong("campaigns", "must be a mapping of names to campaigns")
        return
    if len(section) > MOST:
        c.wrong("campaigns", f"at most {MOST} campaigns")
    goals, activities = (_mapping(plan.get(name)) for name in ("goals", "activities"))
    for name, one in section.items():
        if not NAME.fullmatch(name):
            c.wrong(f"campaigns.{name}", "a campaign's name has 1 to 64 characters, without blanks and / \\ # ? % &")
        _check_one(c, one, f"campaigns.{name}", goals, activities)


def _check_one(
    c: Checks, one: Any, path: str, goals: Mapping[str, Any], activities: Mapping[str, Mapping[str, Any]]
) -> None:
    campaign = c.mapping(one, path, NAMES)
    c.one_of(campaign.get("goal"), f"{path}.goal", map(str, goals))
    audiences.check(c, campaign.get("audience"), f"{path}.audience", goals, context=False)
    _check_activities(c, campaign, path, activities)
    if ("schedule" in campaign) == ("when" in campaign):
        c.wrong(path, "needs either 'schedule' (by the clock) or 'when' (for each person, when something happens)")
    if "schedule" in campaign:
        triggers.check_schedule(c, campaign["schedule"], f"{path}.schedule")
    if "when" in campaign:
        triggers.check_when(c, campaign["when"], f"{path}.when", goals)
    if "steps" in campaign:
        steps.check(c, campaign["steps"], f"{path}.steps", goals, _of_goal(campaign, activities), campaign.get("goal"))
    _check_limits(c, campaign, path)


def _check_activities(
    c: Checks, campaign: Mapping[str, Any], path: str, activities: Mapping[str, Mapping[str, Any]]
) -> None:
    """What it may do: activities of its own goal. With steps, those say it."""
    named = campaign.get("activities")
    if named is None and "steps" in campaign:
        return
    if not isinstance(named, list) or not named:
        c.wrong(f"{path}.activities", "must name at least one activity")
        return
    open_ones = _of_goal(campaign, activities)
    for number, name in enumerate(named):
        where = f"{path}.activities[{number}]"
        if name == NOTHING:
            c.wrong(where, "'nothing' is always a candidate; leave it out")
        elif isinstance(name, str) and name in activities and name not in open_ones:
            c.wrong(where, _not_of_goal(campaign, activities[name]))
        else:
            c.one_of(name, where, open_ones)
    if all(isinstance(name, str) for name in named) and len(set(named)) < len(named):
        c.wrong(f"{path}.activities", "names an activity twice")


def _of_goal(campaign: Mapping[str, Any], activities: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The activities that a campaign of this goal may do: nobody is owed a campaign, so none is transactional; and nobody is there to be
    shown something inline."""
    return [
        name
        for name, one in activities.items()
        if isinstance(one, dict)
        and one.get("goal") == campaign.get("goal")
        and one.get("transactional") is not True
        and one.get("channel") != INLINE
    ]


def _not_of_goal(campaign: Mapping[str, Any], activity: Mapping[str, Any]) -> str:
    if isinstance(activity, dict) and activity.get("transactional") is True:
        return "is transactional: it is sent when a request names it, not in a campaign"
    if isinstance(activity, dict) and activity.get("channel") == INLINE:
        return "is shown inline: to people who are there when an app asks, not in a campaign"
    other = activity.get("goal") if isinstance(activity, dict) else None
    return f"is an activity of the goal '{other}', and the campaign's goal is '{campaign.get('goal')}'"


def _check_limits(c: Checks, campaign: Mapping[str, Any], path: str) -> None:
    c.number(campaign.get("holdout", 0.1), f"{path}.holdout", 0, 0.9)
    for name in ("budget", "budget_per_run"):
        if campaign.get(name) is not None:
            c.number(campaign[name], f"{path}.{name}", 0)
    if campaign.get("capacity") is not None:
        c.whole(campaign["capacity"], f"{path}.capacity", 1, LARGEST_RUN)
    for edge in ("starts_at", "ends_at"):
        c.moment(campaign.get(edge), f"{path}.{edge}")
    starts, ends = micros(campaign.get("starts_at")), micros(campaign.get("ends_at"))
    if starts is not None and ends is not None and ends <= starts:
        c.wrong(f"{path}.ends_at", "must be later than starts_at")
    c.one_of(campaign.get("policy", "squarecb"), f"{path}.policy", POLICIES)


def made(name: str, one: Mapping[str, Any], goals: Mapping[str, Any]) -> Campaign:
    """The campaign of a checked entry."""
    walk = steps.made(one.get("steps", []), one["goal"], goals)
    return Campaign(
        name=name,
        goal=one["goal"],
        activities=tuple(one.get("activities") or steps.activities(walk)),
        audience=audiences.made(one.get("audience"), goals),
        schedule=triggers.schedule(one["schedule"]) if "schedule" in one else None,
        trigger=triggers.trigger(one["when"]) if "when" in one else None,
        steps=walk,
        holdout=float(one.get("holdout", 0.1)),
        budget=_money(one.get("budget")),
        budget_per_run=_money(one.get("budget_per_run")),
        capacity=one.get("capacity"),
        starts_at=micros(one.get("starts_at")),
        ends_at=micros(one.get("ends_at")),
        policy=one.get("policy", "squarecb"),
    )


def _money(value: float | None) -> float | None:
    return None if value is None else float(value)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
