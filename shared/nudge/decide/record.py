"""A decision as JSON text and back. In: a `Decision` or its text. Out: the other. Floats survive bit for bit."""

from __future__ import annotations

import json

from nudge.errors import BadInput
from nudge.vocabulary import Candidate, Decision

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode


def dumps(decision: Decision) -> str:
    """The whole decision as JSON text: names as in `Decision`, times in microseconds, candidates as objects."""
    return _encode(decision._asdict() | {"candidates": [one._asdict() for one in decision.candidates]})


def loads(text: str) -> Decision:
    """The decision of a text that `dumps` wrote. Raises BadInput when it is not one."""
    try:
        held = json.loads(text)
        held["candidates"] = tuple(Candidate(**one) for one in held["candidates"])
        return Decision(**held)
    except (ValueError, TypeError, KeyError) as wrong:
        raise BadInput("the text is not the record of a decision", reason="bad_record") from wrong
