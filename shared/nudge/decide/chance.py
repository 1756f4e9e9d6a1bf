"""Every chance of a decision, from stable hashes. In: ids. Out: numbers in [0, 1). Knows no random generator.

The same decision id always draws the same number, and a person stays in, or out of, a holdout for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from nudge.jsontext import canonical

LONGEST = 255
"""Characters of an Idempotency-Key."""


def uniform(text: str) -> float:
    """A uniform number in [0, 1) with 53 bits, from SHA-256."""
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11) / (1 << 53)


def decision_id(user_id: str, key: str) -> str:
    """The id of the decision that a person's request with this Idempotency-Key makes: 32 hex digits."""
    return hashlib.sha256(f"{user_id}\n{key}".encode()).hexdigest()[:32]


def key(*parts: str | int) -> str:
    """An Idempotency-Key of our own, of parts that hold no slash: as they are where a header could carry that, else hashed."""
    text = "/".join(map(str, parts))
    plain = len(text) <= LONGEST and text.isascii() and text.isprintable() and " " not in text
    return text if plain else f"{parts[0]}/{hashlib.sha256(text.encode()).hexdigest()}"


def draw(decision: str) -> float:
    """The draw with which the policy chooses among the candidates."""
    return uniform(f"{decision}/draw")


def in_global_holdout(user_id: str, share: float) -> bool:
    """Whether a person is never contacted, in any campaign."""
    return uniform(f"holdout/{user_id}") < share


def in_holdout(activity: str, user_id: str, share: float) -> bool:
    """Whether a person is held out from one activity."""
    return uniform(f"holdout/{activity}/{user_id}") < share


def in_campaign_holdout(campaign: str, user_id: str, share: float) -> bool:
    """Whether a person is held out from all that a campaign does, in every run of it."""
    return uniform(f"holdout/campaign/{campaign}/{user_id}") < share


def request_hash(request: Mapping[str, Any]) -> str:
    """What tells one request from another under the same key: a hash of its canonical JSON."""
    return hashlib.sha256(canonical(request)).hexdigest()[:32]
