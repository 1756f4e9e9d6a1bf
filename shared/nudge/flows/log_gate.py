"""May a model, or a plan, decide from now on? What the log of decisions says, beside what really ran.

In: a log, and what would decide instead. Out: yes or no, and why. Three rules, chosen with care:

- Fewer than `DECIDED` decisions that explored: there is nothing to judge by, and nothing stands in the way. The first model, and
  whatever follows decisions that left nothing to chance, is judged by its other gates alone.
- Else it is refused where the interval of its value lies below that of what ran, or where the log is worth too few decisions for it
  (`measure.off_policy.Support`): it would do what was hardly ever tried.
- A person may put it in force all the same; that is kept with the reason.

A model has seen some of the decisions by which it is judged, so the log flatters it: this gate finds what does harm, not what is best.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nudge.errors import NotReady
from nudge.flows.champions import Champion
from nudge.flows.panel import Panel
from nudge.flows.policy_log import Logged
from nudge.flows.training_rows import DECIDED
from nudge.measure import policy_value
from nudge.measure.policy_value import Compared
from nudge.vocabulary import Goal, Plan

NEWEST = 10_000
"""The latest decisions speak for all: more would make no interval narrower that anyone acts on, and cost a minute."""


class Judged(NamedTuple):
    """Whether it may decide, why, and the comparison, where there was something to compare."""

    passed: bool
    said: str
    compared: Compared | None = None


def with_challenger(
    goal: Goal, plan: Plan, name: str, scorer: Any, champions: Callable[[str], Champion | None]
) -> Panel:
    """What would decide for a goal if `name` (the goal's, or its uplift's) were this model, and the others those in force. Raises
    Unavailable when one of those cannot be read."""
    names = [goal.name, *([f"uplift.{goal.name}"] if "uplift" in plan.learn or name != goal.name else [])]
    held = {one: Champion("challenger", scorer) if one == name else champions(one) for one in names}
    return Panel(propensity=held[goal.name], uplift=held.get(f"uplift.{goal.name}"))


def judge(read: Callable[[], Logged], *, plan: Plan | None = None, panel: Panel | None = None) -> Judged:
    """Judge another plan, other models, or both, by a log (`read` may raise NotReady: there is none)."""
    try:
        held = read().explored()
    except NotReady:
        held = None
    count = 0 if held is None else len(held.decisions)
    if held is None or count < DECIDED:
        return Judged(True, f"nothing logged to judge by: {count} decisions that explored, of {DECIDED} needed")
    compared = policy_value.compare(held.log, held.under(plan, panel), held.shares("logged"))
    new, present = compared.new.doubly_robust, compared.current.doubly_robust
    said = (
        f"{new.value:.4g} a decision ({new.low:.4g} to {new.high:.4g}), what ran {present.value:.4g}; difference "
        f"{compared.difference:+.4g} ({compared.low:+.4g} to {compared.high:+.4g}); {count} decisions, worth "
        f"{compared.new.support.effective:.0f} for it"
    )
    if compared.verdict == "refused":
        return Judged(False, f"refused by the log: {'; '.join(compared.reasons)} ({said})", compared)
    return Judged(True, f"{compared.verdict} by the log: {said}", compared)
