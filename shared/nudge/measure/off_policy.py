"""What another policy would have earned, from the log of the one that ran.

In: logged decisions (activity, its propensity, what came of it, whose it was) and any policy as probabilities. Out: three estimates
(IPS, self-normalised IPS, doubly robust), each with standard error and interval; how many decisions the log is worth for
this policy; whether the log supports the question at all. It trains nothing and knows no activity by name.

Intervals. Rewards are rare and weighted, so their mean is skewed, and a normal interval misses the truth too often above.
Where no reward is negative, the interval is Fay & Feuer's (1997, for weighted sums of rare counts) with the estimate's own variance: gamma
quantiles, the upper end as if one more reward of the largest weight had been seen; it becomes the normal interval where
rewards are many. Where rewards can be negative, what is earned gives the shape: the same interval of the rewards above 0, in
standard errors to each side, is laid around the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

type Numbers = npt.NDArray[np.float64]
type Whole = npt.NDArray[np.int64]

FOLDS = 5
BORROWED = 20.0
"""In the reward model, an activity's own decisions count against the whole as much as so many of them."""
FEWEST = 30
"""Decisions the log must be worth (effective sample size) for an estimate to be leant on."""
OFF = 3.0
"""Standard errors by which the mean weight may miss 1: more says that propensities or policy are not what they are said to be,
or that the log never tried what the policy does."""


@dataclass(frozen=True, slots=True)
class Log:
    """n decisions: the activity's number, the probability it was chosen with, what it earned; whose decision (0 … m-1; None:
    each its own person)."""

    activity: Whole
    propensity: Numbers
    reward: Numbers
    person: Whole | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.activity), len(self.propensity), len(self.reward)}
        if len(lengths) != 1 or not len(self.reward):
            raise ValueError("activity, propensity and reward must be as long as each other, and not empty")
        if not ((self.propensity > 0) & (self.propensity <= 1)).all():
            raise ValueError("a propensity must be above 0 and at most 1")
        if not np.isfinite(self.reward).all():
            raise ValueError("a reward must be a finite number")


@dataclass(frozen=True, slots=True)
class Value:
    """Mean reward a decision, its standard error and interval; `method` is gamma, gamma_shape (rewards below 0) or none (one decision)."""

    value: float
    error: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Support:
    """Can this log answer for this policy? `effective` is Kish's effective sample size, `mean_weight` (near 1) with its standard error,
    `largest` the share of the heaviest decision, `untried` the share of the policy that goes to activities never logged."""

    decisions: int
    effective: float
    mean_weight: float
    error: float
    largest: float
    untried: float

    @property
    def flaws(self) -> list[str]:
        """What speaks against leaning on the estimates; empty when nothing does."""
        found = []
        if self.effective < FEWEST:
            found.append(f"the log is worth {self.effective:.0f} decisions for this policy, fewer than {FEWEST}")
        if abs(self.mean_weight - 1) > OFF * self.error + 1e-9:
            found.append(f"weights average {self.mean_weight:.3f} ± {self.error:.3f} instead of 1")
        if self.untried > 0.01:
            found.append(f"{self.untried:.1%} of the policy goes to activities that the log never tried")
        return found


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The three estimates and what they rest on."""

    ips: Value
    snips: Value
    doubly_robust: Value
    support: Support


def evaluate(log: Log, policy: Numbers, *, expected: Numbers | None = None, confidence: float = 0.95) -> Evaluation:
    """The value of a policy: `policy` (activities,) or (n, activities), probabilities that sum to 1.

    `expected` (n, activities) is what each activity would earn, by a model that did not learn from the same decision; by
    default the activities' means of the other folds, shrunk to the whole's (Dudík et al. 2011 for doubly robust).
    Raises ValueError where shapes differ or probabilities are none.
    """
    each = _checked(log, policy)
    rows = np.arange(len(log.reward))
    weight = each[rows, log.activity] / log.propensity
    model = cross_fitted(log, each.shape[1]) if expected is None else expected
    if model.shape != each.shape:
        raise ValueError("expected must be (decisions, activities)")
    gain = weight * log.reward
    mean_weight = float(weight.mean()) or 1.0
    ratio = float(gain.mean()) / mean_weight
    direct = (each * model).sum(axis=1)
    robust = direct + weight * (log.reward - model[rows, log.activity])
    interval = Interval.of(log, weight, confidence)
    return Evaluation(
        interval.around(float(gain.mean()), _error(gain, log.person)),
        interval.around(ratio, _error((gain - ratio * weight) / mean_weight, log.person), mean_weight),
        interval.around(float(robust.mean()), _error(robust, log.person)),
        _support(log, each, weight),
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """How intervals of one log are made. `more` is what one more reward would add: the largest seen (1, where none was) at the largest
    weight. `shape`, where rewards are negative, is how many standard errors the gains' interval reaches down and up."""

    tail: float
    more: float
    shape: tuple[float, float] | None

    @classmethod
    def of(cls, log: Log, weight: Numbers, confidence: float) -> Interval:
        gained = np.maximum(log.reward, 0.0)
        made = cls((1 - confidence) / 2, float(weight.max() * (gained.max() or 1.0)) / len(weight), None)
        if log.reward.min() >= 0:
            return made
        parts = weight * gained
        mean, error = float(parts.mean()), _error(parts, log.person)
        usual = float(special.ndtri(1 - made.tail))
        if not 0 < error < np.inf:
            return cls(made.tail, made.more, (usual, usual))
        gains = made.around(mean, error)
        return cls(made.tail, made.more, ((mean - gains.low) / error, (gains.high - mean) / error))

    def around(self, mean: float, error: float, scale: float = 1.0) -> Value:
        """An estimate with its interval; `scale` is what the estimate was divided by."""
        if not np.isfinite(error):
            return Value(mean, error, -np.inf, np.inf, "none")
        if self.shape is not None:
            return Value(mean, error, mean - self.shape[0] * error, mean + self.shape[1] * error, "gamma_shape")
        more = self.more / scale
        low = _gamma(mean, error**2, self.tail)
        high = _gamma(max(mean, 0.0) + more, error**2 + more**2, 1 - self.tail)
        return Value(mean, error, min(low, mean), max(high, mean), "gamma")


def _checked(log: Log, policy: Numbers) -> Numbers:
    each = np.broadcast_to(policy, (len(log.reward), policy.shape[-1]))
    if not (each >= 0).all() or not np.allclose(each.sum(axis=1), 1.0, atol=1e-6):
        raise ValueError("a policy must be probabilities that sum to 1")
    if log.activity.min() < 0 or log.activity.max() >= each.shape[1]:
        raise ValueError("the log holds an activity that the policy does not know")
    return each


def _error(parts: Numbers, person: Whole | None) -> float:
    """Standard error of the mean; decisions of one person count as one (they are not independent)."""
    size = len(parts)
    if size < 2:
        return float("inf")
    if person is None:
        return float(parts.std(ddof=1) / np.sqrt(size))
    sums = np.bincount(person, parts - parts.mean())
    people = len(np.unique(person))
    return float(np.sqrt((sums**2).sum() * people / max(people - 1, 1)) / size)


def _gamma(mean: float, variance: float, probability: float) -> float:
    """Quantile of the gamma distribution of this mean and variance; a point where there is no variance, 0 where no mean."""
    if mean <= 0:
        return 0.0
    if variance <= 0:
        return mean
    return float(special.gammaincinv(mean**2 / variance, probability) * variance / mean)


def _support(log: Log, policy: Numbers, weight: Numbers) -> Support:
    total, squares = float(weight.sum()), float((weight**2).sum())
    tried = np.zeros(policy.shape[1], dtype=bool)
    tried[log.activity] = True
    return Support(
        decisions=len(weight),
        effective=total**2 / squares if squares > 0 else 0.0,
        mean_weight=float(weight.mean()),
        error=_error(weight, log.person),
        largest=float(weight.max()) / total if total > 0 else 1.0,
        untried=float(policy[:, ~tried].sum(axis=1).mean()),
    )


def cross_fitted(log: Log, activities: int) -> Numbers:
    """(n, activities): each activity's mean reward in the other folds, shrunk to all activities' mean. People stay whole."""
    fold = (np.arange(len(log.reward)) if log.person is None else log.person) % FOLDS
    made = np.empty((len(log.reward), activities))
    for held in range(FOLDS):
        rest = fold != held
        if not rest.any():
            made[fold == held] = 0.0
            continue
        mean = float(log.reward[rest].mean())
        count = np.bincount(log.activity[rest], minlength=activities)
        total = np.bincount(log.activity[rest], log.reward[rest], activities)
        made[fold == held] = (total + BORROWED * mean) / (count + BORROWED)
    return made
