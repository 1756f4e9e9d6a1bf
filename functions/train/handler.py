"""On schedule, or by hand with {"goal": …}: train, and promote what is better by more than noise."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.models import StoredModels
from nudge.adapters.plans import StoredPlans
from nudge.adapters.s3 import S3Objects
from nudge.errors import BadInput, NotReady
from nudge.flows.models_admin import age_hours
from nudge.flows.train import Train, Verdict
from nudge.settings import TrainSettings


@cache
def flow() -> Train:
    """Who is who, built on first use and kept while warm."""
    here = TrainSettings.read()
    bucket = S3Objects(client("s3"), here.lake_bucket)
    signer = KmsSigner(client("kms"), here.model_key_id)
    return Train(
        lake=ObjectsLake(bucket),
        plans=StoredPlans(bucket, clock=lambda: edge.now()),
        models=StoredModels(bucket, signer, clock=lambda: edge.now(), fresh_for=0),
        progress=lambda goal, step: edge.logger.info("training", extra={"goal": goal, "step": step}),
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    goal = event.get("goal")
    if goal is not None and not isinstance(goal, str):
        raise BadInput("goal must be the name of a goal of the plan", where="goal")
    try:
        verdicts = flow()(goal, now=edge.now())
    except NotReady as wrong:  # no plan, or no event yet: nothing to retry
        edge.logger.info("not ready", extra={"reason": str(wrong)})
        return {"verdicts": [], "missing": wrong.missing}
    for verdict in verdicts:
        _tell(verdict)
    ages = [age_hours(flow().models, verdict.goal, edge.now()) for verdict in verdicts]
    if known := [age for age in ages if age is not None]:
        edge.measure("ChampionAgeHours", max(known))
    edge.flush()
    return {"verdicts": [asdict(verdict) for verdict in verdicts]}


def _tell(verdict: Verdict) -> None:
    told = {"goal": verdict.goal, "version": verdict.version, "promoted": verdict.promoted, "reason": verdict.reason}
    edge.logger.info("trained", extra=told)
    edge.count("Promotions" if verdict.promoted else "TrainingsFailed" if verdict.failed else "NotPromoted")
