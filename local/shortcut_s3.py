"""A shorter way to what lies in moto's S3, for reads that succeed; whatever is out of the ordinary takes the long way.

In: GetObject, HeadObject and ListObjectsV2 of this process. Out: the answer, or None: then moto answers as usual. Reads have
no effect, so nothing is lost by asking twice; writes and their conditions are always moto's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from botocore.response import StreamingBody
from moto.s3.models import FakeKey, s3_backends

KNOWN: Mapping[str, set[str]] = {
    "GetObject": {"Bucket", "Key", "VersionId", "IfMatch", "Range", "ChecksumMode"},
    "HeadObject": {"Bucket", "Key", "VersionId", "ChecksumMode"},
    "ListObjectsV2": {"Bucket", "Prefix", "ContinuationToken", "MaxKeys", "EncodingType"},
}


def answer(operation: str, given: Mapping[str, Any], account: str) -> dict[str, Any] | None:
    """The parsed answer of a read, None when it is not a plain one."""
    if operation not in KNOWN or not set(given) <= KNOWN[operation]:
        return None
    backend = s3_backends[account]["aws"]
    if given["Bucket"] not in backend.buckets:
        return None
    return _list(backend, given) if operation == "ListObjectsV2" else _object(backend, operation, given)


def _object(backend: Any, operation: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    key = backend.get_object(given["Bucket"], given["Key"], version_id=given.get("VersionId"))
    if not isinstance(key, FakeKey):
        return None
    if given.get("IfMatch") is not None and given["IfMatch"].strip('"') != key.etag.strip('"'):
        return None
    found: dict[str, Any] = {
        "ContentLength": key.size,
        "ETag": key.etag,
        "LastModified": _seconds(key.last_modified),
        "ContentType": key.metadata.get("content-type", "binary/octet-stream"),
        "Metadata": {},
    }
    if key.bucket_name and backend.buckets[given["Bucket"]].is_versioned:
        found["VersionId"] = key.version_id
    if operation == "HeadObject":
        return found
    body = key.value
    if "Range" in given:
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", given["Range"])
        if span is None or int(span[1]) >= len(body) or int(span[2]) < int(span[1]):
            return None
        first, last = int(span[1]), min(int(span[2]), len(body) - 1)
        found["ContentRange"] = f"bytes {first}-{last}/{len(body)}"
        body = body[first : last + 1]
    found["ContentLength"] = len(body)
    found["Body"] = StreamingBody(BytesIO(body), len(body))
    return found


def _list(backend: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    keys, is_truncated, token = backend.list_objects_v2(
        bucket=backend.get_bucket(given["Bucket"]),
        prefix=given.get("Prefix") or None,
        delimiter=None,
        continuation_token=given.get("ContinuationToken"),
        start_after=None,
        max_keys=int(given.get("MaxKeys", 1000)),
    )
    contents = [
        {"Key": key.name, "Size": key.size, "ETag": key.etag, "LastModified": _seconds(key.last_modified)}
        for key in keys
        if isinstance(key, FakeKey)
    ]
    page: dict[str, Any] = {"IsTruncated": bool(is_truncated), "KeyCount": len(contents), "Contents": contents}
    if token:
        page["NextContinuationToken"] = token
    return page


def _seconds(at: datetime) -> datetime:
    """S3 tells times in whole seconds."""
    return at.replace(microsecond=0, tzinfo=UTC)
