"""How often to try what is not the best guess. In: values, γ. Out: a propensity for each, in closed form.

Inverse-gap weighting, the exploration of SquareCB (Foster and Rakhlin, "Beyond UCB", ICML 2020): with K candidates and
rewards r in [0, 1], p(a) = 1 / (K + γ (r(best) − r(a))) for all but the best, which takes the rest. Every propensity is
positive, so everything that is logged can be judged later.

Rewards are values mapped to [0, 1] by the range that spans the candidates' values and zero. So γ speaks of *relative*
loss: with γ = 100 a candidate worth 10 % less than the best is tried about once in K + 10 decisions, whether a goal is worth
a cent or a house. (FastCB scales the gap by the best loss in the same way: Foster and Krishnamurthy 2021.)
"""

from __future__ import annotations

from collections.abc import Sequence


def rewards(values: Sequence[float]) -> list[float]:
    """Values mapped to [0, 1] by the range that spans them and zero; all equal to zero gives zeros.

    >>> rewards([2.0, 1.0, -2.0])
    [1.0, 0.75, 0.0]
    """
    low, high = min(0.0, *values), max(0.0, *values)
    width = high - low
    return [(value - low) / width for value in values] if width > 0 else [0.0 for _ in values]


def propensities(values: Sequence[float], gamma: float) -> list[float]:
    """The probability with which each candidate is drawn; sums to 1, each is > 0, the best (first of equals) has most.

    Parameters
    ----------
    values
        Net value of each candidate, in money; at least one, all finite.
    gamma
        SquareCB's γ ≥ 0: 0 is uniform, larger is greedier.
    """
    scaled = rewards(values)
    count = len(scaled)
    best = max(range(count), key=scaled.__getitem__)
    drawn = [1.0 / (count + gamma * (scaled[best] - reward)) for reward in scaled]
    drawn[best] = 0.0
    drawn[best] = 1.0 - sum(drawn)
    return drawn


def pick(propensity: Sequence[float], draw: float) -> int:
    """Which candidate a uniform draw in [0, 1) falls on; rounding at the end belongs to the last."""
    reached = 0.0
    for number, one in enumerate(propensity):
        reached += one
        if draw < reached:
            return number
    return len(propensity) - 1
