"""Exponential smoothing on a grid of parameters: every past of a series at once, averaged over the grid.

In: rows of one series (one a past, each with its own end). Out: forecasts of the smoothing family as of each end. A smoother's
one-step errors are linear in its input and in its starting state, so one pass over the grid with unit starts gives, for
every end, the least-squares starting state and the likelihood of each parameter (Hyndman, Koehler, Ord & Snyder 2008, ch. 5), without
an optimiser. Forecasts are averaged with these likelihoods as weights: on short series that beats the single best
parameter. Knows neither seasons of the year (`season`) nor which member is better (`choose`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

type Numbers = np.ndarray[Any, np.dtype[np.float64]]

START_PRECISION = 0.01
"""The starting level is taken to lie within ten residual standard deviations of the first value."""
TREND_PRECISION = 1 / 9
"""The starting trend is shrunk to zero as if one knew it to lie within three residual standard deviations of it."""
SMALLEST = 1e-12
ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
THETAS = (1.0, 1.5, 2.0, 3.0, 5.0)


@dataclass(frozen=True, slots=True)
class Grid:
    """Smoothing of level, trend (as a share of the level's), season, and the damping of the trend; each of shape (points,)."""

    alpha: Numbers
    beta: Numbers
    gamma: Numbers
    phi: Numbers

    @classmethod
    def of(
        cls,
        alphas: Sequence[float],
        betas: Sequence[float] = (0.0,),
        gammas: Sequence[float] = (0.0,),
        phis: Sequence[float] = (0.0,),
    ) -> Grid:
        """Every combination."""
        points = np.array([(a, b, g, p) for a in alphas for b in betas for g in gammas for p in phis])
        return cls(*points.T)


LEVELS = Grid.of(ALPHAS)
TRENDS = Grid.of(ALPHAS, betas=(0.0, 0.05, 0.1, 0.2, 0.4), phis=(0.8, 0.9, 0.95, 0.98))
SEASONS = Grid.of((0.05, 0.1, 0.2, 0.4, 0.6, 0.8), betas=(0.0, 0.1), gammas=(0.05, 0.15, 0.4), phis=(0.9, 0.98))


@dataclass(slots=True)
class Pass:
    """What a pass leaves: `gram` (rows, columns, columns, points) of the one-step errors until each row's end, and the
    state there: `level`, `trend` (rows, columns, points), `season` (period, rows, columns, points)."""

    gram: Numbers
    level: Numbers
    trend: Numbers
    season: Numbers


def run(
    inputs: Numbers, starts: Sequence[tuple[float, float]], grid: Grid, ends: Sequence[int], season: Numbers
) -> Pass:
    """Smooth `inputs` (times, rows, columns), each column from its own start (level, trend); row r ends before `ends[r]`.

    `season` (period, rows) is where the first column's seasonal states start; period 1 and 0 is no season.
    """
    rows, columns, points = inputs.shape[1], inputs.shape[2], len(grid.alpha)
    level, trend = (
        np.broadcast_to(np.array([float(one[side]) for one in starts])[None, :, None], (rows, columns, points)).copy()
        for side in (0, 1)
    )
    states = np.zeros((len(season), rows, columns, points))
    states[:, :, 0, :] = season[:, :, None]
    gram = np.zeros((rows, columns, columns, points))
    kept = Pass(gram.copy(), level.copy(), trend.copy(), states.copy())
    last = {end: [row for row, one in enumerate(ends) if one == end] for end in set(ends)}
    for time in range(max(ends)):
        slope, place = grid.phi * trend, time % len(season)
        error = inputs[time][:, :, None] - level - slope - states[place]
        gram += error[:, :, None, :] * error[:, None, :, :]
        level = level + slope + grid.alpha * error
        trend = slope + grid.alpha * grid.beta * error
        states[place] += grid.gamma * error
        for row in last.get(time + 1, ()):
            kept.gram[row], kept.level[row], kept.trend[row] = gram[row], level[row], trend[row]
            kept.season[:, row] = states[:, row]
    return kept


def padded(pasts: Sequence[Numbers]) -> Numbers:
    """Pasts of one series as (longest, rows), zeros after each end."""
    made = np.zeros((max(len(one) for one in pasts), len(pasts)))
    for row, one in enumerate(pasts):
        made[: len(one), row] = one
    return made


def _shares(log_likelihood: Numbers) -> Numbers:
    """Weights of the grid's points (last axis) that sum to 1."""
    weight = np.exp(log_likelihood - log_likelihood.max(axis=-1, keepdims=True))
    share: Numbers = weight / weight.sum(axis=-1, keepdims=True)
    return share


@dataclass(frozen=True, slots=True)
class Lines:
    """SES and the Theta method (Assimakopoulos & Nikolopoulos 2000; with θ from the data: Fiorucci et al. 2016) of pasts."""

    passed: Pass
    first: Numbers
    ends: Numbers
    intercept: Numbers
    slope: Numbers
    power: Numbers

    @classmethod
    def of(cls, pasts: Sequence[Numbers]) -> Lines:
        """One pass: the value, one, and time go through the same smoother, and any line is a sum of the three."""
        values, ends = padded(pasts), np.array([len(one) for one in pasts])
        times = np.arange(len(values), dtype=float)
        columns = [values, np.ones_like(values), np.broadcast_to(times[:, None], values.shape), np.zeros_like(values)]
        none = np.zeros((1, len(pasts)))
        passed = run(np.stack(columns, axis=2), [(0, 0), (0, 0), (0, 0), (1, 0)], LEVELS, ends.tolist(), none)
        lines = [np.polyfit(np.arange(len(one)), one, 1) if len(one) > 1 else (0.0, one[0]) for one in pasts]
        slope, intercept = (np.array([line[side] for line in lines]) for side in (0, 1))
        power = np.array([(one**2).sum() for one in pasts])
        return cls(passed, values[0], ends.astype(float), intercept, slope, power)

    def forecast(self, thetas: Sequence[float], horizon: int) -> Numbers:
        """(rows, horizon): θ = 1 is SES, 2 the Theta method; of several θ the likelihood decides."""
        ahead = np.arange(horizon)
        line = self.intercept[:, None] + self.slope[:, None] * (self.ends[:, None] + ahead)
        weights, levels = [], []
        for theta in thetas:
            level, likelihood = self._level(theta)
            weights.append(likelihood)
            levels.append(level[:, None, :] / theta + (1 - 1 / theta) * line[:, :, None])
        share = _shares(np.concatenate(weights, axis=-1))
        made: Numbers = (np.concatenate(levels, axis=-1) * share[:, None, :]).sum(axis=-1)
        return made

    def _level(self, theta: float) -> tuple[Numbers, Numbers]:
        """Level of the θ-line and log likelihood, (rows, points) each."""
        gram, level = self.passed.gram, self.passed.level
        mix = np.stack(
            [np.full_like(self.slope, theta), (1 - theta) * self.intercept, (1 - theta) * self.slope], axis=1
        )
        start = theta * self.first + (1 - theta) * self.intercept
        weight = gram[:, 3, 3] + START_PRECISION
        pull = START_PRECISION * start[:, None] - np.einsum("rcp,rc->rp", gram[:, 3, :3], mix)
        found = pull / weight
        squares = np.einsum("rc,rcdp,rd->rp", mix, gram[:, :3, :3], mix) + START_PRECISION * start[:, None] ** 2
        squares = np.maximum(squares - found * pull, SMALLEST * (1 + self.power[:, None]))
        likelihood = -0.5 * self.ends[:, None] * np.log(squares / theta**2) - 0.5 * np.log(weight)
        return np.einsum("rc,rcp->rp", mix, level[:, :3]) + found * level[:, 3], likelihood


@dataclass(frozen=True, slots=True)
class Trend:
    """What was found of a level, a damped trend and, where asked, a season: forecasts and the one-step error's size."""

    values: Numbers
    sigma: Numbers


def trended(pasts: Sequence[Numbers], horizon: int, grid: Grid = TRENDS, season: Numbers | None = None) -> Trend:
    """Damped trend (Gardner & McKenzie 1985); with `season` (period, rows: where the seasons start) Holt-Winters, additive."""
    values, ends = padded(pasts), np.array([len(one) for one in pasts])
    held = np.zeros((1, len(pasts))) if season is None else season
    inputs = np.stack([values, np.zeros_like(values), np.zeros_like(values)], axis=2)
    passed = run(inputs, [(0, 0), (1, 0), (0, 1)], grid, ends.tolist(), held)
    first = values[0] - held[0]
    gram = np.moveaxis(passed.gram, 3, 1)
    weight, pull = gram[..., 1:, 1:].copy(), -gram[..., 1:, 0]
    weight[..., 0, 0] += START_PRECISION
    weight[..., 1, 1] += TREND_PRECISION
    pull[..., 0] += START_PRECISION * first[:, None]
    start = np.linalg.solve(weight, pull[..., None])[..., 0]
    squares = gram[..., 0, 0] + START_PRECISION * first[:, None] ** 2 - (start * pull).sum(axis=-1)
    squares = np.maximum(squares, SMALLEST * (1 + (values**2).sum(axis=0))[:, None])
    share = _shares(-0.5 * ends[:, None] * np.log(squares) - 0.5 * np.linalg.slogdet(weight)[1])
    both = np.concatenate([np.ones((*start.shape[:2], 1)), start], axis=-1)
    level, trend = (np.einsum("rpc,rcp->rp", both, state) for state in (passed.level, passed.trend))
    seasons = np.einsum("rpc,mrcp->mrp", both, passed.season)
    damped = np.cumsum(grid.phi ** np.arange(1, horizon + 1)[:, None], axis=0)
    ahead = level[:, None, :] + damped * trend[:, None, :]
    places = (ends[:, None] + np.arange(horizon)) % len(held)
    ahead += seasons[places, np.arange(len(pasts))[:, None]]
    sigma = np.sqrt((share * squares).sum(axis=-1) / np.maximum(ends - 1, 1))
    return Trend((ahead * share[:, None, :]).sum(axis=-1), sigma)
