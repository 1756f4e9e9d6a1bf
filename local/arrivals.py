"""S3's part: what is put under a prefix that the template watches is told to its queue.

In: every successful PutObject of this process, seen by a botocore hook or told by the shortcut. Out: a notification as S3
writes it, with what moto's own lacks: `sequencer`, `versionId`, and the key encoded as S3 encodes it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from local import shortcut_s3
from local.aws import ACCOUNT, REGION
from local.clock import Clock, moment
from local.deployment import Notification
from nudge.adapters import clients

PUT = "s3.PutObject"


class ObjectEvents:
    """Watches puts while it is installed."""

    def __init__(self, watched: Sequence[tuple[Notification, str]], clock: Clock) -> None:
        """`watched`: each notification of the template with the URL of its queue."""
        self._watched = watched
        self._clock = clock
        self._sequence = itertools.count(1)
        self._sqs = clients.client("sqs")

    def install(self) -> None:
        """From now on clients see to it; those made before do not."""
        session = clients._session()
        session.register(f"provide-client-params.{PUT}", self._remember, unique_id="local-remember")
        session.register(f"after-call.{PUT}", self._answered, unique_id="local-tell")
        shortcut_s3.told.append(self._tell)

    def remove(self) -> None:
        session = clients._session()
        session.unregister(f"provide-client-params.{PUT}", unique_id="local-remember")
        session.unregister(f"after-call.{PUT}", unique_id="local-tell")
        shortcut_s3.told.remove(self._tell)

    def _remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        body = params.get("Body", b"")
        size = len(body) if isinstance(body, bytes | bytearray | memoryview) else 0
        context["local_put"] = (params["Bucket"], params["Key"], size)

    def _answered(self, http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        put = context.get("local_put")
        if put is not None and http_response.status_code < 300:
            self._tell(*put, parsed)

    def _tell(self, bucket: str, key: str, size: int, parsed: Mapping[str, Any]) -> None:
        for notification, url in self._watched:
            fits = key.startswith(notification.prefix) and key.endswith(notification.suffix)
            if notification.bucket == bucket and fits:
                record = self.record(bucket, key, size, parsed.get("ETag", ""), parsed.get("VersionId"))
                self._sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))

    def record(self, bucket: str, key: str, size: int, etag: str, version: str | None) -> dict[str, Any]:
        """One record of an S3 notification; sequencers only rise."""
        thing: dict[str, Any] = {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag.strip('"')}
        if version and version != "null":
            thing["versionId"] = version
        thing["sequencer"] = f"{self._clock.now():016X}{next(self._sequence):08X}"
        return {
            "eventVersion": "2.6",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventTime": moment(self._clock.now()).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "AWS:LOCAL"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": "LOCAL", "x-amz-id-2": "local"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "local",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": ACCOUNT},
                    "arn": f"arn:aws:s3:::{bucket}",
                },
                "object": thing,
            },
        }
