"""Questions whose answer is known: what a person had met, and what came next.

In: `Interactions`, a way to hold back (`recipe.Scheme`). Out: `Cases` and the events that may be learned from. Nothing that a case asks
for, nor anything after it, is in its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from nudge.learn.recommend.interactions import Interactions, Numbers
from nudge.learn.recommend.recipe import Settings
from nudge.vocabulary import DAY


@dataclass(frozen=True, slots=True)
class Case:
    """One question: the person's place, rows of the history in order of time, rows of the answer."""

    person: int
    history: Numbers
    answer: Numbers


@dataclass(frozen=True, slots=True)
class Cases:
    """Questions as arrays.

    One entry an item met, by case: `row` (the case), `item`, `time`, `rank` (how many items were met after it), `strength`. `answers` are
    sorted keys case · items + item; `known` (not to be named) has a row a case. `ideal` is the best possible DCG of each case.
    """

    count: int
    items: int
    row: Numbers
    item: Numbers
    time: Numbers
    rank: Numbers
    strength: Numbers
    answers: Numbers
    known: sp.csr_matrix
    ideal: Numbers
    people: Numbers

    def some(self, most: int) -> Cases:
        """At most so many of them, evenly spread."""
        if self.count <= most:
            return self
        chosen = np.arange(most) * self.count // most
        place = np.full(self.count, -1)
        place[chosen] = np.arange(most)
        met = place[self.row] >= 0
        case, item = np.divmod(self.answers, self.items)
        asked = place[case] >= 0
        return replace(
            self,
            count=most,
            row=place[self.row[met]],
            **{name: getattr(self, name)[met] for name in ("item", "time", "rank", "strength")},
            answers=place[case[asked]] * self.items + item[asked],
            known=self.known[chosen],
            ideal=self.ideal[chosen],
            people=self.people[chosen],
        )

    def history(self, decay: float) -> sp.csr_matrix:
        """Cases × items: strength · decay^rank."""
        weight = self.strength * decay ** self.rank.astype(float)
        return sp.csr_matrix((weight, (self.row, self.item)), shape=(self.count, self.items))

    def hit(self, first: int, items: Numbers) -> Numbers:
        """Whether each of these items (a row a case, from case `first`) is an answer."""
        keys = np.arange(first, first + len(items))[:, None] * self.items + items
        found = np.searchsorted(self.answers, keys)
        return np.asarray(self.answers[np.minimum(found, len(self.answers) - 1)] == keys)

    def recent(self, case: int) -> tuple[Numbers, Numbers]:
        """Items met and their times (µs): the history of a case as a profile holds it."""
        here = self.row == case
        return self.item[here], self.time[here]


def collect(data: Interactions, cases: Sequence[Case], *, again: bool, settings: Settings) -> Cases:
    """Cases as arrays; those without an answer are left out. What was bought before is `known`, and no answer, unless `again`."""
    items = len(data.items)
    met, row, strength, bought = _met(data, cases, items)
    known = np.zeros(0, dtype=np.int64) if again else met[bought]
    answers = np.unique(_keys(data, [case.answer for case in cases], items)[0])
    answers = np.setdiff1d(answers, known, assume_unique=True)
    kept = np.unique(answers // items)
    place = np.full(len(cases), -1)
    place[kept] = np.arange(len(kept))
    met, row, strength = _newest_first(met, row, strength, place, items)
    rank = _ranks(met // items, data.time[row])
    held = rank < (settings.history or len(data) + 1)
    met, row, strength, rank = met[held], row[held], strength[held], rank[held]
    answers, known = _moved(answers, place, items), _moved(known, place, items)
    gains = np.cumsum(1 / np.log2(np.arange(settings.k) + 2))
    number = np.bincount(answers // items, minlength=len(kept))
    return Cases(
        len(kept),
        items,
        place[met // items],
        met % items,
        data.time[row],
        rank,
        strength,
        answers,
        sp.csr_matrix((np.ones(len(known), dtype=bool), np.divmod(known, items)), shape=(len(kept), items)),
        gains[np.minimum(number, settings.k) - 1],
        np.array([cases[one].person for one in kept.tolist()], dtype=int),
    )


def _keys(data: Interactions, rows: Sequence[Numbers], items: int) -> tuple[Numbers, Numbers]:
    """case · items + item of each row of each case, and the rows."""
    flat = np.concatenate(rows) if rows else np.zeros(0, dtype=int)
    case = np.repeat(np.arange(len(rows), dtype=np.int64), [len(one) for one in rows])
    return case * items + data.item[flat], flat


def _met(data: Interactions, cases: Sequence[Case], items: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Of each case and item met: the key, the row of the latest event, the largest strength, and whether it was bought."""
    keys, flat = _keys(data, [case.history for case in cases], items)
    order = np.argsort(keys, kind="stable")
    keys, flat = keys[order], flat[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, dtype=int)
    if not len(starts):
        return keys, flat, np.zeros(0), np.zeros(0, dtype=bool)
    last = np.r_[starts[1:], len(keys)] - 1
    strength = np.maximum.reduceat(data.strength[flat], starts)
    return keys[starts], flat[last], strength, np.logical_or.reduceat(data.bought[flat], starts)


def _newest_first(
    met: Numbers, row: Numbers, strength: Numbers, place: Numbers, items: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Of the cases that have a place, each with its latest item first."""
    here = np.flatnonzero(place[met // items] >= 0)
    order = here[np.lexsort((-row[here], met[here] // items))]
    return met[order], row[order], strength[order]


def _ranks(case: Numbers, time: Numbers) -> Numbers:
    """How many items of the same case have a later time; the latest come first."""
    if not len(case):
        return np.zeros(0, dtype=int)
    places = np.arange(len(case))
    starts = np.r_[True, case[1:] != case[:-1]]
    changes = starts | np.r_[True, time[1:] != time[:-1]]
    return np.asarray(
        np.maximum.accumulate(np.where(changes, places, 0)) - np.maximum.accumulate(np.where(starts, places, 0))
    )


def _moved(keys: Numbers, place: Numbers, items: int) -> Numbers:
    """Keys with the new numbers of their cases."""
    case, item = np.divmod(keys, items)
    here = place[case] >= 0
    return np.asarray(place[case[here]] * items + item[here])


# ── ways to hold back ────────────────────────────────────────────────────────────────────────────────────────────────
def by_time(data: Interactions, since: int, until: int, most: int, seed: int) -> list[Case]:
    """What each person bought on a day of [since, until), from what was known before that day (UTC)."""
    inside = data.bought & (data.time >= since) & (data.time < until)
    rows = np.flatnonzero(inside)
    day = data.time[rows] // DAY
    starts = np.flatnonzero(np.r_[True, (np.diff(data.person[rows]) != 0) | (np.diff(day) != 0)]) if len(rows) else rows
    groups = np.split(rows, starts[1:])
    found = []
    firsts = np.searchsorted(data.person, np.arange(len(data.people)))
    for group in _sample(groups, most, seed):
        person = int(data.person[group[0]])
        midnight = max(int(data.time[group[0]] // DAY) * DAY, since)
        first = int(firsts[person])
        end = first + int(np.searchsorted(data.time[first : group[0]], midnight, side="left"))
        found.append(Case(person, np.arange(first, end), group))
    return found


def by_last(data: Interactions, steps: int, most: int, seed: int) -> tuple[Numbers, list[Case]]:
    """Each of the last `steps` of a person from all before it, and which events may be learned from: those before all of them."""
    behind = data.from_behind()
    firsts = np.searchsorted(data.person, np.arange(len(data.people)))
    asked = np.flatnonzero((behind < steps) & data.bought & (np.arange(len(data)) > firsts[data.person]))
    cases = [
        Case(int(data.person[row]), np.arange(firsts[data.person[row]], row), np.array([row]))
        for row in _sample(asked.tolist(), most, seed)
    ]
    return behind >= steps, cases


def by_chance(data: Interactions, share: float, most: int, seed: int) -> tuple[Numbers, list[Case]]:
    """A random share of each person's events from the others, and which events may be learned from."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(data)), data.person))
    firsts = np.searchsorted(data.person, np.arange(len(data.people) + 1))
    held = np.zeros(len(data), dtype=bool)
    for first, end in zip(firsts[:-1].tolist(), firsts[1:].tolist(), strict=True):
        held[order[first : first + round((end - first) * share)]] = True
    cases = []
    for person in _sample(np.unique(data.person[held]).tolist(), most, seed):
        rows = np.arange(firsts[person], firsts[person + 1])
        cases.append(Case(int(person), rows[~held[rows]], rows[held[rows] & data.bought[rows]]))
    return ~held, cases


def _sample[T](groups: Sequence[T], most: int, seed: int) -> list[T]:
    """At most `most` of them, in their order."""
    if len(groups) <= most:
        return list(groups)
    chosen = np.sort(np.random.default_rng(seed).choice(len(groups), most, replace=False))
    return [groups[one] for one in chosen.tolist()]
