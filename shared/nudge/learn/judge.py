"""How good is it, on rows later than everything it saw, and is the difference more than noise?

In: probabilities, labels, weights and people of the last slice. Out: figures with intervals; a paired comparison.
Intervals are percentiles of bootstrap resamples of *people* (not rows: rows of one person are not independent).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

EDGE = 1e-6
BINS = 10
type Metric = Callable[[np.ndarray], float]


@dataclass(frozen=True, slots=True)
class Rows:
    """Labels (0/1), weights and people (0 … n-1) of the rows that are judged on."""

    label: np.ndarray
    weight: np.ndarray
    people: np.ndarray

    def resamples(self, number: int, seed: int) -> Iterator[np.ndarray]:
        """Row weights of `number` bootstrap samples of people."""
        rng = np.random.default_rng(seed)
        count = int(self.people.max()) + 1
        for _ in range(number):
            drawn: np.ndarray = rng.multinomial(count, np.full(count, 1.0 / count))
            yield drawn[self.people] * self.weight


def log_losses(p: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Log loss of each row, probabilities kept off 0 and 1 by 1e-6."""
    p = np.clip(p, EDGE, 1 - EDGE)
    losses: np.ndarray = -(label * np.log(p) + (1 - label) * np.log1p(-p))
    return losses


def figures(p: np.ndarray, rows: Rows, *, resamples: int, confidence: float, seed: int) -> dict[str, list[float]]:
    """Each metric as [value, low, high]: log loss, Brier, ECE (10 equal bins), AUC, average precision, lift at 10 %."""
    metrics = {"log_loss": _mean(log_losses(p, rows.label)), "brier": _mean((p - rows.label) ** 2)}
    metrics |= {"ece": _ece(p, rows.label), **_ranking(p, rows.label)}
    drawn = {name: [] for name in metrics}  # type: dict[str, list[float]]
    for weight in rows.resamples(resamples, seed):
        if 0 < (weight * rows.label).sum() < weight.sum():
            for name, metric in metrics.items():
                drawn[name].append(metric(weight))
    tail = (1 - confidence) / 2
    return {
        name: [metric(rows.weight), *(float(edge) for edge in np.quantile(drawn[name], [tail, 1 - tail]))]
        for name, metric in metrics.items()
    }


@dataclass(frozen=True, slots=True)
class Comparison:
    """By how much the challenger's log loss is lower; `at_least` is the one-sided lower bound of that."""

    gain: float
    at_least: float

    @property
    def is_better(self) -> bool:
        """More than noise explains?"""
        return self.at_least > 0


def compare(
    challenger: np.ndarray, present: np.ndarray, rows: Rows, *, resamples: int, confidence: float, seed: int
) -> Comparison:
    """Paired difference of log losses on the same rows, present minus challenger."""
    gains = log_losses(present, rows.label) - log_losses(challenger, rows.label)
    gain = _mean(gains)
    drawn = [gain(weight) for weight in rows.resamples(max(resamples, 500), seed + 1)]
    return Comparison(gain(rows.weight), float(np.quantile(drawn, 1 - confidence)))


def reliability(p: np.ndarray, rows: Rows) -> list[dict[str, float]]:
    """Ten bins of equal size: mean probability, share that did it, rows."""
    order = np.argsort(p, kind="stable")
    table = []
    for bin_ in np.array_split(order, BINS):
        if len(bin_):
            weight = rows.weight[bin_]
            said, was = np.average(p[bin_], weights=weight), np.average(rows.label[bin_], weights=weight)
            table.append({"said": float(said), "was": float(was), "rows": len(bin_)})
    return table


def interval(
    rows: Rows, values: np.ndarray, *, resamples: int, confidence: float, seed: int
) -> tuple[float, float, float]:
    """The weighted mean of a value a row, with its interval."""
    mean, tail = _mean(values), (1 - confidence) / 2
    low, high = np.quantile([mean(weight) for weight in rows.resamples(resamples, seed)], [tail, 1 - tail])
    return mean(rows.weight), float(low), float(high)


def calibration_error(p: np.ndarray, rows: Rows) -> float:
    """Expected calibration error over ten bins of equal size."""
    return _ece(p, rows.label)(rows.weight)


def calibration_noise(p: np.ndarray, rows: Rows, *, resamples: int, seed: int, confidence: float = 0.95) -> float:
    """The calibration error that a perfect model would stay below this often: labels drawn from the probabilities themselves."""
    rng = np.random.default_rng(seed + 2)
    drawn = [_ece(p, (rng.random(len(p)) < p).astype(float))(rows.weight) for _ in range(resamples)]
    return float(np.quantile(drawn, confidence))


def auc(score: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """Weighted area under the ROC curve, ties counted half; 0.5 where only one label is there."""
    if not 0 < (weight * label).sum() < weight.sum():
        return 0.5
    return _ranking(score, label)["auc"](weight)


def _mean(values: np.ndarray) -> Metric:
    return lambda weight: float((values * weight).sum() / weight.sum())


def _ece(p: np.ndarray, label: np.ndarray) -> Metric:
    """Expected calibration error (Naeini et al. 2015) over bins of equal size."""
    bins = np.empty(len(p), dtype=int)
    for number, held in enumerate(np.array_split(np.argsort(p, kind="stable"), BINS)):
        bins[held] = number
    gap = p - label
    return lambda weight: float(np.abs(np.bincount(bins, weight * gap, BINS)).sum() / weight.sum())


def _ranking(p: np.ndarray, label: np.ndarray) -> dict[str, Metric]:
    """Metrics of the order, ties counted half (AUC) or shared (the others); sorted once for all resamples."""
    order = np.argsort(-p, kind="stable")
    starts = np.flatnonzero(np.r_[True, p[order][1:] != p[order][:-1]])
    label = label[order]

    def groups(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weight = weight[order]
        return np.add.reduceat(weight * label, starts), np.add.reduceat(weight, starts)

    def auc(weight: np.ndarray) -> float:
        positive, every = groups(weight)
        negative = every - positive
        below = negative.sum() - np.cumsum(negative) + negative / 2
        return float((positive * below).sum() / (positive.sum() * negative.sum()))

    def precision(weight: np.ndarray) -> float:
        positive, every = groups(weight)
        at = np.cumsum(positive) / np.maximum(np.cumsum(every), 1e-300)
        return float((positive * at).sum() / positive.sum())

    def lift(weight: np.ndarray) -> float:
        positive, every = groups(weight)
        reached = np.interp(0.1 * every.sum(), np.r_[0, np.cumsum(every)], np.r_[0, np.cumsum(positive)])
        return float(reached / 0.1 / positive.sum())

    return {"auc": auc, "average_precision": precision, "lift_at_10": lift}
