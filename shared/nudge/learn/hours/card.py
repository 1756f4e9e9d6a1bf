"""What is stored of send times: the artefact that `score.hours` reads, and its card. No clock in it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars

from nudge.learn.hours.fit import Fitted, Told
from nudge.learn.recipe import Recipe
from nudge.vocabulary import Micros

LIMITS = (
    "An answer is a human open or click within a day; machines are known by their timing and by what they call themselves, and not all are.",
    "A person's hours are those of everything that they do, in UTC; they are moved to local time by the offset of the moment, so that for some weeks "
    "after the clocks change half of them are an hour off.",
    "Rates by hour are of messages that were not held; where hours were never drawn, they tell who was written to at that hour, too.",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the artefact says besides what is learned."""

    name: str
    channel: str
    open_minutes: tuple[int, int]
    half_life_days: float
    total_slot: int
    channels: dict[str, dict[str, Any]]


def export(fitted: Fitted, setting: Setting) -> dict[str, Any]:
    """The artefact."""
    segments = {
        name: {"rates": one[0].tolist(), "activity": one[1].tolist()} for name, one in sorted(fitted.segments.items())
    }
    return {
        "format": 1,
        "kind": "send_time",
        "name": setting.name,
        "channel": setting.channel,
        "open": list(setting.open_minutes),
        "segments": segments,
        "kernel": fitted.kernel.tolist(),
        "strength": fitted.strength,
        "power": fitted.power,
        "half_life_days": setting.half_life_days,
        "total_slot": setting.total_slot,
        "channels": setting.channels,
    }


def card(
    final: Fitted,
    setting: Setting,
    every: Told,
    metrics: Mapping[str, list[float]],
    parity: float,
    bounds: tuple[Micros, Micros],
    *,
    data: Mapping[str, Any],
    recipe: Recipe,
) -> dict[str, Any]:
    sent = np.bincount(every.sent, minlength=48)
    came = np.bincount(every.sent, every.answered.astype(float), minlength=48)
    return {
        "kind": "send_time",
        "channel": setting.channel,
        "data": dict(data),
        "messages": {"sent": len(every.who), "answered": int(every.answered.sum()), "people": len(every.counts)},
        "slices": {"boundaries": list(bounds)},
        "metrics": dict(metrics),
        "all_kinds": {"send_time": dict(metrics)},
        "chosen_by": {"slice": "the messages between the boundaries", "strength": final.strength, "power": final.power},
        "hours": [
            {
                "cell": one,
                "sent": int(sent[one]),
                "answered": int(came[one]),
                "rate": float(final.segments["*"][0][one]),
            }
            for one in range(48)
        ],
        "channels": setting.channels,
        "parity": parity,
        "reads": {
            "h": "the person's decayed activity by hour of the week, UTC",
            "timezone": "the segment, and local time",
        },
        "features": [],
        "limits": list(LIMITS),
        "recipe": asdict(recipe),
        "libraries": {"python": platform.python_version(), **{one.__name__: one.__version__ for one in (np, polars)}},
    }
