"""What the door `campaign` does in its life: a run begins, everybody is looked through, members are decided for; an event begins a
journey, and it is taken on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nudge import plan as plans
from nudge.adapters.clients import client
from nudge.adapters.journeys import DynamoJourneys
from nudge.adapters.plans import publish
from nudge.adapters.s3 import S3Objects
from tests.sam_local.shop import ALWAYS, publish_plan
from tests.stores import Stores, event_file, queue_event

CAMPAIGN = """
campaigns:
  spring:
    goal: purchase
    activities: [discount_mail]
    schedule: {{every: day, at: "{now:%H:%M}"}}
    capacity: 100
    holdout: 0
  hello:
    goal: purchase
    when: {{event: greeting}}
    steps: [{{do: discount_mail}}, {{wait: 1 day}}]
    holdout: 0
"""
GREETING = "user_id,event_type,event_time\nlive-ana,greeting,{now:%Y-%m-%dT%H:%M:%SZ}\n"


def live(stores: Stores, call: Callable[[str, dict[str, Any]], Any]) -> None:
    """One run from its tick to its decisions, and an event from its file to the first step; `call` calls a function."""

    def campaign(event: dict[str, Any]) -> Any:
        return call("Campaign", event)

    text = ALWAYS.replace("Europe/Berlin", "UTC") + CAMPAIGN.format(now=datetime.fromtimestamp(time.time(), UTC))
    publish(S3Objects(client("s3"), stores.physical("Lake")), text, plans.parse(text))
    assert len(campaign(event_file("campaign.tick"))["runs"]) == 1
    for _ in range(2):  # to freeze the segments, and to decide
        for task in stores.take("CampaignQueue"):
            assert campaign(queue_event("campaign.segment", task)) == {"batchItemFailures": []}
    call(
        "Arrive",
        stores.upload(
            "inbox/events/greeting.csv", GREETING.format(now=datetime.fromtimestamp(time.time(), UTC)).encode()
        ),
    )
    for task in stores.take("ChunkQueue"):
        assert call("Prepare", queue_event("prepare.chunk", task)) == {"batchItemFailures": []}
    campaign(event_file("campaign.tick"))
    (walk,) = (task for task in stores.take("CampaignQueue") if task["stage"] == "walk")
    assert campaign(queue_event("campaign.walk", walk)) == {"batchItemFailures": []}
    assert DynamoJourneys(client("dynamodb"), stores.physical("Ledger")).tallies("hello") == {"begun": 1}
    publish_plan(stores)
