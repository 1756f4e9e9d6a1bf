"""How often to try what is not the best guess. In: values, γ. Out: a propensity for each, in closed form.

Inverse-gap weighting, the exploration of SquareCB (Foster and Rakhlin, "Beyond UCB", ICML 2020): with K candidates and
rewards r in [0, 1], p(a) = 1 / (K + γ (r(best) − r(a))) for all but the best, which takes the rest. Every propensity is
positive, so everything that is logged can be judged later.

Rewards are values as shares of the best one, r = max(value, 0) / best: so γ speaks of *relative* loss. With γ = 100 a
candidate worth 10 % less than the best is tried about once in K + 10 decisions, whether a goal is worth a cent or a house, and
one that loses money about once in K + 100, however much it loses. (FastCB scales the gap by the best loss in the same way:
Foster and Krishnamurthy 2021.)
"""

from __future__ import annotations

from collections.abc import Sequence


def rewards(values: Sequence[float]) -> list[float]:
    """Values mapped to [0, 1], the best to 1: shares of the best value, losses as 0. Where no value is positive, the
    distance from the worst as a share of the worst.

    >>> rewards([2.0, 1.5, -7.0])
    [1.0, 0.75, 0.0]
    >>> rewards([0.0, -1.0, -4.0])
    [1.0, 0.75, 0.0]
    """
    best, worst = max(values), min(values)
    if best > 0:
        return [max(value, 0.0) / best for value in values]
    return [1.0 - value / worst if worst < 0 else 1.0 for value in values]


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
    best = max(range(count), key=values.__getitem__)  # not of the rewards: rounding makes equals of neighbours
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
