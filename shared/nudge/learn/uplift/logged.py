"""Logged decisions → who was treated, who was left alone, and how likely either was, activity by activity.

In: decisions as they were recorded (what was drawn, among what, with which propensities; held out or not), and the shares of
people that are held out by design. Out: one row a decision and activity that can be compared, with both probabilities *given what
was known when we decided*. Two things were random, and both count:

- the draw. An activity and `nothing` were drawn with logged propensities, so those who drew either are comparable given the vector.
- the holdouts. Whoever is held out gets nothing although something was drawn, and stays held out for good. At a person's first
  decision that is a coin nobody has seen yet. At a later one the vector may already show it (who was never written to opened
  nothing), so from then on it is what it turned out to be: a person known to be held out from everything, or from the activity,
  can no longer be treated and is no control any more; before the activity was ever drawn its coin is still unseen.

So with g and h(b) the shares that are held out, or what they turned out to be for this person (0 or 1):

    P(activity a done)  = π(a) · (1 − g) · (1 − h(a))
    P(nothing done)     = π(nothing) + Σ_b π(b) · (1 − (1 − g) · (1 − h(b)))

Knows no features and no labels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from nudge.vocabulary import NOTHING

SURE = 20
"""A planned share counts as so many people seen: plans change, and what was observed then says more."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of people held out: from everything, and from each activity; `owed` are activities nobody is held out from."""

    everything: float
    activities: Mapping[str, float]
    owed: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Person:
    """What earlier decisions have shown about a person: held out from activities (1) or not (0)."""

    known: dict[str, float] = field(default_factory=dict)


SCHEMA: dict[str, Any] = {
    "row": pl.Int64,
    "activity": pl.String,
    "treated": pl.Boolean,
    "p_treated": pl.Float64,
    "p_control": pl.Float64,
}


def comparable(decisions: pl.DataFrame, planned: Shares) -> tuple[pl.DataFrame, Shares]:
    """Rows of `SCHEMA`: `row` is the place of the decision in `decisions` (`user_id record`, oldest first); and the shares
    that were reckoned with."""
    users, records = decisions["user_id"].to_list(), [json.loads(one) for one in decisions["record"].to_list()]
    shares = _observed(users, records, planned)
    people: dict[str, _Person] = {}
    rows: list[tuple[int, str, bool, float, float]] = []
    for place, (user, record) in enumerate(zip(users, records, strict=True)):
        person = people.get(user)
        if person is None or record["group"] != "global_holdout":
            held = shares.everything if person is None else 0.0
            rows += ((place, *one) for one in _of_decision(record, shares, held, person))
        _learn(people.setdefault(user, _Person()), record)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row"), shares


def _of_decision(
    record: Mapping[str, Any], shares: Shares, everything: float, person: _Person | None
) -> Iterator[tuple[str, bool, float, float]]:
    """What one decision tells of each activity that it could have done: treated (its own), or not (every one of them)."""
    drawn = _propensities(record)
    reaches = {name: _reaches(name, shares, everything, person) for name in drawn if name != NOTHING}
    control = drawn.get(NOTHING, 0.0) + sum(drawn[name] * (1 - one) for name, one in reaches.items())
    done = record["activity"]
    for name, reach in reaches.items():
        treated = drawn[name] * reach
        if treated > 0 and control > 0 and done in (name, NOTHING):
            yield name, done == name, treated, control


def _reaches(activity: str, shares: Shares, everything: float, person: _Person | None) -> float:
    """P(it is done | it was drawn)."""
    if activity in shares.owed:
        return 1.0
    held = shares.activities.get(activity, 0.0)
    if person is not None:
        held = person.known.get(activity, held)
    return (1 - everything) * (1 - held)


def _propensities(record: Mapping[str, Any]) -> dict[str, float]:
    """Of each candidate that could be drawn; of the drawn one alone where no others are told."""
    found = {one["activity"]: float(one.get("propensity") or 0.0) for one in record.get("candidates") or ()}
    found = {name: share for name, share in found.items() if share > 0}
    return found or {record["chosen"]: float(record["propensity"])}


def _learn(person: _Person, record: Mapping[str, Any]) -> None:
    if record["chosen"] != NOTHING and record["group"] in ("treatment", "holdout"):
        person.known[record["chosen"]] = float(record["group"] == "holdout")


def _observed(users: list[str], records: list[dict[str, Any]], planned: Shares) -> Shares:
    """The shares as first decisions show them, the plan's counting as `SURE` people each."""
    held: dict[str, float] = {name: SURE * share for name, share in planned.activities.items()}
    seen: dict[str, float] = dict.fromkeys(planned.activities, float(SURE))
    everything, everyone = SURE * planned.everything, float(SURE)
    first: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for user, record in zip(users, records, strict=True):
        chosen, group = record["chosen"], record["group"]
        if chosen in planned.owed:
            continue
        if user not in first:
            first.add(user)
            everyone += 1
            everything += group == "global_holdout"
        if chosen in held and group != "global_holdout" and (user, chosen) not in pairs:
            pairs.add((user, chosen))
            seen[chosen] += 1
            held[chosen] += group == "holdout"
    told = {name: held[name] / seen[name] if planned.activities[name] > 0 else 0.0 for name in held}
    return Shares(everything / everyone if planned.everything > 0 else 0.0, told, planned.owed)
