"""How things stand: which model is in force for each goal, and why rows were rejected, as their makers wrote it down.

Read for show only: nothing is decided by it, so no signature is checked here. What cannot be read is left out, not guessed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from nudge.errors import NotFound
from nudge.ports import Arrival, Objects

MOST_REPORTS = 500
"""Quality reports read for their reasons: those of the contents with the most rejected rows."""


def reject_reasons(objects: Objects, arrived: Iterable[Arrival]) -> dict[str, Counter[str]]:
    """kind → reason → rejected rows, from the quality reports that `prepare` wrote."""
    worst = sorted((one for one in arrived if one.counts.rejected), key=lambda one: (-one.counts.rejected, one.content))
    found: dict[str, Counter[str]] = {}
    for one in worst[:MOST_REPORTS]:
        report = _json(objects, f"reports/quality/{one.content}.json")
        found.setdefault(one.kind, Counter()).update(report.get("reasons") or {})
    return found


def models(objects: Objects, goals: Iterable[str]) -> list[dict[str, Any]]:
    """For each goal: the champion's kind, version, metrics ({name: {value, low, high}}) and reason, or why there is none."""
    return [_standing(objects, goal) for goal in goals]


def _standing(objects: Objects, goal: str) -> dict[str, Any]:
    pointer = _json(objects, f"models/{goal}/champion.json")
    version = pointer.get("version")
    card = _json(objects, f"models/{goal}/{version}/card.json") if version else {}
    challenger, verdict = _newest_verdict(objects, goal)
    return {
        "goal": goal,
        "kind": card.get("kind"),
        "version": version,
        "metrics": {name: figure for name, held in (card.get("metrics") or {}).items() if (figure := _figure(held))},
        "reason": pointer.get("reason") or verdict.get("reason"),
        "challenger": None
        if challenger in (None, version)
        else {"version": challenger, "reason": verdict.get("reason")},
    }


def _newest_verdict(objects: Objects, goal: str) -> tuple[str | None, Mapping[str, Any]]:
    """The version judged last, and its verdict."""
    prefix, ending = f"models/{goal}/", "/verdict.json"
    held = [(one.modified_at, one.key) for one in objects.list(prefix) if one.key.endswith(ending)]
    if not held:
        return None, {}
    key = max(held)[1]
    return key.removeprefix(prefix).removesuffix(ending), _json(objects, key)


def _figure(held: Any) -> dict[str, float] | None:
    """`[value, low, high]`, or a bare number, by name."""
    values = held if isinstance(held, list) else [held]
    if not values or not all(isinstance(one, int | float) for one in values):
        return None
    return dict(zip(("value", "low", "high"), values, strict=False))


def _json(objects: Objects, key: str) -> dict[str, Any]:
    try:
        found = json.loads(objects.get(key))
    except (NotFound, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
