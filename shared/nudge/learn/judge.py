"""How good is it, on rows later than everything it saw, and is the difference more than noise?

In: probabilities, labels, weights and people of the last slice. Out: figures with intervals; a paired comparison.
Intervals are percentiles of bootstrap resamples of *people* (not rows: rows of one person are not independent).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

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
            drawn = np.bincount(rng.integers(0, count, count), minlength=count)
            yield drawn[self.people] * self.weight


def log_losses(p: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Log loss of each row, probabilities kept off 0 and 1 by 1e-6."""
    p = np.clip(p, EDGE, 1 - EDGE)
    losses: np.ndarray = -(label * np.log(p) + (1 - label) * np.log1p(-p))
    return losses


def figures(p: np.ndarray, rows: Rows, *, resamples: int, confidence: float, seed: int) -> dict[str, list[float]]:
    """Each metric as [value, low, high]: log loss, Brier, ECE (10 equal bins), AUC, average precision, lift at 10 %."""
    means = {"log_loss": _mean(log_losses(p, rows.label)), "brier": _mean((p - rows.label) ** 2)}
    means |= {"ece": _ece(p, rows.label)}
    ranking = Ranking.of(p, rows.label)

    def all_of(weight: np.ndarray) -> dict[str, float]:
        return {name: metric(weight) for name, metric in means.items()} | ranking.figures(weight)

    enough = (weight for weight in rows.resamples(resamples, seed) if 0 < (weight * rows.label).sum() < weight.sum())
    drawn = [all_of(weight) for weight in enough]
    tail, found = (1 - confidence) / 2, {}
    for name, value in all_of(rows.weight).items():
        low, high = np.quantile([one[name] for one in drawn], [tail, 1 - tail])
        # resampling adds noise of its own to a calibration error: all resamples may lie above it
        found[name] = [value, min(float(low), value), max(float(high), value)]
    return found


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
    return Ranking.of(score, label).auc(weight)


def separation(positive: np.ndarray, every: np.ndarray) -> float:
    """Area under the ROC curve of groups in rising order of their score, from the weight of the positives in each and of all;
    within a group all are tied. 0.5 where only one label is there."""
    negative = every - positive
    came, not_came = float(positive.sum()), float(negative.sum())
    if not (came > 0 and not_came > 0):
        return 0.5
    return float((positive * (np.cumsum(negative) - negative / 2)).sum() / (came * not_came))


def _mean(values: np.ndarray) -> Metric:
    return lambda weight: float((values * weight).sum() / weight.sum())


def _ece(p: np.ndarray, label: np.ndarray) -> Metric:
    """Expected calibration error (Naeini et al. 2015) over bins of equal size."""
    bins = np.empty(len(p), dtype=int)
    for number, held in enumerate(np.array_split(np.argsort(p, kind="stable"), BINS)):
        bins[held] = number
    gap = p - label
    return lambda weight: float(np.abs(np.bincount(bins, weight * gap, BINS)).sum() / weight.sum())


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows in falling order of their score, those with the same score a group; ordered once for all resamples. `groups` is the
    group of each row, the highest score first; `label` is the rows'."""

    groups: np.ndarray
    number: int
    label: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray, label: np.ndarray) -> Self:
        """Of a score and a label a row."""
        levels, place = np.unique(score, return_inverse=True)
        return cls(len(levels) - 1 - place, len(levels), label)

    def auc(self, weight: np.ndarray) -> float:
        """The weighted area under the ROC curve, ties counted half."""
        positive, every = self._sums(weight)
        return separation(positive[::-1], every[::-1])

    def figures(self, weight: np.ndarray) -> dict[str, float]:
        """AUC, average precision and lift at 10 %, ties counted half (AUC) or shared (the others)."""
        positive, every = self._sums(weight)
        reached, asked = np.cumsum(positive), np.cumsum(every)
        tenth = np.interp(0.1 * asked[-1], np.r_[0, asked], np.r_[0, reached])
        return {
            "auc": separation(positive[::-1], every[::-1]),
            "average_precision": float((positive * reached / np.maximum(asked, 1e-300)).sum() / reached[-1]),
            "lift_at_10": float(tenth / 0.1 / reached[-1]),
        }

    def _sums(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The weight of the positives in each group, and of all."""
        positive = np.bincount(self.groups, weight * self.label, self.number)
        return positive, np.bincount(self.groups, weight, self.number)
