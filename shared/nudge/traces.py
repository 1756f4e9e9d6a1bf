"""What the erasure of a person needs of the world, beside `ports`: every version of an object, every row of the Ledger.

Apart from `ports`, because every door reads those when it starts, and none of them erases. Errors mean the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, Protocol

UNVERSIONED = "null"
"""The version of what was written while a bucket kept none: while it keeps none, whatever replaces an object is of this version too."""


class ObjectVersion(NamedTuple):
    """One version of an object that holds bytes; `live` says whether it is what a reader finds."""

    key: str
    version: str
    etag: str
    live: bool


class Versions(Protocol):
    """What a bucket keeps, overwritten and deleted objects too."""

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Every version under the prefix, by key."""

    def expunge(self, versions: Sequence[ObjectVersion]) -> None:
        """Remove these versions for good; an absent one is no error."""


class Trace(NamedTuple):
    """A row of the Ledger that is somebody's: its key and kind (`message`, `clicks` …), by whom or which decision it is theirs."""

    id: str
    kind: str
    user_id: str | None
    decision_id: str | None
    state: str | None = None


class Traces(Protocol):
    """What the Ledger holds of people, in whichever row."""

    def decisions_of(self, user_id: str) -> Iterator[str]:
        """Ids of what was decided for somebody, by the index: one made a moment ago may be missing."""

    def of(self, user_ids: Collection[str], decisions: Collection[str]) -> list[Trace]:
        """The rows of these people and of these decisions, in one pass over all rows, strongly consistent."""

    def drop(self, traces: Sequence[Trace]) -> None:
        """Remove rows, messages first, so that nothing more is sent, and decisions last; that an address was reached on an occasion
        stays, without whose it was. An absent row is no error."""
