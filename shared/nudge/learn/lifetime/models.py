"""Models of buying by maximum likelihood: BG/NBD, MBG/NBD, Pareto/NBD.

In: customers. Out: parameters in the unit of time that came in, and the log-likelihood. `score.buying` says for one person, without
libraries, what `expect` says of many. Each model has four parameters and a bend: customers whose orders are worth more buy at
another rate, alpha · exp(-bend · worth) (a covariate that does not change, as in Fader, Hardie 2007, "Incorporating
time-invariant covariates into the Pareto/NBD and BG/NBD models").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import minimize

from nudge.learn.lifetime import geometric, pareto
from nudge.learn.lifetime.customers import Customers, Numbers

type Loss = Callable[[Numbers, Customers], tuple[Numbers, Numbers]]
"""(point, customers) → (loss of each, gradient of the sum); a point is the logarithms of four parameters, and the bend."""
type Expect = Callable[[Sequence[float], float, Customers, float], tuple[Numbers, Numbers]]

FIRST_LOOK = 500
"""Several starts are tried on so many customers; the best goes on with all."""
AWAY = 1e-6
"""The formulas divide by a parameter less one: it is kept so far from it."""
MOST_BENT = 2.0

LOSSES: dict[str, Loss] = {
    "bg_nbd": partial(geometric.losses, modified=False),
    "mbg_nbd": partial(geometric.losses, modified=True),
    "pareto_nbd": pareto.losses,
}
EXPECT: dict[str, Expect] = {
    "bg_nbd": partial(geometric.expect, modified=False),
    "mbg_nbd": partial(geometric.expect, modified=True),
    "pareto_nbd": pareto.expect,
}
_GEOMETRIC = ((0.5, 0.3, 0.8, 2.5), (1.5, 1.0, 0.3, 3.0), (0.1, 0.05, 2.0, 5.0))
STARTS = {
    "bg_nbd": _GEOMETRIC,
    "mbg_nbd": _GEOMETRIC,
    "pareto_nbd": ((0.5, 0.3, 0.6, 0.4), (1.5, 1.0, 0.3, 2.0), (0.1, 0.05, 2.0, 5.0)),
}
"""The first is the prior's centre; in units of the mean age."""
BOUNDS = [*((np.log(1e-3), np.log(high)) for high in (20, 1e3, 1e2, 1e3)), (-MOST_BENT, MOST_BENT)]
SPREAD = np.array([3.0, 3.0, 3.0, 3.0, 1.0])
"""Standard deviations of the prior."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Parameters and bend by maximum likelihood, and the log-likelihood there (without the prior)."""

    parameters: tuple[float, ...]
    bend: float
    log_likelihood: float


def fit(
    model: str,
    customers: Customers,
    *,
    prior: float = 0.0,
    near: Fit | None = None,
    tolerance: float = 1e-15,
    seed: int = 0,
) -> Fit:
    """Parameters of a model of buying. `prior` is the weight, in customers, of a wide normal prior on their logarithms and on the
    bend: 0 is maximum likelihood, 1 keeps a handful of customers from running to the bounds. `near` is where to start
    (the fit of the same customers some time ago); `tolerance` the relative gain of a step below which it ends."""
    losses = LOSSES[model]
    unit = float(np.mean(customers.age)) or 1.0
    scaled = customers.timed(unit)
    units = np.array([1.0, unit, 1.0, unit if model == "pareto_nbd" else 1.0])
    starts = [np.append(np.log(start), 0.0) for start in STARTS[model]]
    if near is None:
        few = scaled
        if len(scaled) > FIRST_LOOK:
            few = scaled.some(np.sort(np.random.default_rng(seed).choice(len(scaled), FIRST_LOOK, replace=False)))
        tried = [_descend(losses, few, start, prior, starts[0], 1e-4) for start in starts]
        best = min(tried, key=lambda one: one[1])[0]
    else:
        best = np.append(np.log(np.asarray(near.parameters) / units), near.bend)
        best = np.clip(best, *np.array(BOUNDS).T)
    best, _ = _descend(losses, scaled, best, prior, starts[0], tolerance)
    found = float(-losses(best, scaled)[0].sum() - np.log(unit) * customers.repeats.sum())
    parameters = _away(np.exp(best[:4]) * units, model)
    return Fit(tuple(float(one) for one in parameters), float(best[4]), found)


def expect(
    model: str, parameters: Sequence[float], customers: Customers, ahead: float, bend: float = 0.0
) -> tuple[Numbers, Numbers]:
    """P(alive) and expected purchases over `ahead`, of each customer."""
    return EXPECT[model](parameters, bend, customers, ahead)


def _descend(
    losses: Loss, customers: Customers, start: Numbers, prior: float, center: Numbers, tolerance: float
) -> tuple[Numbers, float]:
    count = len(customers)

    def mean_loss(point: Numbers) -> tuple[float, Numbers]:
        each, gradient = losses(point, customers)
        away = (point - center) / SPREAD
        return (each.sum() + prior * (away @ away) / 2) / count, (gradient + prior * away / SPREAD) / count

    options = {"maxiter": 500, "ftol": tolerance, "gtol": 1e-9}
    found = minimize(mean_loss, start, jac=True, method="L-BFGS-B", bounds=BOUNDS, options=options)
    return found.x, float(found.fun)


def _away(parameters: Numbers, model: str) -> Numbers:
    """Off the places where a formula divides by nothing."""
    if abs(parameters[2] - 1.0) < AWAY:
        parameters[2] = 1.0 + AWAY
    if model == "bg_nbd" and abs(parameters[2] + parameters[3] - 1.0) < AWAY:
        parameters[3] += 2 * AWAY
    return parameters
