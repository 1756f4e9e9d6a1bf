"""POST /v1/{batch,track,identify,page,screen,group,alias}: messages of the Segment spec. And the Ledger's stream."""

from __future__ import annotations

from functools import cache
from typing import Any

from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.s3 import S3Objects
from nudge.collect.envelope import messages_of
from nudge.errors import BadInput, Unavailable
from nudge.flows.collect import Collect, CopyLedger
from nudge.http import Request, Routes
from nudge.settings import CollectSettings

routes = Routes()


@cache
def inbox() -> S3Objects:
    """Built on first use and kept while warm."""
    return S3Objects(client("s3"), CollectSettings.read().lake_bucket)


def collect(request: Request) -> dict[str, Any]:
    """Take the messages of one request; each has its own result, a lone one that is wrong is the request's error."""
    route = request.path.rpartition("/")[2]
    text = edge.text_of(request)
    messages = messages_of(route, edge.json_object(text), size=len(text))
    results = Collect(inbox())(messages, received_at=edge.now(), source="http")
    wrong = [one for one in results if one["status"] == "rejected"]
    counts = {"accepted": len(results) - len(wrong), "rejected": len(wrong)}
    for name, number in counts.items():
        edge.count(f"Messages{name.capitalize()}", number)
    edge.logger.info("collected", extra={"route": route, **counts})
    if route != "batch" and wrong:
        raise BadInput("the message was not accepted", reason=wrong[0]["reason"], where=wrong[0]["field"])
    return edge.answer({**counts, "results": results})


for name in ("batch", "track", "identify", "page", "screen", "group", "alias"):
    routes.post(f"/v1/{name}")(collect)


def copy(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Copy a batch of the stream; all of it comes again when the bucket does not answer."""
    try:
        done = CopyLedger(inbox())(records)
    except Unavailable:
        return {"batchItemFailures": [{"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}]}
    edge.count("LedgerRowsRefused", done.get("refused", 0))
    edge.logger.info("ledger copied", extra={"records": len(records), **done})
    edge.flush()
    return {"batchItemFailures": []}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return copy(event["Records"]) if "Records" in event else edge.http(routes, event)
