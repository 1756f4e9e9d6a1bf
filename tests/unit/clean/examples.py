"""What the tests of this room share: chunks, and what `collect` passes in."""

from __future__ import annotations

from typing import Any

from nudge.clean.engine import Cleaned, Spelling, clean
from nudge.collect import aliases, records, segment
from nudge.vocabulary import Chunk, Dialect

UPLOADED = 1_770_000_000_000_000
"""2026-02-02T02:40:00Z."""


def chunk_of(kind: str = "events", **how: Any) -> Chunk:
    return Chunk(
        content="c", kind=kind, bucket="lake", key=f"inbox/{kind}/f", version=None, etag="e",
        **{"format": "csv", "uploaded_at": UPLOADED, **how},
    )  # type: ignore[arg-type]  # fmt: skip


def spelling(dialect: Dialect = Dialect()) -> Spelling:  # noqa: B008
    def naming(kind: Any, header: tuple[str, ...] | None) -> Any:
        return str if kind == "decisions" else aliases.naming(kind, None, header)

    return Spelling(naming, records.grammar_of(dialect).record_at, segment.flatten)


def cleaned(body: bytes, kind: str = "events", **how: Any) -> Cleaned:
    chunk = chunk_of(kind, **how)
    return clean(chunk, body, spelling(chunk.dialect))


def reasons(result: Cleaned) -> list[tuple[int, str | None, str]]:
    return [(one.line, one.column, one.reason) for one in result.rejects]
