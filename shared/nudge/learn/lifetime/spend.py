"""Gamma-Gamma: what an order of a customer is worth.

In: customers' number of orders and their mean value. Out: p, q, v by maximum likelihood; expected order values, and how they
compare with those of others. Source: Fader, Hardie (2013), "The Gamma-Gamma model of monetary value", equations 1a and 5.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from nudge.learn.lifetime.customers import Numbers, Past

MOST_PEOPLE = 4_000
"""Three parameters are fitted on at most so many customers (sampled)."""
FAR = 1.0
"""Standard deviations beyond which an order value counts as so far: a few orders of a wholesaler say little of how often they buy.
As in `score.customer`: the parity gate holds them equal."""
STARTS = ((1.0, 4.0, 3.0), (6.0, 4.0, 0.5), (30.0, 30.0, 1.0))
BOUNDS = [(np.log(low), np.log(high)) for low, high in ((1e-2, 1e3), (1.05, 1e3), (1e-3, 1e4))]


@dataclass(frozen=True, slots=True)
class Spend:
    """Gamma-Gamma's p, q, v; the mean value of an order of everyone; and center and scale of the logarithm of customers' expected
    order values."""

    p: float
    q: float
    v: float
    everyone: float
    center: float
    scale: float

    @classmethod
    def of(cls, past: Past, seed: int) -> Spend | None:
        """From what people have bought; None where orders have no value."""
        held = past.bought & (past.mean > 0)
        if held.sum() < 2:
            return None
        orders, mean = past.orders[held], past.mean[held]
        everyone = float((orders * mean).sum() / orders.sum())
        if len(orders) > MOST_PEOPLE:
            chosen = np.sort(np.random.default_rng(seed).choice(len(orders), MOST_PEOPLE, replace=False))
            orders, mean = orders[chosen], mean[chosen]
        p, q, v = fit(orders, mean)
        logarithm = np.log(cls(p, q, v, everyone, 0.0, 1.0).order(past)[past.bought])
        spread = float(logarithm.std())
        return cls(p, q, v, everyone, float(logarithm.mean()), spread if spread > 1e-6 else 1.0)

    def order(self, past: Past) -> Numbers:
        """The expected value of an order of each; the mean of all of who has not bought yet."""
        known = self.p * (self.v + past.orders * past.mean) / (self.p * np.maximum(past.orders, 1) + self.q - 1)
        return np.where(past.bought, known, self.everyone)

    def worth(self, past: Past) -> Numbers:
        """How far the order value of each lies from that of others, in standard deviations of its logarithm."""
        return np.clip((np.log(self.order(past)) - self.center) / self.scale, -FAR, FAR)

    def export(self) -> dict[str, float]:
        """As `score.lifetime` reads it."""
        return asdict(self)


def fit(orders: Numbers, mean: Numbers) -> tuple[float, float, float]:
    """p, q, v; customers without a positive mean are left out."""
    held = (orders > 0) & (mean > 0)
    n, unit = orders[held], float(np.mean(mean[held]))
    m = mean[held] / unit

    def mean_loss(point: Numbers) -> tuple[float, Numbers]:
        p, q, v = np.exp(point)
        whole = np.log(v + n * m)
        each = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(v)
        each += (p * n - 1) * np.log(m) + p * n * np.log(n) - (p * n + q) * whole
        both = digamma(p * n + q)
        gradient = np.array(
            [
                np.sum(n * (both - digamma(p * n) + np.log(m) + np.log(n) - whole)),
                np.sum(both - digamma(q) + np.log(v) - whole),
                np.sum(q / v - (p * n + q) / (v + n * m)),
            ]
        )
        return -each.sum() / len(n), -gradient * np.exp(point) / len(n)

    options = {"maxiter": 500, "ftol": 1e-15, "gtol": 1e-9}
    tried = (
        minimize(mean_loss, np.log(start), jac=True, method="L-BFGS-B", bounds=BOUNDS, options=options)
        for start in STARTS
    )
    p, q, v = (float(one) for one in np.exp(min(tried, key=lambda one: float(one.fun)).x))
    return p, q, v * unit
