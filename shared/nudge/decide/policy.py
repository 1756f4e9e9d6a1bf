"""Choose. In: candidates with their probabilities, the plan, a decision id. Out: the `Decision`, complete.

A pure function: the draw comes from the decision id, holdouts from stable hashes, so that `replay` of a record makes the
same decision again, bit for bit. Holdouts are intent-to-treat: the policy draws `chosen` as for everybody, and whoever is
held out gets nothing; treatment and holdout can be compared among equal `chosen`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nudge.decide import chance, explore, policies, value
from nudge.decide.policies import Open, Setting
from nudge.vocabulary import NOTHING, CampaignRun, Candidate, Decision, Group, Micros, Plan, PolicyName, SendTime

ALONE: PolicyName = "squarecb"


class Question(NamedTuple):
    """What is decided: for whom, when, for which goal, among what; `worth` is the goal's value for this person.

    `due_at` says when each activity may reach the person (see `quiet`), `send_times` how that was chosen (see `moment`), `items`
    what is recommended with it. Candidates have a probability, or the reason of their removal.
    """

    decision_id: str
    user_id: str
    now: Micros
    goal: str
    worth: float
    candidates: tuple[Candidate, ...]
    due_at: Mapping[str, Micros]
    vector: Mapping[str, float | str | None]
    context: Mapping[str, Any]
    model_version: str | None
    cold_start: bool = False
    models: Mapping[str, str] = {}
    items: Mapping[str, tuple[Mapping[str, Any], ...]] = {}
    send_times: Mapping[str, SendTime] = {}
    person: Mapping[str, float] | None = None
    run: CampaignRun | None = None
    measured: frozenset[str] = frozenset()

    @property
    def policy(self) -> PolicyName:
        """A campaign's own; of a question that an app asked, inverse-gap weighting."""
        return ALONE if self.run is None else self.run.campaign.policy


def choose(question: Question, plan: Plan) -> Decision:
    """The decision on a question. Needs `nothing` among the candidates, and at least one that was not removed."""
    candidates = weigh(question, plan)
    open_ones = [one for one in candidates if one.removed is None]
    draw = chance.draw(question.decision_id)
    chosen = open_ones[explore.pick([one.propensity for one in open_ones], draw)]
    group = _group(chosen.activity, question, plan)
    done = chosen if group == "treatment" else next(one for one in candidates if one.activity == NOTHING)
    activity = plan.activities.get(done.activity)
    return Decision(
        decision_id=question.decision_id,
        user_id=question.user_id,
        decided_at=question.now,
        goal=question.goal,
        chosen=chosen.activity,
        activity=done.activity,
        channel=activity.channel if activity else None,
        group=group,
        propensity=chosen.propensity,
        draw=draw,
        probability=done.probability or 0.0,
        value=done.value or 0.0,
        cost=activity.cost if activity else 0.0,
        candidates=candidates,
        vector=question.vector,
        context=question.context,
        reason=_reason(candidates, chosen, group, question),
        policy=_said(question, plan),
        plan_version=plan.version,
        model_version=question.model_version,
        due_at=question.due_at.get(activity.name, question.now) if activity else None,
        models=question.models,
        items=question.items.get(done.activity, ()),
        send_time=question.send_times.get(done.activity),
        person=question.person,
        campaign=None if question.run is None else question.run.campaign.name,
        run=None if question.run is None else question.run.run,
        step=None if question.run is None else question.run.step,
    )


def weigh(question: Question, plan: Plan) -> tuple[Candidate, ...]:
    """The candidates with their net value, and the propensity of each that was not removed."""
    candidates, worth = question.candidates, question.worth
    values = [
        one.value if one.probability is None else value.net(one.probability, worth, _cost(one.activity, plan))
        for one in candidates
    ]
    open_ones = [
        Open(one.activity, one.probability or 0.0, found or 0.0, one.activity in question.measured)
        for found, one in zip(values, candidates, strict=True)
        if one.removed is None
    ]
    shares = iter(policies.shares(question.policy, open_ones, Setting(plan.policy.exploration, worth)))
    return tuple(
        Candidate(one.activity, one.probability, found, next(shares) if one.removed is None else 0.0, one.removed)
        for one, found in zip(candidates, values, strict=True)
    )


def _cost(activity: str, plan: Plan) -> float:
    return plan.activities[activity].cost if activity in plan.activities else 0.0


def _group(chosen: str, question: Question, plan: Plan) -> Group:
    """Transactional messages are owed, so nobody is held out from them. A campaign holds out the same people from all that it
    does; elsewhere each activity has its own."""
    activity, user_id = plan.activities.get(chosen), question.user_id
    if activity is not None and activity.transactional:
        return "treatment"
    if chance.in_global_holdout(user_id, plan.policy.holdout):
        return "global_holdout"
    if question.run is not None:
        campaign = question.run.campaign
        return "holdout" if chance.in_campaign_holdout(campaign.name, user_id, campaign.holdout) else "treatment"
    if activity is not None and chance.in_holdout(chosen, user_id, activity.holdout):
        return "holdout"
    return "treatment"


def _said(question: Question, plan: Plan) -> str:
    """The policy, and what it was told that stands nowhere else in the record."""
    facts = f"gamma={plan.policy.exploration!r} goal_value={question.worth!r} cold_start={question.cold_start}"
    measured = f" measured={','.join(sorted(question.measured))}" if question.measured else ""
    return f"{question.policy} {facts}{measured}"


def _reason(candidates: tuple[Candidate, ...], chosen: Candidate, group: Group, question: Question) -> str:
    """Why, in words that a marketer reads."""
    open_ones = [one for one in candidates if one.removed is None]
    best = max(open_ones, key=lambda one: one.value or 0.0)
    if len(open_ones) == 1:
        words = f"{chosen.activity} was the only candidate left"
    elif chosen.activity == best.activity:
        words = f"{chosen.activity} has the highest expected value ({chosen.value:.4g}) of {len(open_ones)} candidates"
    else:
        words = (
            f"exploring {chosen.activity} ({chosen.value:.4g}) although {best.activity} looks best ({best.value:.4g})"
        )
    if group == "holdout":
        words += "; the person is in its holdout, so nothing is done"
    elif group == "global_holdout":
        words += "; the person is in the global holdout, so nothing is done"
    if question.cold_start:
        words += "; the person is not known yet, so the plan's priors were used"
    elif question.model_version is None:
        words += "; there is no model yet, so the plan's rules were used"
    return words


def replay(decision: Decision, plan: Plan) -> Decision:
    """The decision made again from its own record and the plan of its version; equal to it, or something is wrong.

    Raises
    ------
    ValueError
        When the plan is not the one that the decision was made by.
    """
    if plan.version != decision.plan_version:
        raise ValueError(
            f"decision {decision.decision_id} was made by plan {decision.plan_version}, not {plan.version}"
        )
    facts = dict(fact.split("=", 1) for fact in decision.policy.split()[1:])
    bare = tuple(Candidate(one.activity, one.probability, removed=one.removed) for one in decision.candidates)
    done = decision.activity
    question = Question(
        decision_id=decision.decision_id,
        user_id=decision.user_id,
        now=decision.decided_at,
        goal=decision.goal,
        worth=float(facts["goal_value"]),
        candidates=bare,
        due_at={} if decision.due_at is None else {done: decision.due_at},
        vector=decision.vector,
        context=decision.context,
        model_version=decision.model_version,
        cold_start=facts["cold_start"] == "True",
        models=decision.models,
        items={done: decision.items},
        send_times={} if decision.send_time is None else {done: decision.send_time},
        person=decision.person,
        run=_on_behalf(decision, plan),
        measured=frozenset(filter(None, facts.get("measured", "").split(","))),
    )
    return choose(question, plan)._replace(why=decision.why)


def _on_behalf(decision: Decision, plan: Plan) -> CampaignRun | None:
    if decision.campaign is None:
        return None
    return CampaignRun(plan.campaigns[decision.campaign], decision.run or "", decision.step)
