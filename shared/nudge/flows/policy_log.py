"""The log of decisions, as policies are judged by it: records and events come in; what was done, with which chance, and what it earned go out.

What is logged is what was *done*: who was held out got nothing, by chance, so a decision counts with the probability of the
activity that was done, holdouts and all: p(a) × (1 − holdouts), and the rest for nothing. Holdouts, costs and campaigns are those of the
plan by which the decision was made, where that plan is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from nudge import plan as plans_of
from nudge.decide import policies, policy, record
from nudge.decide.policies import Open, Setting
from nudge.decide.policy import Question
from nudge.errors import BadInput, NotFound, NotReady
from nudge.flows.panel import Panel
from nudge.measure import frames, logged
from nudge.measure.off_policy import Log, Numbers
from nudge.vocabulary import NOTHING, SECOND, CampaignRun, Candidate, Decision, Goal, Micros, Plan

type PlanOf = Callable[[str], Mapping[str, Any]]
"""The JSON form of the plan of a version. Raises NotFound."""


@dataclass(slots=True)
class Versions:
    """Plans by their version; the one in force for those that are not kept."""

    present: Plan
    plan_of: PlanOf | None = None
    _held: dict[str, Plan] = field(default_factory=dict)

    def __call__(self, version: str) -> Plan:
        if version not in self._held:
            self._held[version] = self._load(version)
        return self._held[version]

    def _load(self, version: str) -> Plan:
        if self.plan_of is None or version == self.present.version:
            return self.present
        try:
            return plans_of.load(dict(self.plan_of(version)))
        except (NotFound, BadInput, KeyError, TypeError, ValueError):
            return self.present


@dataclass(frozen=True, slots=True)
class Logged:
    """Decisions for one goal whose windows are over, what each earned, and the activities by number."""

    goal: Goal
    versions: Versions
    decisions: tuple[Decision, ...]
    log: Log
    names: tuple[str, ...]

    def shares(self, name: str) -> Numbers:
        """(n, activities): how a policy would have drawn among the candidates that were open; `logged`: as the one did that ran."""
        return self._filled(_drawn(one, name, self.versions.present) for one in self.decisions)

    def under(self, plan: Plan | None, panel: Panel | None = None) -> Numbers:
        """(n, activities): how each would have been drawn by a plan (None: its own), and by what other models say (None: what was
        said then)."""
        return self._filled(
            _weighed(one, plan or self.versions(one.plan_version), self.versions(one.plan_version), panel)
            for one in self.decisions
        )

    def explored(self) -> Logged | None:
        """Only decisions in which every candidate that was open had a chance, of two or more: they can answer for any policy. None
        where there are none."""
        kept = np.array([_is_explored(one) for one in self.decisions])
        if not kept.any():
            return None
        log, made = self.log, tuple(one for one, keep in zip(self.decisions, kept, strict=True) if keep)
        whose = None if log.person is None else np.unique(log.person[kept], return_inverse=True)[1].astype(np.int64)
        return replace(self, decisions=made, log=Log(log.activity[kept], log.propensity[kept], log.reward[kept], whose))

    def _filled(self, drawn: Iterable[Iterable[tuple[str, float]]]) -> Numbers:
        made = np.zeros((len(self.decisions), len(self.names)))
        places = {activity: place for place, activity in enumerate(self.names)}
        for row, shares in enumerate(drawn):
            for activity, share in shares:
                made[row, places[activity]] += share
        return made


def read(
    decisions: pl.DataFrame,
    events: pl.LazyFrame,
    goal: Goal,
    versions: Versions,
    *,
    now: Micros,
    newest: int | None = None,
) -> Logged:
    """The log of a goal, of `decisions` (decision_id, decided_at, goal, record) and `events` (as `lake/events`).

    `newest`: only so many, the latest whose windows are over. Raises NotReady when no decision with a record has such a window.
    """
    made = dict(_records(decisions, goal, now, newest))
    rows = [
        {"decision_id": name, "user_id": one.user_id, "decided_at": one.decided_at, "goal": one.goal}
        | {"activity": one.activity, "group": one.group, "cost": one.cost}
        for name, one in made.items()
    ]
    schema = {**frames.DECISIONS, "decided_at": pl.Int64()}
    frame = pl.DataFrame(rows, schema=schema).with_columns(pl.col("decided_at").cast(frames.MOMENT))
    people = frame.lazy().select("user_id").unique()
    known = frames.fit(events, frames.EVENTS).join(people, on="user_id", how="semi").collect()
    earned = logged.rewards(frame, known, goal, currency=versions.present.currency, now=now)
    reward = dict(earned.select("decision_id", "reward").iter_rows())
    return _logged(goal, versions, tuple(made[one] for one in earned["decision_id"]), reward)


def told(goal: Goal, now: Micros) -> pl.Expr:
    """Whether a decision says what came of it for a goal: it has a record, and its window is over."""
    over = pl.col("decided_at").dt.epoch("us") <= now - round(goal.within_days * 86_400 * SECOND)
    return (pl.col("goal") == goal.name) & pl.col("record").is_not_null() & over


def _records(decisions: pl.DataFrame, goal: Goal, now: Micros, newest: int | None) -> Iterator[tuple[str, Decision]]:
    """By id, oldest first; those that cannot be read are left out: they were written by hand, or by an early version."""
    asked = decisions.filter(told(goal, now))
    ordered = asked.unique("decision_id", keep="first", maintain_order=True).sort("decided_at", "decision_id")
    for name, text in (ordered if newest is None else ordered.tail(newest)).select("decision_id", "record").iter_rows():
        try:
            yield name, record.loads(text)
        except (BadInput, KeyError, TypeError, ValueError):
            continue


def _logged(goal: Goal, versions: Versions, decisions: tuple[Decision, ...], reward: Mapping[str, float]) -> Logged:
    if not decisions:
        raise NotReady(f"no decision for {goal.name} has a record and a window that is over")
    offered = {candidate.activity for one in decisions for candidate in one.candidates}
    names = (NOTHING, *sorted(offered - {NOTHING}))
    places = {activity: place for place, activity in enumerate(names)}
    people = {user: place for place, user in enumerate(dict.fromkeys(one.user_id for one in decisions))}
    log = Log(
        np.array([places[one.activity] for one in decisions], dtype=np.int64),
        np.array([_done(one, versions(one.plan_version)) for one in decisions]),
        np.array([reward[one.decision_id] for one in decisions]),
        np.array([people[one.user_id] for one in decisions], dtype=np.int64),
    )
    return Logged(goal, versions, decisions, log, names)


def _done(one: Decision, plan: Plan) -> float:
    """The probability of what was done, over draws and holdouts."""
    done = {
        candidate.activity: candidate.propensity * _kept(one, candidate.activity, plan)
        for candidate in one.candidates
        if candidate.removed is None and candidate.activity != NOTHING
    }
    return done[one.activity] if one.activity != NOTHING else max(1.0 - sum(done.values()), 1e-12)


def _kept(one: Decision, activity: str, plan: Plan) -> float:
    """The share of people who are not held out from it."""
    known = plan.activities.get(activity)
    if known is not None and known.transactional:
        return 1.0
    campaign = plan.campaigns.get(one.campaign) if one.campaign else None
    own = campaign.holdout if campaign is not None else known.holdout if known is not None else 0.0
    return (1.0 - plan.policy.holdout) * (1.0 - own)


def _open(one: Decision) -> list[Candidate]:
    return [candidate for candidate in one.candidates if candidate.removed is None]


def _is_explored(one: Decision) -> bool:
    free = _open(one)
    return len(free) > 1 and all(candidate.propensity > 0 for candidate in free)


def _facts(one: Decision) -> dict[str, str]:
    """What the policy was told: `gamma goal_value cold_start measured`."""
    return dict(fact.split("=", 1) for fact in one.policy.split()[1:] if "=" in fact)


def _drawn(one: Decision, name: str, plan: Plan) -> Iterator[tuple[str, float]]:
    """(activity, share) among the candidates that were open; `logged`: as the policy did that ran."""
    free = _open(one)
    if name == "logged":
        yield from ((candidate.activity, candidate.propensity) for candidate in free)
        return
    facts = _facts(one)
    measured = set(facts.get("measured", "").split(","))
    asked = [
        Open(candidate.activity, candidate.probability or 0.0, candidate.value or 0.0, candidate.activity in measured)
        for candidate in free
    ]
    worth = float(facts.get("goal_value", "1"))
    shares = policies.shares(name, asked, Setting(plan.policy.exploration, worth))  # type: ignore[arg-type]
    yield from zip((candidate.activity for candidate in free), shares, strict=True)


def _weighed(one: Decision, plan: Plan, then: Plan, panel: Panel | None) -> Iterator[tuple[str, float]]:
    """(activity, share) as a plan would draw. What that plan no longer has cannot be drawn; of somebody nobody knew no model was asked."""
    facts = _facts(one)
    free = [candidate for candidate in _open(one) if candidate.activity in {NOTHING, *plan.activities}]
    chances = {candidate.activity: candidate.probability for candidate in free}
    measured = frozenset(filter(None, facts.get("measured", "").split(",")))
    if panel is not None and facts.get("cold_start") != "True":
        asked = [plan.activities[name] for name in chances if name != NOTHING]
        chances |= panel.probabilities(dict(one.vector), asked, plan.policy.base_rate)[0]
        measured = panel.measured(asked)
    campaign = plan.campaigns.get(one.campaign or "") or then.campaigns.get(one.campaign or "")
    question = Question(
        decision_id=one.decision_id, user_id=one.user_id, now=one.decided_at, goal=one.goal,
        worth=float(facts.get("goal_value", "1")), due_at={}, vector={}, context={}, model_version=None, measured=measured,
        candidates=tuple(Candidate(candidate.activity, chances[candidate.activity]) for candidate in free),
        run=None if campaign is None else CampaignRun(campaign, one.run or ""),
    )  # fmt: skip
    yield from ((candidate.activity, candidate.propensity) for candidate in policy.weigh(question, plan))
