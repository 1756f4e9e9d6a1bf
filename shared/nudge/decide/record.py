"""A decision as JSON text and back. In: a `Decision` or its text. Out: the other. Floats survive bit for bit."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from nudge.errors import BadInput
from nudge.vocabulary import Candidate, Decision

DECISION = tuple(field.name for field in fields(Decision))
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode
CANDIDATE = tuple(field.name for field in fields(Candidate))


def dumps(decision: Decision) -> str:
    """The whole decision as JSON text: names as in `Decision`, times in microseconds, candidates as objects."""
    held: dict[str, Any] = {name: getattr(decision, name) for name in DECISION}
    held["candidates"] = [{name: getattr(one, name) for name in CANDIDATE} for one in decision.candidates]
    return _encode(held)


def loads(text: str) -> Decision:
    """The decision of a text that `dumps` wrote. Raises BadInput when it is not one."""
    try:
        held = json.loads(text)
        held["candidates"] = tuple(Candidate(**one) for one in held["candidates"])
        return Decision(**held)
    except (ValueError, TypeError, KeyError) as wrong:
        raise BadInput("the text is not the record of a decision", reason="bad_record") from wrong
