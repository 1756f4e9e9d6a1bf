"""A small world for the tests of decide, deliver and feedback: one plan, some people, stores in moto or in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto import mock_aws

from local import moto_account
from nudge import plan as plans
from nudge.adapters.clients import client
from nudge.vocabulary import SECOND, Consent, Micros, Plan, Profile

NOON: Micros = 1_795_000_000 * SECOND
"""2026-11-18T11:06:40Z, six past noon in Berlin: nobody's quiet hours."""

PLAN = """
currency: EUR
timezone: Europe/Berlin
goals:
  purchase: {event: purchase, within_days: 7, value: from_event, typical_value: 20}
  visit: {event: page_view, within_days: 3, value: 0.2}
activities:
  discount_mail: {goal: purchase, channel: email, template: discount, cost: 0.05, expected_lift: 0.5, holdout: 0}
  banner: {goal: purchase, channel: inline, template: banner, cost: 0, expected_lift: 0.1, holdout: 0}
  receipt: {goal: visit, channel: email, template: receipt, cost: 0, transactional: true}
policy:
  holdout: 0
  exploration: 1000000
  caps: {email: {per_day: 1, per_week: 3}}
  quiet_hours: {start: "21:00", until: "08:00"}
  budget_per_day: 100
channels:
  email:
    sender: "Sample Shop <news@shop.example>"
    reply_to: help@shop.example
    postal_address: "Sample Shop, 1 Market Street, 10115 Berlin"
"""

TEMPLATES = {
    "discount": {
        "subject": "10 % for you, {{ first_name }}",
        "text": "Hi {{ first_name }}, take 10 % off.",
        "html": "<html><body><p>Hi {{ first_name }}</p></body></html>",
    },
    "banner": {"text": "Hi {{ first_name }}", "html": "<b>Hi {{ first_name }}</b>"},
    "receipt": {"subject": "Your receipt", "text": "Thank you.", "html": "<p>Thank you.</p>"},
}

TOPIC = "arn:aws:sns:eu-central-1:123456789012:MailEvents"
ENVIRONMENT = {
    "LAKE_BUCKET": "lake",
    "PROFILES_TABLE": "profiles",
    "LEDGER_TABLE": "ledger",
    "CONFIGURATION_SET": "mails",
    "TEXT_CONFIGURATION_SET": "texts",
    "PUBLIC_URL": "https://nudge.example",
    "FEEDBACK_TOPIC_ARN": TOPIC,
    "TEXT_TOPIC_ARN": TOPIC.replace("Mail", "Text"),
    "PUSH_TOPIC_ARN": TOPIC.replace("Mail", "Push"),
}


def plan_data(**changes: Any) -> dict[str, Any]:
    """The plan's JSON form; `changes` replace entries of its policy."""
    data = plans.parse(PLAN)
    data["policy"] |= changes
    data["version"] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return data


def plan(**changes: Any) -> Plan:
    return plans.load(plan_data(**changes))


def person(user_id: str = "ana", *, consent: bool | None = True, **traits: Any) -> Profile:
    """Somebody with an address, a name and, unless told otherwise, a consent."""
    held = {"email": f"{user_id}@customer.example", "first_name": "Ana", **traits}
    consents = {} if consent is None else {"email": Consent(consent, 1, "form")}
    return Profile(user_id, traits={name: (value, 1) for name, value in held.items()}, consents=consents)


def put_person(profiles: Any, profile: Profile) -> None:
    """Store a person through the port: numbers first, flags beside them."""
    profiles.save([Profile(profile.user_id, state=profile.state, traits=profile.traits, seen=b"")])
    for channel, consent in profile.consents.items():
        profiles.consent(profile.user_id, channel, consent)
    for channel, suppression in profile.suppressions.items():
        profiles.suppress(profile.user_id, channel, suppression)


@dataclass(frozen=True)
class Aws:
    """The embedded AWS of one test."""

    s3: Any
    dynamodb: Any
    sqs: Any
    environment: Mapping[str, str]


def tables(dynamodb: Any) -> None:
    """`profiles` and `ledger`, shaped as in template.yaml."""
    key = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    texts = [{"AttributeName": "id", "AttributeType": "S"}]
    dynamodb.create_table(TableName="profiles", AttributeDefinitions=texts, **key)
    dynamodb.create_table(
        TableName="ledger",
        AttributeDefinitions=[
            *texts,
            {"AttributeName": "due_shard", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
            {"AttributeName": "user_id", "AttributeType": "S"},
            {"AttributeName": "decided_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "person",
                "KeySchema": [
                    {"AttributeName": "user_id", "KeyType": "HASH"},
                    {"AttributeName": "decided_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
        **key,
    )


@contextmanager
def aws() -> Iterator[Aws]:
    """Bucket, tables, queue and keys in moto, with the plan and the templates in place."""
    moto_account.install()
    with mock_aws():
        s3, dynamodb, sqs, kms = client("s3"), client("dynamodb"), client("sqs"), client("kms")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_object(Bucket="lake", Key="plan/plan.json", Body=json.dumps(plan_data()).encode())
        for name, template in TEMPLATES.items():
            s3.put_object(Bucket="lake", Key=f"templates/{name}.json", Body=json.dumps(template).encode())
        tables(dynamodb)
        url = sqs.create_queue(QueueName="deliver")["QueueUrl"]
        keys = [
            kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"] for _ in range(2)
        ]
        environment = {**ENVIRONMENT, "DELIVER_QUEUE_URL": url, "MODEL_KEY_ID": keys[0], "TOKEN_KEY_ID": keys[1]}
        yield Aws(s3, dynamodb, sqs, environment)
