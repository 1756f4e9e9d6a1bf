"""A report's figures and a smallest group come in; the same figures without counts that could point at a person go out."""

from __future__ import annotations

from typing import Any

PEOPLE = frozenset({"people", "decisions", "messages", "conversions", "attribution", "reach", "days"})
KEPT = frozenset(
    {"activity", "channel", "campaign", "people", "decisions", "messages", "conversions", "reading", "reach"}
)
WITHHELD = "withheld: fewer people than the smallest group a report may show"


def withhold(body: dict[str, Any], smallest: int) -> dict[str, Any]:
    """The body with no count of people or messages between 1 and `smallest` − 1 in it.

    Where a group that is compared is smaller than that, everything computed from the comparison goes too. A single small
    count takes the next smallest of its own list with it, so that a total gives nothing away. `smallest` ≤ 1 withholds nothing.
    """
    if smallest <= 1:
        return body
    goals = [
        {
            **goal,
            "activities": [_activity(one, smallest) for one in goal["activities"]],
            "contrasts": cells(goal["contrasts"], smallest),
        }
        for goal in body["goals"]
    ]
    hidden = any(one.get("withheld") for goal in goals for one in goal["activities"])
    for goal in goals:
        if any(one.get("withheld") for one in goal["activities"]):
            goal["total"] = _emptied(goal["total"])
    return {
        **body,
        "goals": goals,
        "total": _emptied(body["total"]) if hidden else body["total"],
        **({"course": [] if hidden else cells(body["course"], smallest)} if "course" in body else {}),
        "programme": _activity(body["programme"], smallest),
        "campaigns": [_campaign(one, smallest) for one in body["campaigns"]],
        "segments": cells(body["segments"], smallest),
        **({"customers": cells(body["customers"], smallest)} if "customers" in body else {}),
        "smallest_group": smallest,
    }


def _activity(one: dict[str, Any], smallest: int) -> dict[str, Any]:
    groups = [group["people"] for group in one["conversions"].values()]
    small = any(0 < size < smallest for size in (*groups, *one["people"].values()))
    shown = {
        name: _counts(value, smallest) if name in PEOPLE else cells(value, smallest) if name == "course" else value
        for name, value in one.items()
    }
    if not small:
        return shown
    emptied = {name: value if name in KEPT else _emptied(value) for name, value in shown.items()}
    emptied["conversions"] = _emptied(emptied["conversions"])
    return {**emptied, "withheld": True}


def _campaign(one: dict[str, Any], smallest: int) -> dict[str, Any]:
    shown = {name: _counts(value, smallest) if name in PEOPLE else value for name, value in one.items()}
    shown["contrasts"] = cells(one["contrasts"], smallest)
    shown["activities"] = [_activity(part, smallest) for part in one["activities"]]
    few = any(0 < one["people"][group] < smallest for group in ("treatment", "holdout"))
    if few or any(part.get("withheld") for part in shown["activities"]):
        hidden = ("total", "incremental_conversions", "revenue", "attribution")
        shown |= {name: _emptied(shown[name]) for name in hidden} | {"withheld": True}
    return shown


def cells(value: Any, smallest: int) -> Any:
    """Tables whose cells say of how many `people` they speak: a cell of fewer is emptied, and counts of ends with it."""
    if isinstance(value, list):
        return [cells(one, smallest) for one in value]
    if not isinstance(value, dict):
        return value
    if "ends" in value:
        return {**value, "ends": _counts(value["ends"], smallest)}
    people = value.get("people")
    sizes: list[Any] = list(people.values()) if isinstance(people, dict) else [people]
    if any(0 < size < smallest for size in sizes if isinstance(size, int)):
        return _emptied(value)
    return {name: cells(held, smallest) for name, held in value.items()}


def _counts(value: Any, smallest: int) -> Any:
    """Small counts become None, wherever they stand; with one alone goes the next smallest beside it."""
    if isinstance(value, list):
        return [_counts(one, smallest) for one in value if not _few(one, smallest)]
    if not isinstance(value, dict):
        return value
    inner = {name: _counts(held, smallest) for name, held in value.items()}
    counts = {name: held for name, held in inner.items() if isinstance(held, int) and not isinstance(held, bool)}
    small = {name for name, held in counts.items() if 0 < held < smallest}
    if len(small) == 1:
        others = {name: held for name, held in counts.items() if name not in small and held > 0}
        small |= {min(others, key=lambda name: (others[name], name))} if others else set()
    if small:  # a rate or an amount would tell the count
        small |= {name for name, held in inner.items() if isinstance(held, float)}
    return {name: None if name in small else held for name, held in inner.items()}


def _few(one: Any, smallest: int) -> bool:
    """A line that speaks of few people or messages."""
    size = one.get("count", one.get("people")) if isinstance(one, dict) else None
    return isinstance(size, int) and 0 < size < smallest


def _emptied(value: Any) -> Any:
    """The same shape without its figures; notes say why."""
    if isinstance(value, dict):
        return {name: WITHHELD if name == "note" else _emptied(held) for name, held in value.items()}
    if isinstance(value, list):
        return []
    return value if isinstance(value, str | bool) else None
