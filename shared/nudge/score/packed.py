"""Are names, numbers and packed numbers of an artefact whole? What readers of messages check (see `verify`)."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any

from nudge.score import verify

MOST_WEIGHTS = 20_000_000
LARGEST = 1e9
"""No number of an artefact is beyond ± this: sums stay finite."""


def bounded(values: Any, length: int, where: str) -> None:
    """So many numbers, none of them too large. Raises BadInput."""
    verify.numbers(values, length, where)
    verify.require(all(abs(one) <= LARGEST for one in values), where, f"must lie within {LARGEST:g}")


def names(found: Any, where: str) -> None:
    """A list of texts that differ. Raises BadInput."""
    verify.require(isinstance(found, list), where, "must be a list")
    verify.require(all(isinstance(one, str) for one in found), where, "must be text")
    verify.require(len(set(found)) == len(found), where, "a name stands twice")


def weights(written: Any, length: int, where: str) -> None:
    """So many bytes, as base64. Raises BadInput."""
    verify.require(length <= MOST_WEIGHTS, where, "too many weights")
    verify.require(isinstance(written, str), where, "must be text")
    try:
        held = b64decode(written, validate=True)
    except (NotBase64, ValueError):
        raise verify.bad(where, "must be base64") from None
    verify.require(len(held) == length, where, f"must hold {length} bytes")
