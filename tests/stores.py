"""Looking into the stores of an embedded AWS, and the events that its services would have sent."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

from local.aws import EmbeddedAws
from local.build import ROOT
from nudge.adapters.clients import client


class Stores:
    """The bucket, tables and queues of the template, by their logical ids."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        versions = aws.template.properties("Lake")["VersioningConfiguration"]  # moto's CloudFormation leaves it out
        client("s3").put_bucket_versioning(Bucket=self.physical("Lake"), VersioningConfiguration=versions)

    def physical(self, logical: str) -> str:
        """Bucket name, table name or queue URL of a resource of the template."""
        return self.aws.template.physical[logical]

    def upload(self, key: str, body: bytes) -> dict[str, Any]:
        """Put an object into the lake; returns `events/arrive.put.json` as S3 would have sent it for this object."""
        client("s3").put_object(Bucket=self.physical("Lake"), Key=key, Body=body)
        return self.told(key)

    def told(self, key: str) -> dict[str, Any]:
        """`events/arrive.put.json` as S3 would have sent it for an object that lies there."""
        bucket = self.physical("Lake")
        made = client("s3").head_object(Bucket=bucket, Key=key)
        event = event_file("arrive.put")
        told = json.loads(event["Records"][0]["body"])
        told["Records"][0]["s3"]["bucket"] |= {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}
        told["Records"][0]["s3"]["object"] |= {
            "key": quote_plus(key, safe="/"),
            "size": made["ContentLength"],
            "eTag": made["ETag"].strip('"'),
            "versionId": made["VersionId"],
        }
        event["Records"][0]["body"] = json.dumps(told)
        return event

    def keys(self, prefix: str) -> list[str]:
        """What lies under a prefix of the lake."""
        found = client("s3").list_objects_v2(Bucket=self.physical("Lake"), Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return bytes(client("s3").get_object(Bucket=self.physical("Lake"), Key=key)["Body"].read())

    def rows(self, table: str, prefix: str = "") -> list[dict[str, Any]]:
        """The rows of a table whose id starts with the prefix, as DynamoDB types them."""
        items = client("dynamodb").scan(TableName=self.physical(table))["Items"]
        return [item for item in items if item["id"]["S"].startswith(prefix)]

    def take(self, queue: str) -> list[Any]:
        """The bodies of all messages that wait on a queue; they are gone afterwards."""
        url, sqs, bodies = self.physical(queue), client("sqs"), []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for one in found:
                bodies.append(json.loads(one["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return bodies


def event_file(name: str) -> dict[str, Any]:
    """One of the files in `events/`."""
    return dict(json.loads((ROOT / "events" / f"{name}.json").read_text()))


def queue_event(name: str, *bodies: Any) -> dict[str, Any]:
    """A file of `events/` that is an SQS batch, with these bodies in place of its own."""
    record = event_file(name)["Records"][0]
    numbered = enumerate(bodies)
    return {"Records": [record | {"messageId": f"message-{n}", "body": json.dumps(body)} for n, body in numbered]}
