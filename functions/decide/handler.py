"""POST /v1/decisions: one person, one question, one decision. GET /v1/users/{id}/recommendations: items for a person."""

from __future__ import annotations

from functools import cache
from typing import Any

from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.models import StoredModels
from nudge.adapters.plans import StoredPlans
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.adapters.sqs import SqsQueue
from nudge.adapters.templates import StoredTemplates
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.decide import Decide
from nudge.http import Request, Routes
from nudge.settings import DecideSettings

routes = Routes()


@cache
def flow() -> Decide:
    """Who is who, built on first use and kept while warm."""
    here = DecideSettings.read()
    dynamodb = client("dynamodb")
    lake = S3Objects(client("s3"), here.lake_bucket)
    signer = KmsSigner(client("kms"), here.model_key_id)
    return Decide(
        profiles=DynamoProfiles(dynamodb, here.profiles_table),
        plan=PlanInForce(StoredPlans(lake, clock=edge.now)),
        champions=Champions(StoredModels(lake, signer, clock=edge.now)),
        templates=StoredTemplates(lake, clock=edge.now),
        ledger=DynamoLedger(dynamodb, here.ledger_table),
        queue=SqsQueue(client("sqs"), here.deliver_queue_url),
    )


@routes.post("/v1/decisions")
def decide(request: Request) -> dict[str, Any]:
    answer = flow()(edge.body_of(request), key=request.headers.get("idempotency-key"), now=edge.now())
    edge.count("DryRuns" if answer["dry_run"] else "Decisions")
    told = {name: answer[name] for name in ("decision_id", "activity", "group", "rules", "model_version", "dry_run")}
    edge.say("decided", told)
    return edge.answer(answer)


@routes.get("/v1/users/{id}/recommendations")
def recommend(request: Request, id: str) -> dict[str, Any]:
    from urllib.parse import unquote  # what decisions do not need, they do not wait for

    from nudge.flows.recommend import Question, Recommend

    told = flow()
    answer = Recommend(told.profiles, told.plan, told.champions)(
        unquote(id), Question.of(request.query), now=edge.now()
    )
    edge.count("Recommendations")
    return edge.answer(answer)


edge.snapshot(flow)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return edge.http(routes, event)
