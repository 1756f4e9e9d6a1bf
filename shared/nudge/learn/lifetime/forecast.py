"""A forecast of value as it is fitted: a model of buying, a learned correction of it, Gamma-Gamma; for many people at
once.

In: frames of vectors as of a moment, with what came after (`purchases`, `worth`). Out: a `Forecast` that predicts, and
exports the artefact that
`score.lifetime` reads. It reads vectors exactly as that does. Knows no moment, and does not judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor

from nudge.learn.boosting import Boosting
from nudge.learn.lifetime import chances, models
from nudge.learn.lifetime.models import Customers, Numbers
from nudge.learn.recipe import Absent, Recipe

OUTCOMES = ("user_id", "purchases", "worth")
ALIVE, RATE = "lifetime.alive", "lifetime.rate"
MOST, LONGEST, LARGEST, FURTHEST = 1e5, 36_500.0, 1e12, 2.0
"""As in `score.lifetime`: the parity gate holds them equal."""
MODEL_PEOPLE = 4_000
"""A model of four parameters is fitted on at most so many customers (sampled)."""
FEATURES = 40
TELLS_ALIVE = "pareto_nbd"
BINS = 100
SMALLEST = 1e-4
"""Expectations below this part of the mean weigh as this part."""


@dataclass(frozen=True, slots=True)
class Past:
    """What each person of a frame has bought: orders, recency, age, mean value of an order."""

    orders: Numbers
    recency: Numbers
    age: Numbers
    mean: Numbers

    @classmethod
    def of(cls, rows: pl.DataFrame, event: str) -> Past:
        """Read from vectors: what is missing, negative or not finite counts as nothing."""
        names = (f"total.{event}", f"days_since.{event}", f"days_since_first.{event}", f"value.{event}.total")
        orders, since, first, worth = (_column(rows, name, 0.0) for name in names)
        orders, age = np.clip(orders, 0.0, MOST), np.clip(first, 0.0, LONGEST)
        bought = orders >= 1
        mean = np.where(bought, np.clip(worth / np.where(bought, orders, 1.0), 0.0, LARGEST), 0.0)
        return cls(orders, np.clip(age - np.maximum(since, 0.0), 0.0, age), age, mean)

    @property
    def bought(self) -> Numbers:
        return self.orders >= 1

    def customers(self) -> Customers:
        """Of those who have bought."""
        held = self.bought
        return Customers(self.orders[held] - 1.0, self.recency[held], self.age[held])


def _column(rows: pl.DataFrame, name: str, missing: float) -> Numbers:
    if name not in rows.columns:
        return np.full(rows.height, missing)
    values = rows[name].cast(pl.Float64).to_numpy()
    return np.where(np.isfinite(values), values, missing)


@dataclass(frozen=True, slots=True)
class Correction:
    """Trees that give the logarithm of the factor by which a person buys more than the model of buying says."""

    features: list[dict[str, Any]]
    estimator: HistGradientBoostingRegressor
    days: float
    """What it was learned over: it says nothing of what comes after."""

    def log_factor(self, rows: pl.DataFrame, alive: Numbers, rate: Numbers) -> Numbers:
        """Within ± `FURTHEST`."""
        found = self.estimator._raw_predict(_matrix(rows, self.features, alive, rate)).ravel()
        within: Numbers = np.clip(found, -FURTHEST, FURTHEST)
        return within


@dataclass(frozen=True, slots=True)
class Buying:
    """A model of buying with its parameters, and its share in the expected purchases. P(alive) is Pareto/NBD's,
    whatever the shares: to BG/NBD everyone who bought once still buys."""

    model: str
    parameters: tuple[float, ...]
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything that the artefact holds. `typical` are the knots of the curve mean → median."""

    event: str
    buying: tuple[Buying, ...]
    never: float
    correction: Correction | None = None
    weight: float = 0.0
    typical: tuple[Sequence[float], Sequence[float]] = ((0.0,), (0.0,))
    spend: tuple[float, float, float, float] | None = None

    @property
    def kind(self) -> str:
        models_ = " & ".join(one.model for one in self.buying if one.share)
        return models_ if not self.weight else f"{models_} + {self.weight:g} learned"

    def base(self, past: Past, days: float) -> tuple[Numbers, Numbers]:
        """P(alive) and purchases by the models of buying alone."""
        alive, purchases = np.ones(len(past.orders)), np.full(len(past.orders), self.never * days)
        held = past.bought
        if held.any():
            customers = past.customers()
            said = {one.model: models.expect(one.model, one.parameters, customers, days) for one in self.buying}
            alive[held] = said[TELLS_ALIVE][0]
            purchases[held] = sum(one.share * said[one.model][1] for one in self.buying)
        return alive, purchases

    def corrected(self, rows: pl.DataFrame, past: Past, days: float) -> tuple[Numbers, Numbers, Numbers]:
        """P(alive), purchases by the models of buying alone, and with the correction of what comes soon."""
        alive, plain = self.base(past, days)
        if self.correction is None or not self.weight:
            return alive, plain, plain
        soon = min(days, self.correction.days)
        near = plain if soon == days else self.base(past, soon)[1]
        factor = np.exp(self.weight * self.correction.log_factor(rows, alive, near / soon))
        return alive, plain, plain + near * (factor - 1.0)

    def predict(self, rows: pl.DataFrame, days: float) -> dict[str, Numbers]:
        """`alive purchases spend typical` of each row over so many days."""
        past = Past.of(rows, self.event)
        alive, _, purchases = self.corrected(rows, past, days)
        order = np.zeros(len(purchases))
        if self.spend is not None:
            p, q, v, everyone = self.spend
            order = np.where(
                past.bought, p * (v + past.orders * past.mean) / (p * np.maximum(past.orders, 1) + q - 1), everyone
            )
        return {
            "alive": alive,
            "purchases": purchases,
            "spend": purchases * order,
            "typical": _interpolated(purchases, *self.typical),
        }

    def with_typical(self, rows: pl.DataFrame, days: float, seed: int) -> Forecast:
        """The same with the curve mean → median of these people over so many days."""
        rng = np.random.default_rng(seed)
        rows = rows if rows.height <= chances.PEOPLE else rows[np.sort(rng.choice(rows.height, chances.PEOPLE, False))]
        past = Past.of(rows, self.event)
        held, customers = past.bought, past.customers()
        _, plain, purchases = self.corrected(rows, past, days)
        factor = purchases / np.maximum(plain, 1e-300)
        drawn = rng.poisson(np.minimum(purchases, 1e9), (chances.DRAWS, rows.height)).astype(float)
        if held.any():
            each = [models.expect(one.model, one.parameters, customers, days)[0] for one in self.buying]
            picked = rng.choice(len(self.buying), chances.DRAWS, p=[one.share for one in self.buying])
            for number, place in enumerate(picked):
                one = self.buying[place]
                drawn[number, held] = chances.draw(
                    one.model, one.parameters, customers, each[place], factor[held], days, rng
                )
        return replace(self, typical=chances.curve(purchases, drawn))

    def export(self, name: str, horizon_days: float) -> dict[str, Any]:
        """The artefact."""
        learned = None
        if self.correction is not None and self.weight:
            held = self.correction
            trees = Boosting(held.features, held.estimator).export()
            learned = {"weight": self.weight, "days": float(held.days), "features": held.features, "model": trees}
        return {
            "format": 1,
            "kind": "value",
            "name": name,
            "event": self.event,
            "horizon_days": float(horizon_days),
            "buying": [
                {"model": one.model, "parameters": list(one.parameters), "share": one.share} for one in self.buying
            ],
            "never": self.never,
            "correction": learned,
            "typical": dict(zip(("mean", "median"), map(list, self.typical), strict=True)),
            "spend": None if self.spend is None else dict(zip(("p", "q", "v", "everyone"), self.spend, strict=True)),
        }


def _interpolated(purchases: Numbers, means: Sequence[float], medians: Sequence[float]) -> Numbers:
    """Along the curve; beyond its end, in proportion."""
    beyond = medians[-1] / means[-1] if means[-1] else 0.0
    return np.where(purchases > means[-1], purchases * beyond, np.interp(purchases, means, medians))


def fit_models(past: Past, near: Mapping[str, models.Fit | None], seed: int) -> dict[str, models.Fit]:
    """The models of buying that `near` names, fitted on (a sample of) those who have bought, from parameters that are
    near."""
    customers = past.customers()
    if len(customers) > MODEL_PEOPLE:
        chosen = np.random.default_rng(seed).choice(len(customers), MODEL_PEOPLE, replace=False)
        customers = customers.some(np.sort(chosen))
    return {
        name: models.fit(
            name, customers, prior=1.0, near=None if start is None else start.parameters, tolerance=1e-6, seed=seed
        )
        for name, start in near.items()
    }


def fit_spend(past: Past, seed: int) -> tuple[float, float, float, float] | None:
    """p, q, v of Gamma-Gamma, and the mean value of an order of everyone; None where orders have no value."""
    held = past.bought & (past.mean > 0)
    if held.sum() < 2:
        return None
    orders, mean = past.orders[held], past.mean[held]
    everyone = float((orders * mean).sum() / orders.sum())
    if len(orders) > MODEL_PEOPLE:
        chosen = np.sort(np.random.default_rng(seed).choice(len(orders), MODEL_PEOPLE, replace=False))
        orders, mean = orders[chosen], mean[chosen]
    p, q, v = models.fit_spend(orders, mean).parameters
    return p, q, v, everyone


def fit_correction(
    parts: Sequence[pl.DataFrame], base: Forecast, days: float, recipe: Recipe, absent: Absent
) -> Correction | None:
    """Poisson boosting with the model's expectation as exposure, on rows as of earlier moments. None where too few
    bought."""
    rows = pl.concat(parts, how="diagonal_relaxed")
    came = rows["purchases"].to_numpy()
    if np.count_nonzero(came) < recipe.positives:
        return None
    alive, expected = base.base(Past.of(rows, base.event), days)
    expected = np.maximum(expected, SMALLEST * float(np.mean(expected)) + 1e-12)
    features = _features(rows, came / (came + expected), absent)
    estimator = HistGradientBoostingRegressor(
        loss="poisson",
        learning_rate=0.06,
        max_iter=recipe.iterations,
        max_leaf_nodes=8,
        min_samples_leaf=40,
        l2_regularization=5.0,
        max_bins=110,
        early_stopping=True,
        n_iter_no_change=8,
        validation_fraction=0.2,
        random_state=recipe.seed,
    )
    table = _coarse(_matrix(rows, features, alive, expected / days))
    estimator.fit(table, came / expected, sample_weight=expected)
    return Correction(features, estimator, days)


def _features(rows: pl.DataFrame, label: Numbers, absent: Absent) -> list[dict[str, Any]]:
    """The numbers of the vector that move most with buying more than expected (correlation of ranks), and the model's
    own."""
    label = _ranks(label)
    found = []
    for name in sorted(set(rows.columns) - set(OUTCOMES)):
        if not rows[name].dtype.is_numeric():
            continue
        missing = None if name.startswith("trait.") else absent(name)
        values = _column(rows, name, np.nan if missing is None else missing)
        ranks = _ranks(np.where(np.isnan(values), -1.0, values))
        strength = abs(float(ranks @ label)) / (np.linalg.norm(ranks) * np.linalg.norm(label) + 1e-12)
        if strength > 1e-6:
            found.append((-round(strength, 9), name, missing))
    chosen = sorted((name, missing) for _, name, missing in sorted(found, key=lambda one: one[:2])[:FEATURES])
    named = [{"name": name, "type": "number", "absent": missing} for name, missing in chosen]
    return [*named, *({"name": name, "type": "number", "absent": 0.0} for name in (ALIVE, RATE))]


def _ranks(values: Numbers) -> Numbers:
    ranks = pl.Series(values).rank("average").to_numpy()
    return ranks - ranks.mean()


def _coarse(table: Numbers) -> Numbers:
    """Each column with at most `BINS` values: scikit-learn looks for bins by weighted quantiles otherwise, which takes
    ten times as long as all the rest. Splits lie between values, so what is predicted reads the plain numbers."""
    table = table.copy()
    for place in range(table.shape[1]):
        held = np.isfinite(table[:, place])
        column = table[held, place]
        if len(column) and len(np.unique(column)) > BINS:
            edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS), method="lower"))
            table[held, place] = edges[np.searchsorted(edges, column, side="right") - 1]
    return table


def _matrix(rows: pl.DataFrame, features: Sequence[dict[str, Any]], alive: Numbers, rate: Numbers) -> Numbers:
    own = {ALIVE: alive, RATE: rate}
    columns = [
        own[one["name"]]
        if one["name"] in own
        else _column(rows, one["name"], np.nan if one["absent"] is None else one["absent"])
        for one in features
    ]
    return np.column_stack(columns)
