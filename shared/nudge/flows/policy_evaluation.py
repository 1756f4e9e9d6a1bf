"""What another policy would have earned: the lake's decisions and what came of them come in; a verdict, or the log itself, goes out.

What is logged is what was *done*: who was held out got nothing, by chance, so a decision counts with the probability of the
activity that was done, holdouts and all: p(a) × (1 − holdouts), and the rest for nothing. Holdouts are those of the plan in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import polars as pl

from nudge import plan as plans_of
from nudge.decide import policies, record
from nudge.decide.policies import Open, Setting
from nudge.errors import BadInput, NotReady
from nudge.measure import frames, logged, obp, policy_value
from nudge.measure.off_policy import Log, Numbers
from nudge.ports import Lake, Plans
from nudge.profile import batch
from nudge.vocabulary import NOTHING, Decision, Goal, Micros, Plan, PolicyName

POLICIES: tuple[PolicyName, ...] = get_args(PolicyName)


@dataclass(frozen=True, slots=True)
class Logged:
    """Decisions for one goal whose windows are over, what each earned, and the activities by number."""

    goal: Goal
    plan: Plan
    decisions: tuple[Decision, ...]
    log: Log
    names: tuple[str, ...]

    def shares(self, name: str) -> Numbers:
        """(n, activities): how a policy would have drawn among the candidates that were open."""
        made = np.zeros((len(self.decisions), len(self.names)))
        places = {activity: place for place, activity in enumerate(self.names)}
        for row, one in enumerate(self.decisions):
            for activity, share in _drawn(one, name, self.plan):
                made[row, places[activity]] += share
        return made


@dataclass(frozen=True, slots=True)
class PolicyEvaluation:
    """`nudge policy evaluate` and `nudge decisions export`."""

    lake: Lake
    plans: Plans

    def evaluate(self, policy: str, *, goal: str | None = None, now: Micros) -> dict[str, Any]:
        """A verdict on a policy for a goal (the plan's first with activities when None), beside the policies that ran.

        Raises BadInput for a policy or goal that nobody knows, NotReady while no decision's window is over.
        """
        if policy not in POLICIES:
            raise BadInput(f"{policy}: known policies are {', '.join(POLICIES)}", reason="unknown_policy")
        held = self.logged(goal, now)
        told = policy_value.said(policy_value.compare(held.log, held.shares(policy), held.shares("logged")))
        return {"goal": held.goal.name, "policy_name": policy, "activities": list(held.names), **told}

    def export(self, *, goal: str | None = None, now: Micros) -> bytes:
        """The log in Open Bandit Pipeline's names, as an `.npz` file (see `measure.obp`). Raises as `evaluate`."""
        held = self.logged(goal, now)
        return obp.packed(obp.feedback(held.log, [one.vector for one in held.decisions], held.names))

    def logged(self, name: str | None, now: Micros) -> Logged:
        """Raises as `evaluate`."""
        plan = plans_of.load(self.plans.current())
        goal = _goal(plan, name)
        parts = [self.lake.get(part.key) for part in self.lake.parts("decisions")]
        decisions = frames.read(parts, frames.DECISIONS)
        people = decisions.lazy().select("user_id").unique()
        events = frames.fit(
            batch.read_events([self.lake.get(part.key) for part in self.lake.parts("events")]), frames.EVENTS
        )
        known = events.join(people, on="user_id", how="semi").collect()
        earned = logged.rewards(decisions, known, goal, currency=plan.currency, now=now)
        reward = dict(earned.select("decision_id", "reward").iter_rows())
        made = {one.decision_id: one for one in _records(parts) if one.decision_id in reward}
        ordered = tuple(made[one] for one in earned["decision_id"] if one in made)
        return _logged(goal, plan, ordered, reward)


def _records(parts: list[bytes]) -> Iterator[Decision]:
    for part in parts:
        texts = frames.read([part], {"record": pl.String()})["record"].drop_nulls()
        yield from (record.loads(text) for text in texts)


def _goal(plan: Plan, name: str | None) -> Goal:
    served = [goal for goal in plan.goals.values() if any(one.goal == goal.name for one in plan.activities.values())]
    if name is None and served:
        return served[0]
    if name is None or name not in plan.goals:
        raise BadInput(f"{name or 'goal'}: the plan has no such goal", reason="unknown_goal")
    return plan.goals[name]


def _logged(goal: Goal, plan: Plan, decisions: tuple[Decision, ...], reward: Mapping[str, float]) -> Logged:
    if not decisions:
        raise NotReady(f"no decision for {goal.name} has a record and a window that is over")
    offered = {candidate.activity for one in decisions for candidate in one.candidates}
    names = (NOTHING, *sorted(offered - {NOTHING}))
    places = {activity: place for place, activity in enumerate(names)}
    people = {user: place for place, user in enumerate(dict.fromkeys(one.user_id for one in decisions))}
    log = Log(
        np.array([places[one.activity] for one in decisions], dtype=np.int64),
        np.array([_done(one, plan) for one in decisions]),
        np.array([reward[one.decision_id] for one in decisions]),
        np.array([people[one.user_id] for one in decisions], dtype=np.int64),
    )
    return Logged(goal, plan, decisions, log, names)


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


def _drawn(one: Decision, name: str, plan: Plan) -> Iterator[tuple[str, float]]:
    """(activity, share) among the candidates that were open; `logged`: as the policy did that ran."""
    free = [candidate for candidate in one.candidates if candidate.removed is None]
    if name == "logged":
        yield from ((candidate.activity, candidate.propensity) for candidate in free)
        return
    facts = dict(fact.split("=", 1) for fact in one.policy.split()[1:] if "=" in fact)
    measured = set(facts.get("measured", "").split(","))
    asked = [
        Open(candidate.activity, candidate.probability or 0.0, candidate.value or 0.0, candidate.activity in measured)
        for candidate in free
    ]
    worth = float(facts.get("goal_value", "1"))
    shares = policies.shares(name, asked, Setting(plan.policy.exploration, worth))  # type: ignore[arg-type]
    yield from zip((candidate.activity for candidate in free), shares, strict=True)
