"""What another policy would earn beside the one that ran, and whether it may be put in force.

In: one log (see `off_policy`) and two policies over the same decisions. Out: both values, their difference with its interval, a verdict.
The difference is estimated decision by decision, so what both share (the noise of who bought at all) falls out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

import numpy as np

from nudge.measure import off_policy
from nudge.measure.off_policy import Evaluation, Log, Numbers
from nudge.measure.shown import number

Z = 1.959963984540054
type Verdict = Literal["refused", "no worse", "better"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two policies on one log; `low` and `high` are of the difference, new less current, in reward a decision."""

    new: Evaluation
    current: Evaluation
    difference: float
    low: float
    high: float
    reasons: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """`refused` where support is too thin or the interval lies below the current policy's; `better` where it lies above."""
        return "refused" if self.reasons else "better" if self.low > 0 else "no worse"


def compare(log: Log, new: Numbers, current: Numbers) -> Compared:
    """Both policies are (n, activities) probabilities. Raises ValueError as `off_policy.evaluate`."""
    model = off_policy.cross_fitted(log, new.shape[-1])
    evaluated = [off_policy.evaluate(log, one, expected=model) for one in (new, current)]
    rows = np.arange(len(log.reward))
    shift = np.broadcast_to(new, model.shape) - np.broadcast_to(current, model.shape)
    residual = (log.reward - model[rows, log.activity]) / log.propensity
    parts = (shift * model).sum(axis=1) + shift[rows, log.activity] * residual
    mean, error = float(parts.mean()), _error(parts, log)
    low, high = mean - Z * error, mean + Z * error
    reasons = list(evaluated[0].support.flaws)
    robust, present = evaluated[0].doubly_robust, evaluated[1].doubly_robust
    if high < 0 or robust.high < present.low:
        reasons.append("its interval lies below the value of the policy that ran")
    return Compared(evaluated[0], evaluated[1], mean, low, high, tuple(reasons))


def _error(parts: Numbers, log: Log) -> float:
    """Standard error of the mean; the decisions of one person count as one."""
    person = np.arange(len(parts)) if log.person is None else log.person
    people = len(np.unique(person))
    if people < 2:
        return float("inf")
    sums = np.bincount(person, parts - parts.mean())
    return sqrt(float((sums**2).sum()) * people / (people - 1)) / len(parts)


def said(compared: Compared) -> dict[str, Any]:
    """As plain JSON values."""
    return {
        "verdict": compared.verdict,
        "reasons": list(compared.reasons),
        "difference": {
            "estimate": number(compared.difference),
            "low": number(compared.low),
            "high": number(compared.high),
        },
        "policy": _policy(compared.new),
        "current": _policy(compared.current),
    }


def _policy(one: Evaluation) -> dict[str, Any]:
    support = one.support
    values = {
        name: {
            "value": number(held.value),
            "low": number(held.low),
            "high": number(held.high),
            "error": number(held.error),
        }
        for name, held in (("ips", one.ips), ("snips", one.snips), ("doubly_robust", one.doubly_robust))
    }
    return values | {
        "decisions": support.decisions,
        "effective": number(support.effective),
        "mean_weight": number(support.mean_weight),
        "untried": number(support.untried),
        "flaws": support.flaws,
    }
