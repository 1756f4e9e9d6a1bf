"""What did not load, and how much did: rejects into quarantine chunk by chunk, a report when an object is finished.

Rejects and counts come in; `quarantine/<kind>/<content>/<chunk>.jsonl` and `reports/quality/<content>.json` go out. Both are
a function of what came in alone, so a repetition writes the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from nudge.errors import Conflict
from nudge.ports import Arrival, Objects
from nudge.vocabulary import Chunk, Reject


@dataclass(frozen=True, slots=True)
class Quality:
    """Keeps rejects with their reasons, and says what share of an object loaded."""

    objects: Objects

    def set_aside(self, chunk: Chunk, rejects: Sequence[Reject]) -> None:
        """Keep the rejects of a chunk, a JSON line each; none leave no file."""
        if not rejects:
            return
        body = b"".join(map(_line, rejects))
        try:
            self.objects.put(_quarantine(chunk.kind, chunk.content) + f"{chunk.number:05d}.jsonl", body, new=True)
        except Conflict:  # the same rows, from an attempt before
            return

    def report(self, arrival: Arrival | None) -> None:
        """Write the report of an object whose chunks are all done: counts, reasons, share loaded."""
        if arrival is None or not arrival.planned or arrival.done < arrival.planned:
            return
        counts, reasons = arrival.counts, Counter[str]()
        for held in self.objects.list(_quarantine(arrival.kind, arrival.content)):
            reasons.update(json.loads(line)["reason"] for line in self.objects.get(held.key).splitlines())
        loaded = counts.accepted + counts.duplicate
        report = {
            "content": arrival.content,
            "key": arrival.key,
            "kind": arrival.kind,
            **counts._asdict(),
            "share_loaded": round(loaded / counts.read, 6) if counts.read else None,
            "reasons": dict(sorted(reasons.items())),
        }
        body = json.dumps(report, ensure_ascii=False, indent=1).encode()
        self.objects.put(f"reports/quality/{arrival.content}.json", body, content_type="application/json")


def _line(reject: Reject) -> bytes:
    told = reject._asdict()
    try:
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # half a surrogate pair is no text: it is kept in words
        return json.dumps(told, ensure_ascii=False, sort_keys=True).encode("utf-8", "backslashreplace") + b"\n"


def _quarantine(kind: str, content: str) -> str:
    return f"quarantine/{kind}/{content}/"
