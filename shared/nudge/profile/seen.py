"""Which events a person's state already holds, packed into bytes. In: packed ids and events. Out: what is new.

Layout: 4 bytes floor (minutes since 1970, big-endian; 0 = nothing was ever dropped), then 10 bytes an event in
ascending order: 4 bytes minute of the event, 6 bytes blake2b of its id. So the bytes themselves keep the order of time,
and the oldest are a slice. An id is recognised by its hash alone, whatever its time. Cost: 10 bytes an event and person,
41 kB at most; a new event is taken for a known one with probability n / 2⁴⁸ (60 events: 2 · 10⁻¹³).

Beyond `KEEP` events the oldest are dropped and the floor rises to the latest minute dropped: of an unknown event at or
below the floor nobody can tell whether it was counted. It does not know profiles or stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from nudge.vocabulary import Event, Micros

KEEP = 4096
_FLOOR, _MINUTE, _WIDTH = 4, 4, 10
_MICROS = 60_000_000
_LAST_MINUTE = (1 << 32) - 1


def digest(event_id: str) -> bytes:
    """The 6 bytes by which an event is known."""
    return blake2b(event_id.encode(), digest_size=_WIDTH - _MINUTE).digest()


def entry(event_id: str, event_time: Micros) -> bytes:
    """The 10 bytes of an event."""
    return _minute(event_time).to_bytes(_MINUTE) + digest(event_id)


def _minute(time: Micros) -> int:
    return min(max(time // _MICROS, 0), _LAST_MINUTE)


def floor(seen: bytes) -> int:
    """The minute at or below which unknown events are undecidable; −1 when nothing was dropped."""
    return (int.from_bytes(seen[:_FLOOR]) or -1) if seen else -1


def entries(seen: bytes) -> list[bytes]:
    """The packed events, oldest first."""
    return [seen[at : at + _WIDTH] for at in range(_FLOOR, len(seen), _WIDTH)]


def pack(events: Iterable[bytes], lowest: int = -1) -> bytes:
    """Pack entries (in any order, distinct) above a floor; the newest `KEEP` stay."""
    ordered = sorted(events)
    if not ordered and lowest < 0:
        return b""
    dropped = ordered[:-KEEP]
    if dropped:
        lowest = max(lowest, int.from_bytes(dropped[-1][:_MINUTE]), 1)
    return max(lowest, 0).to_bytes(_FLOOR) + b"".join(ordered[-KEEP:])


def fresh(seen: bytes, events: Iterable[Event]) -> tuple[list[Event], list[Event]]:
    """Split events into those to apply and those that are undecidable; known ones, and repetitions among them, are left out.

    Of several events with one id the first by (time, content) counts: the one that a reader of the lake keeps.
    """
    known = {seen[at + _MINUTE : at + _WIDTH] for at in range(_FLOOR, len(seen), _WIDTH)}
    lowest = floor(seen)
    new: dict[bytes, Event] = {}
    undecidable: list[Event] = []
    for event in events:
        name = digest(event.event_id)
        if name in known:
            continue
        if lowest >= 0 and _minute(event.event_time) <= lowest:
            undecidable.append(event)
        elif name not in new or _order(event) < _order(new[name]):
            new[name] = event
    return list(new.values()), undecidable


def _order(event: Event) -> tuple[str, ...]:
    return (f"{event.event_time:+025d}", repr(event))


def add(seen: bytes, events: Sequence[Event]) -> bytes:
    """The packed ids with these events, which must come from `fresh`."""
    if not events:
        return seen
    return pack([*entries(seen), *(entry(event.event_id, event.event_time) for event in events)], floor(seen))


def lacks(snapshot: bytes, seen: bytes) -> bool:
    """Whether `seen` holds an event that a snapshot of the lake does not: it was applied after the snapshot was taken."""
    known = {packed[_MINUTE:] for packed in entries(snapshot)}
    lowest = floor(snapshot)
    return any(packed[_MINUTE:] not in known and int.from_bytes(packed[:_MINUTE]) > lowest for packed in entries(seen))
