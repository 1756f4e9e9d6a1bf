"""Off-policy evaluation: Open Bandit (men), and simulations whose truth is known.

Open Bandit (Saito et al. 2021): 10,000 uniformly random recommendations of 34 items at three positions; the Thompson policy's value is
estimated from them and held against its own 10,000 recommendations' clicks. Its probabilities are those of its beta
priors, drawn 100,000 times (as the data set's own library does). 46 clicks do not rank estimators: what counts is whether the interval
holds the truth. The simulations say how often it does so, beside the usual normal interval.

    .venv/bin/python benchmarks/quality/off_policy.py [--quick] [--json]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from nudge.measure.off_policy import Evaluation, Log, evaluate

sys.path.insert(0, str(Path(__file__).parent))
import data

DRAWS = 100_000
ESTIMATORS = ("ips", "snips", "doubly_robust")
Z = 1.959963984540054


def thompson(draws: int, seed: int) -> np.ndarray:
    """(positions, items): how often each item is at each position when three are shown by Thompson sampling of the priors."""
    prior = yaml.safe_load(data.path("open-bandit/prior_bts.yaml").read_text())["men"]
    rng = np.random.default_rng(seed)
    drawn = rng.beta(prior["alpha"], prior["beta"], size=(draws, len(prior["alpha"])))
    shown = np.argsort(-drawn, axis=1)[:, :3]
    return np.stack([np.bincount(shown[:, place], minlength=drawn.shape[1]) / draws for place in range(3)])


def open_bandit(draws: int) -> list[data.Figure]:
    """The three estimates and whether their intervals hold the policy's own click rate."""
    uniform = pl.read_csv(data.path("open-bandit/random-men.csv.gz"))
    truth = float(pl.read_csv(data.path("open-bandit/bts-men.csv.gz"))["click"].to_numpy().mean())
    policy = thompson(draws, 0)[uniform["position"].to_numpy() - 1]
    log = Log(uniform["item_id"].to_numpy(), uniform["propensity_score"].to_numpy(), uniform["click"].to_numpy() * 1.0)
    found = evaluate(log, policy)
    support = found.support
    print(
        f"open-bandit, men: {int(log.reward.sum())} clicks of {support.decisions}, worth {support.effective:.0f} decisions, "
        f"mean weight {support.mean_weight:.3f} ± {support.error:.3f}; flaws: {support.flaws or 'none'}; truth {truth:.4f}"
    )
    said = {"ips": "0.0045 [0.0025, 0.0070]", "snips": "", "doubly_robust": "0.0046"}
    figures = []
    for name in ESTIMATORS:
        one = getattr(found, name)
        figures.append(
            data.Figure(
                "open-bandit men",
                "uniform log → Thompson policy",
                f"truth inside the 95 % interval of {name}",
                float(one.low <= truth <= one.high),
                published=said[name],
                reach=1.0,
                note=f"{one.value:.4f} ± {one.error:.4f} [{one.low:.4f}, {one.high:.4f}], truth {truth:.4f}",
            )
        )
    return figures


def _clicks(rng: np.random.Generator, size: int) -> tuple[Log, np.ndarray, float]:
    """34 activities, uniform log, clicks of half a percent, a policy that prefers few of them."""
    rate = rng.gamma(2.0, 0.0025, 34)
    policy = rng.dirichlet(np.full(34, 0.3))
    activity = rng.integers(0, 34, size)
    reward = (rng.random(size) < rate[activity]) * 1.0
    return Log(activity, np.full(size, 1 / 34), reward), policy, float((policy * rate).sum())


def _money(rng: np.random.Generator, size: int) -> tuple[Log, np.ndarray, float]:
    """Six activities with logged propensities that hang on the person, purchases of 4 % with log-normal baskets."""
    taste = rng.normal(0, 1, size)
    logits = np.outer(taste, np.linspace(-1, 1, 6)) * 0.8
    logged = 0.1 / 6 + 0.9 * np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    activity = (rng.random(size)[:, None] > np.cumsum(logged, axis=1)).sum(axis=1).clip(0, 5)
    chance = 0.04 * np.exp(0.3 * np.outer(taste, np.linspace(1, -1, 6))).clip(0, 10)
    wanted = np.zeros((size, 6))
    wanted[np.arange(size), chance.argmax(axis=1)] = 1.0
    policy = 0.8 * wanted + 0.2 / 6
    rows = np.arange(size)
    bought = rng.random(size) < chance[rows, activity]
    reward = np.where(bought, rng.lognormal(3, 0.8, size), 0.0)
    truth = 0.04 * np.exp(3 + 0.32) * float((policy * chance).sum(axis=1).mean() / 0.04)
    return Log(activity, logged[rows, activity], reward), policy, truth


def _profit(rng: np.random.Generator, size: int) -> tuple[Log, np.ndarray, float]:
    """Money less a cost for every activity but nothing: rewards below zero."""
    log, policy, truth = _money(rng, size)
    cost = 0.2 * (log.activity > 0)
    return (
        Log(log.activity, log.propensity, log.reward - cost),
        policy,
        truth - 0.2 * float(policy[:, 1:].sum(axis=1).mean()),
    )


def _people(rng: np.random.Generator, size: int) -> tuple[Log, np.ndarray, float]:
    """Four decisions a person, whose liking is the same each time: decisions are not independent."""
    person = np.repeat(np.arange(size // 4), 4)
    liking = rng.gamma(0.5, 2.0, size // 4)[person]
    rate = np.array([0.01, 0.02, 0.03])
    activity = rng.integers(0, 3, len(person))
    reward = (rng.random(len(person)) < np.minimum(rate[activity] * liking, 1.0)) * 1.0
    policy = np.array([0.1, 0.1, 0.8])
    expected = np.array([_capped(one) for one in rate.tolist()])
    return Log(activity, np.full(len(person), 1 / 3), reward, person), policy, float((policy * expected).sum())


@cache
def _capped(rate: float) -> float:
    """Mean of min(rate × liking, 1)."""
    return float(np.minimum(rate * np.random.default_rng(7).gamma(0.5, 2.0, 2_000_000), 1.0).mean())


type World = Callable[[np.random.Generator, int], tuple[Log, np.ndarray, float]]
WORLDS: list[tuple[str, World, int]] = [
    ("clicks 0.5 %, 10,000 decisions", _clicks, 10_000),
    ("clicks 0.5 %, 2,000 decisions", _clicks, 2_000),
    ("money, 5,000 decisions", _money, 5_000),
    ("profit, 5,000 decisions", _profit, 5_000),
    ("four decisions a person, 4,000", _people, 4_000),
]


def simulated(rounds: int) -> list[data.Figure]:
    """How often each interval holds the truth, and how often the usual normal one does."""
    figures = []
    for name, world, size in WORLDS:
        held = np.zeros((len(ESTIMATORS), 2))
        for seed in range(rounds):
            log, policy, truth = world(np.random.default_rng([seed, size]), size)
            held += _held(evaluate(log, policy), truth)
        for place, estimator in enumerate(ESTIMATORS):
            share, normal = held[place] / rounds
            spread = float(np.sqrt(share * (1 - share) / rounds))
            figures.append(
                data.Figure(
                    name, f"{rounds} simulations", f"coverage, {estimator}", share, spread, normal, "normal", "", 0.93
                )
            )
    return figures


def _held(found: Evaluation, truth: float) -> np.ndarray:
    rows = []
    for name in ESTIMATORS:
        one = getattr(found, name)
        rows.append((one.low <= truth <= one.high, abs(one.value - truth) <= Z * one.error))
    return np.array(rows, dtype=float)


def main() -> int:
    given = data.options(__doc__)
    figures = simulated(100 if given.quick else 500)
    figures += open_bandit(10_000 if given.quick else DRAWS)
    data.show(figures, given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
