"""The online executor: one person's state, one event at a time, in any order, with the standard library alone.

In: a state (see `profile.spec`) and events. Out: a new state; nothing given is changed. Adding an event brings the older
of both sums to the later time and adds; merging two states is the same. It does not know duplicates (see `profile.seen`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp2, isfinite
from typing import Any

from nudge.profile.spec import (
    AFFINITY,
    DECAYED,
    FIRST,
    HALF_LIVES,
    HOURS,
    ITEMS,
    KEEP_CATEGORIES,
    KEEP_TYPES,
    LARGEST_VALUE,
    LAST,
    RECENT,
    SUMS,
    TOTAL,
    WORTH,
)
from nudge.vocabulary import DAY, Event

type State = dict[str, Any]

_BY_HALF_LIFE = tuple(
    (
        1.0 / (days * DAY),
        next(SUMS + i for i, row in enumerate(DECAYED) if row.half_life_days == days and row.weigh is None),
        next((SUMS + i for i, row in enumerate(DECAYED) if row.half_life_days == days and row.weigh), 0),
    )
    for days in HALF_LIVES
)
"""(2-folds per microsecond, slot of the count, slot of the value or 0)."""

_HOUR, _HOURS_IN_WEEK, _MONDAY = 3_600_000_000, 168, 72  # 1970-01-01 was a Thursday: 72 hours into its week
_HOUR_KEYS = tuple(str(hour) for hour in range(_HOURS_IN_WEEK))
_HOURS_SPAN, _AFFINITY_SPAN = HOURS.half_life_days * DAY, AFFINITY.half_life_days * DAY
_LEAVE_OUT = frozenset(HOURS.leave_out)
_NOT_MET = frozenset(ITEMS.leave_out)


def fold(state: Mapping[str, Any], event: Event) -> State:
    """The state with one more event. O(number of features), whatever the history."""
    return fold_many(state, (event,))


def fold_many(state: Mapping[str, Any], events: Iterable[Event]) -> State:
    """The state with more events, in whichever order they come."""
    new = copy(state)
    types, (at, hours), (since, affinity), recent = new["e"], new["h"], new["c"], new["r"]
    for event in events:
        time, kind, category = event.event_time, event.event_type, event.category
        row = types.get(kind)
        if row is None:
            types[kind] = _start(time, event.value)
        else:
            _add(row, time, event.value)
        if kind not in _LEAVE_OUT:
            if time >= at + _HOURS_SPAN:
                at = _move(hours, at, time, _HOURS_SPAN)
            key = _HOUR_KEYS[(time // _HOUR + _MONDAY) % _HOURS_IN_WEEK]
            hours[key] = hours.get(key, 0.0) + exp2((time - at) / _HOURS_SPAN)
        if category is not None:
            if time >= since + _AFFINITY_SPAN:
                since = _move(affinity, since, time, _AFFINITY_SPAN)
            affinity[category] = affinity.get(category, 0.0) + exp2((time - since) / _AFFINITY_SPAN)
        if event.item_id is not None:
            _meet(recent, event.item_id, time)
            if kind not in _NOT_MET:
                _meet(new["i"].setdefault(kind, {}), event.item_id, time)
    new["h"][0], new["c"][0] = at, since
    return bounded(new)


def merge(a: Mapping[str, Any], b: Mapping[str, Any]) -> State:
    """The state of all events of both. Commutative and associative; they must not share an event."""
    new = copy(a)
    types = new["e"]
    for kind, row in b.get("e", {}).items():
        types[kind] = _sum(types[kind], row) if kind in types else list(row)
    for key, span in (("h", _HOURS_SPAN), ("c", _AFFINITY_SPAN)):
        mine, (at, theirs) = new[key], b.get(key) or _EMPTY
        if at > mine[0]:
            mine[0] = _move(mine[1], mine[0], at, span)
        factor = exp2((at - mine[0]) / span)
        for name, weight in theirs.items():
            mine[1][name] = mine[1].get(name, 0.0) + weight * factor
    for item, time in b.get("r", {}).items():
        _meet(new["r"], item, time)
    for kind, items in b.get("i", {}).items():
        mine = new["i"].setdefault(kind, {})
        for item, time in items.items():
            _meet(mine, item, time)
    for flag in ("stale", "cut"):
        if b.get(flag):
            new[flag] = True
    return bounded(new)


_NEVER = -(1 << 62)
_EMPTY: tuple[int, dict[str, float]] = (_NEVER, {})


def copy(state: Mapping[str, Any]) -> State:
    """A state of one's own, complete; the empty mapping is the state of somebody without events."""
    at, hours = state.get("h") or _EMPTY
    since, affinity = state.get("c") or _EMPTY
    new = {
        "e": {kind: list(row) for kind, row in state.get("e", {}).items()},
        "h": [at, dict(hours)],
        "c": [since, dict(affinity)],
        "r": dict(state.get("r", {})),
        "i": {kind: dict(items) for kind, items in state.get("i", {}).items()},
    }
    return new | {flag: True for flag in ("stale", "cut") if state.get(flag)}


def _meet(items: dict[str, int], item: str, time: int) -> None:
    if time > items.get(item, time - 1):
        items[item] = time


def _newest(items: Mapping[str, int], keep: int) -> dict[str, int]:
    kept = sorted(items, key=lambda item: (items[item], item))[-keep:]
    return {item: items[item] for item in kept}


def _start(time: int, value: float | None) -> list[Any]:
    amount = _amount(value)
    return [time, time, 1, amount, *(1.0 if row.weigh is None else amount for row in DECAYED)]


def _amount(value: float | None) -> float:
    if value is None or not isfinite(value):
        return 0.0
    return min(max(float(value), -LARGEST_VALUE), LARGEST_VALUE)


def _add(row: list[Any], time: int, value: float | None) -> None:
    """Add one event to a type's sums: the older side decays to the later time."""
    amount = 0.0 if value is None else _amount(value)
    since = time - row[LAST]
    row[TOTAL] += 1
    row[WORTH] += amount
    if since >= 0:
        row[LAST] = time
        for rate, count, worth in _BY_HALF_LIFE:
            factor = exp2(-since * rate)
            row[count] = row[count] * factor + 1.0
            if worth:
                row[worth] = row[worth] * factor + amount
        return
    if time < row[FIRST]:
        row[FIRST] = time
    for rate, count, worth in _BY_HALF_LIFE:
        factor = exp2(since * rate)
        row[count] += factor
        if worth:
            row[worth] += amount * factor


def _sum(a: list[Any], b: list[Any]) -> list[Any]:
    last = max(a[LAST], b[LAST])
    sums = []
    for slot, row in enumerate(DECAYED, SUMS):
        rate = 1.0 / (row.half_life_days * DAY)
        sums.append(a[slot] * exp2((a[LAST] - last) * rate) + b[slot] * exp2((b[LAST] - last) * rate))
    return [last, min(a[FIRST], b[FIRST]), a[TOTAL] + b[TOTAL], a[WORTH] + b[WORTH], *sums]


def _move(weights: dict[str, float], at: int, time: int, span: int) -> int:
    """Bring decayed weights to the anchor of a later time, by an exact power of two; returns the anchor."""
    anchor = time // span * span
    if weights:
        factor = exp2((at - anchor) / span)
        for name in weights:
            weights[name] *= factor
    return anchor


def bounded(state: State) -> State:
    """The state without what exceeds its bounds; parts that are empty are left out."""
    types, (at, hours), (since, affinity), recent = state["e"], state["h"], state["c"], state["r"]
    cut = state.get("cut") or len(types) > KEEP_TYPES or len(affinity) > KEEP_CATEGORIES
    if len(types) > KEEP_TYPES:
        kept = sorted(types, key=lambda kind: (types[kind][LAST], kind))[-KEEP_TYPES:]
        types = {kind: types[kind] for kind in kept}
    if len(affinity) > KEEP_CATEGORIES:
        kept = sorted(affinity, key=lambda name: (affinity[name], name))[-KEEP_CATEGORIES:]
        affinity = {name: affinity[name] for name in kept}
    if len(recent) > RECENT.keep:
        recent = _newest(recent, RECENT.keep)
    met = {
        kind: items if len(items) <= ITEMS.keep else _newest(items, ITEMS.keep) for kind, items in state["i"].items()
    }
    if len(met) > ITEMS.types:
        cut = True
        newest = sorted(met, key=lambda kind: (max(met[kind].values()), kind))[-ITEMS.types :]
        met = {kind: met[kind] for kind in newest}
    parts: State = {
        "e": types,
        "h": [at, hours] if hours else None,
        "c": [since, affinity] if affinity else None,
        "r": recent,
        "i": met,
        "stale": state.get("stale"),
        "cut": cut,
    }
    return {key: part for key, part in parts.items() if part}
