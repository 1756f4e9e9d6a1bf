"""Attributes of a person, each with the time it was said. In: traits. Out: traits; for each name the latest value wins.

Commutative, associative and idempotent, so that files may come twice and in any order. It does not know what a trait means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nudge.vocabulary import Consent, Micros

KEEP_CHARACTERS, FEW = 150_000, 200
"""A row has 400 kB: of more than this many characters of traits the newest stay."""

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
    return _bounded(merged)


def _rank(held: tuple[Any, Micros]) -> tuple[Micros, str]:
    return held[1], json.dumps(held[0], sort_keys=True, ensure_ascii=False)


def _bounded(merged: dict[str, tuple[Any, Micros]]) -> dict[str, tuple[Any, Micros]]:
    """The traits, or of a person who has too many for a row the newest."""
    if len(merged) <= FEW and not any(
        isinstance(value, str | list | dict) and len(value) > FEW for value, _ in merged.values()
    ):
        return merged
    kept, size = {}, 0
    for name in sorted(merged, key=lambda name: (-merged[name][1], name)):
        size += len(json.dumps([name, merged[name]]))
        if size > KEEP_CHARACTERS:
            break
        kept[name] = merged[name]
    return kept


def later(a: Consent | None, b: Consent) -> Consent:
    """The consent in force of two: the latest; a withdrawal wins a tie.

    >>> later(Consent(True, 5, "form"), Consent(False, 5, "link")).granted
    False
    """
    return b if a is None or b.at > a.at or (b.at == a.at and not b.granted) else a


def consents(a: Mapping[str, Consent], b: Mapping[str, Consent]) -> dict[str, Consent]:
    """Per channel the consent in force of two."""
    return {**a, **{channel: later(a.get(channel), consent) for channel, consent in b.items()}}
