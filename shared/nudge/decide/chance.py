"""Every chance of a decision, from stable hashes. In: ids. Out: numbers in [0, 1). Knows no random generator.

The same decision id always draws the same number, and a person stays in, or out of, a holdout for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from nudge.jsontext import canonical


def uniform(text: str) -> float:
    """A uniform number in [0, 1) with 53 bits, from SHA-256."""
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11) / (1 << 53)


def decision_id(user_id: str, key: str) -> str:
    """The id of the decision that a person's request with this Idempotency-Key makes: 32 hex digits."""
    return hashlib.sha256(f"{user_id}\n{key}".encode()).hexdigest()[:32]


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
