"""What became of our mails, texts and apps, and who answered STOP (SNS → queue); `GET /c/{token}`: who follows a link;
`GET`/`POST /u/{token}`: who wants no more."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from nudge import edge
from nudge.act import link, page
from nudge.act.notice import Told, opened
from nudge.adapters.clicks import DynamoClicks
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.reputation import DynamoReputation
from nudge.adapters.s3 import S3Objects
from nudge.errors import NotFound, Unavailable
from nudge.flows.click import Click
from nudge.flows.feedback import Feedback
from nudge.flows.unsubscribe import Unsubscribe
from nudge.http import Request, Routes
from nudge.settings import FeedbackSettings

routes = Routes()
type Rows = list[dict[str, Any]]
type Listener = Callable[[Told], Rows]
HTML = "text/html; charset=utf-8"


@cache
def flows() -> tuple[Feedback, Unsubscribe, Click]:
    """Who is who, built on first use and kept while warm."""
    here = FeedbackSettings.read()
    dynamodb = client("dynamodb")
    profiles = DynamoProfiles(dynamodb, here.profiles_table)
    ledger = DynamoLedger(dynamodb, here.ledger_table)
    inbox = S3Objects(client("s3"), here.lake_bucket)
    signer = KmsSigner(client("kms"), here.token_key_id)
    clicks = DynamoClicks(dynamodb, here.ledger_table)
    return (
        Feedback(profiles, ledger, inbox, clicks, DynamoReputation(dynamodb, here.ledger_table)),
        Unsubscribe(profiles, ledger, inbox, signer),
        Click(ledger, inbox, clicks, link.keys(signer.sign)),
    )


@cache
def listeners() -> dict[str, Listener]:
    """The topics we listen to, and what is done about what each tells. What only texts and apps need comes when one does."""
    here, feedback = FeedbackSettings.read(), flows()[0]

    def text(told: Told) -> Rows:
        from nudge.adapters.sent import DynamoSent
        from nudge.flows.text_feedback import TextFeedback

        sent = DynamoSent(client("dynamodb"), here.ledger_table)
        flow, now = TextFeedback(feedback.profiles, feedback.ledger, feedback.inbox, sent), edge.now()
        return flow.take(told.event, at=told.at or now, now=now)

    def push(told: Told) -> Rows:
        from nudge.flows.text_feedback import PushFeedback

        PushFeedback(feedback.profiles, feedback.inbox).take(told.event)
        return []

    return {
        here.feedback_topic_arn: lambda told: feedback.take(told.event, now=edge.now()),
        here.text_topic_arn: text,
        here.push_topic_arn: push,
    }


def hear(record: dict[str, Any]) -> Rows:
    told = opened(record["body"], listeners())
    return listeners()[told.topic_arn](told)


@routes.get("/c/{token}")
def follow(request: Request, token: str) -> dict[str, Any]:
    click = flows()[2]
    try:
        found = click.look(token, now=edge.now())
    except NotFound:
        return edge.answer(page.UNKNOWN, 404, content_type=HTML, headers=page.HEADERS)
    try:
        reason = click.note(found, agent=request.headers.get("user-agent", ""), now=edge.now())
        edge.count("MachineClicks" if reason else "Clicks")
    except Unavailable:
        edge.count("ClicksLost")  # the reader goes on all the same
    return edge.answer("", 302, content_type=HTML, headers={**page.HEADERS, "Location": found.target})


@routes.get("/u/{token}")
def show(_: Request, token: str) -> dict[str, Any]:
    return _page(page.ASK, lambda: flows()[1].look(token))


@routes.post("/u/{token}")
def unsubscribe(_: Request, token: str) -> dict[str, Any]:
    answer = _page(page.DONE, lambda: flows()[1](token, now=edge.now()))
    edge.count("Unsubscribes", answer["statusCode"] == 200)
    return answer


def _page(text: str, act: Callable[[], object]) -> dict[str, Any]:
    try:
        act()
    except NotFound:
        return edge.answer(page.UNKNOWN, 404, content_type=HTML, headers=page.HEADERS)
    return edge.answer(text, content_type=HTML, headers=page.HEADERS)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "Records" not in event:
        return edge.http(routes, event)
    feedback, rows = flows()[0], list[dict[str, Any]]()
    answer = edge.batch(event, lambda one: rows.extend(hear(one)))
    feedback.keep(rows)  # when this fails, all of the batch comes again, and changes nothing that is done already
    verdict = _watched(feedback)
    edge.logger.info(
        "feedback", extra={"rows": len(rows), "reputation": verdict, "failed": len(answer["batchItemFailures"])}
    )
    return answer


def _watched(feedback: Feedback) -> str:
    """How our reputation stands after this batch; when it cannot be read, the next batch looks again."""
    try:
        verdict: str = feedback.watch(now=edge.now())
    except Unavailable:
        verdict = "unknown"
    edge.count(f"Reputation{verdict.title()}")
    edge.flush()
    return verdict
