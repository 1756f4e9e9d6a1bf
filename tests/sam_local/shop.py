"""What the containers find: a plan, templates, and files of a small shop whose people do what a model can learn."""

from __future__ import annotations

import hashlib
import json
import random
import time
from datetime import UTC, datetime, timedelta

from nudge import plan as plans
from nudge.adapters.clients import client
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.plans import publish
from nudge.adapters.s3 import S3Objects
from nudge.vocabulary import DAY, SECOND, Candidate, Decision, Message, Micros
from tests.acting import PLAN, TEMPLATES
from tests.stores import Stores

ALWAYS = "".join(line for line in PLAN.splitlines(keepends=True) if "quiet_hours" not in line)
"""The plan of `tests.acting` without quiet hours: these functions live by the real clock."""


def publish_plan(stack: Stores) -> None:
    """The plan and its templates, in force."""
    bucket = S3Objects(client("s3"), stack.physical("Lake"))
    publish(bucket, ALWAYS, plans.parse(ALWAYS))
    for name, template in TEMPLATES.items():
        bucket.put(f"templates/{name}.json", json.dumps(template).encode())


def a_waiting_message(
    stack: Stores,
    user: str,
    *,
    since: Micros = 60 * SECOND,
    activity: str = "discount_mail",
    channel: str = "email",
) -> str:
    """A decision for a message to the person (the discount mail), as `decide` leaves it in the Ledger; returns its id."""
    at = time.time_ns() // 1000 - since
    name = hashlib.sha256(f"{user}/{at}".encode()).hexdigest()[:32]
    decision = Decision(
        decision_id=name,
        user_id=user,
        decided_at=at,
        goal="purchase",
        chosen=activity,
        activity=activity,
        channel=channel,
        group="treatment",
        propensity=0.5,
        draw=0.25,
        probability=0.1,
        value=1.0,
        cost=0.05,
        candidates=(Candidate(activity, 0.1, 1.0, 0.5), Candidate("nothing", 0.05, 0.0, 0.5)),
        vector={},
        context={},
        reason="rules",
        policy="squarecb",
        plan_version="1",
        model_version=None,
        due_at=at,
    )
    message = Message(name, user, activity, "purchase", channel, "pending", at, changed_at=at)
    DynamoLedger(client("dynamodb"), stack.physical("Ledger")).record(
        decision, request_hash="h", answer={}, message=message, caps={}, budgets=(), expires_at=at + 90 * DAY
    )
    return name


def events_csv(people: int, days: int, *, seed: int = 7, prefix: str = "p") -> bytes:
    """Visits and purchases: who visits more buys more. Ends today, so that any window of the plan is in the past."""
    chance = random.Random(seed)
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = ["event_id,user_id,event_type,event_time,category,value,currency"]
    for person in range(people):
        eager = chance.random()
        for day in range(days):
            at = end - timedelta(days=days - day, seconds=-chance.randrange(80_000))
            if chance.random() < 0.1 + 0.4 * eager:
                lines.append(f"v{person}-{day},{prefix}{person},page_view,{at.isoformat()},shoes,,")
            if chance.random() < 0.12 * eager:
                lines.append(
                    f"b{person}-{day},{prefix}{person},purchase,{at.isoformat()},shoes,{20 + 30 * eager:.2f},EUR"
                )
    return "\n".join([*lines, ""]).encode()
