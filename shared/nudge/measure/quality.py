"""What arrived, what was rejected and which models are in force come in; the sections of the report about them go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from nudge.vocabulary import KINDS, Counts

TOP_REASONS = 5
MOST_PIECES = 50


def data_quality(
    arrived: Iterable[tuple[str, str, Counts]], reasons: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """Rows by kind and objects by state.

    `arrived` is (kind, state, counts) of every content; `reasons` is kind → reject reason → rows. A kind whose counts do not
    add up (`read = accepted + rejected + duplicate`) is said to be off, never hidden.
    """
    rows: dict[str, Counts] = {kind: Counts() for kind in KINDS}
    objects: Counter[str] = Counter()
    for kind, state, counts in arrived:
        rows[kind] = rows.get(kind, Counts()) + counts
        objects[state] += 1
    listed = [_kind(kind, counts, reasons.get(kind, {})) for kind, counts in rows.items()]
    read = sum(one["read"] for one in listed)
    rejected = sum(one["rejected"] for one in listed)
    return {
        "rows": listed,
        "objects": dict(sorted(objects.items())),
        "quarantine_share": round(rejected / read, 6) if read else 0.0,
        "reconciles": all(one["reconciles"] for one in listed),
    }


class Piece(NamedTuple):
    """One file or request: its key, kind, how far it is, its counts, and reject reason → rows."""

    key: str
    kind: str
    state: str
    detail: str | None
    counts: Counts
    reasons: Mapping[str, int] = {}


def pieces(arrived: Iterable[Piece]) -> list[dict[str, Any]]:
    """The `MOST_PIECES` that need a look first: those that are not done, then those with most rejected rows, then the largest."""
    ordered = sorted(arrived, key=lambda one: (one.state == "done", -one.counts.rejected, -one.counts.read, one.key))
    return [
        {"key": one.key, "state": one.state, "detail": one.detail, **_kind(one.kind, one.counts, one.reasons)}
        for one in ordered[:MOST_PIECES]
    ]


def _kind(kind: str, counts: Counts, reasons: Mapping[str, int]) -> dict[str, Any]:
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return {
        "kind": kind,
        "read": counts.read,
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "duplicate": counts.duplicate,
        "reconciles": counts.read == counts.accepted + counts.rejected + counts.duplicate,
        "reasons": [{"reason": reason, "count": count} for reason, count in ordered[:TOP_REASONS]],
    }
