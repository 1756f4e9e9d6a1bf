"""The world that faults are injected into: every store of the template, empty, on moto in this process."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import botocore.session
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.ses.models import ses_backends
from moto.sqs.models import sqs_backends

from local import moto_account
from nudge import plan
from nudge.adapters.plans import KEY as PLAN_KEY

REGION = "eu-central-1"
ACCOUNT = "123456789012"
NOW = 1_790_000_000_000_000  # 2026-09-21, a Monday, 14:13 UTC
DOORS = ("collect", "arrive", "prepare", "decide", "deliver", "feedback")
PLAN = """
currency: EUR
timezone: UTC
goals: {purchase: {event: purchase, within_days: 7, value: 30}}
activities:
  mail: {goal: purchase, channel: email, template: hello, cost: 0.01, expected_lift: 5, holdout: 0}
policy: {holdout: 0, exploration: 1000000, base_rate: 0.2, caps: {email: {per_day: 1}}}
channels: {email: {sender: "Shop <news@shop.example>", postal_address: "1 Market Street"}}
"""
TEMPLATE = {
    "subject": "Hello {{ first_name }}",
    "text": "Hello {{ first_name }}\n{{ unsubscribe_url }}\n{{ postal_address }}",
    "html": "<p>Hello {{ first_name }}</p><a href='{{ unsubscribe_url }}'>stop</a><p>{{ postal_address }}</p>",
}


@dataclass
class World:
    """Clients and names of an embedded AWS; `reset` makes it empty again."""

    clients: dict[str, Any] = field(default_factory=dict)
    moto: Any = None
    minute: int = 0

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = botocore.session.get_session().create_client(service, region_name=REGION)
        return self.clients[service]

    def reset(self) -> None:
        """Everything gone, the plan and a template in place. What costs time to make (keys, queues) is kept."""
        if self.moto is None:
            self._build()
        for bucket in s3_backends[ACCOUNT]["aws"].buckets.values():
            bucket.keys.clear()
        for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
            table.items.clear()
        for queue in sqs_backends[ACCOUNT][REGION].queues.values():
            queue._messages.clear()
        ses_backends[ACCOUNT][REGION].sent_messages.clear()
        self.put(PLAN_KEY, json.dumps(plan.parse(PLAN)).encode())
        self.put("templates/hello.json", json.dumps(TEMPLATE).encode())
        self.minute = 0

    def _build(self) -> None:
        moto_account.install()
        self.moto = mock_aws()
        self.moto.start()
        s3, sqs = self.client("s3"), self.client("sqs")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        for name in ("Profiles", "Ledger", "Arrivals"):
            self._table(name)
        topic = self.client("sns").create_topic(Name="feedback")["TopicArn"]
        keys = [
            self.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
            for _ in range(2)
        ]
        self.client("sesv2").create_email_identity(EmailIdentity="news@shop.example")
        os.environ.update(
            LAKE_BUCKET="lake",
            PROFILES_TABLE="Profiles",
            LEDGER_TABLE="Ledger",
            ARRIVALS_TABLE="Arrivals",
            CHUNKS_QUEUE_URL=sqs.create_queue(QueueName="chunks")["QueueUrl"],
            DELIVER_QUEUE_URL=sqs.create_queue(QueueName="deliver")["QueueUrl"],
            MODEL_KEY_ID=keys[0],
            TOKEN_KEY_ID=keys[1],
            CONFIGURATION_SET="nudge",
            TEXT_CONFIGURATION_SET="nudge-texts",
            PUBLIC_URL="https://api.shop.example",
            FEEDBACK_TOPIC_ARN=topic,
            TEXT_TOPIC_ARN=f"{topic}-texts",
            PUSH_TOPIC_ARN=f"{topic}-push",
        )

    def _table(self, name: str) -> None:
        extra: dict[str, Any] = {}
        attributes = [{"AttributeName": "id", "AttributeType": "S"}]
        if name == "Ledger":
            schema = [
                {"AttributeName": "due_shard", "KeyType": "HASH"},
                {"AttributeName": "due_at", "KeyType": "RANGE"},
            ]
            attributes += [
                {"AttributeName": "due_shard", "AttributeType": "S"},
                {"AttributeName": "due_at", "AttributeType": "N"},
            ]
            extra["GlobalSecondaryIndexes"] = [
                {"IndexName": "due", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
            ]
        self.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=attributes,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            **extra,
        )

    def put(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket="lake", Key=key, Body=body)

    def body(self, key: str) -> bytes:
        return bytes(self.client("s3").get_object(Bucket="lake", Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        return [
            one["Key"] for one in self.client("s3").list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
        ]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Items with their plain values."""
        items = self.client("dynamodb").scan(TableName=table)["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]

    def messages(self, variable: str) -> list[dict[str, Any]]:
        """Bodies that wait on a queue; they stay there."""
        sqs, url, found = self.client("sqs"), os.environ[variable], []
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
            found += [json.loads(one["Body"]) for one in got]
            for one in got:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        for body in found:
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
        return found

    def door(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a door as a new container would: nothing is warm."""
        module = import_module(f"functions.{name}.handler")
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
        self.minute += 5
        return module.handler(event, None)


def queue_event(*bodies: dict[str, Any], attempt: int = 0) -> dict[str, Any]:
    """What Lambda hands to a consumer of a queue."""
    records = [
        {
            "messageId": f"message-{number}",
            "receiptHandle": f"receipt-{number}-{attempt}",
            "body": json.dumps(body),
            "attributes": {"ApproximateReceiveCount": str(attempt + 1)},
            "eventSource": "aws:sqs",
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}
