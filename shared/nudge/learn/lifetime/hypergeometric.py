"""Gauss's 2F1 for many at once, where the models of buying need it.

In: arrays a, b, c, z with 0 ≤ z < 1. Out: 2F1. `score.buying` says the same for one person
without libraries. Knows no model. (scipy's `hyp2f1` is nan, or wrong in the second digit, for some that real data has.)
"""

from __future__ import annotations

import numpy as np

type Numbers = np.ndarray

LARGEST_Z, NEAREST_Z, MOST_TERMS = 0.999, 0.99999, 50_000
"""As in `score.buying`: the parity gate holds them equal."""


def hyp2f1(a: Numbers, b: Numbers, c: Numbers, z: Numbers) -> Numbers:
    """2F1(a, b; c; z) by its series, each until it ends."""
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


def of_one(b: Numbers, c: Numbers, z: Numbers) -> Numbers:
    """2F1(1, b; c; z) by Gauss's continued fraction (Lentz's method), as in `score.buying`."""
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
