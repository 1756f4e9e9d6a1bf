"""One S3 bucket as the port `Objects`. Knows S3's error names and turns them into ours, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.errors import Conflict, NotFound, Unavailable
from nudge.ports import ObjectInfo

GONE = {"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "NotFound", "MethodNotAllowed", "405"}
LOST_RACE = {"PreconditionFailed", "412"}
UNDECIDED = {"ConditionalRequestConflict", "409"}
"""Someone writes the same key at this moment, and S3 has not judged our condition: ask again. Not a lost race: there may be nothing."""
TRIES = 4


def translated(error: Exception, what: str) -> Exception:
    """Our error for one of botocore's."""
    if isinstance(error, ClientError):
        if code(error) in GONE:
            return NotFound(f"{what} is not there")
        if code(error) in LOST_RACE:
            return Conflict(f"{what} was written by someone else first")
        return Unavailable(f"{what}: S3 answered {code(error)}")
    return Unavailable(f"{what}: S3 did not answer ({type(error).__name__})")


class S3Objects:
    """`Objects` over a bucket. Every write is one request; a lost answer of a conditional write is settled by the caller,
    who finds its own bytes there."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self.name = bucket

    def head(self, key: str, *, version: str | None = None) -> ObjectInfo:
        try:
            found = self._s3.head_object(Bucket=self.name, Key=key, **({"VersionId": version} if version else {}))
        except (ClientError, BotoCoreError) as error:
            raise translated(error, key) from error
        return ObjectInfo(
            key=key,
            size=found["ContentLength"],
            etag=found["ETag"].strip('"'),
            version=found.get("VersionId"),
            modified_at=round(found["LastModified"].timestamp() * 1_000_000),
        )

    def get(
        self, key: str, *, span: tuple[int, int] | None = None, version: str | None = None, etag: str | None = None
    ) -> bytes:
        try:
            return bytes(self._open(key, span, version, etag)["Body"].read())
        except (ClientError, BotoCoreError) as error:
            raise translated(error, key) from error

    def read(self, key: str) -> tuple[bytes, str]:
        try:
            found = self._open(key, None, None, None)
            return bytes(found["Body"].read()), found["ETag"].strip('"')
        except (ClientError, BotoCoreError) as error:
            raise translated(error, key) from error

    def stream(
        self, key: str, *, version: str | None = None, etag: str | None = None, block: int = 8 << 20
    ) -> Iterator[bytes]:
        try:
            yield from self._open(key, None, version, etag)["Body"].iter_chunks(block)
        except (ClientError, BotoCoreError) as error:
            raise translated(error, key) from error

    def _open(self, key: str, span: tuple[int, int] | None, version: str | None, etag: str | None) -> Any:
        asked: dict[str, Any] = {"Bucket": self.name, "Key": key}
        if span is not None:
            asked["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        if version:
            asked["VersionId"] = version
        if etag:
            asked["IfMatch"] = etag
        return self._s3.get_object(**asked)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        new: bool = False,
        etag: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        condition = {"IfNoneMatch": "*"} if new else {"IfMatch": etag} if etag else {}
        asked = {"Bucket": self.name, "Key": key, "Body": body, "ContentType": content_type, **condition}
        for left in reversed(range(TRIES)):
            try:
                return str(self._s3.put_object(**asked)["ETag"].strip('"'))
            except ClientError as error:
                if code(error) not in UNDECIDED or not left:
                    raise translated(error, key) from error
            except BotoCoreError as error:
                raise translated(error, key) from error
        raise Unavailable(f"{key}: S3 did not decide")

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        asked: dict[str, Any] = {"Bucket": self.name, "Prefix": prefix}
        while True:
            try:
                page = self._s3.list_objects_v2(**asked)
            except (ClientError, BotoCoreError) as error:
                raise translated(error, prefix) from error
            for one in page.get("Contents", []):
                modified = round(one["LastModified"].timestamp() * 1_000_000)
                yield ObjectInfo(one["Key"], one["Size"], one["ETag"].strip('"'), None, modified)
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), 1000):
            gone = {"Objects": [{"Key": key} for key in keys[start : start + 1000]], "Quiet": True}
            try:
                answer = self._s3.delete_objects(Bucket=self.name, Delete=gone)
            except (ClientError, BotoCoreError) as error:
                raise translated(error, "delete") from error
            if failed := answer.get("Errors"):
                raise Unavailable(f"{len(failed)} of {len(keys)} objects were not deleted: {failed[0].get('Code')}")
