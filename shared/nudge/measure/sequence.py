"""A fixed-time interval and how many people it rests on come in; an interval that may be read every day goes out.

A 95 % interval is right on one day, chosen beforehand. Whoever looks every day, and stops when it looks good, is wrong far more
often. A confidence sequence holds the truth on *all* days together in 95 of 100 campaigns, and costs width: about half as much again.

The boundary is Robbins' normal mixture, in the asymptotic form of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform
central limit theory and asymptotic confidence sequences", Annals of Statistics 52, 2024, theorem 2.2): half-width after t people

    σ √( 2 (tρ² + 1) / (t²ρ²) · log( √(tρ² + 1) / α ) )

which is σ/√t times a factor of tρ² alone. ρ² makes it tightest at `TIGHTEST` people; that number must not depend on the data,
so it is a constant (ten times more or fewer people cost a tenth to a quarter of the width). Where the effect changes over time, it holds the
mean of the effects so far. Knows no plan and no frame.
"""

from __future__ import annotations

from copy import replace
from math import exp, log, sqrt

from nudge.measure.lift import Estimate, Z

ALPHA = 0.05
TIGHTEST = 1_000
"""People, both groups together, at which the sequence is tightest."""


def factor(people: int, alpha: float = ALPHA) -> float:
    """Half-width of the sequence after so many people, in standard errors.

    >>> round(factor(1_000), 2), round(factor(100), 2), round(factor(100_000), 2)
    (3.03, 3.76, 3.58)
    """
    mixed = _mixed(people)
    return sqrt(2 * (mixed + 1) / mixed * log(sqrt(mixed + 1) / alpha))


def anytime(one: Estimate, people: int, *, looks: int = 1) -> Estimate:
    """An estimate with the sequence's ends and p-value in place of the fixed interval's, for people of both groups together.

    The fixed interval's own reach to each side is stretched, so what it does about few people, few conversions and skew is
    kept. `looks`: so many comparisons share the 5 % (Bonferroni).
    """
    if one.low is None or one.high is None or one.estimate is None or people < 1:
        return one
    by = factor(people, ALPHA / looks) / Z
    down, up = (one.estimate - one.low) * by, (one.high - one.estimate) * by
    return replace(one, low=one.estimate - down, high=one.estimate + up, p_value=p_value(one, people))


def p_value(one: Estimate, people: int) -> float | None:
    """The smallest α at which the sequence leaves out zero: 1 / the mixture's likelihood ratio, at most 1. None without an interval.

    Valid on every day: it may be read, and corrected for many looks (Holm), whenever one likes.
    """
    if one.low is None or one.high is None or one.estimate is None:
        return None
    reach = one.estimate - one.low if one.estimate > 0 else one.high - one.estimate
    if reach <= 0:
        return 1.0 if one.estimate == 0 else 0.0
    distance, mixed = Z * one.estimate / reach, _mixed(people)
    exponent = distance**2 / 2 * mixed / (mixed + 1)
    return 1.0 if exponent <= log(sqrt(mixed + 1)) else sqrt(mixed + 1) * exp(-exponent)


def _mixed(people: int) -> float:
    """tρ²: ρ² = (−2 log α + log(−2 log α) + 1) / `TIGHTEST` (the same paper, section B.1), of 5 % whatever α is asked."""
    half = -2 * log(ALPHA)
    return people * (half + log(half) + 1) / TIGHTEST
