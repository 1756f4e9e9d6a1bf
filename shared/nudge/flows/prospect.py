"""What is to be expected of an audience, counted person by person. In: what is found of each. Out: a `Prospect`. Knows no port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nudge.measure.planned import smallest_change
from nudge.vocabulary import Campaign, Group

GROUPS: tuple[Group, ...] = ("treatment", "holdout", "global_holdout")


class Way(NamedTuple):
    """How many of an audience can be written to on a channel now, and how many not, by reason: `no_address suppressed no_consent
    cap_day cap_week`."""

    reachable: int
    why_not: Mapping[str, int]


class Prospect(NamedTuple):
    """What is to be expected of an audience.

    `people` are all that are known, `size` those who belong; `known` says of how many people each name of the audience is known.
    `reachable` can be reached on one channel at least; chance puts them into `groups`. `rate` is the share of them that reaches the
    goal without us, as its model says (`by_model`), else as the plan assumes; `smallest` the smallest change of it that one run
    would show, `worth` what the goal is worth to us for one of them. `limits` are the campaign's own.
    """

    who: str
    goal: str
    people: int
    size: int
    known: Mapping[str, int]
    channels: Mapping[str, Way]
    reachable: int
    groups: Mapping[str, int]
    rate: float | None
    by_model: bool
    smallest: float | None
    worth: float | None
    limits: Mapping[str, float]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return self._asdict() | {"channels": {name: way._asdict() for name, way in self.channels.items()}}


@dataclass(slots=True)
class Tally:
    """What was counted so far."""

    people: int = 0
    size: int = 0
    known: Counter[str] = field(default_factory=Counter)
    ways: dict[str, Counter[str | None]] = field(default_factory=dict)
    groups: Counter[str] = field(default_factory=Counter)
    rates: float = 0.0
    worths: float = 0.0

    def met(self, known: Iterable[str], *, belongs: bool) -> None:
        """A person, of whom these names are known."""
        self.people += 1
        self.size += belongs
        self.known.update(known)

    def asked(self, reasons: Mapping[str, str | None]) -> bool:
        """Why a member cannot be reached on each way, None where they can; whether there is one."""
        for way, reason in reasons.items():
            self.ways.setdefault(way, Counter())[reason] += 1
        return None in reasons.values()

    def expected(self, group: Group, rate: float, worth: float) -> None:
        """A member who can be reached: the group, and what is expected without us."""
        self.groups[group] += 1
        self.rates += rate
        self.worths += worth

    def prospect(
        self, who: str, campaign: Campaign, *, names: Iterable[str], ways: Iterable[str], by_model: bool
    ) -> Prospect:
        """What it comes to."""
        reachable = self.groups.total()
        rate = self.rates / reachable if reachable else None
        limits = {name: getattr(campaign, name) for name in ("capacity", "budget", "budget_per_run")}
        return Prospect(
            who=who,
            goal=campaign.goal,
            people=self.people,
            size=self.size,
            known={name: self.known[name] for name in sorted(names)},
            channels={way: self._way(way) for way in ways},
            reachable=reachable,
            groups={group: self.groups[group] for group in GROUPS},
            rate=rate,
            by_model=by_model,
            smallest=None if rate is None else smallest_change(rate, self.groups["treatment"], self.groups["holdout"]),
            worth=self.worths / reachable if reachable else None,
            limits={name: limit for name, limit in limits.items() if limit is not None},
        )

    def _way(self, name: str) -> Way:
        held = self.ways.get(name, Counter())
        reasons = sorted((one for one in held.items() if one[0] is not None), key=lambda one: (-one[1], str(one[0])))
        return Way(held[None], {str(reason): number for reason, number in reasons})
