"""What is learned besides the goals: the `learn` section of a plan. Everything has a default; `false` turns a kind off.

learn:
  value:     {event: purchase, horizon_days: 90}
  recommend: {bought: purchase, events: {purchase: 1.0, page_view: 0.3}, again: false, per_category: 3}
  send_time: {channel: email, open_hours: {start: "08:00", until: "21:00"}}
  intent:    {event: message, text: text}
  demand:    [{event: purchase, of: count, by: category, every: week, horizon: 8}]
  drift:     {stability: 0.25, calibration: 0.05}
  uplift:    true
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nudge.plan.checks import Checks

KINDS = ("propensity", "uplift", "value", "recommend", "send_time", "intent", "demand")
"""Kinds of learning, in the order in which they are trained. Models of goals are stored under the goal's name, all others
under `<kind>.<what>`: no goal may be named so."""

OPTIONS: dict[str, set[str]] = {
    "value": {"event", "horizon_days"},
    "recommend": {"bought", "events", "again", "per_category"},
    "send_time": {"channel", "open_hours"},
    "intent": {"event", "text"},
    "demand": {"event", "of", "by", "every", "horizon"},
    "drift": {"stability", "calibration"},
}
ALLOWED = {"of": ("count", "value"), "by": ("all", "category", "item"), "every": ("day", "week")}
BOUNDS = {
    "horizon_days": (1, 730),
    "per_category": (1, 1000),
    "horizon": (1, 366),
    "stability": (0, 100),
    "calibration": (0, 1),
}
MOST_SERIES = 12
HORIZON = {"day": 28, "week": 8}


def check(c: Checks, data: Mapping[str, Any]) -> None:
    """Note every mistake of the section `learn`."""
    section = c.mapping(data.get("learn", {}), "learn", {*OPTIONS, "uplift"})
    if not isinstance(section.get("uplift", True), bool):
        c.wrong("learn.uplift", "must be true or false")
    for name, said in section.items():
        if name not in OPTIONS or said is False:
            continue
        several = said if name == "demand" and isinstance(said, list) else [said]
        if len(several) > MOST_SERIES:
            c.wrong(f"learn.{name}", f"at most {MOST_SERIES} entries")
        for number, one in enumerate(several):
            path = f"learn.{name}[{number}]" if said is several else f"learn.{name}"
            _option(c, name, c.mapping(one, path, OPTIONS[name]), path)


def _option(c: Checks, name: str, one: Mapping[str, Any], path: str) -> None:
    for key, value in one.items():
        where = f"{path}.{key}"
        if key in ALLOWED:
            c.one_of(value, where, ALLOWED[key])
        elif key in BOUNDS:
            c.number(value, where, *BOUNDS[key])
        elif key == "again":
            c.one_of(value, where, (True, False))
        elif key == "events":
            c.each(value, where, lambda weight, at: c.number(weight, at, 0, 1000))
        elif key == "open_hours":
            hours = c.mapping(value, where, {"start", "until"})
            for edge in ("start", "until"):
                c.time_of_day(hours.get(edge), f"{where}.{edge}")
        elif key in OPTIONS[name]:
            c.text(value, where)


def filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """The section of a checked plan with everything said: `{kind: options}`; what was turned off is not in it."""
    said = data.get("learn", {})
    event = paid_event(data["goals"])
    quiet = data.get("policy", {}).get("quiet_hours") or {"start": "21:00", "until": "08:00"}
    standard: dict[str, Any] = {
        "uplift": {},
        "value": {"event": event, "horizon_days": 90.0},
        "recommend": {"bought": event, "events": {}, "again": False, "per_category": None},
        "send_time": {"channel": "email", "open_hours": {"start": quiet["until"], "until": quiet["start"]}},
        "intent": {"event": "message", "text": "text"},
        "drift": {"stability": 0.25, "calibration": 0.05},
    }
    found = {
        name: options | (said[name] if isinstance(said.get(name), Mapping) else {})
        for name, options in standard.items()
        if said.get(name, True) is not False
    }
    demand = said.get("demand", [{"by": "all"}, {"by": "category"}])
    if demand is not False:
        several = demand if isinstance(demand, list) else [demand]
        found["demand"] = [_series(one, event) for one in several]
    return found


def paid_event(goals: Mapping[str, Any]) -> str | None:
    """The event of the first goal that is worth what its event says, else of the first goal; None when no goal names one."""
    named = [one for one in goals.values() if isinstance(one, Mapping) and isinstance(one.get("event"), str)]
    paid = [one for one in named if one.get("value", "from_event") == "from_event"]
    return next((str(one["event"]) for one in (*paid, *named)), None)


def _series(one: Mapping[str, Any], event: str | None) -> dict[str, Any]:
    every = one.get("every", "day")
    return {"event": event, "of": "count", "by": "all", "every": every, "horizon": HORIZON[every]} | dict(one)
