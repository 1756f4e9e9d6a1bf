"""Rates by cell, shares of activity, how long people take to answer: fitted on messages before a moment; for many
people at once.

In: `Told` (arrays). Out: a `Fitted` that says shares and rates, and exports the artefact that `score.hours` reads.
Cells are local hours of a working day and of a weekend. Does not judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from nudge.learn.features import rounded
from nudge.learn.hours.evidence import HOUR
from nudge.learn.hours.shrink import Numbers, rates, shares, strength
from nudge.vocabulary import Micros

CELLS, WHOLE = 48, "*"
SEGMENT_MESSAGES, SEGMENT_PEOPLE = 200, 50
SEGMENT_STRENGTH = 200.0
"""Activity of a segment is shrunk to the whole's by so many events."""
LATER = 6
"""Hours after sending in which it counts that the person is there."""
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 1e6)
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)


@dataclass(frozen=True, slots=True)
class Told:
    """Messages, an entry each: who (row of `counts`), the cell it was sent in, whether it was answered, the cell and
    delay of the answer (-1 without), the time. `counts` has a row a person: activity by cell as of a moment; `segment`
    the name of each person's segment."""

    who: Numbers
    sent: Numbers
    answered: Numbers
    answer: Numbers
    delay: Numbers
    at: Numbers
    counts: Numbers
    segment: Numbers

    def some(self, held: Numbers) -> Told:
        """Only some of the messages."""
        return replace(
            self,
            who=self.who[held],
            sent=self.sent[held],
            answered=self.answered[held],
            answer=self.answer[held],
            delay=self.delay[held],
            at=self.at[held],
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the artefact holds. `segments`: name → relative rates and shares of activity."""

    segments: dict[str, tuple[Numbers, Numbers]]
    kernel: Numbers
    strength: float = 30.0
    power: float = 0.0

    def _rows(self, segment: Numbers) -> tuple[Numbers, Numbers]:
        names = [name if name in self.segments else WHOLE for name in segment]
        return np.array([self.segments[name][0] for name in names]), np.array(
            [self.segments[name][1] for name in names]
        )

    def shares(self, counts: Numbers, segment: Numbers) -> Numbers:
        """Share of each person's activity by cell, shrunk to their segment's."""
        usual = self._rows(segment)[1]
        found: Numbers = (counts + self.strength * usual) / (counts.sum(axis=1, keepdims=True) + self.strength)
        return found

    def rates(self, counts: Numbers, segment: Numbers) -> Numbers:
        """Relative rate of response of each person by cell."""
        relative, usual = self._rows(segment)
        found: Numbers = relative * (self._soon(self.shares(counts, segment)) / self._soon(usual)) ** self.power
        return found

    def _soon(self, by_cell: Numbers) -> Numbers:
        """What lies in the hours after each cell, weighted by when answers come."""
        days = by_cell.reshape(len(by_cell), 2, 24)
        total = sum(weight * np.roll(days, -later, axis=2) for later, weight in enumerate(self.kernel))
        return np.asarray(total).reshape(len(by_cell), CELLS)


def fit(told: Told) -> Fitted:
    """Rates, activity and delays of the whole and of segments with enough messages and people."""
    everyone = np.full(CELLS, max(float(told.answered.mean()), 1e-6))
    whole = rates(*_cells(told), everyone)
    usual = shares(told.counts.sum(axis=0))
    found = {WHOLE: (whole / everyone, usual)}
    names, sizes = np.unique(told.segment, return_counts=True)
    for name in names[sizes >= SEGMENT_PEOPLE]:
        people = told.segment == name
        mine = told.some(people[told.who])
        if len(mine.who) >= SEGMENT_MESSAGES:
            active = told.counts[people].sum(axis=0) + SEGMENT_STRENGTH * usual
            found[str(name)] = (rates(*_cells(mine), whole) / everyone, active / active.sum())
    delays = told.delay[told.answered] // HOUR
    kernel = np.bincount(delays[delays < LATER].astype(int), minlength=LATER) + 1.0
    return Fitted(found, kernel / kernel.sum())


def _cells(told: Told) -> tuple[Numbers, Numbers]:
    """Messages and answers by the cell they were sent in."""
    return (
        np.bincount(told.sent, minlength=CELLS).astype(float),
        np.bincount(told.sent, told.answered.astype(float), minlength=CELLS),
    )


def tuned(fitted: Fitted, told: Told) -> Fitted:
    """The strength with which a person is shrunk, by how likely the hours are in which later answers came; and the
    power, by the log loss of whether later messages were answered: none where it gains no more than the standard error
    of its gain."""
    answered = told.some(told.answered)
    rows = told.counts[answered.who], told.segment[answered.who]

    def likely(one: float) -> float:
        said = replace(fitted, strength=one).shares(*rows)[np.arange(len(answered.who)), answered.answer]
        return float(np.log(said).mean())

    best = max(STRENGTHS, key=likely) if len(answered.who) else STRENGTHS[-1]
    fitted = replace(fitted, strength=best)
    losses = {power: log_losses(replace(fitted, power=power), told) for power in POWERS}
    power = min(POWERS, key=lambda one: float(losses[one].mean()))
    gains = losses[0.0] - losses[power]
    sure = float(gains.mean()) > float(gains.std()) / np.sqrt(max(len(gains), 1))
    return replace(fitted, power=power if sure else 0.0)


def log_losses(fitted: Fitted, told: Told) -> Numbers:
    """Of each message; the overall level is that of these messages."""
    relative = fitted.rates(told.counts[told.who], told.segment[told.who])[np.arange(len(told.who)), told.sent]
    p = np.clip(relative * told.answered.mean() / relative.mean(), 1e-4, 1 - 1e-4)
    found: Numbers = -np.where(told.answered, np.log(p), np.log1p(-p))
    return found


def told(messages: pl.DataFrame, activity: pl.DataFrame, zones: Mapping[str, str], standard: str, at: Micros) -> Told:
    """Arrays of messages and of the activity of their people as of `at`. `zones` has the IANA zone of a person; others
    have the `standard` one."""
    people = messages["user_id"].unique().sort().to_list()
    number = {user_id: place for place, user_id in enumerate(people)}
    names = np.array([zones.get(user_id, standard) for user_id in people], dtype=object)
    known = {name: _zone(name, standard) for name in set(names)}
    who = np.array([number[user_id] for user_id in messages["user_id"]], dtype=np.int64)
    zone_of = [known[names[place]] for place in who]
    sent = messages["at"].to_numpy()
    delay = messages["delay"].fill_null(-1).to_numpy()
    answered = messages["answered"].to_numpy().astype(bool)
    return Told(
        who=who,
        sent=np.array([cell(one, zone) for one, zone in zip(sent.tolist(), zone_of, strict=True)], dtype=np.int64),
        answered=answered,
        answer=np.array(
            [
                cell(one + later, zone) if later >= 0 else -1
                for one, later, zone in zip(sent.tolist(), delay.tolist(), zone_of, strict=True)
            ],
            dtype=np.int64,
        ),
        delay=delay,
        at=sent,
        counts=_counts(activity, number, [known[name] for name in names], at),
        segment=names,
    )


def _counts(activity: pl.DataFrame, number: Mapping[str, int], zones: Sequence[ZoneInfo], at: Micros) -> Numbers:
    """Activity by local cell; hours move by each zone's offset at the moment."""
    counts = np.zeros((len(number), CELLS))
    held = activity.filter(pl.col("user_id").is_in(list(number)))
    if held.is_empty():
        return counts
    who = np.array([number[user_id] for user_id in held["user_id"]], dtype=np.int64)
    offset = np.array([_offset(at, zone) for zone in zones])[who]
    hour = (held["hour"].to_numpy() * 3600 + offset) // 3600 % 168
    np.add.at(counts, (who, hour % 24 + np.where(hour >= 120, 24, 0)), rounded(held["weight"].to_numpy()))
    return counts


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cell(at: Micros, zone: ZoneInfo) -> int:
    """The local cell of a moment."""
    local = (EPOCH + timedelta(microseconds=at)).astimezone(zone)
    return local.hour + (24 if local.weekday() >= 5 else 0)


def _offset(at: Micros, zone: ZoneInfo) -> int:
    ahead = (EPOCH + timedelta(microseconds=at)).astimezone(zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


def _zone(name: str, standard: str) -> ZoneInfo:
    for one in (name, standard):
        try:
            return ZoneInfo(one)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def channels(totals: Mapping[str, tuple[Numbers, Numbers]], sent_of: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Per channel everyone's rate of response and how strongly a person is shrunk to it. `totals`: messages and
    answered ones of each person."""
    found = {}
    for name, (count, came) in sorted(totals.items()):
        rate = float(came.sum() / max(count.sum(), 1.0))
        weight = strength(count, came, np.full(len(count), rate)) if 0 < rate < 1 else 100.0
        found[name] = {"rate": float(f"{rate:.9g}"), "strength": float(f"{weight:.9g}")} | sent_of[name]
    return found
