"""A forecast of value as it is fitted: models of buying, a learned correction of them, Gamma-Gamma; for many people at once.

In: frames of vectors as of a moment. Out: a `Forecast` that predicts, and exports the artefact that `score.lifetime` reads. It reads
vectors exactly as that does. Knows no moment, and does not judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from nudge.learn.lifetime import chances, models
from nudge.learn.lifetime.correction import Correction
from nudge.learn.lifetime.customers import Customers, Numbers, Past
from nudge.learn.lifetime.models import Fit
from nudge.learn.lifetime.spend import Spend

MODEL_PEOPLE = 4_000
"""A model of five parameters is fitted on at most so many customers (sampled)."""
TELLS_ALIVE = "pareto_nbd"


@dataclass(frozen=True, slots=True)
class Buying:
    """A model of buying, and its share in the expected purchases. P(alive) is Pareto/NBD's, whatever the shares: to BG/NBD everyone
    who bought once still buys."""

    model: str
    fit: Fit
    share: float = 1.0

    def expect(self, customers: Customers, days: float) -> tuple[Numbers, Numbers]:
        """P(alive) and purchases."""
        return models.expect(self.model, self.fit.parameters, customers, days, self.fit.bend)

    def export(self) -> dict[str, Any]:
        told = {"model": self.model, "parameters": list(self.fit.parameters)}
        return told | {"bend": self.fit.bend, "share": self.share}


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything that the artefact holds. `buying` has those models that have a share, and the one that tells who is alive; `typical`
    are the knots of the curve mean → median."""

    event: str
    buying: tuple[Buying, ...]
    never: float
    spend: Spend | None = None
    correction: Correction | None = None
    weight: float = 0.0
    typical: tuple[Sequence[float], Sequence[float]] = ((0.0,), (0.0,))

    @property
    def kind(self) -> str:
        models_ = " & ".join(one.model for one in self.buying if one.share)
        return models_ if not self.weight else f"{models_} + {self.weight:g} learned"

    @property
    def shares(self) -> list[tuple[str, float]]:
        """The models that have a share in purchases, and how large it is."""
        return [(one.model, one.share) for one in self.buying if one.share]

    def customers(self, past: Past) -> Customers:
        """Who has bought, with what their orders are worth."""
        return past.customers(None if self.spend is None else self.spend.worth(past))

    def base(self, past: Past, days: float) -> tuple[Numbers, Numbers]:
        """P(alive) and purchases by the models of buying alone."""
        alive, purchases = np.ones(len(past.orders)), np.full(len(past.orders), self.never * days)
        held = past.bought
        if held.any():
            customers = self.customers(past)
            said = {one.model: one.expect(customers, days) for one in self.buying}
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
        order = np.zeros(len(purchases)) if self.spend is None else self.spend.order(past)
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
        held, customers = past.bought, self.customers(past)
        _, plain, purchases = self.corrected(rows, past, days)
        factor = purchases / np.maximum(plain, 1e-300)
        drawn = rng.poisson(np.minimum(purchases, 1e9), (chances.DRAWS, rows.height)).astype(float)
        if held.any():
            each = [one.expect(customers, days)[0] for one in self.buying]
            picked = rng.choice(len(self.buying), chances.DRAWS, p=[one.share for one in self.buying])
            for number, place in enumerate(picked):
                one = self.buying[place]
                drawn[number, held] = chances.draw(one.model, one.fit, customers, each[place], factor[held], days, rng)
        return replace(self, typical=chances.curve(purchases, drawn))

    def export(self, name: str, horizon_days: float) -> dict[str, Any]:
        """The artefact."""
        learned = self.correction if self.weight else None
        return {
            "format": 1,
            "kind": "value",
            "name": name,
            "event": self.event,
            "horizon_days": float(horizon_days),
            "buying": [one.export() for one in self.buying],
            "never": self.never,
            "correction": None if learned is None else learned.export(self.weight),
            "typical": dict(zip(("mean", "median"), map(list, self.typical), strict=True)),
            "spend": None if self.spend is None else self.spend.export(),
        }


def _interpolated(purchases: Numbers, means: Sequence[float], medians: Sequence[float]) -> Numbers:
    """Along the curve; beyond its end, in proportion."""
    beyond = medians[-1] / means[-1] if means[-1] else 0.0
    return np.where(purchases > means[-1], purchases * beyond, np.interp(purchases, means, medians))


def fit_models(customers: Customers, near: Mapping[str, Fit | None], seed: int) -> dict[str, Fit]:
    """The models of buying that `near` names, fitted on (a sample of) customers, from fits that are near."""
    if len(customers) > MODEL_PEOPLE:
        chosen = np.random.default_rng(seed).choice(len(customers), MODEL_PEOPLE, replace=False)
        customers = customers.some(np.sort(chosen))
    return {
        name: models.fit(name, customers, prior=1.0, near=start, tolerance=1e-6, seed=seed)
        for name, start in near.items()
    }
