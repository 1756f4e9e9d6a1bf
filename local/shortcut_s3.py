"""A shorter way to what lies in moto's S3, for what succeeds; whatever is out of the ordinary takes the long way.

In: GetObject, HeadObject, ListObjectsV2 and PutObject of this process. Out: the answer, or None: then moto answers as usual. Reads
have no effect, and a write whose condition does not hold has none yet, so nothing is lost by asking twice.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zlib import crc32

from botocore.response import StreamingBody
from moto.s3.models import FakeKey, s3_backends

KNOWN: Mapping[str, set[str]] = {
    "GetObject": {"Bucket", "Key", "VersionId", "IfMatch", "Range", "ChecksumMode"},
    "HeadObject": {"Bucket", "Key", "VersionId", "ChecksumMode"},
    "ListObjectsV2": {"Bucket", "Prefix", "ContinuationToken", "MaxKeys", "EncodingType"},
    "PutObject": {"Bucket", "Key", "Body", "ContentType", "IfMatch", "IfNoneMatch"},
}
LONGEST = 1024
"""Bytes of a key."""
type Told = Callable[[str, str, int, Mapping[str, Any]], None]
told: list[Told] = []
"""Who hears of each object that was put: bucket, key, size, answer."""


def answer(operation: str, given: Mapping[str, Any], account: str) -> dict[str, Any] | None:
    """The parsed answer, None when it is not a plain call."""
    if operation not in KNOWN or not set(given) <= KNOWN[operation]:
        return None
    backend = s3_backends[account]["aws"]
    if given["Bucket"] not in backend.buckets:
        return None
    if operation == "PutObject":
        return _put(backend, given)
    return _list(backend, given) if operation == "ListObjectsV2" else _object(backend, operation, given)


def _put(backend: Any, given: Mapping[str, Any]) -> dict[str, Any] | None:
    name, body, bucket = given["Key"], given.get("Body", b""), backend.buckets[given["Bucket"]]
    held = backend.get_object(bucket.name, name)
    wanted = given.get("IfMatch")
    fits = given.get("IfNoneMatch") in (None, "*" if held is None else None) and (
        wanted is None or (isinstance(held, FakeKey) and wanted.strip('"') == held.etag.strip('"'))
    )
    if type(body) is not bytes or not 0 < len(name.encode()) <= LONGEST or bucket.object_lock_enabled or not fits:
        return None
    checksum = b64encode(crc32(body).to_bytes(4)).decode()
    key = backend.put_object(bucket.name, name, body, storage="STANDARD", checksum_value=checksum)
    key.checksum_algorithm = "CRC32"
    key.set_metadata({"content-type": given.get("ContentType", "binary/octet-stream")})
    key.set_acl(bucket.acl)
    backend.put_object_tagging(key, None)
    found = {"ETag": key.etag, "ChecksumCRC32": checksum}
    if bucket.is_versioned:
        found["VersionId"] = key.version_id
    for one in told:
        one(bucket.name, name, len(body), found)
    return found


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
