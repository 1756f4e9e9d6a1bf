"""One chunk of an arrived object becomes rows of the lake, rejects with their reasons, and knowledge about people.

The order is the promise: lake, quarantine and profiles first, `chunk_done` after them, the quality report of a finished
object last. Each step gives the same when it is repeated, so a chunk that dies anywhere and comes again ends the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import replace
from dataclasses import dataclass
from typing import Final

from nudge.clean import engine, sandbox, unpack
from nudge.clean.engine import Cleaned, Spelling
from nudge.collect import aliases, cut, records, segment, sniff
from nudge.errors import BadInput, Conflict, NotFound, NotReady
from nudge.flows.profiles import Applied, ApplyTraits
from nudge.flows.quality import Quality
from nudge.flows.tombstones import Gone, nobody
from nudge.ports import Arrivals, Lake, Objects, Plans
from nudge.vocabulary import Chunk, Counts, Kind, Micros

PIECE_BYTES: Final = 64 << 20
"""What comes out of a compressed file is worked on in pieces of about this size, so that memory stays level."""
WINDOW: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Prepare:
    """Do one chunk; `quarantine` also keeps the quality reports. `events` is `ApplyEvents`, or what wraps it; `gone` says who is
    erased: nothing of them goes on from here (see `clean.erased`)."""

    inbox: Objects
    lake: Lake
    arrivals: Arrivals
    events: Callable[..., Applied]
    people: ApplyTraits
    quarantine: Objects
    plans: Plans
    gone: Callable[[], Gone | None] = nobody

    def __call__(self, chunk: Chunk, *, now: Micros) -> Counts:
        """The counts of the chunk; zeros when it was done before. Raises Unavailable: then it must come again."""
        quality = Quality(self.quarantine)
        if self.arrivals.is_chunk_done(chunk.content, chunk.number):
            quality.report(self.arrivals.get(chunk.content))
            return Counts()
        sandbox.sweep(now)
        counts, rejects, keys = Counts(), [], []
        for cleaned in self._cleaned(chunk):
            keys += [self.lake.put(part.kind, part.day, part.body, label=part.label) for part in cleaned.parts]
            self.events(cleaned.events(), now=now)
            self.people(cleaned.people(), now=now)
            counts += cleaned.counts
            rejects += cleaned.rejects
        quality.set_aside(chunk, rejects)
        quality.report(self.arrivals.chunk_done(chunk, counts, sorted(set(keys)), now))
        return counts

    def _cleaned(self, chunk: Chunk) -> Iterator[Cleaned]:
        try:
            body = self.inbox.get(chunk.key, span=chunk.span, version=chunk.version, etag=chunk.etag)
            body = unpack.unpacked(body, chunk.compression)
            pieces = list(_pieces(chunk, body))
        except NotFound:
            yield engine.unreadable(chunk, "missing")
        except Conflict:
            yield engine.unreadable(chunk, "superseded")
        except BadInput as wrong:
            yield engine.unreadable(chunk, wrong.reason)
        else:
            gone = self.gone()
            for piece in pieces:
                start, end = piece.span or (0, len(body))
                whole = chunk.compression == "none" or end - start == len(body)
                yield engine.clean(piece, body if whole else body[start:end], _spelling(piece, self._columns()), gone)

    def _columns(self) -> Mapping[str, str]:
        try:
            return dict(self.plans.current().get("columns") or {})
        except NotReady:
            return {}


def _spelling(chunk: Chunk, columns: Mapping[str, str]) -> Spelling:
    """What `collect` tells `clean` about how others write; `columns` is the plan's own mapping."""

    def naming(kind: Kind, header: tuple[str, ...] | None) -> Callable[[str], str | None]:
        return str if kind == "decisions" else aliases.naming(kind, columns, header)

    return Spelling(naming, records.grammar_of(chunk.dialect).record_at, segment.flatten)


def _pieces(chunk: Chunk, body: bytes) -> Iterator[Chunk]:
    """The chunk itself, or what was packed in it, in pieces cut where records end."""
    if chunk.compression == "none":
        yield chunk
        return
    if chunk.format == "csv" and chunk.header is None:
        seen = sniff.sniff(chunk.key, body[:WINDOW], whole=len(body) <= WINDOW)
        chunk = replace(chunk, format=seen.format, dialect=seen.dialect, header=seen.header)
    if len(body) <= PIECE_BYTES or not cut.cuttable(chunk.format, chunk.dialect):
        yield replace(chunk, span=(0, len(body)))
        return
    for number, span in enumerate(cut.cut([body], chunk.format, chunk.dialect, target=PIECE_BYTES)):
        yield replace(chunk, number=number, span=(span.start, span.end), first_line=span.line)
