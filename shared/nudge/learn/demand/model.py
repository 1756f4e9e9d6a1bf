"""Forecasts with their calendar → the stored model and its card.

In: named series of whole days or weeks, where they begin and end, the plan's options. Out: canonical JSON that holds the forecasts
themselves (there is nothing to compute when they are read), its card, the figures. Knows neither lake nor store.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy
import scipy
import statsmodels
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nudge.errors import NotReady
from nudge.learn.demand.counted import Counted
from nudge.learn.demand.forecast import Forecast, Group, forecast
from nudge.learn.demand.rolling import PASTS
from nudge.learn.export import canonical
from nudge.learn.recipe import Recipe

FORMAT = 1
KEPT = 90
"""Latest points of each series that are stored beside its forecast."""
STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}
PERIODS = {"day": 7, "week": 52}
LONGEST = {"day": 400, "week": 260}
"""Points of each series that are learned from, the latest."""
LIMITS = (
    "Days without an event count as zero: a closed shop and a broken feed look alike.",
    "Holidays and planned promotions are not known to it; they show as anomalies afterwards.",
    "Series are forecast one by one; their sum is near the forecast of the sum, not equal to it.",
)


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger: its stored bytes, its card, and what the forecasts were worth on the pasts."""

    version: str
    kind: str
    model: bytes
    card: bytes
    metrics: dict[str, list[float]]
    group: Group


type Load = Callable[[Mapping[str, Any]], Any]


def train(
    name: str,
    counted: Counted,
    options: Mapping[str, Any],
    *,
    data: Mapping[str, Any],
    recipe: Recipe,
    load: Load,
    tell: Callable[[int], None] | None = None,
) -> Trained:
    """Forecast every series. `load` is `score.demand.load`. Raises NotReady where there is no series."""
    every, horizon = options["every"], int(options["horizon"])
    names = sorted(counted.series)
    held = [numpy.trim_zeros(counted.series[one].astype(float), "f")[-LONGEST[every] :] for one in names]
    names, held = (
        [one for one, points in zip(names, held, strict=True) if len(points)],
        [one for one in held if len(one)],
    )
    if not held:
        raise NotReady(f"no whole {every} has a {options['event']} yet", missing={f"{every}s": 0})
    with threadpool_limits(1):
        group = forecast(held, PERIODS[every], horizon, confidence=recipe.confidence, tell=tell)
    step = STEPS[every]
    stored = canonical(
        {
            "format": FORMAT,
            "kind": "demand",
            "name": name,
            **{key: options[key] for key in ("event", "of", "by", "every")},
            "horizon": horizon,
            "confidence": recipe.confidence,
            "start": (counted.last + step).isoformat(),
            "method": group.choice.taken,
            "naive_method": group.choice.naive,
            "series": [
                _series(one, points, made, counted.last, step)
                for one, points, made in zip(names, held, group.forecasts, strict=True)
            ],
        }
    )
    _read_back(stored, load, group)
    card = _card(name, group, names, held, counted, options, data, recipe)
    version = f"{counted.last:%Y%m%d}-{hashlib.sha256(stored).hexdigest()[:12]}"
    return Trained(version, "demand", stored, canonical(card), _plain(group.metrics), group)


def _series(name: str, points: numpy.ndarray, made: Forecast, last: date, step: timedelta) -> dict[str, Any]:
    first = last - step * (len(points) - 1)
    return {
        "name": name,
        "points": [number(one) for one in points[-KEPT:]],
        **{key: [number(one) for one in getattr(made, key)] for key in ("value", "low", "high", "naive")},
        "flags": [
            {
                "at": (first + step * flag.place).isoformat(),
                "kind": flag.kind,
                **{key: number(getattr(flag, key)) for key in ("value", "expected", "score")},
            }
            for flag in made.flags
        ],
    }


def number(value: float) -> float:
    """Six digits: what is stored does not hang on a sum's last bits."""
    return float(f"{value:.6g}")


def _plain(metrics: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    return {name: [number(one) for one in values] for name, values in metrics.items()}


def _read_back(stored: bytes, load: Load, group: Group) -> None:
    """What is read back is what was forecast, to the digits stored. Raises NotReady where it is not."""
    scorer = load(json.loads(stored))
    for name, made in zip(scorer.series, group.forecasts, strict=True):
        for row, value, low, high in zip(scorer.forecast(name), made.value, made.low, made.high, strict=True):
            if (row["value"], row["low"], row["high"]) != (number(value), number(low), number(high)):
                raise NotReady(
                    "the stored forecast of a series differs from the one made; not published", missing={"parity": 1}
                )


def _card(
    name: str,
    group: Group,
    names: Sequence[str],
    held: Sequence[numpy.ndarray],
    counted: Counted,
    options: Mapping[str, Any],
    data: Mapping[str, Any],
    recipe: Recipe,
) -> dict[str, Any]:
    flagged = [flag.kind for made in group.forecasts for flag in made.flags]
    return {
        "name": name,
        "kind": "demand",
        "data": dict(data),
        "metrics": _plain(group.metrics),
        "all_kinds": {one: {"mase": number(loss)} for one, loss in sorted(group.choice.losses.items())},
        "chosen_by": {
            "protocol": f"rolling origin, up to {PASTS} pasts of the later half of each series, every horizon",
            "taken": group.choice.taken,
            "naive": group.choice.naive,
            "gain": number(group.choice.gain),
            "error": number(group.choice.error) if numpy.isfinite(group.choice.error) else None,
        },
        "parity": 0.0,
        "features": [f"{options['of']} of {options['event']} by {options['every']}"],
        "series": {"number": len(names), "in_other": counted.left_out, "points": [len(one) for one in held]},
        "intervals": {one: number(value) for one, value in asdict(group.spread).items()},
        "flags": {kind: flagged.count(kind) for kind in ("anomaly", "level_shift")},
        "options": dict(options),
        "limits": list(LIMITS),
        "recipe": {"confidence": recipe.confidence},
        "libraries": {
            "python": platform.python_version(),
            **{one.__name__: one.__version__ for one in (numpy, scipy, statsmodels)},
        },
    }
