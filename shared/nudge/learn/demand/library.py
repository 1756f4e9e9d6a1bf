"""SES, Theta, damped trend and Holt-Winters as statsmodels fits them.

In: pasts of one series, without season and scaled alike; for Holt-Winters also with season. Out: each method's forecasts as of each
past. A fit takes 7-35 ms, so not every past has its own: a past keeps the parameters and the starting state of an earlier one that is
not much shorter (a filter pass, no look ahead); the forecast that counts is fitted on everything. Import this module late:
it brings statsmodels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from statsmodels.tsa.holtwinters import ExponentialSmoothing, SimpleExpSmoothing

from nudge.learn.demand.smooth import Numbers

type Build = Callable[..., Any]

FEWEST = 4
"""Points that a fit needs; with fewer the last value stands."""
LONGER = 1.5


def forecasts(pasts: Sequence[Numbers], raw: Sequence[Numbers] | None, period: int, horizon: int) -> dict[str, Numbers]:
    """{method: (pasts, horizon)}; `raw` (with season; None: there is none, or no two whole periods) is for Holt-Winters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "did not converge": judged by what it forecasts, like any other
        level = _kept(SimpleExpSmoothing, pasts, {})
        trend = _kept(ExponentialSmoothing, pasts, {"trend": "add", "damped_trend": True})
        ses = _ahead(level, pasts, horizon)
        made = {"ses": ses, "theta": _theta(level, ses, pasts), "damped": _ahead(trend, pasts, horizon)}
        if raw is not None:
            shape = {"trend": "add", "damped_trend": True, "seasonal": "add", "seasonal_periods": period}
            made["holt_winters"] = _ahead(_kept(ExponentialSmoothing, raw, shape), raw, horizon)
    return made


def _kept(build: Build, pasts: Sequence[Numbers], shape: dict[str, Any]) -> list[Any]:
    """A result a past (None where it is too short): fitted again when half as long again as at the last fit, and at the end."""
    results: list[Any] = []
    fitted, size = None, 0
    for number, past in enumerate(pasts):
        if len(past) < FEWEST:
            results.append(None)
        elif fitted is None or len(past) >= LONGER * size or number == len(pasts) - 1:
            fitted, size = _fitted(build, past, shape), len(past)
            results.append(fitted)
        else:
            results.append(_filtered(build, past, shape, fitted.params))
    return results


def _fitted(build: Build, past: Numbers, shape: dict[str, Any]) -> Any:
    model = build(past, initialization_method="estimated", **shape)
    return model.fit(method="SLSQP", use_brute=False) if "trend" in shape else model.fit(use_brute=False)


def _filtered(build: Build, past: Numbers, shape: dict[str, Any], found: dict[str, Any]) -> Any:
    start: dict[str, Any] = {"initial_level": found["initial_level"]}
    smoothing: dict[str, Any] = {"smoothing_level": found["smoothing_level"]}
    if "trend" in shape:
        start["initial_trend"] = found["initial_trend"]
        smoothing |= {"smoothing_trend": found["smoothing_trend"], "damping_trend": found["damping_trend"]}
    if "seasonal" in shape:
        start["initial_seasonal"] = found["initial_seasons"]
        smoothing["smoothing_seasonal"] = found["smoothing_seasonal"]
    return build(past, initialization_method="known", **shape, **start).fit(optimized=False, **smoothing)


def _ahead(results: Sequence[Any], pasts: Sequence[Numbers], horizon: int) -> Numbers:
    rows = [
        np.full(horizon, past[-1]) if one is None else np.asarray(one.forecast(horizon))
        for one, past in zip(results, pasts, strict=True)
    ]
    values = np.stack(rows)
    last = np.array([past[-1] for past in pasts])[:, None]
    return np.where(np.isfinite(values), values, last)


def _theta(results: Sequence[Any], ses: Numbers, pasts: Sequence[Numbers]) -> Numbers:
    """The Theta method is SES with half the slope of a straight line as drift (Hyndman & Billah 2003); statsmodels'
    ThetaModel is the same sum, and a test holds the two together."""
    values, ahead = ses.copy(), np.arange(ses.shape[1])
    for row, (one, past) in enumerate(zip(results, pasts, strict=True)):
        if one is not None:
            alpha, size = max(float(one.params["smoothing_level"]), 1e-6), len(past)
            slope = np.polyfit(np.arange(size), past, 1)[0]
            values[row] += slope / 2 * (ahead + (1 - (1 - alpha) ** size) / alpha)
    return values
