"""A decision as JSON text and back. In: a `Decision` or its text. Out: the other. Floats survive bit for bit."""

from __future__ import annotations

from math import isfinite
from typing import Any

from nudge import jsontext
from nudge.errors import BadInput
from nudge.vocabulary import Candidate, Contribution, Decision, Explanation, SendTime


def dumps(decision: Decision) -> str:
    """The whole decision as JSON text: names as in `Decision`, times in microseconds, candidates as objects.

    Raises ValueError where a number is not finite: JSON would forget it, and the decision could not be made again.
    """
    numbers = [one for one in decision.vector.values() if one.__class__ is float]
    for one in decision.candidates:
        numbers += (one.probability or 0.0, one.value or 0.0, one.propensity)
    if not isfinite(sum(numbers)) and not all(map(isfinite, numbers)):  # a sum is finite only of what is
        raise ValueError("a decision holds a number that is not finite")
    held = decision._asdict()
    held["candidates"] = [one._asdict() for one in decision.candidates]
    if decision.send_time is not None:
        held["send_time"] = decision.send_time._asdict()
    if decision.why is not None:
        held["why"] = explained(decision.why)
    return jsontext.compact(held)


def explained(why: Explanation) -> dict[str, Any]:
    """An explanation as JSON: `base`, `reasons` as a list of `{feature, effect}`, `others`."""
    return {**why._asdict(), "reasons": [one._asdict() for one in why.reasons]}


def loads(text: str) -> Decision:
    """The decision of a text that `dumps` wrote. Raises BadInput when it is not one."""
    try:
        held = jsontext.loads(text)
        held["candidates"] = tuple(Candidate(**one) for one in held["candidates"])
        held["items"] = tuple(held.get("items", ()))
        if held.get("send_time") is not None:
            held["send_time"] = SendTime(**held["send_time"])
        if (why := held.get("why")) is not None:
            held["why"] = Explanation(why["base"], tuple(Contribution(**one) for one in why["reasons"]), why["others"])
        return Decision(**held)
    except (ValueError, TypeError, KeyError) as wrong:
        raise BadInput("the text is not the record of a decision", reason="bad_record") from wrong
