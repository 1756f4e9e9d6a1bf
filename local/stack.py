"""What a person does to a stack by hand: plans, models, a rebuild. On AWS, not on the embedded one.

In: the doors' own names in the environment (`LAKE_BUCKET`, `MODEL_KEY_ID`, `PROFILES_TABLE`: the stack's outputs) and
credentials as the AWS tools find them. Out: what the flows of the doors do and say. Knows no rule.
"""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nudge import plan as plans
from nudge.adapters import plans as stored_plans
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.models import StoredModels
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.errors import NotReady
from nudge.flows.audience import Audience
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.models_admin import Catalogue, Promote, Rollback
from nudge.flows.profiles import Rebuild
from nudge.flows.prospect import Prospect
from nudge.flows.training_runs import Runs
from nudge.plan.changes import Change, changes
from nudge.settings import AudienceSettings, CollectSettings, ModelsSettings, PrepareSettings
from nudge.vocabulary import Micros

if TYPE_CHECKING:
    from nudge.flows.policy_evaluation import PolicyEvaluation


def _now() -> Micros:
    return time.time_ns() // 1000


def _bucket(name: str) -> S3Objects:
    return S3Objects(client("s3", read_seconds=60), name)


def _models() -> StoredModels:
    here = ModelsSettings.read()
    return StoredModels(_bucket(here.lake_bucket), KmsSigner(client("kms"), here.model_key_id), clock=_now)


class Proposal(NamedTuple):
    """A checked plan, and what it changes against the one in force."""

    text: str
    plan: dict[str, Any]
    changes: list[Change]
    old_version: str | None
    etag: str | None

    @property
    def is_first(self) -> bool:
        return self.etag is None

    @property
    def decides_otherwise(self) -> bool:
        """Whether it changes how candidates are drawn: the exploration, or the policy of a campaign that there is already."""
        told = (one.where for one in self.changes if one.sign == "~")
        return not self.is_first and any(
            where == "policy.exploration" or (where.startswith("campaign ") and where.endswith(".policy"))
            for where in told
        )


def proposed(path: Path) -> Proposal:
    """Check a plan and compare it with the one in force. Raises BadInput with every mistake, by line."""
    text = path.read_text(encoding="utf-8")
    checked = plans.parse(text, name=str(path))
    held, etag = stored_plans.in_force(_bucket(CollectSettings.read().lake_bucket))
    return Proposal(text, checked, changes(held, checked), (held or {}).get("version"), etag)


def apply(proposal: Proposal, templates: Path | None, *, forced: str | None = None) -> None:
    """Put a plan in force, after the templates it speaks of; `forced`: who did so against the log, and what it said, kept beside the
    version. Raises Conflict when another was put in force since it was compared."""
    bucket = _bucket(CollectSettings.read().lake_bucket)
    for template in sorted(templates.glob("*.json")) if templates else ():
        json.loads(template.read_bytes())
        bucket.put(f"templates/{template.name}", template.read_bytes(), content_type="application/json")
    if forced is not None:
        key = f"{stored_plans.VERSIONS}{proposal.plan['version']}.forced.json"
        bucket.put(key, json.dumps({"at": _now(), "why": forced}).encode(), content_type="application/json")
    stored_plans.replace(bucket, proposal.text, proposal.plan, etag=proposal.etag)


def audience(who: str) -> Prospect:
    """Count who a campaign of the plan in force, or an expression, would reach. Reads every profile."""
    here, dynamodb = AudienceSettings.read(), client("dynamodb", read_seconds=60)
    bucket = _bucket(here.lake_bucket)
    models = StoredModels(bucket, KmsSigner(client("kms"), here.model_key_id), clock=_now)
    return Audience(
        profiles=DynamoProfiles(dynamodb, here.profiles_table),
        plan=PlanInForce(stored_plans.StoredPlans(bucket, clock=_now)),
        champions=Champions(models),
        ledger=DynamoLedger(dynamodb, here.ledger_table),
    )(who, now=_now())


def versions(name: str | None) -> dict[str, list[dict[str, Any]]]:
    """Lines by name, one for each version, oldest first; of everything that was ever trained when no name is given."""
    catalogue = Catalogue(_models())
    return catalogue.all() if name is None else {name: catalogue.list(name)}


def card(name: str, version: str | None) -> dict[str, Any]:
    """The card of a version, of the champion when none is named. Raises NotFound."""
    return Catalogue(_models()).show(name, version)


def promote(name: str, version: str, *, reason: str, by: str, force: bool = False) -> str:
    """Check a version, ask the log of decisions, put it in force; returns what was checked. Raises as `models_admin.Promote`."""
    return Promote(_models(), _by_log)(name, version, reason=reason, by=by, force=force)


def _by_log(name: str, scorer: Any) -> tuple[bool, str] | None:
    """What the log says of deciding by a model; None of models that do not say what a decision is worth, or without a plan."""
    from nudge.flows.log_gate import with_challenger

    judging = evaluation()
    try:
        plan = plans.load(judging.plans.current())
    except NotReady:
        return None
    goal = plan.goals.get(name.removeprefix("uplift."))
    if goal is None:
        return None
    panel = with_challenger(goal, plan, name, scorer, Champions(_models()))
    found = judging.of_model(goal.name, panel, now=_now())
    return found.passed, found.said


def judged(proposal: Proposal) -> list[tuple[str, bool, str]]:
    """What the log says of a plan that decides otherwise than the one in force: goal, whether it passes, why. Empty where it does not."""
    if not proposal.decides_otherwise:
        return []
    told = evaluation().of_plan(plans.load(proposal.plan), now=_now())
    return [(goal, one.passed, one.said) for goal, one in told]


def evaluation() -> PolicyEvaluation:
    """Judges by the log of the stack's decisions."""
    from nudge.flows.policy_evaluation import PolicyEvaluation

    bucket = _bucket(CollectSettings.read().lake_bucket)
    plan_of = partial(stored_plans.version, bucket)
    return PolicyEvaluation(ObjectsLake(bucket), stored_plans.StoredPlans(bucket, clock=_now), plan_of)


def roll_back(name: str, version: str | None, *, by: str) -> str:
    """Put an earlier version in force; returns it. Raises NotFound when there is none."""
    return Rollback(_models())(name, version, by=by)


def progress(run: str | None) -> dict[str, Any]:
    """How far a run of trainings is; the newest one's when none is named. Raises NotFound."""
    runs = Runs(_bucket(ModelsSettings.read().lake_bucket))
    return (runs.newest() if run is None else runs.get(run)).plain()


def rebuild() -> str:
    """Make every row of Profiles anew from the lake; returns what it did, in words."""
    here = PrepareSettings.read()
    profiles = DynamoProfiles(client("dynamodb"), here.profiles_table, workers=8)
    done = Rebuild(ObjectsLake(_bucket(here.lake_bucket)), profiles)(now=_now())
    return f"{done.people} people, {done.events} events"
