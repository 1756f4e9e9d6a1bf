"""Eight weeks of campaigns in the sample shop, whose truth is known, played on flows in memory.

In: a seed, a number of people. Out: the report of the last day, and beside it what every campaign really changed and what every
activity would have been worth to everybody who was asked about. The shop opens after weeks of which Nudge has the files; campaigns
run for seven weeks, and the last window ends with the eighth.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from local.ses import Mail, Reaction
from local.shop import files
from local.shop.behaviour import WEEK
from local.shop.in_memory import InMemory
from local.shop.world import HOUR, World
from nudge.vocabulary import DAY, NOTHING, Micros, Parcel

HERE = Path(__file__).parent
OPENS: Micros = 1_779_667_200_000_000
"""2026-05-25T00:00:00Z, a Monday; nobody changes clocks before October."""
HISTORY_WEEKS, WEEKS = 6, 8
HOUR_OF_DAY = 15
"""When time stops each day (UTC): the day's file comes in, campaigns run (17:00 in Berlin), what is due goes out."""
LAST_RUN = 6
"""Week (from 0) of the last run of the weekly campaign."""
LEARNS_AFTER = (4,)
"""Weeks after which models are trained."""
LEARNED = ("purchase", "uplift.purchase")
"""What is learned: the goal of the campaign that has a choice, and what its activities change."""


class Worth(NamedTuple):
    """Of one decision of a campaign: what was drawn, and what each activity that could be drawn would have been worth, cost taken off."""

    campaign: str
    week: int
    person: str
    drawn: str
    worth: dict[str, float]


@dataclass
class Season:
    """One season. `learns_after` are weeks (from 0) at whose end models are trained."""

    seed: int
    people: int
    learns_after: Sequence[int] = LEARNS_AFTER
    stack: InMemory = field(init=False)
    world: World = field(init=False)
    _behalf: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World(self.seed, self.people, OPENS - HISTORY_WEEKS * WEEK, HISTORY_WEEKS + WEEKS)
        plan = (HERE / "season.yaml").read_text(encoding="utf-8")
        templates = {path.stem: path.read_bytes() for path in sorted((HERE / "templates").glob("*.json"))}
        self.stack = InMemory(plan, templates, self._read, self._texted, OPENS)

    def play(self) -> dict[str, Any]:
        """All eight weeks; the report of the last moment."""
        for file in files.history(self.world, OPENS)[0]:
            self.stack.objects.put(file.key, file.body)
        self.stack.take_in()
        for week in range(WEEKS):
            for day in range(7):
                self._until(OPENS + week * WEEK + day * DAY + HOUR_OF_DAY * HOUR)
            self.stack.copy()
            self._until(OPENS + (week + 1) * WEEK)
            if week in self.learns_after:
                self.stack.train(*LEARNED)
        return self.stack.report()

    def _until(self, at: Micros) -> None:
        """Let it be `at`: what happened since comes in, then what is due is done."""
        before, self.stack.now = self.stack.now, at
        self._leave(at)
        file, _ = files.drop(self.world, before, at)
        if file is not None:
            self.stack.objects.put(file.key, file.body)
        self.stack.hear()
        self.stack.take_in()
        self.stack.act()

    def _leave(self, at: Micros) -> None:
        for one in [one for one in self.world.unsubscribes if one[0] <= at]:
            self.world.unsubscribes.remove(one)
            self.stack.unsubscribe(one[1].rpartition("/")[2], now=one[0])

    def _read(self, mail: Mail) -> list[Reaction]:
        self._offered(mail.tags["decision_id"])
        return self.world.read(mail)

    def _texted(self, sent: Parcel) -> None:
        self._offered(sent.delivery_id)
        self.world.show(sent.delivery_id, self.stack.now)

    def _offered(self, decision_id: str) -> None:
        made = json.loads(self.stack.ledger.decisions[decision_id].text)
        self.world.offered(decision_id, made["user_id"], made["activity"], made["decided_at"])
        self._behalf[decision_id] = made["campaign"]

    # ── what is true ─────────────────────────────────────────────────────────────────────────────────────────────────
    def truth(self) -> dict[str, float]:
        """What each campaign really brought: the value of what people bought because of its messages, and of nothing else."""
        total = {name: 0.0 for name in self.stack.plans.current()["campaigns"]}
        for decision_id, campaign in self._behalf.items():
            total[campaign] += self.world.caused(decision_id)
        return total

    def worths(self, campaign: str) -> list[Worth]:
        """Of each decision of a campaign that had a choice, held out or not: what each choice was truly worth, on average."""
        return [one for one in self._worths if one.campaign == campaign]

    @cached_property
    def _worths(self) -> list[Worth]:
        costs = {name: one["cost"] for name, one in self.stack.plans.current()["activities"].items()}
        found = []
        for made in self.stack.records():
            offered = [one["activity"] for one in made["candidates"] if one["removed"] is None]
            if offered == [NOTHING]:
                continue
            each = {
                name: self.world.worth(made["user_id"], name, made["decided_at"]) - costs.get(name, 0.0)
                for name in offered
            }
            week = (made["decided_at"] - OPENS) // WEEK
            found.append(Worth(made["campaign"], week, made["user_id"], made["chosen"], each))
        return found
