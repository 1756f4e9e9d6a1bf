"""Logged decisions → who was treated, who was left alone, and how likely either was, activity by activity.

In: decisions as they were recorded (what was drawn, among what, with which propensities; held out or not), and the shares of
people that are held out by design. Out: one row a decision and activity that can be compared, with both probabilities *given what
was known when we decided*. Two things were random, and both count:

- the draw. An activity and `nothing` were drawn with logged propensities, so those who drew either are comparable given the vector.
- the holdouts. Whoever is held out gets nothing although something was drawn, and stays held out for good. At a person's first
  decision that is a coin nobody has seen yet. At a later one the vector may already show it (who was never written to opened
  nothing), so from then on it is what it turned out to be: a person known to be held out from everything, or from the activity,
  can no longer be treated and is no control any more; before the activity was ever drawn its coin is still unseen.
  What is drawn on behalf of a campaign has the campaign's coin, one for all that the campaign does. It counts as unseen for each of
  its activities until that one was drawn, although the draw of another has shown it: strictly, whoever it holds out would be a control
  only once, and too few would be left to learn from (what that costs is measured in `test_a_campaigns_shared_holdout_biases_little`).

So with g and h(b) the shares that are held out, or what they turned out to be for this person (0 or 1):

    P(activity a done)  = π(a) · (1 − g) · (1 − h(a))
    P(nothing done)     = π(nothing) + Σ_b π(b) · (1 − (1 − g) · (1 − h(b)))

Knows no features and no labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from nudge.jsontext import loads
from nudge.vocabulary import NOTHING

SURE = 20
"""A planned share counts as so many people seen: plans change, and what was observed then says more."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of people held out: from everything, from each activity, from each campaign; `owed` are activities nobody is held out
    from."""

    everything: float
    activities: Mapping[str, float]
    owed: frozenset[str] = frozenset()
    campaigns: Mapping[str, float] = field(default_factory=dict)

    @property
    def coins(self) -> dict[str, float]:
        """Coin (see `_coin`) → the share of people for whom it fell on holding out."""
        return {**self.activities, **{_of_campaign(name): share for name, share in self.campaigns.items()}}


@dataclass(slots=True)
class _Person:
    """What earlier decisions have shown about a person: by coin and activity, held out (1) or not (0)."""

    known: dict[tuple[str, str], float] = field(default_factory=dict)


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
    users, records = decisions["user_id"].to_list(), [_without_vector(one) for one in decisions["record"]]
    shares = _observed(users, records, planned)
    coins = shares.coins
    people: dict[str, _Person] = {}
    rows: list[tuple[int, str, bool, float, float]] = []
    for place, (user, record) in enumerate(zip(users, records, strict=True)):
        person = people.get(user)
        if person is None or record["group"] != "global_holdout":
            held = shares.everything if person is None else 0.0
            rows += ((place, *one) for one in _of_decision(record, coins, shares.owed, held, person))
        _learn(people.setdefault(user, _Person()), record, shares.owed)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row"), shares


def _without_vector(text: str) -> dict[str, Any]:
    """Nearly all of a record is its vector, which says nothing here."""
    record: dict[str, Any] = loads(text)
    return {name: value for name, value in record.items() if name != "vector"}


def _of_decision(
    record: Mapping[str, Any],
    coins: Mapping[str, float],
    owed: frozenset[str],
    everything: float,
    person: _Person | None,
) -> Iterator[tuple[str, bool, float, float]]:
    """What one decision tells of each activity that it could have done: treated (its own), or not (every one of them)."""
    drawn = _propensities(record)
    known = {} if person is None else person.known
    reaches: dict[str, float] = {}
    for name in drawn:
        if name != NOTHING:
            coin = _coin(record, name)
            held = known.get((coin, name), coins.get(coin, 0.0))
            reaches[name] = 1.0 if name in owed else (1 - everything) * (1 - held)  # P(it is done | it was drawn)
    control = drawn.get(NOTHING, 0.0) + sum(drawn[name] * (1 - one) for name, one in reaches.items())
    done = record["activity"]
    for name, reach in reaches.items():
        treated = drawn[name] * reach
        if treated > 0 and control > 0 and done in (name, NOTHING):
            yield name, done == name, treated, control


def _coin(record: Mapping[str, Any], activity: str) -> str:
    """What holds people out from an activity, as this decision draws it: its campaign, or the activity itself."""
    campaign = record.get("campaign")
    return activity if campaign is None else _of_campaign(campaign)


def _of_campaign(name: str) -> str:
    return f"campaign/{name}"


def _propensities(record: Mapping[str, Any]) -> dict[str, float]:
    """Of each candidate that could be drawn; of the drawn one alone where no others are told."""
    found = {one["activity"]: float(one.get("propensity") or 0.0) for one in record.get("candidates") or ()}
    found = {name: share for name, share in found.items() if share > 0}
    return found or {record["chosen"]: float(record["propensity"])}


def _shown(record: Mapping[str, Any], owed: frozenset[str]) -> str | None:
    """The coin that a decision has shown: what is owed shows none, and neither does nothing, but in a campaign; nor who is held out
    from everything."""
    chosen = record["chosen"]
    if chosen in owed or record["group"] == "global_holdout":
        return None
    return None if chosen == NOTHING and record.get("campaign") is None else _coin(record, chosen)


def _learn(person: _Person, record: Mapping[str, Any], owed: frozenset[str]) -> None:
    coin = _shown(record, owed)
    if coin is not None:
        person.known[coin, record["chosen"]] = float(record["group"] == "holdout")


def _observed(users: list[str], records: list[dict[str, Any]], planned: Shares) -> Shares:
    """The shares as first decisions show them, the plan's counting as `SURE` people each. A campaign that left the plan has only what
    is seen of it."""
    coins = planned.coins
    held: dict[str, float] = {name: SURE * share for name, share in coins.items()}
    seen: dict[str, float] = dict.fromkeys(coins, float(SURE))
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
        coin = _shown(record, planned.owed)
        if coin is not None and (coin in held or record.get("campaign") is not None) and (user, coin) not in pairs:
            pairs.add((user, coin))
            seen[coin] = seen.get(coin, 0.0) + 1
            held[coin] = held.get(coin, 0.0) + (group == "holdout")
    told = {name: held[name] / seen[name] if coins.get(name, 1.0) > 0 else 0.0 for name in held}
    own = {name: told[name] for name in planned.activities}
    campaigns = {name.removeprefix(_of_campaign("")): share for name, share in told.items() if name not in own}
    return Shares(everything / everyone if planned.everything > 0 else 0.0, own, planned.owed, campaigns)
