"""When a campaign begins: by the clock (`schedule`), or for each person when something happens (`when`).

    schedule: {every: day|week|month|once, on: monday | 15 | 2026-12-01, at: "10:00", zone: plan|person}
    when: {event: add_to_cart, without: purchase, within: 2h}      # A, and not B within a time; or {event: A} alone
    when: {date: birthday, at: "09:00", before: 3 days, repeat: yearly|once, zone: plan|person}
    when: {predicted: churn, above: 60%}                           # or below; re-armed when it falls back

In: their JSON form. Out: what is wrong with them; `Schedule`s and `Trigger`s. It knows no clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from nudge.plan.audiences import PREDICTED
from nudge.plan.checks import Checks, minutes
from nudge.vocabulary import DAY, SECOND, Micros, OnDate, OnEvent, OnPrediction, Schedule, Trigger

EVERY = ("day", "week", "month", "once")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ZONES = ("plan", "person")
REPEATS = ("yearly", "once")
WHEN = {
    "event": {"event", "without", "within"},
    "date": {"date", "at", "before", "repeat", "zone"},
    "predicted": {"predicted", "above", "below"},
}
"""What begins a trigger → what it may say."""

UNITS = {"minute": 60 * SECOND, "min": 60 * SECOND, "m": 60 * SECOND, "hour": 3600 * SECOND, "h": 3600 * SECOND}
UNITS |= {"day": DAY, "d": DAY, "week": 7 * DAY, "w": 7 * DAY}
_DURATION = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*([a-z]+?)s?\s*", re.IGNORECASE)
LONGEST_WAIT: Micros = 366 * DAY
MOST_DAYS_BEFORE = 365


def duration(said: Any) -> Micros | None:
    """`2h`, `30 minutes`, `2 days`, `1 week` as µs; None when it is none.

    >>> duration("2h") == duration("120 min") == 7_200_000_000
    True
    """
    match = _DURATION.fullmatch(said) if isinstance(said, str) else None
    unit = UNITS.get(match[2].lower()) if match else None
    return None if match is None or unit is None else round(float(match[1]) * unit)


def check_duration(c: Checks, said: Any, path: str, longest: Micros = LONGEST_WAIT) -> None:
    """Note what is no time between a minute and `longest`."""
    found = duration(said)
    if found is None:
        c.wrong(path, "must be a time such as 30 minutes, 2h, 2 days or 1 week")
    elif not 60 * SECOND <= found <= longest:
        c.wrong(path, f"must be from 1 minute to {longest // DAY} days")


# ── by the clock ─────────────────────────────────────────────────────────────────────────────────────────────────────
def check_schedule(c: Checks, one: Any, path: str) -> None:
    """Note every mistake of a schedule."""
    said = c.mapping(one, path, {"every", "on", "at", "zone"})
    c.time_of_day(said.get("at"), f"{path}.at")
    c.one_of(said.get("zone", "plan"), f"{path}.zone", ZONES)
    if not c.one_of(said.get("every"), f"{path}.every", EVERY):
        return
    on, where = said.get("on"), f"{path}.on"
    if said["every"] == "week":
        c.one_of(on.lower() if isinstance(on, str) else on, where, WEEKDAYS)
    elif said["every"] == "month":
        c.whole(on, where, 1, 31)
    elif said["every"] == "once" and _day(on) is None:
        c.wrong(where, "must be a date such as 2026-12-01")
    elif said["every"] == "day" and on is not None:
        c.wrong(where, "every day needs no 'on'")


def schedule(one: Mapping[str, Any]) -> Schedule:
    """The schedule of a checked entry."""
    every, on = one["every"], one.get("on")
    return Schedule(
        every=every,
        at_minute=minutes(one["at"]) or 0,
        weekday=WEEKDAYS.index(str(on).lower()) if every == "week" else None,
        day=on if every == "month" else None,
        on=_day(on) if every == "once" else None,
        zone=one.get("zone", "plan"),
    )


def _day(said: Any) -> date | None:
    try:
        return date.fromisoformat(said) if len(said) == 10 else None
    except (TypeError, ValueError):
        return None


# ── for each person, when something happens ──────────────────────────────────────────────────────────────────────────
def check_when(c: Checks, one: Any, path: str, goals: Mapping[str, Any]) -> None:
    """Note every mistake of a trigger."""
    kinds = [kind for kind in WHEN if isinstance(one, dict) and kind in one]
    if len(kinds) != 1:
        c.mapping(one, path, set().union(*WHEN.values()))
        c.wrong(path, f"needs exactly one of {', '.join(WHEN)}")
        return
    said = c.mapping(one, path, WHEN[kinds[0]])
    match kinds[0]:
        case "event":
            _check_event(c, said, path)
        case "date":
            _check_date(c, said, path)
        case _:
            _check_prediction(c, said, path, goals)


def _check_event(c: Checks, said: Mapping[str, Any], path: str) -> None:
    c.text(said["event"], f"{path}.event")
    if ("without" in said) != ("within" in said):
        c.wrong(path, "'without' and 'within' belong together: event A without B within a time")
        return
    if "without" in said:
        c.text(said["without"], f"{path}.without")
        check_duration(c, said["within"], f"{path}.within", 90 * DAY)
        if said["without"] == said["event"]:
            c.wrong(f"{path}.without", "must be another event")


def _check_date(c: Checks, said: Mapping[str, Any], path: str) -> None:
    c.text(said["date"], f"{path}.date")
    c.time_of_day(said.get("at"), f"{path}.at")
    days = _days_before(said.get("before", 0))
    if days is None or days > MOST_DAYS_BEFORE:
        c.wrong(f"{path}.before", f"must be whole days such as 3 days, at most {MOST_DAYS_BEFORE}")
    c.one_of(said.get("repeat", "yearly"), f"{path}.repeat", REPEATS)
    c.one_of(said.get("zone", "person"), f"{path}.zone", ZONES)


def _days_before(said: Any) -> int | None:
    """`3 days`, `1 week` or 3 as days; None when it is no whole number of them."""
    if isinstance(said, int) and not isinstance(said, bool):
        return said if said >= 0 else None
    found = duration(said)
    return None if found is None or found % DAY else found // DAY


def _check_prediction(c: Checks, said: Mapping[str, Any], path: str, goals: Mapping[str, Any]) -> None:
    named = said["predicted"]
    plain = named.removeprefix("predicted.") if isinstance(named, str) else named
    c.one_of(plain, f"{path}.predicted", (*map(str, goals), *PREDICTED))
    if ("above" in said) == ("below" in said):
        c.wrong(path, "needs either 'above' or 'below'")
        return
    side = "above" if "above" in said else "below"
    line, most = _share(said[side]), float("inf") if plain in ("purchases", "spend") else 1.0
    c.number(said[side] if line is None else line, f"{path}.{side}", 0, most)


def _share(said: Any) -> float | None:
    """0.6 or `60%`; None when it is neither."""
    if isinstance(said, str) and (match := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%", said.strip())):
        return float(match[1]) / 100
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None


def trigger(one: Mapping[str, Any]) -> Trigger:
    """The trigger of a checked entry."""
    if "event" in one:
        return OnEvent(one["event"], one.get("without"), duration(one.get("within")) or 0)
    if "date" in one:
        return OnDate(
            attribute=one["date"].removeprefix("trait."),
            at_minute=minutes(one["at"]) or 0,
            before_days=_days_before(one.get("before", 0)) or 0,
            yearly=one.get("repeat", "yearly") == "yearly",
            zone=one.get("zone", "person"),
        )
    above = "above" in one
    line = _share(one["above" if above else "below"])
    return OnPrediction(one["predicted"].removeprefix("predicted."), line or 0.0, above)
