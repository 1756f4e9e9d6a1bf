"""Attributes of a person, each with the time it was said. In: traits. Out: traits; for each name the latest value wins.

Commutative, associative and idempotent, so that files may come twice and in any order. It does not know what a trait means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nudge.vocabulary import Consent, Micros

type Traits = Mapping[str, tuple[Any, Micros]]


def merge(a: Traits, b: Traits) -> dict[str, tuple[Any, Micros]]:
    """Per name the value with the latest time; of equal times the greater JSON text.

    >>> merge({"plan": ("free", 1), "age": (30, 5)}, {"plan": ("gold", 2)})
    {'plan': ('gold', 2), 'age': (30, 5)}
    """
    merged = {name: (value, at) for name, (value, at) in a.items()}
    for name, (value, at) in b.items():
        if name not in merged or _rank(merged[name]) < _rank((value, at)):
            merged[name] = (value, at)
    return merged


def _rank(held: tuple[Any, Micros]) -> tuple[Micros, str]:
    return held[1], json.dumps(held[0], sort_keys=True, ensure_ascii=False)


def later(a: Consent | None, b: Consent) -> Consent:
    """The consent in force of two: the latest; a withdrawal wins a tie.

    >>> later(Consent(True, 5, "form"), Consent(False, 5, "link")).granted
    False
    """
    return b if a is None or b.at > a.at or (b.at == a.at and not b.granted) else a
