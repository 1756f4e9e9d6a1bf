"""Compressed bytes become bytes, within limits. A bomb is refused with `too_large` before it goes off.

gzip is unpacked here, block by block; zstd, which Python 3.13 has not, by Polars in a child process (`sandbox`), which
gives lines back: a CRLF becomes LF. Knows no format inside.
"""

from __future__ import annotations

import zlib
from typing import Final

from nudge.clean import sandbox
from nudge.errors import BadInput

LARGEST: Final = 512 << 20
"""Bytes that one compressed file may unpack to. Larger data is sent in several files, or plain: plain files are cut."""
HIGHEST_RATIO: Final = 200
RATIO_MATTERS_FROM: Final = 16 << 20
_BLOCK: Final = 4 << 20


def unpacked(body: bytes, compression: str) -> bytes:
    """The bytes inside.

    Raises
    ------
    BadInput
        `too_large` beyond 512 MiB, or when more than 16 MiB are over 200 times what was sent; `bad_gzip`, `bad_zstd`
        when the data is damaged.
    """
    if compression == "gzip":
        return _gunzipped(body)
    if compression == "zstd":
        return sandbox.zstd_lines(body, most_bytes=allowed(len(body)))
    return body


def allowed(size: int) -> int:
    """How many bytes may come out of `size` compressed ones."""
    return min(LARGEST, max(RATIO_MATTERS_FROM, size * HIGHEST_RATIO))


def _gunzipped(body: bytes) -> bytes:
    limit, blocks, size = allowed(len(body)), [], 0
    rest = body
    try:
        while rest.startswith(b"\x1f\x8b"):
            opened = zlib.decompressobj(wbits=31)
            while not opened.eof:
                block = opened.decompress(rest, _BLOCK)
                rest = opened.unconsumed_tail
                if not block and not rest and not opened.eof:
                    raise BadInput("the gzip data ends too early", reason="bad_gzip")
                size += len(block)
                if size > limit:
                    raise BadInput(f"unpacks to more than {limit >> 20} MiB", reason="too_large")
                blocks.append(block)
            rest = opened.unused_data.lstrip(b"\0")
    except zlib.error:
        raise BadInput("the gzip data is damaged", reason="bad_gzip") from None
    if rest:
        raise BadInput("there is something else after the gzip data", reason="bad_gzip")
    return b"".join(blocks)
