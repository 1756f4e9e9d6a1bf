"""What a file is, as far as its key and its first bytes tell: kind of rows, compression, container format.

In: a key, first bytes, column names. Out: names from the vocabulary, or `BadInput` with a reason. Believes magic numbers
before names: `orders.csv` may well be gzip. Knows nothing of dialects (see `sniff`) and never reads a store.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final, Literal

from nudge.errors import BadInput
from nudge.vocabulary import KINDS, Kind

Compression = Literal["none", "gzip", "zstd"]
Format = Literal["csv", "jsonl", "json", "parquet"]

INBOX: Final = "inbox/"
WINDOW: Final = 256 * 1024
"""How many first bytes are looked at."""

_TWO_FILES: Final[dict[str, Kind]] = {"user_data": "users", "event_data": "events", "item_data": "items"}
_UNREADABLE: Final = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"7z\xbc\xaf", "7-zip"),
    (b"%PDF", "a PDF"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"PARE", "encrypted Parquet"),
)


def kind_of_key(key: str) -> Kind | None:
    """The kind that the key says: `inbox/<kind>/…`, or a file named user_data.*, event_data.*, item_data.*.

    None means that the columns must tell (`kind_of_columns`).

    Raises
    ------
    BadInput
        `foreign_prefix` when the key does not lie under `inbox/`.
    """
    if not key.startswith(INBOX):
        raise BadInput("only objects under inbox/ are read", reason="foreign_prefix")
    folder, _, rest = key.removeprefix(INBOX).partition("/")
    for kind in KINDS:
        if rest and folder == kind:
            return kind
    return _TWO_FILES.get(key.rpartition("/")[2].partition(".")[0].lower())


def kind_of_columns(columns: Iterable[str]) -> Kind:
    """The kind that our column names (see `aliases.canonical`) say; decisions and outcomes have folders of their own.

    Raises
    ------
    BadInput
        `unknown_kind` when they name neither an event, a person nor an item.
    """
    names = set(columns)
    person = not names.isdisjoint(("user_id", "anonymous_id", "email"))
    if "event_time" in names and ("event_type" in names or (person and "item_id" in names)):
        return "events"
    if person:
        return "users"
    if "item_id" in names:
        return "items"
    raise BadInput(
        "neither the folder nor the columns say what the rows are; put it under inbox/users, inbox/events or inbox/items",
        reason="unknown_kind",
    )


def compression_of(first: bytes) -> Compression:
    """Which compression the first bytes show.

    Raises
    ------
    BadInput
        `unsupported_format` for archives, spreadsheets and compressions that Nudge does not read.
    """
    if first.startswith(b"\x1f\x8b"):
        return "gzip"
    if first.startswith(b"\x28\xb5\x2f\xfd") or (first[1:4] == b"\x2a\x4d\x18" and first[0] & 0xF0 == 0x50):
        return "zstd"
    for magic, name in _UNREADABLE:
        if first.startswith(magic):
            raise BadInput(
                f"this is {name}; send CSV, JSON Lines or Parquet, plain, gzip or zstd", reason="unsupported_format"
            )
    return "none"


def gunzip_window(first: bytes, limit: int = WINDOW) -> tuple[bytes, bool]:
    """The first bytes of what a gzip file holds, at most `limit` of them (so a bomb does not go off here), and whether
    that is all there is.

    Raises
    ------
    BadInput
        `bad_gzip` when not one byte can be unpacked.
    """
    opened = zlib.decompressobj(wbits=31)
    try:
        window = opened.decompress(first, limit)
    except zlib.error:
        raise BadInput("the gzip data is damaged at its beginning", reason="bad_gzip") from None
    return window, opened.eof and not opened.unused_data


def format_of_name(key: str) -> Format | None:
    """The format that a name promises, compression endings left off; None when it promises none."""
    name = key.rpartition("/")[2].lower().removesuffix(".gz").removesuffix(".zst").removesuffix(".zstd")
    ending = name.rpartition(".")[2] if "." in name else ""
    named: dict[str, Format] = {
        "csv": "csv",
        "tsv": "csv",
        "txt": "csv",
        "psv": "csv",
        "jsonl": "jsonl",
        "ndjson": "jsonl",
        "json": "json",
        "parquet": "parquet",
        "pq": "parquet",
    }
    return named.get(ending)
