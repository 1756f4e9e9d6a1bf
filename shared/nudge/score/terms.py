"""A text → its terms, in any language: what training and reading share, so that both see the same.

In: a text. Out: how often each term of each family stands in it. Nothing of the text is kept. Four families:
- `word`: words and pairs of neighbours; every character of a script without spaces is a word;
- `letter`: 2 to 5 letters in a row within what stands between spaces or stops, its edges being letters too;
- `pair`: two words, in either order, up to `REACH` words apart;
- `length`: how many words, in steps of a factor √2.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from math import log2

from nudge.errors import BadInput

READING = 3
"""Which way of reading this is: a model is asked in the way in which it was trained, or not at all."""
LONGEST = 2000
"""Characters of a message that are read; the rest is cut off."""
REACH = 12
GRAMS = (2, 5)
FAMILIES = ("word", "letter", "pair", "length")
APOSTROPHES = "'\u2019"
CHARACTERS = 20_000
SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


class _Map(dict[int, str]):
    """For `str.translate`: what each character becomes, worked out when it is first met."""

    def __init__(self, become: Callable[[str], str]) -> None:
        self._become = become

    def __missing__(self, code: int) -> str:
        found = self._become(chr(code))
        if len(self) < CHARACTERS:
            self[code] = found
        return found


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    return "" if kind == "Cf" else " " if kind[0] in "CZ" else character


def _worded(character: str) -> str:
    """Letters, marks and numbers stay; those of scripts without spaces stand alone; anything else parts words."""
    if unicodedata.category(character)[0] not in "LMN":
        return " "
    code = ord(character)
    return f" {character} " if any(low <= code <= high for low, high in SPACELESS) else character


def _unstopped(character: str) -> str:
    """Punctuation parts what is said before it from what is said after it; an apostrophe stands inside a word."""
    return " " if unicodedata.category(character)[0] == "P" and character not in APOSTROPHES else character


_VISIBLE, _WORDED, _UNSTOPPED = _Map(_visible), _Map(_worded), _Map(_unstopped)
_NUMBER = re.compile(r"\d+")


def plain(text: str) -> str:
    """A text as it is read: cut, NFKC, lower-cased, every number one `0`; spaces and control characters one space, marks of
    format none.

    Raises
    ------
    BadInput
        When it holds half of a surrogate pair: it is no text.
    """
    cut = text[:LONGEST]
    if any("\ud800" <= character <= "\udfff" for character in cut):
        raise BadInput("the text holds a surrogate; it is not valid Unicode", reason="bad_text")
    folded = unicodedata.normalize("NFKC", cut)[:LONGEST].lower()
    return _NUMBER.sub("0", " ".join(folded.translate(_VISIBLE).split()))


def terms(text: str) -> dict[str, Counter[str]]:
    """How often each term of each family stands in a text. Raises BadInput for what is no text (see `plain`)."""
    read = plain(text)
    words = read.translate(_WORDED).split()
    length = Counter([str(int(2 * log2(1 + len(words))))])
    return {"word": _words(words), "letter": _letters(read), "pair": _pairs(words), "length": length}


def _words(words: Sequence[str]) -> Counter[str]:
    found = Counter(words)
    found.update(f"{one} {other}" for one, other in zip(words, islice(words, 1, None), strict=False))
    return found


def _letters(read: str) -> Counter[str]:
    """As `char_wb` of scikit-learn, of a text without its stops: a space on each side; what is shorter than n counts once, whole."""
    found: Counter[str] = Counter()
    low, high = GRAMS
    for part in read.translate(_UNSTOPPED).split():
        padded = f" {part} "
        length = len(padded)
        for size in range(low, min(high, length) + 1):
            found.update([padded[start : start + size] for start in range(length - size + 1)])
    return found


def _pairs(words: Sequence[str]) -> Counter[str]:
    found = set()
    for place, one in enumerate(words):
        for other in islice(words, place + 2, place + REACH + 1):
            found.add(f"{one}&{other}" if one < other else f"{other}&{one}")
    return Counter(dict.fromkeys(found, 1))
