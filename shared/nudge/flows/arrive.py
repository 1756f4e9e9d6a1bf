"""A notification becomes chunk tasks. One body of the arrivals queue comes in; tasks leave on the `chunks` queue.

The story of one object: is it ours, is it known, is it still there, what is it and where may it be cut, claim it, send its
tasks, note that they are sent. Every step may be repeated, and the function may die between any two: a claim whose tasks
were not noted as sent is cut and sent again, in the same words, and `prepare` does a chunk once. What cannot become tasks
ends as `missing`, `superseded`, `empty` or `refused`, with a reason, and does not come again. Knows no AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from typing import Any

from nudge.collect import formats
from nudge.collect.notification import Notice, content_id, notices
from nudge.errors import BadInput, Conflict, NotFound
from nudge.flows.chunking import Chunking
from nudge.flows.tasks import to_task
from nudge.ports import Arrivals, ObjectInfo, Objects, Queue
from nudge.vocabulary import Kind, Micros


@dataclass(frozen=True, slots=True)
class Arrive:
    """From a notification to chunk tasks. `bucket` is the only one whose objects are looked at."""

    inbox: Objects
    arrivals: Arrivals
    queue: Queue
    bucket: str
    chunk_bytes: int = 32 << 20

    def __call__(self, notification: Mapping[str, Any], *, owner: str, now: Micros) -> dict[str, str]:
        """What became of each object: content id → `queued`, `known` (done before), or how it ended; empty for test events.

        `owner` names this attempt. Raises BadInput (`bad_notification`), and Unavailable: then it must come again.
        """
        return dict(self._arrived(notice, owner, now) for notice in notices(notification))

    def _arrived(self, notice: Notice, owner: str, now: Micros) -> tuple[str, str]:
        if notice.version is None and notice.etag is None and notice.bucket == self.bucket:
            notice = self._of_what_lies_there(notice)
        content = content_id(notice.bucket, notice.key, notice.version, notice.etag)
        kind: Kind = "events"  # of an object that is refused before its kind is known
        try:
            if notice.bucket != self.bucket:
                raise _Ended("refused", "foreign_bucket: the object lies in a bucket that is not ours")
            kind = formats.kind_of_key(notice.key) or kind
            held = self.arrivals.get(content)
            if held is not None and held.state != "claimed":
                return content, "known"
            found = self._find(notice)
            if found is None and notice.spare_key is not None:
                return self._arrived(replace(notice, key=notice.spare_key, spare_key=None), owner, now)
            self._queue(content, _readable(found, notice, self._is_newest(notice)), owner, now)
            return content, "queued"
        except _Ended as ended:
            state, detail = ended.state, str(ended)
        except BadInput as wrong:
            state, detail = "refused", f"{wrong.reason}: {wrong}"
        except (NotFound, Conflict):
            state, detail = "missing", "the object went away while it was read"
        bucket, key = notice.bucket, notice.key
        self.arrivals.close(content, bucket=bucket, key=key, kind=kind, state=state, detail=detail, now=now)
        return content, state

    def _queue(self, content: str, found: ObjectInfo, owner: str, now: Micros) -> None:
        """Cut, claim, send, note. A claim that another attempt has already noted needs no second sending."""
        chunks = Chunking(self.inbox, self.chunk_bytes)(content, found)
        if not chunks:
            raise _Ended("empty", "there are no rows")
        key, kind = found.key, chunks[0].kind
        claimed = self.arrivals.claim(
            content, bucket=self.bucket, key=key, kind=kind, chunks=len(chunks), owner=owner, now=now
        )
        if claimed:
            self.queue.send([to_task(chunk) for chunk in chunks])
            self.arrivals.queued(content)

    def _find(self, notice: Notice) -> ObjectInfo | None:
        try:
            return self.inbox.head(notice.key, version=notice.version)
        except NotFound:
            return None

    def _of_what_lies_there(self, notice: Notice) -> Notice:
        """A notice that does not say which version it means (made by hand) means the one that lies there now."""
        found = self._find(notice)
        return notice if found is None else replace(notice, version=found.version, etag=found.etag)

    def _is_newest(self, notice: Notice) -> bool:
        return self.arrivals.newest(notice.bucket, notice.key, notice.sequencer)


def _readable(found: ObjectInfo | None, notice: Notice, newest: bool) -> ObjectInfo:
    """The object, if it is there, is the one the notice means, and has something in it."""
    if found is None:
        raise _Ended("missing" if newest else "superseded", "the object is not there any more")
    if notice.etag is not None and found.etag != notice.etag:
        raise _Ended("superseded", "the object was overwritten, and its bucket keeps no versions")
    if found.size == 0:
        raise _Ended("empty", "the object has no bytes")
    return found


class _Ended(Exception):
    """The object needs no tasks; `state` says how it ended."""

    def __init__(self, state: str, detail: str) -> None:
        super().__init__(detail)
        self.state = state
