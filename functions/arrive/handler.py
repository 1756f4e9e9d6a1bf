"""S3 says that something lies in the inbox (S3 → SQS): find out what it is, and queue a task for each piece of it."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from nudge import edge
from nudge.adapters.arrivals import DynamoArrivals
from nudge.adapters.clients import client
from nudge.adapters.s3 import S3Objects
from nudge.adapters.sqs import SqsQueue
from nudge.flows.arrive import Arrive
from nudge.settings import ArriveSettings


@cache
def flow() -> Arrive:
    """Who is who, built on first use and kept while warm."""
    here = ArriveSettings.read()
    return Arrive(
        inbox=S3Objects(client("s3", read_seconds=60), here.lake_bucket),
        arrivals=DynamoArrivals(client("dynamodb"), here.arrivals_table),
        queue=SqsQueue(client("sqs"), here.chunks_queue_url),
        bucket=here.lake_bucket,
    )


def arrive(record: dict[str, Any]) -> None:
    """One message of the arrivals queue."""
    ended = flow()(edge.json_object(record["body"]), owner=record["messageId"], now=edge.now())
    if not ended:
        edge.count("NotificationsIgnored")
    for state, number in Counter(ended.values()).items():
        edge.count(f"Objects{state.capitalize()}", number)
    edge.logger.info("arrived", extra={"message_id": record["messageId"], "contents": ended})


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return edge.batch(event, arrive)
