"""Pareto/NBD: a customer stops at a rate of their own, whether they buy or not.

In: parameters, customers. Out: losses with their gradient, P(alive), expected purchases. Source: Schmittlein, Morrison, Colombo
(1987), as written by Fader, Hardie (2005), "A note on deriving the Pareto/NBD model"; rearranged as in `score.buying`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import digamma, gammaln

from nudge.learn.lifetime.customers import Customers, Numbers
from nudge.learn.lifetime.hypergeometric import NEAREST_Z, of_one

LARGEST_EXPONENT = 700.0
_ROOTS = (1.0 + np.polynomial.legendre.leggauss(32)[0]) / 2
NODES, WEIGHTS = _ROOTS**2, _ROOTS * np.polynomial.legendre.leggauss(32)[1]
"""Of an integral from 0 to 1 by its variable's root: nodes lie closer near 0, where a logarithm ends."""


def losses(point: Numbers, customers: Customers) -> tuple[Numbers, Numbers]:
    """Negative log-likelihood of each, and the gradient of the sum, by the logarithms of r, α, s, β and by the bend."""
    r, scale, s, beta = np.exp(point[:4])
    x, age, alpha = customers.repeats, customers.age, scale * np.exp(-point[4] * customers.worth)
    odds, by = _integral(r, alpha, s, beta, customers)
    each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    each += np.log1p(odds) - (r + x) * np.log(alpha + age) - s * np.log(beta + age)
    by /= 1.0 + odds
    by[0] += digamma(r + x) - digamma(r) + np.log(alpha) - np.log(alpha + age)
    by[1] += r / alpha - (r + x) / (alpha + age)
    by[2] += np.log(beta) - np.log(beta + age)
    by[3] += s / beta - s / (beta + age)
    by *= np.stack(np.broadcast_arrays(r, alpha, s, beta))
    slopes = np.append(by.sum(axis=1), -(customers.worth * by[1]).sum())
    return -each, -slopes


def _integral(r: float, alpha: Numbers, s: float, beta: float, customers: Customers) -> tuple[Numbers, Numbers]:
    """The odds of having stopped since the last purchase, and their derivatives by r, α, s, β: integrals over the moment of stopping
    by Gauss-Legendre's rule, in steps of how likely it is to have bought nothing until then. (`odds` gives them exactly; this
    gives them and their derivatives at once, to six digits or more, for a fifth of the time.)"""
    often, age = r + customers.repeats, customers.age
    span = often * np.log((alpha + age) / (alpha + customers.recency))
    later = -np.log1p(np.outer(np.expm1(-span), 1.0 - NODES)) / often[:, None]
    by_alpha = (alpha + customers.recency)[:, None] * np.exp(later)  # α + the moment
    by_beta = by_alpha + (beta - alpha)[:, None]
    far = np.log((beta + age)[:, None] / by_beta)
    front = np.expm1(np.minimum(span, LARGEST_EXPONENT)) * s / often
    parts = np.exp(np.minimum(s * far, LARGEST_EXPONENT)) * (by_alpha / by_beta) * WEIGHTS
    parts *= front[:, None]
    whole = parts.sum(axis=1)
    near = span / often * whole - (parts * later).sum(axis=1)
    slopes = np.stack(
        [
            near,
            often * (whole / (alpha + age) - (parts / by_alpha).sum(axis=1)),
            whole / s + (parts * far).sum(axis=1),
            s / (beta + age) * whole - (s + 1.0) * (parts / by_beta).sum(axis=1),
        ]
    )
    return whole, slopes


def odds(parameters: Sequence[float], alpha: Numbers, customers: Customers) -> Numbers:
    """Of having stopped since the last purchase. See `score.buying`."""
    r, _, s, beta = parameters
    x, age, often = customers.repeats, customers.age, alpha >= beta

    def gone(at: Numbers) -> Numbers:
        grown = (r + x) * np.log((alpha + age) / (alpha + at)) + s * np.log((beta + age) / (beta + at))
        z = np.minimum(np.abs(alpha - beta) / (np.where(often, alpha, beta) + at), NEAREST_Z)
        series = of_one(np.where(often, r + x, s + 1.0), r + s + x + 1.0, z)
        held: Numbers = np.exp(np.minimum(grown, LARGEST_EXPONENT)) * series
        return np.where(often, held, held * (alpha + at) / (beta + at))

    found: Numbers = np.maximum(s / (r + s + x) * (gone(customers.recency) - gone(age)), 0.0)
    return found


def expect(parameters: Sequence[float], bend: float, customers: Customers, ahead: float) -> tuple[Numbers, Numbers]:
    """P(alive) and expected purchases over `ahead`, of each customer."""
    r, scale, s, beta = parameters
    x, age, alpha = customers.repeats, customers.age, scale * np.exp(-bend * customers.worth)
    alive = 1.0 / (1.0 + odds(parameters, alpha, customers))
    lasting = -np.expm1((s - 1) * np.log((beta + age) / (beta + age + ahead))) / (s - 1)
    return alive, (r + x) * (beta + age) / (alpha + age) * lasting * alive
