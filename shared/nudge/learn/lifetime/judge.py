"""How near was a forecast of value? In: what was said, what came. Out: figures with intervals, a paired comparison,
deciles.

The figure that decides is the Poisson deviance: means are compared by it, sums over people are what value is used for,
and unlike the squared error it is not decided by the few who buy most. A person is a row, so resampled people are
resampled rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nudge.learn.lifetime.customers import Numbers
from nudge.learn.recipe import Recipe

FLOOR = 1e-6
DECILES = 10
type Metric = Callable[[Numbers], float]


def deviances(said: Numbers, came: Numbers) -> Numbers:
    """Poisson deviance of each person; a forecast below 1e-6 counts as that."""
    said = np.maximum(said, FLOOR)
    found: Numbers = 2 * (np.where(came > 0, came * np.log(np.maximum(came, FLOOR) / said), 0.0) - (came - said))
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What came in a window: purchases and money of each person; and who had bought before it."""

    came: Numbers
    worth: Numbers
    bought: Numbers


def figures(said: Mapping[str, Numbers], seen: Seen, recipe: Recipe) -> dict[str, list[float]]:
    """Each as [value, low, high]: `deviance`; `mae` of the mean and `mae_typical` of the typical number;
    `correlation`; `ratio` of the sum said to the sum that came; `alive_auc`: of those who had bought, whether who buys
    again was said to be alive; `spend_mae`, `spend_correlation`. Of a naive forecast, which says `purchases` alone,
    those that it has."""
    purchases, came, bought = said["purchases"], seen.came, seen.bought
    metrics: dict[str, Metric] = {
        "deviance": _mean(deviances(purchases, came)),
        "mae": _mean(np.abs(purchases - came)),
        "correlation": _correlation(purchases, came),
        "ratio": lambda weight: float((weight @ purchases) / max(weight @ came, FLOOR)),
    }
    if "typical" in said:
        auc = _auc(said["alive"][bought], came[bought] > 0)
        metrics |= {
            "mae_typical": _mean(np.abs(said["typical"] - came)),
            "alive_auc": lambda weight: auc(weight[bought]),
        }
    if "spend" in said and np.any(seen.worth != 0):
        gap, near = _mean(np.abs(said["spend"] - seen.worth)), _correlation(said["spend"], seen.worth)
        metrics |= {"spend_mae": gap, "spend_correlation": near}
    rng = np.random.default_rng(recipe.seed)
    count = len(came)
    drawn: dict[str, list[float]] = {name: [] for name in metrics}
    for _ in range(recipe.resamples):
        weight = rng.multinomial(count, np.full(count, 1.0 / count)).astype(float)
        for name, metric in metrics.items():
            drawn[name].append(metric(weight))
    tail = (1 - recipe.confidence) / 2
    whole = np.ones(count)
    return {
        name: [metric(whole), *(float(edge) for edge in np.quantile(drawn[name], [tail, 1 - tail]))]
        for name, metric in metrics.items()
    }


def compare(challenger: Numbers, present: Numbers, came: Numbers, recipe: Recipe) -> tuple[float, float]:
    """By how much the challenger's deviance is lower, and the one-sided lower bound of that: the same people,
    resampled."""
    gains = deviances(present, came) - deviances(challenger, came)
    rng = np.random.default_rng(recipe.seed + 1)
    count = len(gains)
    drawn = [
        float(rng.multinomial(count, np.full(count, 1.0 / count)) @ gains) / count
        for _ in range(max(recipe.resamples, 500))
    ]
    return float(gains.mean()), float(np.quantile(drawn, 1 - recipe.confidence))


def deciles(said: Numbers, came: Numbers, worth: Numbers) -> list[dict[str, float]]:
    """Ten groups of equal size, the most valuable first: people, mean said, mean that came, and their share of what
    was spent."""
    order = np.argsort(-said, kind="stable")
    whole = float(worth.sum())
    table = []
    for number, held in enumerate(np.array_split(order, DECILES), 1):
        if len(held):
            share = float(worth[held].sum()) / whole if whole else 0.0
            line = {"decile": number, "people": len(held), "said": float(said[held].mean())}
            table.append(line | {"came": float(came[held].mean()), "share_of_spend": share})
    return table


def _mean(values: Numbers) -> Metric:
    return lambda weight: float((values * weight).sum() / weight.sum())


def _auc(score: Numbers, label: Numbers) -> Metric:
    """Area under the ROC curve, ties counted half; sorted once for all resamples."""
    order = np.argsort(score, kind="stable")
    label = label[order].astype(float)
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])

    def weighted(weight: Numbers) -> float:
        weight = weight[order]
        positive, negative = np.add.reduceat(weight * label, starts), np.add.reduceat(weight * (1 - label), starts)
        pairs = float(positive.sum() * negative.sum())
        return float((positive * (np.cumsum(negative) - negative / 2)).sum() / pairs) if pairs else 0.5

    return weighted


def _correlation(a: Numbers, b: Numbers) -> Metric:
    def weighted(weight: Numbers) -> float:
        weight = weight / weight.sum()
        x, y = a - weight @ a, b - weight @ b
        spread = float(np.sqrt((weight @ (x * x)) * (weight @ (y * y))))
        return float(weight @ (x * y)) / spread if spread > 0 else 0.0

    return weighted
