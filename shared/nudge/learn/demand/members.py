"""Every method's forecast of one series as of several of its pasts.

In: a series, its period, the ends of the pasts. Out: for each past the forecasts of all members, by name, and the size of a
one-step error then. Nothing of a past knows what came after its end: seasons and scale are found anew for each. The library's
members come from `library`, ours (averaged over parameters, `smooth`) stand beside them and have to win where it is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nudge.learn.demand import library, season
from nudge.learn.demand.smooth import SEASONS, THETAS, Lines, Numbers, trended

LIBRARY = ("ses", "theta", "damped", "holt_winters")
"""As statsmodels fits them. Where a past is too short for a season, damped trend stands in for Holt-Winters."""
AVERAGED = (
    "averaged_ses",
    "averaged_theta",
    "averaged_optimised_theta",
    "averaged_damped",
    "averaged_holt_winters",
    "averaged_log_theta",
    "averaged_log_damped",
    "averaged_log_holt_winters",
)
"""The same averaged over parameters, Theta with θ from the data, and those of the logarithm. Where a value has no logarithm,
the plain form stands in."""
MEMBERS = LIBRARY + AVERAGED
_STANDS_IN = {
    "holt_winters": "damped",
    "averaged_holt_winters": "averaged_damped",
    "averaged_log_theta": "averaged_theta",
    "averaged_log_damped": "averaged_damped",
}
NAIVE = ("naive", "seasonal_naive")
HIGHEST = 10.0
"""A forecast from logarithms is at most so many times the largest value seen: growth goes on, but not for ever."""


@dataclass(frozen=True, slots=True)
class Told:
    """`values`: {member: (pasts, horizon)}; `sigma`: (pasts, horizon), the size of a one-step error in the series' unit, season included."""

    values: dict[str, Numbers]
    sigma: Numbers


def told(series: Numbers, period: int, ends: Sequence[int], horizon: int) -> Told:
    """Forecasts of all members as of each end (series[:end] is known)."""
    pasts = [series[:end] for end in ends]
    index = np.stack([season.indices(past, period) for past in pasts])
    adjusted = [season.adjusted(past, one) for past, one in zip(pasts, index, strict=True)]
    scale = np.array([float(np.abs(one).mean()) or 1.0 for one in adjusted])
    scaled = [one / size for one, size in zip(adjusted, scale, strict=True)]
    ahead = np.arange(horizon)[None, :] + np.array(ends)[:, None]
    seasons = np.take_along_axis(index, ahead % index.shape[1], axis=1)
    unit = scale[:, None] * seasons
    plain, sigma = _family(scaled, horizon)
    values = {name: one * unit for name, one in plain.items()}
    seasonal = period > 1 and bool((index != 1).any())
    if seasonal:
        raw = [past / size for past, size in zip(pasts, scale, strict=True)]
        values["averaged_holt_winters"] = trended(raw, horizon, SEASONS, (index - 1).T).values * scale[:, None]
    values |= _logarithms(scaled, pasts, index, scale, seasons, horizon, seasonal)
    values |= _library(adjusted, pasts, float(scale[0]), seasons, period if seasonal else 1, horizon)
    values["naive"] = np.repeat(series[np.array(ends) - 1][:, None], horizon, axis=1)
    values["seasonal_naive"] = _seasonal_naive(pasts, period, horizon)
    for name, stands_in in _STANDS_IN.items():
        values.setdefault(name, values[stands_in])
    values.setdefault("averaged_log_holt_winters", values["averaged_log_damped"])
    least = np.maximum(seasons, season.CLOSED)
    return Told(values, sigma[:, None] * scale[:, None] * least)


def _library(
    adjusted: list[Numbers], pasts: list[Numbers], scale: float, seasons: Numbers, period: int, horizon: int
) -> dict[str, Numbers]:
    """The library's members; all pasts in one unit, for they share parameters."""
    whole = period > 1 and len(pasts[0]) >= max(2 * period + 1, 10)
    raw = [past / scale for past in pasts] if whole else None
    made = library.forecasts([one / scale for one in adjusted], raw, period, horizon)
    return {name: one * scale * (1.0 if name == "holt_winters" else seasons) for name, one in made.items()}


def _family(scaled: list[Numbers], horizon: int) -> tuple[dict[str, Numbers], Numbers]:
    lines, trend = Lines.of(scaled), trended(scaled, horizon)
    made = {"averaged_ses": lines.forecast((1.0,), horizon), "averaged_theta": lines.forecast((2.0,), horizon)}
    made |= {"averaged_optimised_theta": lines.forecast(THETAS, horizon), "averaged_damped": trend.values}
    return made, trend.sigma


def _logarithms(
    scaled: list[Numbers],
    pasts: list[Numbers],
    index: Numbers,
    scale: Numbers,
    seasons: Numbers,
    horizon: int,
    seasonal: bool,
) -> dict[str, Numbers]:
    """The members of logarithms; none where a value or an index is not positive."""
    if any(one.min() <= 0 for one in scaled) or index.min() < season.CLOSED:
        return {}
    logs = [np.log(one) for one in scaled]
    most = np.log(HIGHEST * np.array([one.max() for one in scaled]))[:, None]
    unit = scale[:, None] * seasons
    made = {
        "averaged_log_theta": np.exp(np.minimum(Lines.of(logs).forecast((2.0,), horizon), most)) * unit,
        "averaged_log_damped": np.exp(np.minimum(trended(logs, horizon).values, most)) * unit,
    }
    if seasonal:
        raw = [np.log(past / size) for past, size in zip(pasts, scale, strict=True)]
        found = trended(raw, horizon, SEASONS, np.log(index).T).values
        made["averaged_log_holt_winters"] = np.exp(np.minimum(found, most + np.log(seasons))) * scale[:, None]
    return made


def _seasonal_naive(pasts: list[Numbers], period: int, horizon: int) -> Numbers:
    """The same season of the latest period; the last value where there is no period yet."""
    step = np.arange(horizon)
    rows = [
        past[len(past) - period + step % period] if len(past) >= period else np.full(horizon, past[-1])
        for past in pasts
    ]
    return np.stack(rows)
