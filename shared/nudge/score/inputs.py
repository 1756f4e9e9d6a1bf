"""A person's vector → the plain values a model was trained on.

One rule for what a value may be, the same as in training: a number that is absent, None, not finite or not a number at
all is the feature's `absent` value (0 for counts, missing for recencies); a category is text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MISSING = float("nan")
ACTIVITY = "activity"
"""The feature that says what is done for the person."""


def number(value: object, absent: float) -> float:
    """A finite float; else `absent`. Booleans count as 0 and 1, text does not count as a number."""
    if isinstance(value, int | float):
        try:
            found = float(value)
        except OverflowError:
            return absent
        return found if found - found == 0.0 else absent
    return absent


def category(value: object) -> str | None:
    """The text of a category; None when it is missing."""
    if value is None or isinstance(value, str):
        return value
    return str(value)


def absent(feature: Mapping[str, Any]) -> float:
    """What a number is when the vector does not have it: NaN stands for missing."""
    held = feature["absent"]
    return MISSING if held is None else float(held)
