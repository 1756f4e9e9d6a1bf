"""All versions of the objects of one S3 bucket, as the port `Versions`. Apart from `s3`, which every door loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.s3 import GONE, translated
from nudge.errors import Unavailable
from nudge.traces import ObjectVersion

MOST_AT_ONCE = 1000


class S3Versions:
    """`Versions` over a bucket, `at_once` in one call; in a bucket without versioning, an object has one of the name `null`."""

    def __init__(self, s3: Any, bucket: str, *, at_once: int = MOST_AT_ONCE) -> None:
        self._at_once = at_once
        self._s3 = s3
        self._bucket = bucket

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        asked: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "MaxKeys": self._at_once}
        while True:
            try:
                page = self._s3.list_object_versions(**asked)
            except (ClientError, BotoCoreError) as error:
                raise translated(error, prefix) from error
            for one in page.get("Versions", []):
                yield ObjectVersion(one["Key"], one["VersionId"], one["ETag"].strip('"'), bool(one["IsLatest"]))
            if not page.get("IsTruncated"):
                return
            asked |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def expunge(self, versions: Sequence[ObjectVersion]) -> None:
        for some in batched(versions, self._at_once, strict=False):
            gone = {"Objects": [{"Key": one.key, "VersionId": one.version} for one in some], "Quiet": True}
            try:
                answer = self._s3.delete_objects(Bucket=self._bucket, Delete=gone)
            except (ClientError, BotoCoreError) as error:
                raise translated(error, "expunge") from error
            if failed := [one for one in answer.get("Errors", []) if one.get("Code") not in GONE]:
                raise Unavailable(f"{len(failed)} versions were not removed: {failed[0].get('Code')}")
