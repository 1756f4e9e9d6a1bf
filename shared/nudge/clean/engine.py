"""One chunk becomes parts of the lake: bytes come in, typed rows by day, rejects and counts go out.

The parts, the rejects and the counts are a pure function of the bytes and the chunk (not of `now`, of threads or of other
chunks), so a repetition writes the same. `read == accepted + rejected + duplicate`, always; a file that cannot be read at
all counts as one row that was rejected. What it needs of `collect` (column names, the splitter, Segment's spec) is passed in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from nudge.clean import delimited, erased, jsonlines, kinds, parts, rows, sandbox, table, unique
from nudge.clean.erased import Gone
from nudge.clean.rows import NameOf
from nudge.clean.table import Flaw, RecordAt
from nudge.errors import BadInput
from nudge.vocabulary import Chunk, Consent, Counts, Event, Kind, Micros, Reject

LONGEST_RAW: Final = 16_384
"""Characters of a rejected row that are kept."""

_NESTED: Final = ("properties", "attributes", "traits")


@dataclass(frozen=True, slots=True)
class Spelling:
    """What `collect` knows of how others write: `naming` gives, for a kind (and a header, if there is one), the function
    from a column's name to ours; `record_at` splits delimited text; `flatten` makes a row of ours of a JSON message and
    says its kind (None: the file's), or raises BadInput."""

    naming: Callable[[Kind, tuple[str, ...] | None], NameOf]
    record_at: RecordAt
    flatten: Callable[[dict[str, Any]], tuple[Kind | None, dict[str, Any]]] = lambda one: (None, one)


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file for the lake."""

    kind: Kind
    day: str
    label: str
    body: bytes


type Person = tuple[str, Mapping[str, tuple[Any, Micros]], Mapping[str, Consent]]
"""What a row of users says: user_id, traits with their times, consents by channel."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clean chunk. `frames` are its accepted rows by kind, `parts` the same as Parquet."""

    counts: Counts
    parts: list[Part] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    frames: Mapping[Kind, pl.DataFrame] = field(default_factory=dict)

    def events(self) -> Iterator[Event]:
        """Events and outcomes, day by day in the order of their file."""
        for kind in ("events", "outcomes"):
            if kind in self.frames:
                frame = self.frames[kind].select(
                    "event_id", "user_id", "event_type", pl.col("event_time").cast(pl.Int64), "event_action", "item_id",
                    "category", "value", "currency", "channel", "decision_id",
                )  # fmt: skip
                yield from map(Event, *(column.to_list() for column in frame))

    def people(self) -> Iterator[Person]:
        """What the rows of users say, in the order of their file."""
        if "users" not in self.frames:
            return
        frame = self.frames["users"].with_columns(pl.col(pl.Datetime).cast(pl.Int64))
        for row in frame.iter_rows(named=True):
            yield _person(row)


def _person(row: Mapping[str, Any]) -> Person:
    at = row["effective_at"]
    traits = {
        name: row[name] for name in ("email", "phone", "timezone", "locale", "created_at") if row[name] is not None
    }
    traits |= json.loads(row["attributes"]) if row["attributes"] else {}
    consents = {}
    for channel in kinds.CHANNELS:
        if (granted := row[f"{channel}_consent"]) is not None:
            since = row[f"{channel}_consent_at"]
            source = row[f"{channel}_consent_source"] or "file"
            consents[channel] = Consent(granted, at if since is None else since, source)
    return row["user_id"], {name: (value, at) for name, value in traits.items()}, consents


def clean(chunk: Chunk, body: bytes, spelling: Spelling, gone: Gone | None = None) -> Cleaned:
    """The rows of a chunk's bytes (unpacked), typed and each once, as parts by day; what is no row, with its reason. Rows of people
    who are `gone` are rejected as `erased`, and no reject keeps a text with their id."""
    try:
        found = _read(chunk, body, spelling)
    except BadInput as wrong:
        return unreadable(chunk, wrong.reason)
    read = sum(frame.height for frame in found.frames.values()) + len(found.flaws) - found.unread
    flaws, frames, made = list(found.flaws), {}, []
    duplicate = 0
    for kind in list(found.frames):
        facts = _facts(kind, found.frames.pop(kind), chunk.uploaded_at, found.plain, gone)
        flaws += [Flaw(line, reason, found.raw(line), column) for line, reason, column in facts.wrong]
        duplicate += facts.repeated
        if facts.rows.height:
            frames[kind] = facts.rows
            made += _parts(kind, facts.rows, chunk.uploaded_at)
    accepted = sum(frame.height for frame in frames.values())
    counts = Counts(read, accepted, len(flaws), duplicate)
    if read != accepted + len(flaws) + duplicate:
        raise AssertionError(f"rows vanished: {counts}")
    return Cleaned(counts, made, erased.withheld(_rejects(chunk, flaws), gone), frames)


def unreadable(chunk: Chunk, reason: str) -> Cleaned:
    """A chunk of which no row can be read: one reject, for the whole of it."""
    return Cleaned(Counts(1, 0, 1, 0), rejects=[Reject(chunk.key, 0, None, reason, "")])


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows by kind; `unread` of them have no line: they stand among the flaws."""

    frames: dict[Kind, pl.DataFrame]
    flaws: list[Flaw]
    raw: Callable[[int], str]
    plain: bool = False
    unread: int = 0


def _read(chunk: Chunk, body: bytes, spelling: Spelling) -> _Found:
    if chunk.format == "csv":
        cells = delimited.read_table(
            body,
            chunk.dialect,
            spelling.record_at,
            header=chunk.header,
            first_line=chunk.first_line,
            first_byte=chunk.span[0] if chunk.span else 0,
            has_header=chunk.number == 0,
        )
        return _of_table(chunk.kind, cells, spelling)
    if chunk.format == "parquet":
        return _of_table(chunk.kind, table.of_parquet(sandbox.parquet_cells(body, chunk.rows), chunk.rows), spelling)
    if chunk.format == "json":
        return _of_objects(chunk.kind, *jsonlines.read_whole(body, chunk.dialect), spelling)
    first_byte = chunk.span[0] if chunk.span else 0
    found = jsonlines.read_lines(body, chunk.dialect, first_line=chunk.first_line, first_byte=first_byte)
    return _of_objects(chunk.kind, *found, spelling)


def _of_table(kind: Kind, cells: table.Table, spelling: Spelling) -> _Found:
    if len(set(cells.names)) < len(cells.names):
        column = next(name for name in cells.names if cells.names.count(name) > 1)
        flaws = [Flaw(line, "duplicate_header", cells.raw(line), column) for line in cells.rows["line"].to_list()]
        return _Found({}, cells.flaws + flaws, cells.raw)
    named = rows.from_table(cells, spelling.naming(kind, cells.names), kinds.KNOWN[kind])
    unread = int((cells.cells["line"] == 0).sum())
    return _Found({kind: named}, cells.flaws, cells.raw, cells.plain, unread)


def _of_objects(
    kind: Kind, found: list[tuple[int, dict[str, Any]]], flaws: list[Flaw], raws: dict[int, str], spelling: Spelling
) -> _Found:
    routed: dict[Kind, list[tuple[int, dict[str, Any]]]] = {}
    for line, one in found:
        if kind == "decisions":
            record = one.get("record", one)
            one = {**one, "record": record if isinstance(record, str) else rows.canonical(record)}
            target = None
        else:
            try:
                target, one = spelling.flatten(one)
            except BadInput as wrong:
                flaws = [*flaws, Flaw(line, wrong.reason, raws[line], wrong.where)]
                continue
        routed.setdefault(target or kind, []).append((line, one))
    frames: dict[Kind, pl.DataFrame] = {}
    for target, numbered in sorted(routed.items()):
        frame, bad = rows.from_objects(numbered, spelling.naming(target, None), kinds.KNOWN[target], _NESTED)
        frames[target] = frame
        flaws = flaws + [Flaw(line, "not_a_scalar", raws[line], column) for line, column in bad]
    return _Found(frames, flaws, lambda line: raws[line])


@dataclass(frozen=True, slots=True)
class _Facts:
    """Accepted rows in their order; (line, reason, column) of the others; repetitions."""

    rows: pl.DataFrame
    wrong: list[tuple[int, str, str]]
    repeated: int


def _facts(kind: Kind, cells: pl.DataFrame, at: Micros, plain: bool, gone: Gone | None) -> _Facts:
    typed, flaws = kinds.typed(kind, cells, at=at, plain=plain)
    del cells  # what is not typed rows is memory
    is_row = typed["line"] > 0
    wrong: list[tuple[int, str, str]] = []
    if typed["flaw"].null_count() < typed.height:
        bad = typed.filter(is_row & pl.col("flaw").is_not_null()).select("line", "flaw")
        wrong = [(line, *flaws[number]) for line, number in bad.iter_rows()]
        is_row &= typed["flaw"].is_null()
    if (dead := erased.mask(kind, typed, gone, at)) is not None:
        wrong += [(line, erased.REASON, "user_id") for line in typed["line"].filter(is_row & dead).to_list()]
        is_row &= ~dead
    typed = pl.DataFrame([column for column in typed if column.name != "flaw"])
    if not is_row.any():
        return _Facts(kinds.whole(kind, typed.clear()), wrong, 0)
    if kind in ("events", "outcomes"):
        typed = unique.with_event_ids(typed)
    kept, reused, repeated = unique.unique(kind, typed, None if is_row.all() else is_row)
    wrong += [(line, "event_id_reused", "event_id") for line in reused]
    return _Facts(kinds.whole(kind, kept), wrong, repeated)


def _parts(kind: Kind, kept: pl.DataFrame, uploaded_at: Micros) -> list[Part]:
    if kind in ("users", "items"):
        return [Part(kind, parts.day_name(uploaded_at), f"{uploaded_at:017d}-", parts.parquet(kept))]
    time = unique.ORDER[kind][0]
    return [Part(kind, day, parts.RAW, parts.raw_parquet(some)) for day, some in parts.by_day(kept, time)]


def _rejects(chunk: Chunk, flaws: list[Flaw]) -> list[Reject]:
    flaws.sort(key=lambda flaw: (flaw.line, flaw.reason, flaw.column or ""))
    return [Reject(chunk.key, flaw.line, flaw.column, flaw.reason, flaw.raw[:LONGEST_RAW]) for flaw in flaws]
