"""Words → pieces that a table of meanings knows: byte-pair encoding (Sennrich et al. 2016), as SentencePiece reads it.

In: the pieces in order of rank, and a text that is read already (`terms.plain`). Out: places of its pieces. Knows no weights.
A word begins with `▁`; two neighbours become one where that is a piece, the one of least rank first; a character that is no
piece becomes its UTF-8 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

BEGINS = "▁"
LONGEST_WORD = 64
"""Characters that are joined as one word: what is longer is cut, so that joining stays quick."""
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
WORDS = 20_000
"""Words that are remembered."""


class Pieces:
    """Cuts texts into pieces of a list. A piece that stands there first is joined first."""

    __slots__ = ("_ranks", "_words")

    def __init__(self, names: Sequence[str]) -> None:
        self._ranks = {name: place for place, name in enumerate(names)}
        self._words: dict[str, list[int]] = {}

    def of(self, read: str) -> list[int]:
        """The places of a text's pieces, in order; what is no piece, nor made of such bytes, is left out."""
        found: list[int] = []
        for word in read.split():
            known = self._words.get(word)
            if known is None:
                known = self._word(word)
                if len(self._words) < WORDS:
                    self._words[word] = known
            found += known
        return found

    def _word(self, word: str) -> list[int]:
        begun = BEGINS + word
        cut = [begun[start : start + LONGEST_WORD] for start in range(0, len(begun), LONGEST_WORD)]
        return [place for part in cut for place in self._part(part)]

    def _part(self, part: str) -> list[int]:
        return [place for joined in self._joined(part) for place in self._places(joined)]

    def _joined(self, part: str) -> list[str]:
        """The characters of a part of a word, joined as far as there are pieces."""
        held, beyond = list(part), len(self._ranks)
        while len(held) > 1:
            ranks = [self._ranks.get(one + other, beyond) for one, other in pairwise(held)]
            least = min(ranks)
            if least == beyond:
                break
            place = ranks.index(least)
            held[place : place + 2] = [held[place] + held[place + 1]]
        return held

    def _places(self, joined: str) -> list[int]:
        place = self._ranks.get(joined)
        if place is not None:
            return [place]
        return [self._ranks[name] for name in (BYTES[byte] for byte in joined.encode()) if name in self._ranks]
