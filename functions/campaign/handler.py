"""Every five minutes: campaigns whose time has come begin, and people on their way who are due go on. The `campaigns` queue: one segment
of a run is looked through, or decided for; one shard of journeys is taken on."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.journeys import DynamoJourneys
from nudge.adapters.kms import KmsSigner
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.models import StoredModels
from nudge.adapters.plans import StoredPlans
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.adapters.sqs import SqsQueue
from nudge.adapters.templates import StoredTemplates
from nudge.errors import BadInput, NotReady
from nudge.flows.campaign_runs import Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.decide import Decide
from nudge.settings import CampaignSettings


@cache
def flow() -> Campaigns:
    """Who is who, built on first use and kept while warm."""
    here = CampaignSettings.read()
    dynamodb, sqs = client("dynamodb"), client("sqs")
    lake = S3Objects(client("s3"), here.lake_bucket)
    profiles = DynamoProfiles(dynamodb, here.profiles_table)
    decide = Decide(
        profiles=profiles,
        plan=PlanInForce(StoredPlans(lake, clock=edge.now)),
        champions=Champions(StoredModels(lake, KmsSigner(client("kms"), here.model_key_id), clock=edge.now)),
        templates=StoredTemplates(lake, clock=edge.now),
        ledger=DynamoLedger(dynamodb, here.ledger_table),
        queue=SqsQueue(sqs, here.deliver_queue_url),
    )
    journeys = DynamoJourneys(dynamodb, here.ledger_table)
    return Campaigns(decide, profiles, Runs(lake), SqsQueue(sqs, here.campaigns_queue_url), journeys)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "Records" in event:
        return edge.batch(event, partial(_go_on, context))
    if event.get("task") != "tick":
        raise BadInput("neither records nor a tick", reason="bad_task")
    try:
        begun = flow().tick(now=edge.now())
    except NotReady as wrong:  # no plan yet: nothing to retry
        edge.logger.info("not ready", extra={"reason": str(wrong)})
        return {"missing": wrong.missing}
    names = [f"{run.campaign}/{run.run}" for run in begun]
    if names:
        edge.logger.info("campaigns due", extra={"runs": names})
    return {"runs": names}


def _go_on(context: Any, record: dict[str, Any]) -> None:
    task = edge.json_object(record["body"])
    ended = flow().go_on(task, now=edge.now(), left=lambda: context.get_remaining_time_in_millis() / 1000)
    edge.count(f"{'Journeys' if 'shard' in task else 'Segments'}{ended.title().replace(' ', '')}")
    told = {name: task[name] for name in ("campaign", "run", "stage", "segment", "shard") if name in task}
    edge.logger.info("segment", extra=told | {"ended": ended})
