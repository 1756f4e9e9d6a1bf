"""What the door `campaign` does in its life: a run begins, everybody is looked through, members are decided for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nudge import plan as plans
from nudge.adapters.clients import client
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
"""


def live(stores: Stores, campaign: Callable[[dict[str, Any]], Any]) -> None:
    """One run from its tick to its decisions; `campaign` calls the door."""
    text = ALWAYS.replace("Europe/Berlin", "UTC") + CAMPAIGN.format(now=datetime.fromtimestamp(time.time(), UTC))
    publish(S3Objects(client("s3"), stores.physical("Lake")), text, plans.parse(text))
    assert len(campaign(event_file("campaign.tick"))["runs"]) == 1
    for _ in range(2):  # to freeze the segments, and to decide
        for task in stores.take("CampaignQueue"):
            assert campaign(queue_event("campaign.segment", task)) == {"batchItemFailures": []}
    publish_plan(stores)
