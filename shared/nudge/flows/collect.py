"""What comes over HTTP, and what the Ledger's stream tells, becomes files in the inbox, where the one road begins.

`Collect`: messages of the Segment spec come in; one JSON Lines object a call and kind, and a result for each message, go
out. `CopyLedger`: records of the stream come in; rows of decisions and outcomes go out. Objects are named by what came in,
not by when, and written only if they are not there: a request or a batch of records that comes again writes nothing new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nudge.collect import ledger, segment
from nudge.errors import BadInput, Conflict, NotFound, Unavailable
from nudge.ports import Objects
from nudge.vocabulary import SECOND, Kind, Micros

_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Collect:
    """Takes messages into `inbox/<kind>/<source>/<yyyy>/<mm>/<dd>/`."""

    inbox: Objects

    def __call__(self, items: Sequence[Any], *, received_at: Micros, source: str) -> list[dict[str, Any]]:
        """A result for each message, in order: `{"messageId", "status": "accepted"}`, or `"rejected"` with `reason`, `field`.

        Accepted means written. Raises Unavailable: then nothing is promised, and the same request may be sent again.
        """
        results: list[dict[str, Any]] = []
        rows: dict[Kind, list[tuple[Any, dict[str, Any]]]] = {}
        for item in items:
            said = item.get("messageId") if isinstance(item, dict) else None
            result: dict[str, Any] = {"messageId": said if isinstance(said, str | int) else None}
            try:
                kind, row = segment.row_of(item, received_at=received_at)
                rows.setdefault(kind, []).append((item, row))
                results.append(result | {"status": "accepted"})
            except BadInput as wrong:
                results.append(result | {"status": "rejected", "reason": wrong.reason, "field": wrong.where})
        for kind, taken in rows.items():
            named = _lines(item for item, _ in taken)
            _write(self.inbox, kind, source, received_at, named, _lines(row for _, row in taken))
        return results


@dataclass(frozen=True, slots=True)
class CopyLedger:
    """Copies what the Ledger decided and how its messages ended into `inbox/decisions/` and `inbox/outcomes/`."""

    inbox: Objects

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Rows written by kind, and under `refused` the records that are none of the Ledger's.

        `records` is a batch of DynamoDB's stream, with new and old images. Raises Unavailable: the batch must come again.
        """
        rows: dict[Kind, list[dict[str, Any]]] = {}
        done: dict[str, int] = {}
        for record in records:
            try:
                for kind, row in ledger.rows_of(record):
                    rows.setdefault(kind, []).append(row)
            except BadInput:
                done["refused"] = done.get("refused", 0) + 1
        numbers = "\n".join(str(record["dynamodb"]["SequenceNumber"]) for record in records)
        at = int(records[0]["dynamodb"].get("ApproximateCreationDateTime", 0)) * SECOND if records else 0
        for kind, taken in rows.items():
            _write(self.inbox, kind, "ledger", at, numbers.encode(), _lines(taken))
            done[kind] = len(taken)
        return done


def _lines(rows: Any) -> bytes:
    """JSON Lines, each line the same for the same row."""
    texts = (
        json.dumps(row, allow_nan=False, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for row in rows
    )
    return "".join(f"{text}\n" for text in texts).encode("utf-8", "replace")


def _write(inbox: Objects, kind: Kind, source: str, at: Micros, named: bytes, body: bytes) -> None:
    """Write under the name of `named` unless it is there. A conflict may also be a race that S3 wants tried again."""
    day = ledger.iso(at)[:10].replace("-", "/")
    key = f"inbox/{kind}/{source}/{day}/{hashlib.sha256(named).hexdigest()[:32]}.jsonl"
    for _ in range(_ATTEMPTS):
        try:
            inbox.put(key, body, new=True, content_type="application/x-ndjson")
            return
        except Conflict:
            continue
        except NotFound:
            raise Unavailable("the inbox is not there") from None
