"""Log-odds of a model → probability that means what it says.

Platt's sigmoid (two numbers) or isotonic steps with straight lines between them, fitted on a later slice of time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from math import exp
from typing import Any


def sigmoid(z: float) -> float:
    """1 / (1 + e^-z), without overflow at either end."""
    if z >= 0:
        return 1.0 / (1.0 + exp(-z))
    grown = exp(z)
    return grown / (1.0 + grown)


def calibrated(calibration: Mapping[str, Any]) -> Callable[[float], float]:
    """The function log-odds → probability of a checked calibration."""
    if calibration["kind"] == "sigmoid":
        slope, intercept = float(calibration["slope"]), float(calibration["intercept"])
        return lambda z: sigmoid(slope * z + intercept)
    xs, ys = calibration["x"], calibration["y"]

    def steps(z: float) -> float:
        place = bisect_right(xs, z)
        if place == 0:
            return float(ys[0])
        if place == len(xs):
            return float(ys[-1])
        low, high = xs[place - 1], xs[place]
        return float(ys[place - 1] + (z - low) / (high - low) * (ys[place] - ys[place - 1]))

    return steps
