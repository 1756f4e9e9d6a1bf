"""Three models of when customers buy and when they stop, for one person, in plain Python.

In: their four parameters; purchases after the first (`repeats`), time from the first to the last (`recency`), time
since the first (`age`). Out: the probability that the person still buys, and the purchases to expect over a time
ahead. Times are in any one unit, the one of the parameters. Knows no vector, no artefact.

Sources: BG/NBD: Fader, Hardie, Lee, "Counting your customers the easy way", Marketing Science 24 (2005), equations 7
and 10. MBG/NBD: Batislam, Denizel, Filiztekin, "Empirical validation and comparison of models for customer base analysis", International
Journal of Research in Marketing 24 (2007). Pareto/NBD: Schmittlein, Morrison, Colombo (1987), as written by Fader, Hardie (2005). All are rearranged by
Euler's transformation of 2F1, which leaves no difference of large numbers and nothing that overflows.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, expm1, log, log1p

type Expect = Callable[[float, float, float, float], tuple[float, float]]
"""(repeats, recency, age, ahead) → (alive, purchases)."""

LARGEST_EXPONENT = 700.0
ACCURACY = 1e-17
MOST_TERMS = 50_000
LARGEST_Z = 0.999
"""Nearer to 1 a series has no end: a time ahead counts as at most 999 times alpha + age."""
NEAREST_Z = 0.99999
"""The same for the continued fraction, which is faster."""


def hyp2f1(a: float, b: float, c: float, z: float) -> float:
    """Gauss's 2F1(a, b; c; z) for 0 ≤ z < 1 and c > max(a, b) - 1, by its series; it ends when what is left is below
    1e-17 of the sum.

    >>> round(hyp2f1(1.0, 1.0, 2.0, 0.5), 12)  # -log(1 - z) / z
    1.38629436112
    """
    term = total = 1.0
    enough = ACCURACY * (1.0 - z)
    for n in range(MOST_TERMS):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z
        total += term
        if abs(term) <= enough * abs(total):
            break
    return total


def hyp2f1_of_one(b: float, c: float, z: float) -> float:
    """2F1(1, b; c; z) for 0 ≤ z < 1, 0 < b < c and 1 < c, by Gauss's continued fraction (Lentz's method): some hundred
    steps at z = 0.999.

    >>> round(hyp2f1_of_one(1.0, 2.0, 0.5), 12)  # the same
    1.38629436112
    """
    front, back, total = 1.0, 0.0, 1.0
    for n in range(1, MOST_TERMS):
        k, odd = divmod(n, 2)
        top = (b + k) * (c - 1.0 + k) if odd else k * (c - b + k - 1.0)
        step = -z * top / ((c + n - 2.0) * (c + n - 1.0))
        back = 1.0 / (1.0 + step * back)
        front = 1.0 + step / front
        change = front * back
        total *= change
        if abs(change - 1.0) <= 1e-15:
            break
    return 1.0 / total


def bg_nbd(r: float, alpha: float, a: float, b: float) -> Expect:
    """Buying at a rate of a gamma(r, alpha); after each purchase but the first they stop with a probability of a beta(a, b)."""
    return _geometric(r, alpha, a, b, first=False)


def mbg_nbd(r: float, alpha: float, a: float, b: float) -> Expect:
    """The same, but they may stop after the first purchase, too: who is still there has passed one chance more to stop."""
    return _geometric(r, alpha, a, b + 1.0, first=True)


def _geometric(r: float, alpha: float, a: float, b: float, *, first: bool) -> Expect:
    def expect(repeats: float, recency: float, age: float, ahead: float) -> tuple[float, float]:
        alive = 1.0
        if first or repeats > 0:
            grown = (r + repeats) * log((alpha + age) / (alpha + recency))
            alive = 1.0 / (1.0 + a / (b + repeats - 1.0) * exp(min(grown, LARGEST_EXPONENT)))
        c = a + b + repeats - 1.0
        z = min(ahead / (alpha + age + ahead), LARGEST_Z)
        if r + repeats < a - 1.0:  # of the two forms of the same, the one whose terms do not grow
            left = exp((r + repeats) * log1p(-z)) * hyp2f1(r + repeats, b + repeats, c, z)
        else:
            left = exp((a - 1.0) * log1p(-z)) * hyp2f1(a - 1.0, a + b - 1.0 - r, c, z)
        purchases = c / (a - 1.0) * (1.0 - left)
        return alive, max(purchases, 0.0) * alive

    return expect


def pareto_nbd(r: float, alpha: float, s: float, beta: float) -> Expect:
    """Buying at a rate of a gamma(r, alpha); they stop at a rate of a gamma(s, beta), whether they buy or not."""

    def gone(repeats: float, age: float, at: float) -> float:
        """The odds of having stopped after `at`, up to a factor."""
        grown = (r + repeats) * log((alpha + age) / (alpha + at)) + s * log((beta + age) / (beta + at))
        c = r + s + repeats + 1.0
        if alpha >= beta:
            series = hyp2f1_of_one(r + repeats, c, min((alpha - beta) / (alpha + at), NEAREST_Z))
        else:
            z = min((beta - alpha) / (beta + at), NEAREST_Z)
            series = hyp2f1_of_one(s + 1.0, c, z) * (alpha + at) / (beta + at)
        return exp(min(grown, LARGEST_EXPONENT)) * series

    def expect(repeats: float, recency: float, age: float, ahead: float) -> tuple[float, float]:
        odds = s / (r + s + repeats) * (gone(repeats, age, recency) - gone(repeats, age, age))
        alive = 1.0 / (1.0 + max(odds, 0.0))
        rate = (r + repeats) * (beta + age) / (alpha + age)
        lasting = -expm1((s - 1.0) * log((beta + age) / (beta + age + ahead))) / (s - 1.0)
        return alive, rate * lasting * alive

    return expect


MODELS: dict[str, Callable[[float, float, float, float], Expect]] = {
    "bg_nbd": bg_nbd,
    "mbg_nbd": mbg_nbd,
    "pareto_nbd": pareto_nbd,
}
