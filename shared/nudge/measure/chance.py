"""Counts and distances come in; how probable they are by chance goes out.

Exact tests are sums over every other outcome that is no more probable than the one seen. Built on `scipy.special` alone:
importing `scipy.stats` would take most of the cold start of the door that shows a report.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

type Numbers = npt.NDArray[np.float64]

_TIES = 1 + 1e-7
"""Outcomes as probable as the one seen count, in spite of the last bits (as R and SciPy do)."""


def t_quantile(probability: float, freedom: float) -> float:
    """Where Student's t has this much below it."""
    return float(special.stdtrit(freedom, probability))


def t_test(distance: float, freedom: float) -> float:
    """Two-sided p of a distance of so many standard errors."""
    return float(2 * special.stdtr(freedom, -abs(distance)))


def z_test(distance: float) -> float:
    """The same for the normal distribution."""
    return float(2 * special.ndtr(-abs(distance)))


def fisher(hits: int, size: int, other_hits: int, other_size: int) -> float:
    """Two-sided p of Fisher's exact test: two groups, given how many hits there are together."""
    together = hits + other_hits
    possible = np.arange(max(0, together - other_size), min(size, together) + 1, dtype=float)
    logs = _log_choose(size, possible) + _log_choose(other_size, together - possible)
    return _as_improbable(logs - _log_choose(size + other_size, np.array([float(together)])), hits - int(possible[0]))


def binomial(hits: int, size: int, share: float) -> float:
    """Two-sided exact p of so many hits where each comes with probability `share`."""
    if share in (0.0, 1.0):
        return float(hits == round(size * share))
    possible = np.arange(size + 1, dtype=float)
    logs = _log_choose(size, possible) + possible * np.log(share) + (size - possible) * np.log1p(-share)
    return _as_improbable(logs, hits)


def _log_choose(of: int, some: Numbers) -> Numbers:
    logs: Numbers = special.gammaln(of + 1.0) - special.gammaln(some + 1.0) - special.gammaln(of - some + 1.0)
    return logs


def _as_improbable(logs: Numbers, seen: int) -> float:
    probabilities = np.exp(logs)
    return min(1.0, float(probabilities[probabilities <= probabilities[seen] * _TIES].sum()))
