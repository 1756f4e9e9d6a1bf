"""Bytes become valid UTF-8, or text in which every byte that is no character stays visible.

In: bytes and the name of a codec. Out: UTF-8 bytes ready for a vectorised reader; where some bytes are no characters,
text with a mark for each of them, so that only the rows that hold one are rejected. Knows no delimiter and no row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MARK: Final = 0xDC00
MARKED: Final = re.compile("[\udc00-\udcff]")
"""A byte that is no character, as `decoded` marks it: U+DC00 + the byte. Valid text never holds a lone surrogate."""


@dataclass(frozen=True, slots=True)
class Text:
    """`utf8` when all is valid; else `marked` with marks, and the offset in the bytes of each bad one, in order."""

    utf8: bytes
    marked: str | None = None
    bad_at: tuple[int, ...] = ()


def decoded(body: bytes, encoding: str, *, at_start: bool) -> Text:
    """Bytes as UTF-8, without the byte order mark that may stand at the start of a file."""
    codec = _codec(body, encoding)
    if codec == "utf-8" and at_start:
        body_start = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    else:
        body_start = 0
    if codec == "utf-8" and body.isascii():
        return Text(body)
    view = memoryview(body)[body_start:]
    try:
        text = str(view, codec)
    except UnicodeDecodeError:
        return _marked(view, codec, body_start)
    if at_start and text.startswith("\ufeff"):
        text = text[1:]
    if codec == "utf-8":
        return Text(bytes(view) if body_start else body)
    try:
        return Text(text.encode())
    except UnicodeEncodeError:  # a codec that lets lone surrogates through
        return Text(b"", text.encode("utf-8", "replace").decode(), (0,))


def _codec(body: bytes, encoding: str) -> str:
    """The codec without a byte order mark of its own: pieces of a file have none."""
    name = encoding.lower().replace("_", "-")
    if name in ("utf-8", "utf-8-sig", "utf8", "ascii"):
        return "utf-8"
    if name == "utf-16":
        return "utf-16-be" if body.startswith(b"\xfe\xff") else "utf-16-le"
    if name == "utf-32":
        return "utf-32-be" if body.startswith(b"\x00\x00\xfe\xff") else "utf-32-le"
    return name


def _marked(view: memoryview, codec: str, skipped: int) -> Text:
    pieces: list[str] = []
    bad: list[int] = []
    at = 0
    while at < len(view):
        try:
            pieces.append(str(view[at:], codec))
            break
        except UnicodeDecodeError as wrong:
            pieces.append(str(view[at : at + wrong.start], codec))
            wrong_bytes = bytes(view[at + wrong.start : at + wrong.end])
            pieces.append("".join(chr(_MARK + byte) for byte in wrong_bytes))
            bad.extend(range(skipped + at + wrong.start, skipped + at + wrong.end))
            at += wrong.end
    return Text(b"", "".join(pieces).removeprefix("\ufeff"), tuple(bad))


def shown(text: str) -> str:
    """Text with each marked byte written as `\\xNN`: what is kept of a row in quarantine."""
    return MARKED.sub(lambda mark: f"\\x{ord(mark[0]) - _MARK:02x}", text)
