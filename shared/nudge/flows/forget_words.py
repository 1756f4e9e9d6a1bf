"""What names a person in a text: ids, addresses, ids of their decisions. In: bytes of any file. Out: whether somebody is in it.

For texts that have no column to ask: raw files, rejected rows, events of channels. It would rather find too much: an id is found as a
word, so in a file that says `42` somebody of the id 42 is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from nudge.clean import sandbox, unpack
from nudge.errors import BadInput

PACKED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
OVERLAP: Final = 4096
"""Bytes of a block that are looked at again with the next: no word is longer."""
_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "cp1252")
_WORD: Final = rb"[A-Za-z0-9]"
_DECISION: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{16,64}(?![0-9a-f])")
_EDGES: Final = {
    "utf-16-le": (rb"(?<!" + _WORD + rb"\0)", rb"(?!" + _WORD + rb"\0)"),
    "utf-16-be": (rb"(?<!\0" + _WORD + rb")", rb"(?!\0" + _WORD + rb")"),
}
_PLAIN: Final = (rb"(?<!" + _WORD + rb")", rb"(?!" + _WORD + rb")")
_SIGNS: Final = rb"[\s().\-/]{0,2}"


@dataclass(slots=True)
class Words:
    """Of some people: `ids` are given; addresses and decisions are added as they are found."""

    ids: frozenset[str]
    addresses: set[str] = field(default_factory=set)
    decisions: set[str] = field(default_factory=set)

    def finder(self) -> Finder:
        """What looks for the words that are known by now."""
        return Finder(self)


class Finder:
    """Looks for the words of some people; made once for many texts."""

    def __init__(self, words: Words) -> None:
        each = [_anyhow(one) for one in sorted(words.ids)] + [
            rb"(?i:" + _address(one) + rb")" for one in sorted(words.addresses)
        ]
        self._pattern = re.compile(b"|".join(each))
        self._decisions = frozenset(one.encode() for one in words.decisions)

    def is_in(self, text: bytes) -> bool:
        """Whether any of the words is in a plain text, in whichever of our encodings."""
        if self._pattern.search(text):
            return True
        return bool(self._decisions) and not self._decisions.isdisjoint(_DECISION.findall(text))

    def is_in_file(self, blocks: Iterable[bytes]) -> bool:
        """Whether any is in a file as it came: text, or packed text, or Parquet. What cannot be opened is looked at as it is."""
        told = iter(blocks)
        first = next(told, b"")
        if first[:4] == b"PAR1" or first[:2] in PACKED or first[:4] in PACKED:
            return self.is_in(_opened(first + b"".join(told)))
        return any(self.is_in(text) for text in _overlapping(first, told))


def _overlapping(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    for block in rest:
        first = first[-OVERLAP:] + block
        yield first


def _opened(body: bytes) -> bytes:
    compression = PACKED.get(body[:2]) or PACKED.get(body[:4])
    try:
        if compression is None:
            return sandbox.parquet_cells(body, None).write_ndjson().encode()
        return unpack.unpacked(body, compression)
    except BadInput:
        return body


def _anyhow(word: str) -> bytes:
    """A pattern of a word in each encoding, and as JSON escapes it."""
    forms = {(word.encode(name), _EDGES.get(name, _PLAIN)) for name in _ENCODINGS if _fits(word, name)}
    forms.add((json.dumps(word)[1:-1].encode(), _PLAIN))
    return b"|".join(before + re.escape(form) + after for form, (before, after) in sorted(forms))


def _fits(word: str, encoding: str) -> bool:
    try:
        word.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _address(address: str) -> bytes:
    """A number also as people write it, with blanks, brackets and dashes between its digits."""
    digits = re.sub(r"[^0-9]", "", address)
    if not re.fullmatch(r"\+?[0-9]{5,15}", address):
        return _anyhow(address)
    return rb"(?<![0-9])" + _SIGNS.join(one.encode() for one in digits) + rb"(?![0-9])|" + _anyhow(address)
