"""BG/NBD and MBG/NBD: after each purchase a customer stops with a probability of their own; in the second, after the first, too.

In: parameters, customers. Out: losses with their gradient, P(alive), expected purchases. Sources: Fader, Hardie, Lee (2005),
equations 6, 7 and 10; Batislam, Denizel, Filiztekin (2007), which is the same with one more chance to stop: b becomes b + 1 for
who is still there, and who bought once may be gone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import betaln, digamma, gammaln

from nudge.learn.lifetime.customers import Customers, Numbers
from nudge.learn.lifetime.hypergeometric import LARGEST_Z, hyp2f1


def losses(point: Numbers, customers: Customers, *, modified: bool) -> tuple[Numbers, Numbers]:
    """Negative log-likelihood of each, and the gradient of the sum, by the logarithms of r, α, a, b and by the bend."""
    r, scale, a, b = np.exp(point[:4])
    x, recency, age, alpha = customers.repeats, customers.recency, customers.age, scale * _bent(point[4], customers)
    last = b + x + modified - 1.0
    may_stop = (x > 0) | modified
    stays = -(r + x) * np.log(alpha + age)
    leaves = np.where(may_stop, np.log(a / np.where(may_stop, last, 1.0)) - (r + x) * np.log(alpha + recency), -np.inf)
    both = np.logaddexp(stays, leaves)
    each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + both + betaln(a, last + 1.0) - betaln(a, b)
    stays, leaves = np.exp(stays - both), np.exp(leaves - both)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha) - stays * np.log(alpha + age) - leaves * np.log(alpha + recency)
    by_alpha = r - (r + x) * alpha * (stays / (alpha + age) + leaves / (alpha + recency))
    by_a = digamma(a + b) - digamma(a + last + 1.0) + leaves / a
    by_b = digamma(a + b) - digamma(b) + digamma(last + 1.0) - digamma(a + last + 1.0)
    by_b = by_b - leaves / np.where(may_stop, last, 1.0)
    slopes = np.array([one.sum() for one in (r * by_r, by_alpha, a * by_a, b * by_b, -customers.worth * by_alpha)])
    return -each, -slopes


def expect(
    parameters: Sequence[float], bend: float, customers: Customers, ahead: float, *, modified: bool
) -> tuple[Numbers, Numbers]:
    """P(alive) and expected purchases over `ahead`, of each customer."""
    r, scale, a, b = parameters
    x, recency, age, alpha = customers.repeats, customers.recency, customers.age, scale * _bent(bend, customers)
    b = b + modified
    may_stop = (x > 0) | modified
    grown = np.minimum((r + x) * np.log((alpha + age) / (alpha + recency)), 700.0)
    alive = np.where(may_stop, 1.0 / (1.0 + a / np.where(may_stop, b + x - 1, 1.0) * np.exp(grown)), 1.0)
    c, z = a + b + x - 1, np.minimum(ahead / (alpha + age + ahead), LARGEST_Z)
    plain = r + x < a - 1
    first, second = np.where(plain, r + x, a - 1), np.where(plain, b + x, a + b - 1 - r)
    bought = c / (a - 1) * (1 - (1 - z) ** first * hyp2f1(first, second, c, z))
    return alive, np.maximum(bought, 0.0) * alive


def _bent(bend: float, customers: Customers) -> Numbers:
    return np.exp(-bend * customers.worth)
