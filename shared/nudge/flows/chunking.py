"""One object becomes chunks: what it is and where it may be cut. An object that is there comes in; chunks go out.

A pure function of the object's bytes and the sizes given, so that a second attempt makes the same chunks with the same
numbers. Large plain text is read once through, to find where records end; of everything else only the ends are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import replace
from dataclasses import dataclass
from typing import Final

from nudge.collect import aliases, formats, parquet_footer
from nudge.collect.cut import cut, cuttable
from nudge.collect.sniff import Sniffed, sniff
from nudge.errors import BadInput
from nudge.ports import ObjectInfo, Objects
from nudge.vocabulary import Chunk, Kind

LARGEST_OBJECT: Final = 5 << 30
LARGEST_UNCUT: Final = 512 << 20
"""Plain text that cannot be cut (a JSON array, UTF-16) is read whole by `prepare`: no larger than this."""
ROWS_A_RANGE: Final = 1_000_000
BYTES_A_RANGE: Final = 256 << 20
"""Parquet: rows, and bytes before compression, of one chunk."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """Cuts the objects of one bucket; a plain text of more than `chunk_bytes` becomes several chunks of about that size."""

    inbox: Objects
    chunk_bytes: int = 32 << 20

    def __call__(self, content: str, found: ObjectInfo) -> list[Chunk]:
        """The chunks of an object with something in it; none when it has no rows (Parquet).

        Raises
        ------
        BadInput
            `foreign_prefix`, `too_large`, `unknown_kind`, `bad_parquet`, `line_too_long`, and what `sniff` raises.
        NotFound, Conflict
            It went away, or was overwritten, meanwhile.
        """
        if found.size > LARGEST_OBJECT:
            raise BadInput(f"{found.size} bytes; an object has at most {LARGEST_OBJECT >> 30} GiB", reason="too_large")
        kind = formats.kind_of_key(found.key)
        window = self._bytes(found, 0, min(found.size, formats.WINDOW))
        seen = sniff(found.key, window, whole=found.size <= len(window))
        if seen.format == "parquet":
            return self._of_parquet(content, kind, found)
        whole = self._chunk(content, kind or _kind_of(seen.names), found, seen)
        if seen.compression != "none" or found.size <= self.chunk_bytes:
            return [whole]
        if not cuttable(seen.format, seen.dialect):
            if found.size > LARGEST_UNCUT:
                raise BadInput(
                    "too large for a file that cannot be cut; send UTF-8 CSV or JSON Lines", reason="too_large"
                )
            return [whole]
        pieces = -(-found.size // self.chunk_bytes)
        spans = cut(self._stream(found), seen.format, seen.dialect, target=-(-found.size // pieces))
        return _numbered(replace(whole, span=(span.start, span.end), first_line=span.line) for span in spans)

    def _of_parquet(self, content: str, kind: Kind | None, found: ObjectInfo) -> list[Chunk]:
        tail_at = max(0, found.size - parquet_footer.TAIL)
        length = parquet_footer.footer_length(self._bytes(found, tail_at, found.size))
        if length > tail_at - len(parquet_footer.MAGIC):
            raise BadInput("the footer is larger than the file", reason="bad_parquet")
        footer = parquet_footer.read_footer(self._bytes(found, tail_at - length, tail_at))
        size = sum(group.size for group in footer.groups)
        rows = min(ROWS_A_RANGE, max(1, footer.rows * BYTES_A_RANGE // max(size, BYTES_A_RANGE)))
        whole = self._chunk(content, kind or _kind_of(footer.columns), found, Sniffed("parquet"))
        return _numbered(replace(whole, rows=some) for some in parquet_footer.row_ranges(footer, rows))

    def _chunk(self, content: str, kind: Kind, found: ObjectInfo, seen: Sniffed) -> Chunk:
        return Chunk(
            content=content,
            kind=kind,
            bucket=self.inbox.name,
            key=found.key,
            version=found.version,
            etag=found.etag,
            uploaded_at=found.modified_at,
            format=seen.format,
            compression=seen.compression,
            dialect=seen.dialect,
            header=seen.header,
        )

    def _bytes(self, found: ObjectInfo, start: int, end: int) -> bytes:
        return self.inbox.get(found.key, span=(start, end), version=found.version, etag=found.etag)

    def _stream(self, found: ObjectInfo) -> Iterator[bytes]:
        return self.inbox.stream(found.key, version=found.version, etag=found.etag)


def _kind_of(names: tuple[str, ...]) -> Kind:
    """By the columns, for a file that lies in no kind's folder."""
    return formats.kind_of_columns(aliases.kind_names(names))


def _numbered(chunks: Iterable[Chunk]) -> list[Chunk]:
    listed = list(chunks)
    return [replace(chunk, number=number, of=len(listed)) for number, chunk in enumerate(listed)]
