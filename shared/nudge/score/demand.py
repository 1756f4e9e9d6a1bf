"""Reads stored forecasts of demand: for each series what is expected, between what and what, and what was unusual.

In: the artefact of `learn.demand`. Out: rows with dates. Nothing is computed but the calendar; standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from nudge.errors import BadInput, NotFound
from nudge.score.verify import FORMAT, bad, finite, numbers, require

STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}
FLAGS = ("anomaly", "level_shift")
LONGEST = 366
MOST_POINTS = 1000


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an artefact completely. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    try:
        _check(artefact)
    except BadInput:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        raise bad(type(wrong).__name__, str(wrong)[:80]) from None


def _check(artefact: Mapping[str, Any]) -> None:
    require(artefact["format"] == FORMAT, "format", f"this code reads format {FORMAT}")
    require(artefact["kind"] == "demand", "kind", "must be demand")
    for key in ("name", "event", "method", "naive_method"):
        require(isinstance(artefact[key], str), key, "must be text")
    require(artefact["of"] in ("count", "value"), "of", "must be count or value")
    require(artefact["by"] in ("all", "category", "item"), "by", "must be all, category or item")
    require(artefact["every"] in STEPS, "every", "must be day or week")
    date.fromisoformat(artefact["start"])
    horizon = artefact["horizon"]
    require(horizon.__class__ is int and 1 <= horizon <= LONGEST, "horizon", f"must be a whole number up to {LONGEST}")
    require(finite(artefact["confidence"]) and 0 < artefact["confidence"] < 1, "confidence", "must lie between 0 and 1")
    series = artefact["series"]
    require(isinstance(series, list) and len(series) > 0, "series", "must be a list that is not empty")
    names = [one["name"] for one in series]
    require(all(isinstance(name, str) for name in names), "series", "a name must be text")
    require(len(set(names)) == len(names), "series", "a name stands twice")
    for place, one in enumerate(series):
        _series(one, horizon, f"series[{place}]")


def _series(one: Mapping[str, Any], horizon: int, where: str) -> None:
    for key in ("value", "low", "high", "naive"):
        numbers(one[key], horizon, f"{where}.{key}")
    ordered = all(low <= value <= high for low, value, high in zip(one["low"], one["value"], one["high"], strict=True))
    require(ordered, where, "a forecast lies outside its interval")
    points = one["points"]
    require(isinstance(points, list) and 0 < len(points) <= MOST_POINTS, f"{where}.points", "too few or too many")
    numbers(points, len(points), f"{where}.points")
    for flag in one["flags"]:
        date.fromisoformat(flag["at"])
        require(flag["kind"] in FLAGS, f"{where}.flags", f"known kinds are {', '.join(FLAGS)}")
        require(all(finite(flag[key]) for key in ("value", "expected", "score")), f"{where}.flags", "must hold numbers")


@dataclass(frozen=True, slots=True)
class Forecasts:
    """What is expected of each series. Days are ISO dates; a week is named by its Monday."""

    series: Sequence[str]
    horizon: int
    confidence: float
    every: str
    start: date
    _held: Mapping[str, Mapping[str, Any]]

    def forecast(self, series: str) -> list[dict[str, Any]]:
        """{at, value, low, high, naive} a day or week, the next first. Raises NotFound for a series that is not held."""
        one, step = self._of(series), STEPS[self.every]
        return [
            {"at": (self.start + step * ahead).isoformat()}
            | {key: one[key][ahead] for key in ("value", "low", "high", "naive")}
            for ahead in range(self.horizon)
        ]

    def points(self, series: str) -> list[dict[str, Any]]:
        """{at, value} of the latest days or weeks that were known, oldest first."""
        held, step = self._of(series)["points"], STEPS[self.every]
        first = self.start - step * len(held)
        return [{"at": (first + step * place).isoformat(), "value": value} for place, value in enumerate(held)]

    def flags(self, series: str) -> list[dict[str, Any]]:
        """{at, kind, value, expected, score} of what was unusual, oldest first; kind is anomaly or level_shift."""
        return [dict(flag) for flag in self._of(series)["flags"]]

    def shown(self, series: str) -> dict[str, Any]:
        """What a page draws: {series, every, points, forecast, flags}."""
        return {
            "series": series,
            "every": self.every,
            "points": self.points(series),
            "forecast": self.forecast(series),
            "flags": self.flags(series),
        }

    def _of(self, series: str) -> Mapping[str, Any]:
        try:
            return self._held[series]
        except KeyError:
            raise NotFound(f"no series {series!r} is forecast") from None


def load(artefact: Mapping[str, Any]) -> Forecasts:
    """Raises BadInput (reason `bad_model`) where the artefact is not whole."""
    structure(artefact)
    held = {one["name"]: one for one in artefact["series"]}
    return Forecasts(
        tuple(held),
        artefact["horizon"],
        artefact["confidence"],
        artefact["every"],
        date.fromisoformat(artefact["start"]),
        held,
    )
