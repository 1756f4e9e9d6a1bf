"""BG/NBD, Pareto/NBD and Gamma-Gamma by maximum likelihood, and what they say of many people at once (scipy).

In: for each customer, purchases after the first (`repeats`), time from the first to the last (`recency`), time since
the first (`age`); for Gamma-Gamma the number of orders and their mean. Out: parameters in the unit of time that came
in, and the log-likelihood. `score.buying` says the same for one person without libraries.

Sources: Fader, Hardie, Lee (2005), equation 6; Fader, Hardie (2005), "A note on deriving the Pareto/NBD model"; Fader,
Hardie (2013), "The Gamma-Gamma model of monetary value", equation 1a.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

type Numbers = np.ndarray
type Loss = Callable[[Numbers, Customers], tuple[Numbers, Numbers | None]]

FIRST_LOOK = 500
"""Several starts are tried on so many customers; the best goes on with all."""
STEP = 1e-7
LARGEST_Z, NEAREST_Z, MOST_TERMS = 0.999, 0.99999, 50_000
"""As in `score.buying`: the parity gate holds them equal."""
AWAY = 1e-6
"""The formulas divide by a parameter less one: it is kept so far from it."""


@dataclass(frozen=True, slots=True)
class Customers:
    """One entry a customer, in any one unit of time."""

    repeats: Numbers
    recency: Numbers
    age: Numbers

    def __len__(self) -> int:
        return len(self.age)

    def some(self, places: Numbers) -> Customers:
        return Customers(self.repeats[places], self.recency[places], self.age[places])


@dataclass(frozen=True, slots=True)
class Fit:
    """Parameters by maximum likelihood, and the log-likelihood there (without the prior)."""

    parameters: tuple[float, ...]
    log_likelihood: float


def fit(
    model: str,
    customers: Customers,
    *,
    prior: float = 0.0,
    near: Sequence[float] | None = None,
    tolerance: float = 1e-15,
    seed: int = 0,
) -> Fit:
    """Parameters of a model of buying (`bg_nbd`, `pareto_nbd`). `prior` is the weight, in customers, of a wide normal
    prior on their logarithms: 0 is maximum likelihood, 1 keeps a handful of customers from running to the bounds.
    `near` are parameters to start from (those of the same customers some time ago); `tolerance` the relative gain of a
    step below which it ends."""
    losses, (starts, low, high) = LOSSES[model], PLACES[model]
    unit = float(np.mean(customers.age)) or 1.0
    scaled = Customers(customers.repeats, customers.recency / unit, customers.age / unit)
    units = np.array([1.0, unit, 1.0, unit if model == "pareto_nbd" else 1.0])
    bounds = list(zip(np.log(low), np.log(high), strict=True))
    center = np.log(starts[0])
    if near is None:
        few = scaled
        if len(scaled) > FIRST_LOOK:
            few = scaled.some(np.sort(np.random.default_rng(seed).choice(len(scaled), FIRST_LOOK, replace=False)))
        tried = [_descend(losses, few, np.log(start), bounds, prior, center, 1e-4) for start in starts]
        best = min(tried, key=lambda one: one[1])[0]
    else:
        best = np.clip(np.log(np.asarray(near) / units), np.log(low), np.log(high))
    best, _ = _descend(losses, scaled, best, bounds, prior, center, tolerance)
    found = float(-losses(best, scaled)[0].sum() - np.log(unit) * customers.repeats.sum())
    parameters = np.exp(best) * units
    return Fit(tuple(float(one) for one in _away(parameters, model)), found)


def _descend(
    losses: Loss,
    customers: Customers,
    start: Numbers,
    bounds: list[tuple[float, float]],
    prior: float,
    center: Numbers,
    tolerance: float,
) -> tuple[Numbers, float]:
    count = len(customers)

    def mean_loss(point: Numbers) -> tuple[float, Numbers]:
        each, gradient = losses(point, customers)
        value = each.sum()
        if gradient is None:
            gradient = np.array(
                [losses(point + step, customers)[0].sum() - value for step in np.eye(len(point)) * STEP]
            )
            gradient /= STEP
        away = (point - center) / 3.0
        return (value + prior * (away @ away) / 2) / count, (gradient + prior * away / 3.0) / count

    found = minimize(
        mean_loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": tolerance, "gtol": 1e-9},
    )
    return found.x, float(found.fun)


def _away(parameters: Numbers, model: str) -> Numbers:
    """Off the places where a formula divides by nothing."""
    if abs(parameters[2] - 1.0) < AWAY:
        parameters[2] = 1.0 + AWAY
    if model == "bg_nbd" and abs(parameters[2] + parameters[3] - 1.0) < AWAY:
        parameters[3] += 2 * AWAY
    return parameters


def _bg_nbd_losses(point: Numbers, customers: Customers) -> tuple[Numbers, Numbers]:
    """Negative log-likelihood of each, and the gradient of the sum, by the logarithms of r, α, a, b."""
    r, alpha, a, b = np.exp(point)
    x, recency, age = customers.repeats, customers.recency, customers.age
    again = x > 0
    alive = -(r + x) * np.log(alpha + age)
    left = np.where(
        again, np.log(a) - np.log(np.where(again, b + x - 1, 1.0)) - (r + x) * np.log(alpha + recency), -np.inf
    )
    both = np.logaddexp(alive, left)
    each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + both
    each += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    stays, leaves = np.exp(alive - both), np.exp(left - both)
    gradient = np.array(
        [
            np.sum(
                digamma(r + x)
                - digamma(r)
                + np.log(alpha)
                - stays * np.log(alpha + age)
                - leaves * np.log(alpha + recency)
            ),
            np.sum(r / alpha - (r + x) * (stays / (alpha + age) + leaves / (alpha + recency))),
            np.sum(digamma(a + b) - digamma(a + b + x) + leaves / a),
            np.sum(
                digamma(a + b)
                + digamma(b + x)
                - digamma(b)
                - digamma(a + b + x)
                - leaves / np.where(again, b + x - 1, 1.0)
            ),
        ]
    )
    total: Numbers = -gradient * np.exp(point)
    return -each, total


def _pareto_nbd_losses(point: Numbers, customers: Customers) -> tuple[Numbers, None]:
    """Negative log-likelihood of each by the logarithms of r, α, s, β; its gradient is taken by differences."""
    r, alpha, s, beta = np.exp(point)
    x, age = customers.repeats, customers.age
    each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    each += np.log1p(_odds((r, alpha, s, beta), customers)) - (r + x) * np.log(alpha + age) - s * np.log(beta + age)
    return -each, None


def _odds(parameters: Sequence[float], customers: Customers) -> Numbers:
    """Pareto/NBD: the odds of having stopped since the last purchase. See `score.buying`."""
    r, alpha, s, beta = parameters
    x, age = customers.repeats, customers.age
    two, both = np.concatenate([x, x]), np.concatenate([age, age])

    def gone() -> Numbers:
        """At the last purchase less now; both at once, for speed."""
        at = np.concatenate([customers.recency, age])
        grown = (r + two) * np.log((alpha + both) / (alpha + at)) + s * np.log((beta + both) / (beta + at))
        c = r + s + two + 1
        if alpha >= beta:
            series = _hyp2f1_of_one(r + two, c, np.minimum((alpha - beta) / (alpha + at), NEAREST_Z))
        else:
            z = np.minimum((beta - alpha) / (beta + at), NEAREST_Z)
            series = _hyp2f1_of_one(np.full(len(two), s + 1.0), c, z) * (alpha + at) / (beta + at)
        each: Numbers = np.exp(np.minimum(grown, 700.0)) * series
        less: Numbers = each[: len(x)] - each[len(x) :]
        return less

    odds: Numbers = np.maximum(s / (r + s + x) * gone(), 0.0)
    return odds


def _hyp2f1(a: Numbers, b: Numbers, c: Numbers, z: Numbers) -> Numbers:
    """2F1(a, b; c; z) by its series, each until it ends. scipy's `hyp2f1` is wrong in the second digit for some with z
    near 1."""
    total = np.ones(len(z))
    places, term, part = np.arange(len(z)), np.ones(len(z)), np.ones(len(z))
    for n in range(MOST_TERMS):
        term = term * ((a[places] + n) * (b[places] + n) / ((c[places] + n) * (n + 1.0)) * z[places])
        part = part + term
        going = np.abs(term) > 1e-17 * (1.0 - z[places]) * np.abs(part)
        if n % 16 == 15 or not going.any():
            total[places] = part
            places, term, part = places[going], term[going], part[going]
        if not len(places):
            break
    return total


def _hyp2f1_of_one(b: Numbers, c: Numbers, z: Numbers) -> Numbers:
    """2F1(1, b; c; z) by Gauss's continued fraction, as in `score.buying`: scipy's `hyp2f1` is nan for some that real
    data has."""
    front, back, total = np.ones(len(z)), np.zeros(len(z)), np.ones(len(z))
    for n in range(1, MOST_TERMS):
        k, odd = divmod(n, 2)
        top = (b + k) * (c - 1.0 + k) if odd else k * (c - b + k - 1.0)
        step = -z * top / ((c + n - 2.0) * (c + n - 1.0))
        back = 1.0 / (1.0 + step * back)
        front = 1.0 + step / front
        change = front * back
        total = total * change
        if n % 8 == 0 and np.all(np.abs(change - 1.0) <= 1e-15):
            break
    return 1.0 / total


def expect(model: str, parameters: Sequence[float], customers: Customers, ahead: float) -> tuple[Numbers, Numbers]:
    """P(alive) and expected purchases over `ahead`, of each customer."""
    return EXPECT[model](parameters, customers, ahead)


def _expect_bg_nbd(parameters: Sequence[float], customers: Customers, ahead: float) -> tuple[Numbers, Numbers]:
    r, alpha, a, b = parameters
    x, recency, age = customers.repeats, customers.recency, customers.age
    grown = np.minimum((r + x) * np.log((alpha + age) / (alpha + recency)), 700.0)
    alive = np.where(x > 0, 1.0 / (1.0 + a / np.where(x > 0, b + x - 1, 1.0) * np.exp(grown)), 1.0)
    c, z = a + b + x - 1, np.minimum(ahead / (alpha + age + ahead), LARGEST_Z)
    plain = r + x < a - 1
    first, second = np.where(plain, r + x, a - 1), np.where(plain, b + x, a + b - 1 - r)
    bought = c / (a - 1) * (1 - (1 - z) ** first * _hyp2f1(first, second, c, z))
    return alive, np.maximum(bought, 0.0) * alive


def _expect_pareto_nbd(parameters: Sequence[float], customers: Customers, ahead: float) -> tuple[Numbers, Numbers]:
    r, alpha, s, beta = parameters
    x, age = customers.repeats, customers.age
    alive = 1.0 / (1.0 + _odds(parameters, customers))
    lasting = -np.expm1((s - 1) * np.log((beta + age) / (beta + age + ahead))) / (s - 1)
    return alive, (r + x) * (beta + age) / (alpha + age) * lasting * alive


def fit_spend(orders: Numbers, mean: Numbers) -> Fit:
    """p, q, v of Gamma-Gamma from customers' number of orders and mean value; those without a positive mean are left
    out."""
    held = (orders > 0) & (mean > 0)
    n, unit = orders[held], float(np.mean(mean[held]))
    m = mean[held] / unit

    def mean_loss(point: Numbers) -> tuple[float, Numbers]:
        p, q, v = np.exp(point)
        whole = np.log(v + n * m)
        each = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(v)
        each += (p * n - 1) * np.log(m) + p * n * np.log(n) - (p * n + q) * whole
        gradient = np.array(
            [
                np.sum(n * (digamma(p * n + q) - digamma(p * n) + np.log(m) + np.log(n) - whole)),
                np.sum(digamma(p * n + q) - digamma(q) + np.log(v) - whole),
                np.sum(q / v - (p * n + q) / (v + n * m)),
            ]
        )
        return -each.sum() / len(n), -gradient * np.exp(point) / len(n)

    bounds = [(np.log(low), np.log(high)) for low, high in ((1e-2, 1e3), (1.05, 1e3), (1e-3, 1e4))]
    starts = ((1.0, 4.0, 3.0), (6.0, 4.0, 0.5), (30.0, 30.0, 1.0))
    found = min(
        (
            minimize(
                mean_loss,
                np.log(start),
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-9},
            )
            for start in starts
        ),
        key=lambda one: float(one.fun),
    )
    p, q, v = (float(one) for one in np.exp(found.x))
    return Fit((p, q, v * unit), float(-found.fun * len(n) - np.log(unit) * len(n)))


LOSSES: dict[str, Loss] = {"bg_nbd": _bg_nbd_losses, "pareto_nbd": _pareto_nbd_losses}
EXPECT: dict[str, Callable[[Sequence[float], Customers, float], tuple[Numbers, Numbers]]] = {
    "bg_nbd": _expect_bg_nbd,
    "pareto_nbd": _expect_pareto_nbd,
}
PLACES = {
    "bg_nbd": (
        ((0.5, 0.3, 0.8, 2.5), (1.5, 1.0, 0.3, 3.0), (0.1, 0.05, 2.0, 5.0)),
        (1e-3, 1e-3, 1e-3, 1e-3),
        (20, 1e3, 1e2, 1e3),
    ),
    "pareto_nbd": (
        ((0.5, 0.3, 0.6, 0.4), (1.5, 1.0, 0.3, 2.0), (0.1, 0.05, 2.0, 5.0)),
        (1e-3, 1e-3, 1e-3, 1e-3),
        (20, 1e3, 1e2, 1e3),
    ),
}
"""Starts (the first is the prior's centre), lowest and highest, in units of the mean age."""
