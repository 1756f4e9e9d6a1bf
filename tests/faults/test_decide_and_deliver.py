"""Whatever happens at any AWS call: one decision a key, at most one mail, and every doubt is visible (P5, P15; B9, B10)."""

from __future__ import annotations

import json
from collections import Counter

from explorer import Worker, explore
from moto.ses.models import ses_backends
from world import ACCOUNT, NOW, REGION, World, queue_event

from nudge.adapters.profiles import DynamoProfiles
from nudge.vocabulary import Consent, Profile

VISIBLE = {"sent", "sending"}
"""Where a message may rest: sent, or not known to be (which the sweep reports as unknown after an hour)."""


def ann_may_be_written_to(world: World) -> None:
    world.reset()
    profiles = DynamoProfiles(world.client("dynamodb"), "Profiles")
    traits = {"email": ("ann@example.com", NOW), "first_name": ("Ann", NOW)}
    profiles.save([Profile("ann", traits=traits)])
    profiles.consent("ann", "email", Consent(True, NOW, "form"))


def ask(key: str = "k1", user_id: str = "ann") -> dict[str, object]:
    return {
        "version": "2.0",
        "routeKey": "POST /v1/decisions",
        "rawPath": "/v1/decisions",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "idempotency-key": key},
        "requestContext": {"http": {"method": "POST", "path": "/v1/decisions"}, "stage": "$default", "requestId": "r"},
        "body": json.dumps({"user_id": user_id, "goal": "purchase"}),
        "isBase64Encoded": False,
    }


def test_one_key_is_one_decision_with_one_answer_whatever_happens(world: World) -> None:
    answers: list[str] = []

    def set_up() -> None:
        answers.clear()
        ann_may_be_written_to(world)

    def deliver(attempt: int) -> bool:
        answer = world.door("decide", ask())
        if answer["statusCode"] == 200:
            answers.append(answer["body"])
        return bool(answer["statusCode"] == 200)

    def violated() -> str | None:
        rows = Counter(row["id"].split("#")[0] for row in world.rows("Ledger"))
        counters = [
            float(row.get("n", row.get("count", -1))) for row in world.rows("Ledger") if row["id"].startswith("count#")
        ]
        if rows["decision"] != 1 or rows["message"] != 1 or any(number != 1 for number in counters):
            return f"rows {dict(rows)}, counters {counters}"
        return None if len(set(answers)) == 1 else f"{len(set(answers))} different answers"

    cases, violations = explore(Worker("decide", set_up, deliver, violated))
    assert cases >= 6 * 4
    assert violations == []


def mails() -> int:
    return len(ses_backends[ACCOUNT][REGION].sent_messages)


def test_nobody_is_mailed_twice_and_no_mail_is_lost_in_silence_whatever_happens(world: World) -> None:
    tasks: list[dict[str, object]] = []
    unsure: Counter[str] = Counter()

    def set_up() -> None:
        ann_may_be_written_to(world)
        assert world.door("decide", ask())["statusCode"] == 200
        tasks[:] = world.messages("DELIVER_QUEUE_URL")

    def violated() -> str | None:
        states = [row["state"] for row in world.rows("Ledger") if row["id"].startswith("message#")]
        if mails() > 1:
            return f"{mails()} mails"
        if len(states) != 1 or states[0] not in VISIBLE or (states[0] == "sent" and mails() != 1):
            return f"state {states} with {mails()} mails"
        unsure["known" if states[0] == "sent" else f"unsure, {mails()} sent"] += 1
        return None

    cases, violations = explore(
        Worker(
            "deliver",
            set_up,
            lambda attempt: (
                not world.door("deliver", queue_event(*tasks, attempt=attempt))["batchItemFailures"]
                and not waiting(world)
            ),
            violated,
        )
    )
    assert cases >= 6 * 6
    assert violations == []
    assert unsure["unsure, 1 sent"] > 0, "no fault left a doubt: the explorer does not bite"


def waiting(world: World) -> bool:
    return any(row.get("state") in ("pending", "held") for row in world.rows("Ledger"))
