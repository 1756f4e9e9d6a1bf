"""What S3 tells us, in whichever envelope. A JSON body comes in; notices with decoded keys go out.

Knows the shapes: S3's own (`Records`), EventBridge's ("Object Created"), either of them wrapped in SNS once or twice, and
the test event S3 sends when a notification is set up. S3 writes keys URL-encoded: they are decoded here, once, and
nowhere else. For EventBridge the documents do not say: the key is taken literally and `spare_key` is the decoded one.
Fields are taken by name, never by `eventVersion`, which rises. Knows no store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from nudge.collect.formats import INBOX
from nudge.errors import BadInput

DEEPEST_ENVELOPE: Final = 3


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of one object was created. `version` is None in a bucket without versions; `etag` has no quotes."""

    bucket: str
    key: str
    version: str | None
    etag: str | None
    sequencer: str | None
    spare_key: str | None = None


def notices(body: Mapping[str, Any]) -> list[Notice]:
    """Every created object a body tells of, in its order; empty for test events and for removals.

    Raises
    ------
    BadInput
        `bad_notification` when it is none of the known shapes.
    """
    return list(_unwrap(body, 0))


def content_id(bucket: str, key: str, version: str | None, etag: str | None) -> str:
    """The name of one version of one object: 32 hex digits of SHA-256 over bucket, key and version (else ETag)."""
    named = "\n".join((bucket, key, f"version {version}" if version else f"etag {etag}"))
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _unwrap(body: Any, depth: int) -> Iterator[Notice]:
    if not isinstance(body, Mapping) or depth > DEEPEST_ENVELOPE:
        raise _bad()
    if body.get("Event") == "s3:TestEvent":
        return
    if isinstance(body.get("Message"), str) and "TopicArn" in body:
        yield from _unwrap(_parsed(body["Message"]), depth + 1)
    elif isinstance(body.get("Records"), list):
        for record in body["Records"]:
            yield from _record(record, depth)
    elif body.get("source") == "aws.s3":
        yield from _event_bridge(body)
    else:
        raise _bad()


def _record(record: Any, depth: int) -> Iterator[Notice]:
    if not isinstance(record, Mapping):
        raise _bad()
    if isinstance(sns := record.get("Sns"), Mapping):
        yield from _unwrap(_parsed(sns.get("Message")), depth + 1)
        return
    if not str(record.get("eventName", "")).removeprefix("s3:").startswith("ObjectCreated:"):
        return
    try:
        bucket, entry = record["s3"]["bucket"]["name"], record["s3"]["object"]
        key = unquote_plus(entry["key"], errors="strict")
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError):
        raise _bad() from None
    yield _notice(bucket, key, entry.get("versionId"), entry.get("eTag"), entry.get("sequencer"))


def _event_bridge(body: Mapping[str, Any]) -> Iterator[Notice]:
    if body.get("detail-type") != "Object Created":
        return
    try:
        bucket, entry = body["detail"]["bucket"]["name"], body["detail"]["object"]
        key = str(entry["key"])
    except (KeyError, TypeError):
        raise _bad() from None
    decoded = unquote_plus(key)
    if not key.startswith(INBOX) and decoded.startswith(INBOX):
        key = decoded
    spare = decoded if decoded != key else None
    yield _notice(bucket, key, entry.get("version-id"), entry.get("etag"), entry.get("sequencer"), spare)


def _notice(bucket: str, key: str, version: Any, etag: Any, sequencer: Any, spare: str | None = None) -> Notice:
    named = str(version) if version and version != "null" else None
    return Notice(
        bucket, key, named, str(etag).strip('"') if etag else None, str(sequencer) if sequencer else None, spare
    )


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise _bad() from None


def _bad() -> BadInput:
    return BadInput("this is no notification of S3, EventBridge or SNS", reason="bad_notification")
