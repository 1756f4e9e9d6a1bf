"""The lake over any bucket: `lake/<kind>/dt=YYYY-MM-DD/<label><hash>.parquet`, parts named by what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from nudge.errors import Conflict, NotFound, Unavailable
from nudge.ports import ObjectInfo, Objects
from nudge.vocabulary import Kind


class ObjectsLake:
    """`Lake` over `Objects`, so it serves S3, memory and whatever else keeps that port."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, kind: Kind, day: str, body: bytes, *, label: str = "") -> str:
        key = f"lake/{kind}/dt={day}/{label}{sha256(body).hexdigest()[:32]}.parquet"
        try:
            self._objects.put(key, body, new=True, content_type="application/vnd.apache.parquet")
        except Conflict:  # these very bytes are there, unless someone is writing them just now and may yet fail
            try:
                self._objects.head(key)
            except NotFound:
                raise Unavailable(f"{key} is being written by someone else") from None
        return key

    def parts(self, kind: Kind, *, since: str | None = None, until: str | None = None) -> list[ObjectInfo]:
        found = self._objects.list(f"lake/{kind}/")
        return [one for one in found if (since or "") <= day_of(one.key) and (until is None or day_of(one.key) < until)]

    def get(self, key: str) -> bytes:
        return self._objects.get(key)

    def drop(self, keys: Sequence[str]) -> None:
        self._objects.delete(keys)


def day_of(key: str) -> str:
    """The day of a part: `2026-01-31` of `lake/events/dt=2026-01-31/….parquet`."""
    return key.split("/")[2].removeprefix("dt=")
