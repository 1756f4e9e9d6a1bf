"""The `chunks` queue: one chunk of an object into the lake and the profiles. A schedule: compact the lake."""

from __future__ import annotations

from functools import cache
from typing import Any

from nudge import edge
from nudge.adapters.arrivals import DynamoArrivals
from nudge.adapters.clients import client
from nudge.adapters.journeys import DynamoJourneys
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.plans import StoredPlans
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.flows.champions import PlanInForce
from nudge.flows.compact import Compact
from nudge.flows.journey_events import Overheard
from nudge.flows.prepare import Prepare
from nudge.flows.profiles import ApplyEvents, ApplyTraits
from nudge.flows.tasks import from_task
from nudge.flows.tombstones import Watched
from nudge.settings import PrepareSettings


@cache
def bucket() -> S3Objects:
    return S3Objects(client("s3", read_seconds=60), PrepareSettings.read().lake_bucket)


@cache
def flow() -> Prepare:
    """Who is who, built on first use and kept while warm."""
    here = PrepareSettings.read()
    dynamodb = client("dynamodb")
    profiles = DynamoProfiles(dynamodb, here.profiles_table)
    plans = StoredPlans(bucket(), clock=edge.now)
    journeys = DynamoJourneys(dynamodb, here.ledger_table)
    return Prepare(
        inbox=bucket(),
        lake=ObjectsLake(bucket()),
        arrivals=DynamoArrivals(dynamodb, here.arrivals_table),
        events=Overheard(ApplyEvents(profiles), journeys, PlanInForce(plans)),
        people=ApplyTraits(profiles),
        quarantine=bucket(),
        plans=plans,
        gone=Watched(bucket()),
    )


def prepare(task: dict[str, Any]) -> None:
    chunk = from_task(task)
    counts = flow()(chunk, now=edge.now())
    for name in ("read", "accepted", "rejected", "duplicate"):
        edge.count(f"Rows{name.title()}", getattr(counts, name))
    if counts.read:
        edge.measure("QuarantineShare", counts.rejected / counts.read)
    edge.logger.info("prepared", extra={"content": chunk.content, "chunk": chunk.number, "read": counts.read})


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event.get("task") == "compact":
        edge.count("PartsCompacted", Compact(ObjectsLake(bucket()), gone=Watched(bucket()))())
        edge.flush()
        return {}
    return edge.batch(event, lambda record: prepare(edge.json_object(record["body"])))
