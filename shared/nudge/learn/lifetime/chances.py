"""From the expected number of purchases to the typical one: what a person most likely does, where a few do most of the
buying.

In: a forecast and people. Out: knots of a curve mean → median. The models say more than a mean: how often each person
buys and whether they have stopped is drawn from what is known of them, and then what they buy (`score.buying` names
the sources). Seeded; no outcome is looked at.
"""

from __future__ import annotations

import numpy as np

from nudge.learn.lifetime.customers import Customers, Numbers
from nudge.learn.lifetime.models import Fit

DRAWS = 40
KNOTS = 24
PEOPLE = 4_000


def draw(
    model: str,
    fit: Fit,
    customers: Customers,
    alive: Numbers,
    factor: Numbers,
    ahead: float,
    rng: np.random.Generator,
) -> Numbers:
    """Purchases over `ahead` of each customer, once. `factor` multiplies the rate (what the learned correction
    says)."""
    r, alpha, third, fourth = fit.parameters
    count, until = len(customers), alpha * np.exp(-fit.bend * customers.worth) + customers.age
    rate = rng.gamma(r + customers.repeats, 1.0 / until) * factor
    here = rng.random(count) < alive
    if model == "pareto_nbd":
        leaving = rng.gamma(third, 1.0 / (fourth + customers.age))
        lasts = np.minimum(rng.exponential(1.0, count) / np.maximum(leaving, 1e-300), ahead)
        return np.where(here, rng.poisson(np.minimum(rate * lasts, 1e9)), 0).astype(float)
    stayed = fourth + customers.repeats + (model == "mbg_nbd")
    stops = np.clip(rng.beta(third, stayed), 1e-12, 1.0)
    return np.where(here, np.minimum(rng.poisson(np.minimum(rate * ahead, 1e9)), rng.geometric(stops)), 0).astype(float)


def curve(expected: Numbers, drawn: Numbers) -> tuple[list[float], list[float]]:
    """Knots (expected number, median number), rising: people in groups that share the expected purchases equally, so
    that those who buy most are told apart. `drawn` has a row a draw."""
    order = np.argsort(expected, kind="stable")
    shares = np.cumsum(expected[order])
    whole = float(shares[-1])
    if whole <= 0:
        return [0.0], [0.0]
    group = np.minimum((shares / whole * KNOTS).astype(int), KNOTS - 1)
    means, medians = [0.0], [0.0]
    for number in np.unique(group):
        held = order[group == number]
        mean = float(f"{expected[held].mean():.9g}")
        if mean > means[-1]:
            means.append(mean)
            medians.append(max(medians[-1], float(np.median(drawn[:, held]))))
    return means, medians
