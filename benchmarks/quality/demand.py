"""Forecasts of M3 (yearly and quarterly), official split, through the product's own path: one group a rhythm, chosen inside the training part.

Beside ours, in the same run: naive 2 (deseasonalised when the test says so), SES, Theta, damped trend and the mean of the three, as
statsmodels fits them, with its own deseasonalisation; and the best published method (`m3_published_methods_smape.csv`).
The spread is the standard error over series.

    .venv/bin/python benchmarks/quality/demand.py [--quick] [--json]
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing, SimpleExpSmoothing

from nudge.learn.demand import Group, forecast

sys.path.insert(0, str(Path(__file__).parent))
import data

PERIODS = {"YEARLY": 1, "QUARTERLY": 4}
REACH = {"YEARLY": 16.4, "QUARTERLY": 9.1}
SAMPLE = 10
"""--quick takes every tenth series."""
BASELINES = ("naive 2", "SES", "Theta", "damped", "combination")


def series(kind: str, every: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(train, test) of each series of a kind."""
    with gzip.open(data.path("m3/m3_yearly_quarterly.jsonl.gz"), "rt") as lines:
        rows = [row for row in map(json.loads, lines) if row["period"] == kind]
    return [(np.array(row["train"], dtype=float), np.array(row["test"], dtype=float)) for row in rows[::every]]


def published(kind: str) -> tuple[str, float]:
    """The best of the published methods."""
    with data.path("m3/m3_published_methods_smape.csv").open() as file:
        rows = [(row["method"], float(row[kind])) for row in csv.DictReader(file) if row[kind]]
    return min(rows, key=lambda row: row[1])


def smape(forecasts: np.ndarray, actual: np.ndarray) -> float:
    """M3's own measure, in percent (0 … 200)."""
    return float((200 * np.abs(forecasts - actual) / (np.abs(forecasts) + np.abs(actual))).mean())


def baselines(train: np.ndarray, period: int, horizon: int) -> dict[str, np.ndarray]:
    """The simple methods, as statsmodels fits them."""
    index = _index(train, period)
    plain = train / index[np.arange(len(train)) % period]
    ahead = index[np.arange(len(train), len(train) + horizon) % period]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {
            "naive 2": np.full(horizon, plain[-1]),
            "SES": SimpleExpSmoothing(plain, initialization_method="estimated").fit().forecast(horizon),
            "Theta": np.asarray(ThetaModel(plain, period=1, deseasonalize=False).fit(disp=False).forecast(horizon)),
            "damped": ExponentialSmoothing(plain, trend="add", damped_trend=True, initialization_method="estimated")
            .fit()
            .forecast(horizon),
        }
    made["combination"] = (made["SES"] + made["Theta"] + made["damped"]) / 3
    return {name: one * ahead for name, one in made.items()}


def _index(train: np.ndarray, period: int) -> np.ndarray:
    """Classical multiplicative indices where the 90 % autocorrelation test of M3 finds a season, else ones."""
    size = len(train)
    if period < 2 or size < 3 * period:
        return np.ones(period)
    gap = train - train.mean()
    lagged = np.array([(gap[lag:] * gap[:-lag]).sum() for lag in range(1, period + 1)]) / (gap**2).sum()
    if abs(lagged[-1]) <= 1.645 * np.sqrt((1 + 2 * (lagged[:-1] ** 2).sum()) / size):
        return np.ones(period)
    weights = np.r_[0.5, np.ones(period - 1), 0.5] / period
    usual = np.convolve(train, weights, "valid")
    ratio = train[period // 2 : period // 2 + len(usual)] / usual
    place = (np.arange(len(usual)) + period // 2) % period
    found = np.bincount(place, ratio, period) / np.bincount(place, minlength=period)
    return found / found.mean()


def measure(kind: str, every: int) -> list[data.Figure]:
    """All figures of one kind of series."""
    held, period = series(kind, every), PERIODS[kind]
    horizon = len(held[0][1])
    started = time.process_time()
    group = forecast([train for train, _ in held], period, horizon)
    took = time.process_time() - started
    simple: dict[str, list[float]] = {name: [] for name in BASELINES}
    for train, test in held:
        for name, made in baselines(train, period, horizon).items():
            simple[name].append(smape(made, test))
    mean = {name: float(np.mean(losses)) for name, losses in simple.items()}
    return _figures(kind, group, [test for _, test in held], mean, took)


def _figures(
    kind: str, group: Group, tests: list[np.ndarray], simple: dict[str, float], took: float
) -> list[data.Figure]:
    losses = np.array([smape(one.value, test) for one, test in zip(group.forecasts, tests, strict=True)])
    inside = np.array(
        [((test >= one.low) & (test <= one.high)).mean() for one, test in zip(group.forecasts, tests, strict=True)]
    )
    root, best = np.sqrt(len(losses)), min(simple, key=lambda name: simple[name])
    method, figure = published(kind)
    protocol = f"official split, {len(tests)} series"
    said = ", ".join(f"{name} {loss:.2f}" for name, loss in simple.items())
    own = {
        name: round(loss, 3) for name, loss in group.choice.losses.items() if name in ("library", "averaged", "both")
    }
    return [
        data.Figure(
            f"m3 {kind.lower()}",
            protocol,
            "sMAPE",
            float(losses.mean()),
            float(losses.std(ddof=1) / root),
            simple[best],
            best,
            f"{figure:.2f} {method}",
            REACH[kind],
            lower=True,
            note=f"{said}; took {group.choice.taken} (rolling origin MASE {own}) in {took:.0f} s",
        ),
        data.Figure(
            f"m3 {kind.lower()}",
            protocol,
            "coverage of the 95 % interval",
            float(inside.mean()),
            float(inside.std(ddof=1) / root),
            reach=0.90,
            upto=0.97,
        ),
    ]


def main() -> int:
    given = data.options(__doc__)
    every = SAMPLE if given.quick else 1
    data.show([one for kind in PERIODS for one in measure(kind, every)], given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
