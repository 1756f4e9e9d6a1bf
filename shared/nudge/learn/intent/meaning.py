"""What word pieces mean, before any message was read: vectors that others trained on much text.

In: the files of `wordllama` (Miller 2024: 256 numbers for each of the 32,000 pieces of Llama 2, trained so that texts that mean the
same lie near each other). Out: the pieces that a text in lower case can have, in order of rank, and their vectors in 8 bits. Nothing
of that package is imported, for its code asks the network for what it has on disk.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from nudge.learn.intent.linear import Rounded

VECTORS = "wordllama/weights/l2_supercat_256.safetensors"
PIECES = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"
SPECIAL = 3
"""The first pieces stand for no text: unknown, begin, end."""
BYTE = "<0x"


@dataclass(frozen=True, slots=True)
class Meaning:
    """Pieces in order: bytes and single characters, then what is joined of them, the least rank first; and a vector each, as it is
    stored."""

    names: list[str]
    rounded: Rounded
    vectors: np.ndarray


@cache
def meaning() -> Meaning:
    """All pieces that `score.terms.plain` leaves possible. Reads two files, 18 MB, once."""
    home = distribution("wordllama")
    places: dict[str, int] = json.loads(Path(str(home.locate_file(PIECES))).read_text("utf-8"))["model"]["vocab"]
    (table,) = load_file(str(home.locate_file(VECTORS))).values()
    possible = [name for name, place in places.items() if place >= SPECIAL and (_byte(name) or name == name.lower())]
    names = sorted(possible, key=lambda name: (len(name) > 1 and not _byte(name), places[name]))
    rounded = Rounded.of(table[[places[name] for name in names]].astype(np.float64))
    return Meaning(names, rounded, rounded.weights())


def _byte(name: str) -> bool:
    return name.startswith(BYTE)
