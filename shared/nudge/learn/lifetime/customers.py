"""Who has bought, as models of buying need it. In: frames of vectors. Out: arrays. Reads a vector exactly as `score.customer` does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

type Numbers = np.ndarray

MOST, LONGEST, LARGEST = 1e5, 36_500.0, 1e12
"""As in `score.customer`: the parity gate holds them equal."""


@dataclass(frozen=True, slots=True)
class Customers:
    """One entry a customer, in any one unit of time: purchases after the first (`repeats`), time from the first to the last
    (`recency`), time since the first (`age`); and `worth`, what their orders are worth against those of others (standardised, 0
    where nothing is known of it)."""

    repeats: Numbers
    recency: Numbers
    age: Numbers
    worth: Numbers

    @classmethod
    def plain(cls, repeats: Numbers, recency: Numbers, age: Numbers) -> Customers:
        """Without anything known of their orders."""
        return cls(repeats, recency, age, np.zeros(len(age)))

    def __len__(self) -> int:
        return len(self.age)

    def some(self, places: Numbers) -> Customers:
        return Customers(self.repeats[places], self.recency[places], self.age[places], self.worth[places])

    def timed(self, unit: float) -> Customers:
        """The same in another unit of time."""
        return Customers(self.repeats, self.recency / unit, self.age / unit, self.worth)


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
        orders, since, first, worth = (column(rows, name, 0.0) for name in names)
        orders, age = np.clip(orders, 0.0, MOST), np.clip(first, 0.0, LONGEST)
        bought = orders >= 1
        mean = np.where(bought, np.clip(worth / np.where(bought, orders, 1.0), 0.0, LARGEST), 0.0)
        return cls(orders, np.clip(age - np.maximum(since, 0.0), 0.0, age), age, mean)

    @property
    def bought(self) -> Numbers:
        return self.orders >= 1

    def customers(self, worth: Numbers | None = None) -> Customers:
        """Of those who have bought; `worth` has a number a row."""
        held = self.bought
        known = np.zeros(int(held.sum())) if worth is None else worth[held]
        return Customers(self.orders[held] - 1.0, self.recency[held], self.age[held], known)


def column(rows: pl.DataFrame, name: str, missing: float) -> Numbers:
    """A column as numbers; what is not there or not finite is `missing`."""
    if name not in rows.columns:
        return np.full(rows.height, missing)
    values = rows[name].cast(pl.Float64).to_numpy()
    return np.where(np.isfinite(values), values, missing)
