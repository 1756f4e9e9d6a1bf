"""How a journey is written, as one JSON text. In: a `Journey`. Out: its text; and back. Steps are lists in the order of `Step`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from zlib import crc32

from nudge.decide.journey import Done, Journey, Stand
from nudge.vocabulary import Step

SHARDS = 16
"""Journeys wait in so many shards of the index, by person and campaign."""


def shard_of(campaign: str, user_id: str) -> int:
    return crc32(f"{campaign}/{user_id}".encode()) % SHARDS


def text_of(journey: Journey) -> str:
    """All fields by name. The same journey is always the same text."""
    return json.dumps(journey._asdict(), allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def journey_of(text: str) -> Journey:
    """The journey of a text that `text_of` wrote."""
    held: dict[str, Any] = json.loads(text)
    place, since, done, stops = held["stand"]
    held["stand"] = Stand(
        tuple(place), since, None if done is None else Done(*done), tuple((goal, at) for goal, at in stops)
    )
    held["steps"] = _steps(held["steps"])
    return Journey(**held | {name: tuple(held[name]) for name in ("activities", "wakes")})


def _steps(said: Iterable[Any]) -> tuple[Step, ...]:
    return tuple(Step(kind, name, time, _steps(yes), _steps(no)) for kind, name, time, yes, no in said)
