"""The `deliver` queue: one message of one decision goes out. Every minute: what is due is put on the queue."""

from __future__ import annotations

import json
import time
import uuid
from functools import cache
from typing import Any

from nudge import edge
from nudge.act import link
from nudge.adapters.channels import senders
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.pace import DynamoPace, quota_of
from nudge.adapters.plans import StoredPlans
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.adapters.secrets import StoredSecrets
from nudge.adapters.sqs import SqsQueue
from nudge.adapters.templates import StoredTemplates
from nudge.errors import BadInput
from nudge.flows.campaign_runs import Runs
from nudge.flows.champions import PlanInForce
from nudge.flows.compose import Compose
from nudge.flows.deliver import Deliver, Sweep
from nudge.flows.pauses import Pauses
from nudge.settings import DeliverSettings


@cache
def flows() -> tuple[Deliver, Sweep]:
    """Who is who, built on first use and kept while warm; a channel when its first message comes."""
    here = DeliverSettings.read()
    dynamodb = client("dynamodb")
    lake = S3Objects(client("s3"), here.lake_bucket)
    ledger = DynamoLedger(dynamodb, here.ledger_table)
    signer = KmsSigner(client("kms"), here.token_key_id)
    deliver = Deliver(
        ledger=ledger,
        profiles=DynamoProfiles(dynamodb, here.profiles_table),
        plan=PlanInForce(StoredPlans(lake, clock=edge.now)),
        compose=Compose(StoredTemplates(lake, clock=edge.now), signer, link.keys(signer.sign), here.public_url),
        senders=senders(
            configuration_set=here.configuration_set,
            text_configuration_set=here.text_configuration_set,
            secrets=StoredSecrets(lambda: client("ssm"), clock=edge.now),
        ),
        pace=DynamoPace(dynamodb, here.ledger_table, lambda: quota_of(client("sesv2"))),
        pauses=Pauses(Runs(lake)),
        wait=time.sleep,
    )
    return deliver, Sweep(ledger=ledger, queue=SqsQueue(client("sqs"), here.deliver_queue_url))


def send(record: dict[str, Any]) -> None:
    task = edge.json_object(record["body"])
    decision_id = task.get("decision_id")
    if not isinstance(decision_id, str):
        raise BadInput("the task names no decision", reason="bad_task", where="decision_id")
    state = flows()[0](decision_id, owner=uuid.uuid4().hex, now=edge.now())
    edge.count(f"Message{state.title()}")
    edge.logger.info("message", extra={"decision_id": decision_id, "state": state})


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "Records" in event:
        return edge.batch(event, send)
    if event.get("task") != "sweep":
        raise BadInput(f"neither records nor a sweep: {json.dumps(sorted(event))}", reason="bad_task")
    swept = flows()[1](now=edge.now())
    edge.logger.info("swept", extra=swept)
    edge.count("MessagesUnknown", swept["unknown"])
    edge.flush()
    return swept
