"""A decision told again: made anew from its own record, or in words. In: a decision's id. Out: whether it comes out the same; why.

Reads the Ledger, the plan of the decision's version and the model that gave its probabilities; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nudge import plan as plans
from nudge.decide import policy, quiet, record
from nudge.errors import BadInput, NotFound
from nudge.flows.champions import Champion
from nudge.flows.panel import Panel
from nudge.ports import Ledger, Models
from nudge.score import load
from nudge.vocabulary import Candidate, Decision, Explanation

REASONS: Mapping[str, str] = {
    "not_started": "it had not started",
    "ended": "it would have come after its end",
    "audience": "the person is not in its audience",
    "transactional": "it is sent only when it is asked for, or something is owed to the person",
    "no_address": "there is no address for its channel",
    "suppressed": "the person unsubscribed, complained, or the address bounced",
    "no_consent": "there is no consent for its channel",
    "cap_day": "the person had the most messages of a day",
    "cap_week": "the person had the most messages of a week",
    "budget": "the day's budget was spent",
    "run_budget": "the budget of the run was spent",
    "campaign_budget": "the budget of the campaign was spent",
    "capacity": "the run had sent the most messages it may",
    "no_items": "there was nothing to recommend",
    "no_template": "its template is not there",
    "missing_variable": "a word of its template is not known of the person",
}


@dataclass(frozen=True, slots=True)
class Retell:
    """`nudge decisions replay|explain`. `plan_of` gives the plan of a version, in its JSON form."""

    ledger: Ledger
    models: Models
    plan_of: Callable[[str], dict[str, Any]]

    def replay(self, decision_id: str) -> dict[str, Any]:
        """Make the decision again. `same`: bit for bit; `differs`: the fields that do not come out as they stand.

        Raises
        ------
        NotFound
            There is no such decision, or its plan is gone.
        """
        made = self._find(decision_id)
        again = policy.replay(made, plans.load(self.plan_of(made.plan_version)))
        differs = [name for name in made._fields if getattr(made, name) != getattr(again, name)]
        return {"decision_id": decision_id, "same": record.dumps(again) == record.dumps(made), "differs": differs}

    def explain(self, decision_id: str) -> Iterator[str]:
        """Why, as lines that a person reads: what was done and when, each candidate, what made the probability. Raises NotFound."""
        made = self._find(decision_id)
        step = f"step {made.step} of " if made.step else ""
        on_behalf = f", for {step}the run {made.run} of the campaign {made.campaign}" if made.campaign else ""
        yield f"{made.activity} for {made.user_id}, towards {made.goal}, on {quiet.iso(made.decided_at)}{on_behalf}"
        yield f"  {made.reason}"
        if made.due_at is not None and made.due_at > made.decided_at:
            yield f"  due at {quiet.iso(made.due_at)}"
        yield "  candidates:"
        yield from (f"    {one.activity}: {_told(one, made)}" for one in made.candidates)
        why = made.why or self._reasons(made)
        if why is not None:
            yield f"  why the model expects {made.probability:.2%} (log-odds; {why.base:+.3f} for anybody):"
            yield from (f"    {one.feature}: {one.effect:+.3f}" for one in why.reasons)
            yield f"    all others: {why.others:+.3f}"
        yield f"  policy {made.policy}; plan {made.plan_version}; model {made.model_version or 'none'}"

    def _find(self, decision_id: str) -> Decision:
        found = self.ledger.find(decision_id)
        if found is None:
            raise NotFound(f"there is no decision {decision_id} in the ledger (decisions are kept for 180 days)")
        return found[0]

    def _reasons(self, made: Decision) -> Explanation | None:
        """Worked out now, with the model of the decision's version; None where it is gone, or none was asked."""
        version = made.models.get("propensity")
        if version is None:
            return None
        try:
            artefact, _ = self.models.version(made.goal, version)
        except (NotFound, BadInput):
            return None
        return Panel(propensity=Champion(version, load(artefact))).explanation(made.vector, made.activity)


def _told(one: Candidate, made: Decision) -> str:
    if one.removed is not None:
        return f"out: {REASONS.get(one.removed, one.removed)}"
    marks = [
        word for word, true in (("drawn", one.activity == made.chosen), ("done", one.activity == made.activity)) if true
    ]
    said = f"worth {one.value or 0.0:.4g}, {one.probability or 0.0:.2%} likely, drawn {one.propensity:.1%} of the time"
    return said + (f" ({', '.join(marks)})" if marks else "")
