"""What a person has bought, and what a model of buying and Gamma-Gamma say of it, in plain Python.

In: a vector; parameters. Out: orders, recency, age, mean value; P(alive), purchases; the worth of an order. Knows no artefact.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import Self

from nudge.score.buying import MODELS
from nudge.score.inputs import number
from nudge.vocabulary import Vector

MOST, LONGEST, LARGEST = 1e5, 36_500.0, 1e12
"""Purchases, days and money beyond these count as these."""
FAR = 1.0
"""What orders are worth against those of others stays within ± so many standard deviations."""


@dataclass(frozen=True, slots=True)
class History:
    """What a person has bought, as models of buying need it."""

    orders: float
    recency: float
    age: float
    mean: float

    @classmethod
    def of(cls, vector: Vector, names: tuple[str, ...]) -> Self:
        """Read from a vector: what is missing, negative or not finite counts as nothing."""
        orders, since, first, worth = (number(vector.get(name), 0.0) for name in names)
        orders = min(max(orders, 0.0), MOST)
        age = min(max(first, 0.0), LONGEST)
        mean = min(max(worth / orders, 0.0), LARGEST) if orders >= 1.0 else 0.0
        return cls(orders, min(max(age - max(since, 0.0), 0.0), age), age, mean)


@dataclass(frozen=True, slots=True)
class Buying:
    """A model of buying: its share in the expected purchases, its parameters, and its bend: who has orders that are worth more buys
    faster, at alpha · exp(-bend · worth) (Fader, Hardie 2007)."""

    model: str
    parameters: tuple[float, float, float, float]
    bend: float
    share: float

    def expect(self, past: History, worth: float, ahead: float) -> tuple[float, float]:
        """P(alive) and purchases of somebody who has bought."""
        r, alpha, third, fourth = self.parameters
        said = MODELS[self.model](r, alpha * exp(-self.bend * worth), third, fourth)
        return said(past.orders - 1.0, past.recency, past.age, ahead)


@dataclass(frozen=True, slots=True)
class Spend:
    """Gamma-Gamma: what an order is worth (Fader, Hardie 2013, equation 5); the mean of everyone; and how the logarithms of
    customers' order values lie."""

    p: float
    q: float
    v: float
    everyone: float
    center: float
    scale: float

    def order(self, past: History) -> float:
        """The expected value of an order; the mean of all of who has not bought yet."""
        if past.orders < 1.0:
            return self.everyone
        return self.p * (self.v + past.orders * past.mean) / (self.p * past.orders + self.q - 1.0)

    def worth(self, past: History) -> float:
        """How far that lies from others', in standard deviations."""
        return min(max((log(self.order(past)) - self.center) / self.scale, -FAR), FAR)
