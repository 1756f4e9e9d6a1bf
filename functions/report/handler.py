"""On schedule: make the report. GET /v1/reports/latest: the newest one, as JSON, CSV or a page (Accept). GET /v1/people/{id}/events:
what a person did, as the lake has it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import unquote

from nudge import edge
from nudge.adapters.arrivals import DynamoArrivals
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.models import StoredModels
from nudge.adapters.plans import StoredPlans
from nudge.adapters.s3 import S3Objects
from nudge.flows.doings import Doings
from nudge.flows.report import FORMATS, Report, age_hours, latest
from nudge.http import Request, Routes
from nudge.settings import ReportSettings

routes = Routes()


@cache
def flow() -> Report:
    """Who is who, built on first use and kept while warm."""
    here = ReportSettings.read()
    bucket = S3Objects(client("s3"), here.lake_bucket)
    return Report(
        lake=ObjectsLake(bucket),
        reports=bucket,
        plans=StoredPlans(bucket, clock=lambda: edge.now()),
        arrivals=DynamoArrivals(client("dynamodb"), here.arrivals_table),
        models=StoredModels(bucket, KmsSigner(client("kms"), here.model_key_id), clock=lambda: edge.now(), fresh_for=0),
    )


@routes.get("/v1/reports/latest")
def show(request: Request) -> dict[str, Any]:
    wanted = request.headers.get("accept", "").lower()
    ending = next((one for one, kind in FORMATS.items() if kind.partition(";")[0] in wanted), "json")
    spoken = request.query.get("lang") or request.headers.get("accept-language", "")
    text, made_at = latest(flow().reports, ending, spoken)
    edge.measure("ReportAgeHours", age_hours(made_at, edge.now()))
    return edge.answer(
        text if ending != "json" else json.loads(text),
        content_type=FORMATS[ending],
        headers={"Vary": "Accept, Accept-Language"},
    )


@routes.get("/v1/people/{id}/events")
def doings(_: Request, id: str) -> dict[str, Any]:
    return edge.answer(Doings(flow().lake)(unquote(id), now=edge.now()))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "requestContext" in event:
        return edge.http(routes, event)
    made = flow()(now=edge.now())
    told = {"checksum": made["checksum"], "quarantine_share": made["data_quality"]["quarantine_share"]}
    edge.measure("QuarantineShare", told["quarantine_share"])
    edge.measure("ReportAgeHours", 0)
    edge.logger.info("report made", extra=told)
    edge.flush()
    return told
