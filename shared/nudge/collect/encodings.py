"""Which character encoding bytes are in. First bytes come in, the name of a Python codec goes out.

Decides by validity first and plausibility second; a multibyte character cut off by the end of the window is no error.
Knows no format. A wrong guess here would be mojibake in the lake, so what is valid in several is decided by how text in
that language is really written: two bytes of Chinese are nearly always both above 0xA0, an accent in a Latin text nearly
always stands beside an ASCII letter.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from nudge.errors import BadInput

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PAIR: Final = re.compile(rb"[\x81-\xfe](?:[\x30-\x39][\x81-\xfe][\x30-\x39]|[\x40-\x7e\x80-\xfe])")
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_CONTROL_TEXT: Final = re.compile(_CONTROL.pattern.decode("latin-1"))

CUTTABLE: Final = ("utf-8", "utf-8-sig", "cp1252", "gb18030")
"""Encodings in which the bytes of a line end and of a quote never are part of another character."""


def encoding_of(window: bytes) -> str:
    """One of utf-8, utf-8-sig, utf-16 (with BOM), utf-16-le, utf-16-be, utf-32, gb18030, cp1252.

    Text that is UTF-8 but for a few bytes stays utf-8 (those rows are rejected later, with their place).

    Raises
    ------
    BadInput
        `unsupported_format` when the bytes are no text.
    """
    for mark, name in _BOMS:
        if window.startswith(mark):
            return name
    if wide := _wide(window):
        return wide
    if len(_CONTROL.findall(window)) * 20 > len(window):
        raise BadInput("this is no text; send CSV, JSON Lines or Parquet", reason="unsupported_format")
    if _is_valid(window, "utf-8") or _nearly_utf8(window):
        return "utf-8"
    if _is_valid(window, "gb18030") and _reads_like_chinese(window):
        return "gb18030"
    return "cp1252" if _is_valid(window, "cp1252") else "utf-8"


def text_of(window: bytes, encoding: str) -> str:
    """The window as text, without a byte order mark; what is not valid becomes U+FFFD, a cut last character is left off."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(window)
    return text.removeprefix("\ufeff")


def _wide(window: bytes) -> str | None:
    """UTF-16 without a mark: ASCII characters (delimiters, digits, line ends) have every second byte zero."""
    half = len(window) // 2
    if half == 0:
        return None
    even, odd = window[0::2].count(0), window[1::2].count(0)
    name = "utf-16-le" if odd * 5 > half and even * 20 < odd else None
    if even * 5 > half and odd * 20 < even:
        name = "utf-16-be"
    if name is None:
        return None
    text = window[: half * 2].decode(name, "replace")
    return name if len(_CONTROL_TEXT.findall(text)) * 20 <= len(text) else None


def _is_valid(window: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(window)
    except UnicodeDecodeError:
        return False
    return True


def _nearly_utf8(window: bytes) -> bool:
    text = window.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    return good >= 10 * bad


def _reads_like_chinese(window: bytes) -> bool:
    pairs = _PAIR.findall(window)
    common = sum(
        1 for pair in pairs if len(pair) == 2 and pair[1] >= 0xA1 and (0xA1 <= pair[0] <= 0xA3 or pair[0] >= 0xB0)
    )
    return bool(pairs) and common * 10 >= len(pairs) * 9 and len(_HIGH.findall(window)) >= 2
