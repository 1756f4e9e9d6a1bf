"""A day of a small shop in memory, and what of it names whom: for the tests of erasure."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any

import polars as pl

from local.ses import delivered
from local.shop.in_memory import InMemory
from nudge.adapters.memory_traces import MemoryTraces
from nudge.adapters.traces import in_turn
from nudge.flows.compact import Compact
from nudge.flows.forget import Forget
from nudge.flows.forget_look import Look
from nudge.flows.tombstones import SALT_BYTES, Tombstones
from nudge.vocabulary import DAY, SECOND, Kind, Micros
from tests.acting import PLAN, TEMPLATES

NOON: Micros = 1_795_003_200 * SECOND
"""2026-11-18T12:00:00Z."""
WORDS = ("ana", "ana@new.example", "Ana@old.example", "+49 151 1234-5678", "4915112345678", "arn:push/ana")
CAMPAIGNS = """
campaigns:
  spring: {goal: purchase, activities: [discount_mail], schedule: {every: day, at: "12:00"}, holdout: 0}
  hello: {goal: purchase, when: {event: greeting}, steps: [{do: discount_mail}, {wait: 1 day}, {do: discount_mail}], holdout: 0}
"""
DAYS = "quiet_hours"
SHOP = "".join(line for line in PLAN.splitlines(keepends=True) if DAYS not in line).replace("Europe/Berlin", "UTC")

FILES = {
    "inbox/users/first.csv": b"user_id,email,email_consent,updated_at\nana,Ana@old.example,true,2026-11-01\n",
    "inbox/users/people.csv": b"user_id,email,phone,push,first_name,email_consent,updated_at\n"
    b"ana,ana@new.example,+49 151 1234-5678,arn:push/ana,Ana,true,2026-11-17\n"
    b"bob,bob@customer.example,+49 151 0000,,Bob,true,2026-11-17\n"
    b"cem,cem@customer.example,,,Cem,true,2026-11-17\n",
    "inbox/events/day.csv": b"user_id,event_type,event_time,value,currency\n"
    b"ana,purchase,2026-11-16T10:00:00Z,30,EUR\nbob,purchase,2026-11-16T11:00:00Z,20,EUR\n"
    b"ana,page_view,2026-11-17T10:00:00Z,,\ncem,greeting,2026-11-18T11:59:00Z,,\n"
    b"ana,greeting,2026-11-18T11:59:00Z,,\nbob,page_view,2026-11-18T10:00:00Z,,\n",
    "inbox/events/dirty.csv": b"user_id,event_type,event_time\nana,visit,no day\nbob,visit,never\n,visit,2026-11-18\n",
    "inbox/events/packed.jsonl.gz": gzip.compress(
        b'{"user_id":"bob","event_type":"visit","event_time":"2026-11-18T09:00:00Z"}\n'
        b'{"user_id":"ana","event_type":"visit","event_time":"2026-11-18T09:00:00Z"}\n'
    ),
    "inbox/events/wide.csv": "user_id,event_type,event_time\nana,visit,2026-11-15T09:00:00Z\n".encode("utf-16"),
    "inbox/events/others.csv": b"user_id,event_type,event_time\nbob,visit,2026-11-15T09:00:00Z\n",
}


WRITES = {"put", "delete", "expunge", "drop", "forget"}


class Death(BaseException):
    """The command is gone."""


@dataclass
class Mortal:
    """A store that dies at one of its writes, before it; rows of the Ledger are written one by one. Several may share what they `wrote`.

    To die after a write is to die before the next: nothing is read that changes anything.
    """

    store: Any
    wrote: list[str]
    at: int = -1

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.store, name)
        return partial(self._write, name, real) if name in WRITES else real

    def _write(self, name: str, real: Callable[..., Any], *given: Any, **named: Any) -> Any:
        answer = None
        for one in [([trace],) for trace in in_turn(*given)] if name == "drop" else [given]:
            self.wrote.append(name)
            if len(self.wrote) == self.at:
                raise Death
            answer = real(*one, **named)
        return answer


@dataclass
class Day:
    """The shop after a day. `forget` erases over its stores, or over what `wrapped` makes of each."""

    shop: InMemory = field(init=False)

    def __post_init__(self) -> None:
        templates = {name: json.dumps(one).encode() for name, one in TEMPLATES.items()}
        self.shop = InMemory(SHOP + CAMPAIGNS, templates, delivered, lambda _: None, NOON)
        for key, body in FILES.items():
            self.shop.objects.put(key, body)
        self.shop.take_in()
        Compact(self.shop.lake)()
        for number, user in enumerate(("ana", "bob", "ana")):
            self.shop.campaigns.decide({"user_id": user, "goal": "purchase"}, key=f"k{number}", now=NOON)
        self.shop.act()
        self.shop.now += 120 * SECOND
        self.shop.act()
        self.shop.hear()
        self.shop.copy()
        self.shop.take_in()
        Compact(self.shop.lake)()
        self._feedback()
        self.traces = MemoryTraces(self.shop.ledger, self.shop.journeys, self.shop.feedback.clicks)  # type: ignore[arg-type]
        mailed = next(one for one in self.shop.ledger.messages.values() if one.user_id == "ana")
        self.traces.clicks.note(mailed.decision_id, "link", at=NOON)
        self.traces.sent.note("sms", "p-1", mailed.decision_id, at=NOON)
        self.shop.ledger.count_once(f"{mailed.decision_id}/cap/email/ana/day/2026-11-19", {}, now=NOON)
        self.shop.now += DAY // 2

    def _feedback(self) -> None:
        """What a channel told that nobody understood: of a decision, and of an address."""
        decision = next(one.decision_id for one in self.shop.ledger.messages.values() if one.user_id == "ana")
        for name, told in (("a", {"decision_id": decision}), ("b", {"to": "ANA@new.example"}), ("c", {"to": "bob"})):
            self.shop.objects.put(f"quarantine/feedback/{name}.json", json.dumps(told).encode())

    def forget(self, wrapped: Callable[[Any], Any] = lambda one: one) -> Forget:
        shop = self.shop
        objects, traces = wrapped(shop.objects), wrapped(self.traces)
        profiles, arrivals = wrapped(shop.profiles), wrapped(shop.arrivals)
        return Forget(
            look=Look(objects, objects, profiles, traces, arrivals, at_once=1),
            objects=objects,
            versions=objects,
            lake=type(shop.lake)(objects),
            profiles=profiles,
            traces=traces,
            plans=shop.plans,
            tombstones=Tombstones(objects, lambda: b"s" * SALT_BYTES),
        )

    def kept(self) -> Callable[[], None]:
        """What puts everything back as it is now."""
        shop = self.shop
        stores = (shop.objects, shop.profiles, shop.ledger, shop.journeys, self.traces.clicks, self.traces.sent)
        held = [
            (store, name, value)
            for store in stores
            for name, value in vars(store).items()
            if isinstance(value, dict | set)
        ]
        copies = [(store, name, copy.deepcopy(value)) for store, name, value in held]

        def back() -> None:
            for store, name, value in copies:
                setattr(store, name, copy.deepcopy(value))

        return back

    def clock(self) -> Micros:
        return self.shop.now

    def rows(self, but: str = "") -> dict[str, list[str]]:
        """The rows of the lake by kind, without those of one person."""
        kinds: tuple[Kind, ...] = ("users", "events", "decisions", "outcomes")
        there = [kind for kind in kinds if self.shop.lake.parts(kind)]
        found = {kind: self.shop.rows(kind).filter(pl.col("user_id") != but).rows() for kind in there}
        return {kind: sorted(map(repr, rows)) for kind, rows in found.items() if rows}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Place and text of everything that is stored, in every version."""
        for one in self.shop.objects.versions(""):
            yield one.key, _text(self.shop.objects.get(one.key, version=one.version))
        for profile in self.shop.profiles.all():
            yield f"person#{profile.user_id}", repr(profile)
        for row in self.traces._rows():
            text = self.shop.ledger.decisions.get(row["id"].partition("#")[2])
            yield row["id"], repr(row) + (text.text if text else "")
        yield from ((f"journey#{name}", text) for name, text in self.shop.journeys.rows.items())


def _text(body: bytes) -> str:
    if body[:4] == b"PAR1":
        return "\n".join(map(repr, pl.read_parquet(BytesIO(body)).rows()))
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    return body.decode("utf-16" if body[:2] == b"\xff\xfe" else "utf-8")
