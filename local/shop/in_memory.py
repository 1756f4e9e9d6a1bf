"""Nudge in this process's memory: the flows wired as the doors wire them, over the adapters in memory; a mail costs no AWS.

In: a plan, templates, a reader of mail, the time. Out: whatever the flows make of it. Nothing here decides, sends or measures: it
only hands on what one flow leaves for the next, as queues, streams and notifications do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any
from urllib.parse import quote_plus

import polars as pl

from local.ses import Mail, Reaction, Reader, event_of
from nudge import plan as plans
from nudge.act import link
from nudge.adapters.clicks import MemoryClicks
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.ledger_rows import message_row
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue, MemorySigner
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_pace import MemoryPace, MemoryReputation
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.memory_sender import MemorySender
from nudge.adapters.models import StoredModels
from nudge.adapters.templates import StoredTemplates
from nudge.flows.arrive import Arrive
from nudge.flows.campaign_runs import Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.collect import CopyLedger
from nudge.flows.compose import Compose
from nudge.flows.decide import Decide
from nudge.flows.deliver import Deliver, Sweep
from nudge.flows.feedback import Feedback
from nudge.flows.journey_events import Overheard
from nudge.flows.pauses import Pauses
from nudge.flows.prepare import Prepare
from nudge.flows.profiles import ApplyEvents, ApplyTraits
from nudge.flows.report import Report
from nudge.flows.tasks import from_task
from nudge.flows.tombstones import Watched
from nudge.flows.train import Train, Verdict
from nudge.flows.unsubscribe import Unsubscribe
from nudge.vocabulary import FINAL_STATES, Email, Kind, Micros, Parcel

BUCKET = "lake"
PUBLIC = "https://nudge.example"
SECONDS_LEFT = 900.0


class TimedObjects(MemoryObjects):
    """A bucket whose uploads happen when the clock says."""

    def __init__(self, clock: Callable[[], Micros]) -> None:
        super().__init__(BUCKET)
        self._clock = clock

    def put(self, key: str, body: bytes, **how: Any) -> str:
        with self._lock:
            self._now = self._clock() - 1_000_000
            return super().put(key, body, **how)


@dataclass
class Stream:
    """What DynamoDB's stream would tell of a ledger in memory: new decisions, and messages that came to their end."""

    ledger: MemoryLedger
    _told: int = 0
    _open: set[str] = field(default_factory=set)

    def rows(self, kind: Kind) -> pl.DataFrame:
        """What the lake holds of a kind."""
        return pl.concat([pl.read_parquet(self.lake.get(part.key)) for part in self.lake.parts(kind)], how="diagonal")

    def records(self) -> Iterator[dict[str, Any]]:
        """Since the last time."""
        for name, kept in list(islice(self.ledger.decisions.items(), self._told, None)):
            self._told += 1
            if name in self.ledger.messages:
                self._open.add(name)
            yield _record(name, {"id": {"S": f"decision#{name}"}, "record": {"S": kept.text}})
        ended = [name for name in sorted(self._open) if self.ledger.messages[name].state in FINAL_STATES]
        for name in ended:
            self._open.remove(name)
            yield _record(f"{name}:end", message_row(self.ledger.messages[name], 0))


def _record(name: str, image: Mapping[str, Any]) -> dict[str, Any]:
    return {"dynamodb": {"NewImage": image, "SequenceNumber": name}}


@dataclass
class InMemory:
    """A stack that runs. `read` says what becomes of a mail, `texted` is told of every other message; `now` is moved by whoever
    plays."""

    plan: str
    templates: Mapping[str, bytes]
    read: Reader
    texted: Callable[[Parcel], None]
    now: Micros
    segments: int = 1

    def __post_init__(self) -> None:
        clock, self.signer = lambda: self.now, MemorySigner()
        self.objects = TimedObjects(clock)
        for name, body in self.templates.items():
            self.objects.put(f"templates/{name}.json", body)
        self.plans = MemoryPlans(plans.parse(self.plan))
        self.profiles, self.ledger, self.arrivals = MemoryProfiles(), MemoryLedger(), MemoryArrivals()
        self.lake, self.mails, self.tasks = ObjectsLake(self.objects), MemoryQueue(), MemoryQueue()
        self.models = StoredModels(self.objects, self.signer, clock=clock)
        self.stream, self.copied = Stream(self.ledger), CopyLedger(self.objects)
        self._chunks, self._answers, self._attempts = MemoryQueue(), list[tuple[Micros, Mail, Reaction]](), 0
        self._taken: set[str] = set()
        templates, in_force = StoredTemplates(self.objects, clock=clock), PlanInForce(self.plans)
        decide = Decide(self.profiles, in_force, Champions(self.models), templates, self.ledger, self.mails)
        self.journeys = MemoryJourneys()
        runs = Runs(self.objects)
        self.campaigns = Campaigns(decide, self.profiles, runs, self.tasks, self.journeys, self.segments)
        compose = Compose(templates, self.signer, link.keys(self.signer.sign), PUBLIC)
        mailer, texter = MemorySender[Email](after=self._mailed), MemorySender[Parcel](after=self.texted)
        senders = {"email": mailer, "sms": texter}
        self.deliver = Deliver(
            ledger=self.ledger,
            profiles=self.profiles,
            plan=in_force,
            compose=compose,
            senders=senders.__getitem__,
            pace=MemoryPace(),
            pauses=Pauses(runs),
            wait=lambda _: None,
        )
        self.sweep = Sweep(self.ledger, self.mails)
        self.feedback = Feedback(self.profiles, self.ledger, self.objects, MemoryClicks(), MemoryReputation())
        self.unsubscribe = Unsubscribe(self.profiles, self.ledger, self.objects, self.signer)
        self.arrive = Arrive(self.objects, self.arrivals, self._chunks, BUCKET)
        events, people = Overheard(ApplyEvents(self.profiles), self.journeys, in_force), ApplyTraits(self.profiles)
        gone = Watched(self.objects)
        self.prepare = Prepare(self.objects, self.lake, self.arrivals, events, people, self.objects, self.plans, gone)

    # ── what schedules and queues do ─────────────────────────────────────────────────────────────────────────────────
    def act(self) -> None:
        """Campaigns whose time has come are run, and what is due goes out."""
        self.campaigns.tick(now=self.now)
        while self.tasks.sent:
            for task in self.tasks.take():
                self.campaigns.go_on(task, now=self.now, left=lambda: SECONDS_LEFT)
        self.sweep(now=self.now)
        for task in self.mails.take():
            self._attempts += 1
            self.deliver(task["decision_id"], owner=f"attempt {self._attempts}", now=self.now)

    def hear(self) -> None:
        """What became of mails by now comes into the inbox."""
        due = sorted((one for one in self._answers if one[0] <= self.now), key=itemgetter(0))
        self._answers = [one for one in self._answers if one[0] > self.now]
        rows = [row for at, mail, said in due for row in self.feedback.take(event_of(mail, said, at), now=at)]
        self.feedback.keep(rows)

    def copy(self) -> None:
        """What the ledger holds that is new comes into the inbox."""
        if records := list(self.stream.records()):
            self.copied(records)

    def take_in(self) -> None:
        """Everything in the inbox that is new becomes rows of the lake and knowledge about people."""
        for found in list(self.objects.list("inbox/")):
            if found.key not in self._taken:
                self._taken.add(found.key)
                told = {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(found.key, safe="/")}}
                record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}
                self.arrive({"Records": [record]}, owner="in memory", now=self.now)
        for task in self._chunks.take():
            self.prepare(from_task(task), now=self.now)

    def train(self, *names: str) -> list[Verdict]:
        """Models of these names, from what the lake holds."""
        return Train(self.lake, self.plans, self.models)(names, now=self.now)

    def report(self) -> dict[str, Any]:
        return Report(self.lake, self.objects, self.plans, self.arrivals, models=self.models)(now=self.now)

    def rows(self, kind: Kind) -> pl.DataFrame:
        """What the lake holds of a kind."""
        return pl.concat([pl.read_parquet(self.lake.get(part.key)) for part in self.lake.parts(kind)], how="diagonal")

    def records(self) -> list[dict[str, Any]]:
        """Every decision as the ledger keeps it, in order."""
        return [json.loads(kept.text) for kept in self.ledger.decisions.values()]

    def _mailed(self, sent: Email) -> None:
        mail = Mail(
            message_id=f"{sent.tags['decision_id']}-000000",
            to=(sent.to,),
            sender=sent.sender,
            subject=sent.subject,
            text=sent.text,
            html=sent.html,
            headers=sent.headers,
            tags=sent.tags,
            configuration_set="mails",
            sent_at=self.now,
        )
        self._answers += [(mail.sent_at + one.after, mail, one) for one in self.read(mail)]
