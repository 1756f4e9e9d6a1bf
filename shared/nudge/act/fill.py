"""Fill a template that is shown inline. In: texts with `{{ name }}`, words. Out: texts; HTML is escaped.

Without logic on purpose: it runs inside the decision, where a template engine would double the cold start. Texts for mail,
which know conditions and lists, are rendered by `render`. Whatever these braces do not understand is refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nudge.errors import BadInput

SLOT = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)\s*\}\}")
OTHER_SYNTAX = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
LARGEST = 64 * 1024
ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""As `html.escape` does; that module's table of all entities is not worth its share of the cold start."""


def fill(template: Mapping[str, str], words: Mapping[str, Any]) -> dict[str, str]:
    """Each text of the template with its words filled in; the one named `html` is escaped.

    Raises
    ------
    BadInput
        `missing_variable` for a word that is not there, `bad_template` for any other syntax, `too_large` beyond 64 KB.
    """
    return {name: _fill(text, words, escape=name == "html") for name, text in template.items()}


def _fill(text: str, words: Mapping[str, Any], *, escape: bool) -> str:
    pieces = list(_cut(text))
    for place in range(1, len(pieces), 2):
        value = _find(pieces[place], words)
        pieces[place] = value.translate(ESCAPED) if escape else value
    filled = "".join(pieces)
    if len(filled) > LARGEST:
        raise BadInput(f"the text is longer than {LARGEST} characters", reason="too_large")
    return filled


@lru_cache(maxsize=256)
def _cut(text: str) -> tuple[str, ...]:
    """Text and names of words in turn, text first and last."""
    pieces = SLOT.split(text)
    if any(OTHER_SYNTAX.search(piece) for piece in pieces[::2]):
        raise BadInput("an inline template knows only {{ name }}", reason="bad_template")
    return tuple(pieces)


def _find(name: str, words: Mapping[str, Any]) -> str:
    value: Any = words
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, Mapping | list | tuple):
        raise BadInput(f"there is no word for {name}", reason="missing_variable", where=name)
    return str(value)
