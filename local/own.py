"""Your own files, taken the whole way: load, learn, decide for some people, report.

In: paths of users, events and items, and a plan or none. Out: what happened, as `summary` shows it. `now` is the end of
the data: the newest event that is not in the future, found by reading the events once before anything starts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import polars as pl
import yaml

from local.clock import VirtualClock, micros
from local.laptop import Laptop, Progress, silent
from nudge import plan as plans
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.flows.arrive import Arrive
from nudge.flows.prepare import Prepare
from nudge.flows.tasks import from_task
from nudge.vocabulary import DAY, SECOND, Micros

DEFAULT_TEMPLATES = Path(__file__).parent / "default" / "templates"
PEOPLE = 1_000
"""For how many people a run decides at most."""
WORDS = (
    "purchase",
    "order",
    "checkout",
    "transaction",
    "buy",
    "bought",
    "sale",
    "paid",
    "convert",
    "subscribe",
    "redeem",
)
"""Names of events that shops want, the most wanted first."""


@dataclass
class OwnRun:
    """One run on somebody's files."""

    users: Sequence[Path]
    events: Sequence[Path]
    items: Sequence[Path] = ()
    plan: Path | None = None
    templates: Path | None = None
    people: int = PEOPLE
    progress: Progress = silent
    decisions: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def tell(self, laptop: Laptop) -> None:
        """Everything, in order, on a laptop whose clock stands at the end of the data."""
        with self.step("load"):
            self._publish_given(laptop)
            paths = [("users", one) for one in self.users] + [("items", one) for one in self.items]
            paths += [("events", one) for one in self.events]
            for number, (kind, path) in enumerate(paths):
                laptop.drop(f"inbox/{kind}/{path.name}", path.read_bytes())
                laptop.settle()
                self.progress("load", number + 1, len(paths))
            laptop.compact()
        checked = self._publish_derived(laptop)
        with self.step("train"):
            laptop.train()
        with self.step("decide"):
            self._decide(laptop, checked)
        with self.step("settle"):
            laptop.part.tick()
            laptop.compact()
            laptop.settle()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        self.progress(name, 0, 1)
        yield
        self.seconds[name] = round(time.perf_counter() - began, 2)
        self.progress(name, 1, 1)

    def _publish_given(self, laptop: Laptop) -> None:
        """A plan that is given is in force before the first file: it may name columns."""
        if self.plan is not None:
            laptop.publish(self.plan.read_text(encoding="utf-8"), name=self.plan.name)

    def _publish_derived(self, laptop: Laptop) -> dict[str, Any]:
        """The plan in force, made from the data when none was given; and a text for every template that has none."""
        if self.plan is not None:
            text, name = self.plan.read_text(encoding="utf-8"), self.plan.name
        else:
            text, name = yaml.safe_dump(default_plan(laptop.lake("events")), sort_keys=False), "derived plan"
            self.notes.append("no plan was given; one was made from the data:\n" + text)
        checked = laptop.publish(text, name=name, templates=self.templates)
        for activity in checked["activities"].values():
            template = activity.get("template")
            if template and not (self.templates and (self.templates / f"{template}.json").exists()):
                stand_in = "banner.json" if activity["channel"] == "inline" else "reminder.json"
                body = (DEFAULT_TEMPLATES / stand_in).read_bytes()
                laptop.bucket.put(f"templates/{template}.json", body, content_type="application/json")
        return checked

    def _decide(self, laptop: Laptop, plan: Mapping[str, Any]) -> None:
        everyone = people_of(laptop)
        chosen = everyone[: self.people]
        if len(everyone) > len(chosen):
            self.notes.append(
                f"decisions were asked for {len(chosen)} of {len(everyone)} people: those seen last; see --people"
            )
        goals = [goal for goal in plan["goals"] if any(one["goal"] == goal for one in plan["activities"].values())]
        for number, user_id in enumerate(chosen):
            goal = goals[number % len(goals)]
            self.decisions.append(laptop.decide(user_id, goal, key=f"run/{goal}"))
            if number % 50 == 49:
                laptop.settle()
                self.progress("decide", number + 1, len(chosen))
        laptop.settle()


def people_of(laptop: Laptop) -> list[str]:
    """Everyone in the users files (all who did something, when there are none), those seen last first."""
    events, users = laptop.lake("events"), laptop.lake("users")
    seen = events.group_by("user_id").agg(pl.col("event_time").max().alias("last"))
    if users.is_empty():
        known = seen
    else:
        known = users.select("user_id").unique().join(seen, on="user_id", how="left")
    return known.sort("last", "user_id", descending=[True, False], nulls_last=True)["user_id"].to_list()


def default_plan(events: pl.DataFrame) -> dict[str, Any]:
    """A plan for data without one: the goal is what shops want most among the things that happen, worth what the events
    say, else 1; a mail and a banner compete for it, with a tenth of people held out. Raises ValueError without events."""
    if events.is_empty():
        raise ValueError("no row of the events could be read; see quarantine/ for the reasons")
    event, action = wanted(events)
    goal = event if action is None else f"{event}_{action}"
    rows = events.filter(pl.col("event_type") == event)
    if action is not None:
        rows = rows.filter(pl.col("event_action") == action)
    times = events["event_time"].cast(pl.Int64)
    span_days = (int(times.max()) - int(times.min())) / DAY  # type: ignore[arg-type]
    currency = rows["currency"].drop_nulls().str.to_uppercase()
    asked = {"event": event, "within_days": max(1, min(14, int(span_days // 8)))}
    if action is not None:
        asked["action"] = action
    return {
        "currency": currency.mode().sort()[0] if len(currency) else "EUR",
        "timezone": "UTC",
        "goals": {goal: {**asked, "value": "from_event" if (rows["value"].sum() or 0) > 0 else 1.0}},
        "activities": {
            "mail": {"goal": goal, "channel": "email", "template": "reminder", "cost": 0.01, "holdout": 0.1},
            "banner": {"goal": goal, "channel": "inline", "template": "banner", "cost": 0.0, "holdout": 0.1},
        },
        "policy": {
            "holdout": 0.05,
            "exploration": 100,
            "caps": {"email": {"per_day": 1, "per_week": 3}},
            "quiet_hours": {"start": "21:00", "until": "08:00"},
        },
        "channels": {
            "email": {"sender": "You <you@example.com>", "postal_address": "Your postal address, as the law wants it"}
        },
    }


def wanted(events: pl.DataFrame) -> tuple[str, str | None]:
    """Event type and action of what shops want: by the name of the type; else by the name of what people did about it;
    else the type that brings most money; else the rarest type that a hundredth of people did."""
    kinds = (
        events.group_by("event_type")
        .agg(pl.col("value").sum().alias("money"), pl.col("user_id").n_unique().alias("people"))
        .sort("event_type")
    )
    if (named := _named(kinds["event_type"].to_list())) is not None:
        return named, None
    actions = events["event_action"].drop_nulls().unique().sort().to_list()
    if (action := _named(actions)) is not None:
        types = events.filter(pl.col("event_action") == action)["event_type"]
        return str(types.mode().sort()[0]), action
    by_money = kinds.filter(pl.col("money") > 0).sort("money", descending=True)
    if not by_money.is_empty():
        return str(by_money["event_type"][0]), None
    usual = kinds.filter(pl.col("people") >= max(1, events["user_id"].n_unique() // 100)).sort("people", "event_type")
    return str(usual["event_type"][0]), None


def _named(names: Sequence[str]) -> str | None:
    """The name that says most clearly what shops want; the shortest of several."""
    for word in WORDS:
        found = [name for name in names if word in name.lower()]
        if found:
            return min(found, key=lambda name: (len(name), name))
    return None


def data_end(events: Sequence[Path], plan: Path | None = None) -> Micros:
    """When the data ends: the newest event, but never later than the machine's own clock.

    Reads the files by the rules of the doors (arrive, then prepare, into memory) and with the columns of the plan, so that
    every dialect is understood. Raises BadInput for a plan with a mistake, and ValueError when not one event could be read.
    """
    now = time.time_ns() // 1000
    inbox, arrivals, queue = MemoryObjects("dry", start=now), MemoryArrivals(), MemoryQueue()
    lake = ObjectsLake(inbox)
    arrive = Arrive(inbox, arrivals, queue, "dry")
    given = None if plan is None else plans.parse(plan.read_text(encoding="utf-8"), name=plan.name)
    prepare = Prepare(inbox, lake, arrivals, _ignored, _ignored, inbox, MemoryPlans(given))  # type: ignore[arg-type]
    for path in events:
        key = f"inbox/events/{path.name}"
        inbox.put(key, path.read_bytes())
        told = {"bucket": {"name": "dry"}, "object": {"key": quote_plus(key, safe="/")}}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}
        arrive({"Records": [record]}, owner="dry", now=now)
    for task in queue.take():
        prepare(from_task(task), now=now)
    newest = [pl.read_parquet(lake.get(part.key))["event_time"].max() for part in lake.parts("events")]
    times = [micros(one) for one in newest if isinstance(one, datetime)]
    if not times:
        raise ValueError("no row of the events could be read: each needs a user_id, an event_type and an event_time")
    return min(max(times), now)


def _ignored(_: object, *, now: int) -> None:
    """Nobody is told: only the lake counts here."""


def clock_at_end(events: Sequence[Path], plan: Path | None = None) -> VirtualClock:
    """A clock that stands a second after the newest event (see `data_end`)."""
    return VirtualClock(data_end(events, plan) + SECOND)
