"""A small shop for the tests of the report: people, decisions, outcomes and purchases with a known true effect. Seeded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any

import polars as pl

from nudge.measure import audience, frames
from nudge.vocabulary import Micros

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 4, 6, 6, 0, tzinfo=UTC)

PLAN: dict[str, Any] = {
    "version": "plan-1",
    "currency": "EUR",
    "goals": {
        "purchase": {"event": "purchase", "within_days": 7, "value": "from_event"},
        "visit": {"event": "page_view", "within_days": 3, "value": 0.2},
    },
    "activities": {
        "discount_mail": {"goal": "purchase", "channel": "email", "template": "d", "cost": 0.5, "holdout": 0.3},
        "reminder_mail": {"goal": "purchase", "channel": "email", "template": "r", "cost": 0.01, "holdout": 0.3},
        "banner": {"goal": "purchase", "channel": "inline", "template": "b", "cost": 0.0, "holdout": 0.3},
        "news_mail": {"goal": "visit", "channel": "email", "template": "n", "cost": 0.02, "holdout": 0.3},
    },
    "policy": {"holdout": 0.1},
    "channels": {"email": {"sender": "Shop <a@shop.example>", "postal_address": "Shop, 1 Street, Town"}},
}
SCHEMAS: dict[str, Any] = {
    "decisions": {**frames.DECISIONS, "record": pl.String()},
    "events": frames.EVENTS,
    "outcomes": frames.OUTCOMES,
    "users": audience.USERS,
    "items": audience.ITEMS,
}
LIFT = {"discount_mail": 0.10, "reminder_mail": 0.03, "banner": 0.0, "news_mail": 0.05}


def micros(moment: datetime) -> Micros:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass
class World:
    """Rows as they lie in the lake, and the true incremental value of each activity."""

    decisions: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    truth: dict[str, float] = field(default_factory=dict)
    users: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)

    def bodies(self, kind: str, parts: int = 1) -> list[bytes]:
        rows: list[dict[str, Any]] = getattr(self, kind)
        return [parquet(kind, rows[n::parts]) for n in range(parts) if rows[n::parts]]


def parquet(kind: str, rows: Iterable[dict[str, Any]]) -> bytes:
    schema = SCHEMAS[kind]
    out = BytesIO()
    frame(schema, rows).write_parquet(out)
    return out.getvalue()


def frame(schema: Any, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=dict(schema), orient="row")


def decision(user: str, at: datetime, chosen: str, group: str, **other: Any) -> dict[str, Any]:
    activity = chosen if group == "treatment" else "nothing"
    about = PLAN["activities"].get(activity, {})
    return {
        "decision_id": other.pop("decision_id", f"{user}-{at.timestamp():.0f}-{chosen}"),
        "user_id": user,
        "decided_at": at,
        "goal": PLAN["activities"].get(chosen, {}).get("goal", "purchase"),
        "chosen": chosen,
        "activity": activity,
        "channel": about.get("channel"),
        "group": group,
        "propensity": 0.25,
        "cost": about.get("cost", 0.0),
        "plan_version": "plan-1",
        **other,
    }


def record(made: dict[str, Any], *, campaign: str | None = None, removed: dict[str, str] | None = None) -> str:
    """The record of a decision, as far as a report reads it: every activity open with equal shares of 90 %, but for those removed."""
    out = removed or {}
    names = [*PLAN["activities"], "nothing"]
    open_ones = [name for name in names if name not in out]
    offered = [
        {"activity": name, "probability": 0.1, "value": 4.0, "propensity": 0.0 if name in out else 1 / len(open_ones), "removed": out.get(name)}
        for name in names
    ]  # fmt: skip
    number = int(made["user_id"][1:])
    vector = {
        "trait.country": ("DE", "AT", "CH")[number % 3],
        "trait.device": "phone" if number % 2 else "desktop",
        "trait.name": made["user_id"],
        "trait.age": 20.0 + number % 50,
        "total.purchase": float(number % 4),
        "days_since.purchase": float(number % 60) if number % 4 else None,
    }
    context = {"campaign": campaign} if campaign else {}
    return json.dumps(
        {
            "decision_id": made["decision_id"],
            "candidates": offered,
            "vector": vector,
            "context": context,
            "person": {"alive": 0.9, "purchases": 1.0, "spend": 10.0 + number % 97},
        }
    )


def user(name: str, at: datetime, **other: Any) -> dict[str, Any]:
    return {"user_id": name, "effective_at": at, **other}


def outcome(of: dict[str, Any], kind: str, after: timedelta, **properties: Any) -> dict[str, Any]:
    told = {"activity": of["activity"], "goal": of["goal"], **properties}
    return {
        "event_id": f"{of['decision_id']}-{kind}",
        "user_id": of["user_id"],
        "event_type": kind,
        "event_time": of["decided_at"] + after,
        "decision_id": of["decision_id"],
        "properties": json.dumps(told),
    }


def event(user: str, at: datetime, kind: str, value: float | None = None, **other: Any) -> dict[str, Any]:
    identity = other.pop("event_id", f"{kind}-{at.timestamp():.6f}")
    return {"event_id": identity, "user_id": user, "event_type": kind, "event_time": at, "value": value, **other}


def shop(people: int = 3000, seed: int = 7) -> World:
    """A world in which each activity raises the chance of its goal by `LIFT` over 12 % (purchase) or 40 % (visit)."""
    random, world = Random(seed), World()
    names = list(PLAN["activities"])
    world.items = [{"item_id": f"i{n}", "effective_at": START, "title": f"Item {n}"} for n in range(5)]
    for number in range(people):
        user = f"u{number:05d}"
        told = {"email": f"{user}@people.example"} if number % 10 else {}
        world.users.append({"user_id": user, "effective_at": START, **told, "email_consent": number % 7 != 0})
        untouched = random.random() < 0.1
        held = {name: random.random() < 0.3 for name in names}
        at = START + timedelta(seconds=random.randrange(30 * 86400))
        if random.random() < 0.4:
            world.events.append(
                event(
                    user,
                    at - timedelta(days=random.uniform(0, 25)),
                    "purchase",
                    random.uniform(20, 60),
                    item_id=f"i{number % 5}",
                )
            )
        for step in range(random.randrange(1, 3)):
            moment = at + timedelta(days=8 * step, minutes=step)
            if moment < NOW:
                _one(
                    world,
                    random,
                    user,
                    moment,
                    "nothing" if random.random() < 0.1 else random.choice(names),
                    untouched,
                    held,
                )
    return world


def _one(
    world: World, random: Random, user: str, at: datetime, chosen: str, untouched: bool, held: dict[str, bool]
) -> None:
    group = "global_holdout" if untouched else "holdout" if held.get(chosen) else "treatment"
    made = decision(user, at, chosen, group, propensity=0.9 / 4 if chosen != "nothing" else 0.1)
    blocked = {"banner": "audience"} if chosen != "banner" and int(user[1:]) % 5 == 0 else None
    made["record"] = record(made, campaign="spring" if int(user[1:]) % 2 else None, removed=blocked)
    world.decisions.append(made)
    reached = made["activity"] != "nothing" and _message(world, random, made)
    visit = made["goal"] == "visit"
    base, worth = (0.40, 0.2) if visit else (0.12, 40.0)
    draw = random.random()
    gain = LIFT.get(chosen, 0.0) if reached else 0.0
    when = at + timedelta(hours=random.uniform(2, 70))
    if draw < base + gain and when < NOW:
        world.events.append(
            event(user, when, "page_view" if visit else "purchase", None if visit else random.uniform(20, 60))
        )
    if reached and at + timedelta(days=3 if visit else 7) <= NOW:
        world.truth[chosen] = world.truth.get(chosen, 0.0) + LIFT[chosen] * worth


def _message(world: World, random: Random, made: dict[str, Any]) -> bool:
    if made["channel"] == "inline":
        world.outcomes.append(outcome(made, "inline_shown", timedelta(seconds=1)))
        return True
    draw = random.random()
    if draw < 0.08:
        ending = (
            ("email_skipped", "suppressed")
            if draw < 0.05
            else ("email_failed", "rejected")
            if draw < 0.07
            else ("email_unknown", "lost_answer")
        )
        world.outcomes.append(outcome(made, ending[0], timedelta(minutes=1), reason=ending[1]))
        return False
    chain = [("email_sent", 1.0), ("email_delivery", 0.97), ("email_open", 0.5), ("email_click", 0.25)]
    for minutes, (kind, chance) in enumerate(chain, 1):
        if random.random() > chance:
            break
        world.outcomes.append(outcome(made, kind, timedelta(minutes=minutes)))
    return True
