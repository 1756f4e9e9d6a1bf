"""What another policy, model or plan would have earned: the lake's decisions and what came of them come in; a verdict, or the log itself, goes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, get_args

import polars as pl

from nudge import plan as plans_of
from nudge.errors import BadInput, NotFound, NotReady, Unavailable
from nudge.flows import policy_log
from nudge.flows.log_gate import NEWEST, Judged, judge
from nudge.flows.panel import Panel
from nudge.flows.policy_log import Logged, PlanOf, Versions
from nudge.measure import frames, obp, policy_value
from nudge.ports import Lake, Plans
from nudge.profile import batch
from nudge.vocabulary import Goal, Micros, Plan, PolicyName

POLICIES: tuple[PolicyName, ...] = get_args(PolicyName)
LISTINGS = 5
COLUMNS = {name: frames.DECISIONS[name] for name in ("decision_id", "decided_at", "goal")} | {"record": pl.String()}


@dataclass(frozen=True, slots=True)
class PolicyEvaluation:
    """`nudge policy evaluate`, `nudge decisions export`, and what `nudge plan apply` and `nudge models promote` ask. `plan_of` gives plans of
    before by their version."""

    lake: Lake
    plans: Plans
    plan_of: PlanOf | None = None

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

    def of_model(self, name: str, panel: Panel, *, now: Micros) -> Judged:
        """What the log says of deciding by other models for a goal. Raises as `evaluate`, but never NotReady."""
        return judge(partial(self.logged, name, now, newest=NEWEST), panel=panel)

    def of_plan(self, plan: Plan, *, now: Micros) -> Iterator[tuple[str, Judged]]:
        """What the log says of another plan, by goal: of each goal that activities of both plans serve."""
        for goal in _served(plans_of.load(self.plans.current())):
            if goal.name in {one.name for one in _served(plan)}:
                yield goal.name, judge(partial(self.logged, goal.name, now, newest=NEWEST), plan=plan)

    def logged(self, name: str | None, now: Micros, *, newest: int | None = None) -> Logged:
        """Raises as `evaluate`; Unavailable when the lake does not hold still."""
        plan = plans_of.load(self.plans.current())
        goal = _goal(plan, name)
        for _ in range(LISTINGS):
            try:
                decisions = self._decisions(policy_log.told(goal, now), newest)
                if not decisions.height:
                    raise NotReady(f"no decision for {goal.name} has a record and a window that is over")
                events = batch.read_events([self.lake.get(one.key) for one in self.lake.parts("events")])
            except NotFound:  # a part was merged into another since it was listed
                continue
            return policy_log.read(decisions, events, goal, Versions(plan, self.plan_of), now=now, newest=newest)
        raise Unavailable(f"the lake changed {LISTINGS} times while it was read")

    def _decisions(self, told: pl.Expr, newest: int | None) -> pl.DataFrame:
        """Rows of `COLUMNS` that tell something, the latest days first: no more days than hold so many."""
        found: list[pl.DataFrame] = []
        parts = sorted(self.lake.parts("decisions"), key=lambda one: one.key, reverse=True)
        for _, day in groupby(parts, lambda one: one.key.rpartition("/")[0]):
            found += [frames.of_part(self.lake.get(one.key), COLUMNS, told) for one in day]
            if newest is not None and pl.concat([one["decision_id"] for one in found]).n_unique() >= newest:
                break
        return frames.together(found, COLUMNS)


def _served(plan: Plan) -> list[Goal]:
    return [goal for goal in plan.goals.values() if any(one.goal == goal.name for one in plan.activities.values())]


def _goal(plan: Plan, name: str | None) -> Goal:
    if name is None and (served := _served(plan)):
        return served[0]
    if name is None or name not in plan.goals:
        raise BadInput(f"{name or 'goal'}: the plan has no such goal", reason="unknown_goal")
    return plan.goals[name]
