"""Who lives in the sample shop's world, and what it sells.

In: a seed and sizes. Out: arrays, one entry a person or an item. What is *latent* here (rates, tastes, sensitivities)
never leaves the world: files carry only what a shop would know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COUNTRIES = ("DE", "AT", "CH", "FR", "US")
COUNTRY_SHARE = (0.55, 0.12, 0.08, 0.15, 0.10)
ZONES = {
    "DE": "Europe/Berlin",
    "AT": "Europe/Vienna",
    "CH": "Europe/Zurich",
    "FR": "Europe/Paris",
    "US": "America/New_York",
}
OFFSETS = {"DE": 1, "AT": 1, "CH": 1, "FR": 1, "US": -5}
LOCALES = {"DE": "de-DE", "AT": "de-AT", "CH": "de-CH", "FR": "fr-FR", "US": "en-US"}
SEGMENTS = ("new", "regular", "loyal", "bargain")
SEGMENT_SHARE = (0.35, 0.35, 0.15, 0.15)
CATEGORIES = ("shoes", "shirts", "coats", "bags", "toys", "books", "garden", "kitchen")

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class People:
    """One entry a person. `rate` sessions a week, `taste` favourite category, `intent` log odds of buying in a session,
    `swayed` how strongly mail and banners work on them (mean about 1)."""

    ids: tuple[str, ...]
    country: tuple[str, ...]
    segment: tuple[str, ...]
    device: tuple[str, ...]
    joined_days_ago: Ints
    consent: Flags
    reachable: Flags
    rate: Floats
    taste: Ints
    intent: Floats
    swayed: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def email(self, number: int) -> str:
        """An address under a domain that exists for nobody."""
        return f"{self.ids[number]}@people.example"

    def phone(self, number: int) -> str:
        """A number that is nobody's: +999 is given to no country."""
        return f"+9995550{number:06d}"


@dataclass(frozen=True, slots=True)
class Items:
    """One entry an item; prices in the plan's currency."""

    ids: tuple[str, ...]
    category: Ints
    price: Floats


def make_people(seed: int, count: int) -> People:
    """`count` people, always the same for a seed."""
    draw = np.random.default_rng([seed, 1])
    country = draw.choice(len(COUNTRIES), count, p=COUNTRY_SHARE)
    segment = draw.choice(len(SEGMENTS), count, p=SEGMENT_SHARE)
    by_segment = np.array([-0.5, 0.0, 0.9, 0.1])
    return People(
        ids=tuple(f"u{number:05d}" for number in range(count)),
        country=tuple(COUNTRIES[one] for one in country),
        segment=tuple(SEGMENTS[one] for one in segment),
        device=tuple(draw.choice(("phone", "desktop", "tablet"), count, p=(0.6, 0.32, 0.08)).tolist()),
        joined_days_ago=draw.integers(85, 900, count),
        consent=draw.random(count) < 0.85,
        reachable=draw.random(count) < 0.985,
        rate=draw.gamma(1.6, 0.62, count) * np.exp(0.3 * by_segment[segment]) + 0.05,
        taste=draw.integers(0, len(CATEGORIES), count),
        intent=draw.normal(0, 0.75, count) + by_segment[segment],
        swayed=draw.gamma(6.0, 1 / 6.0, count) * np.where(segment == SEGMENTS.index("bargain"), 1.4, 0.95),
    )


def make_items(seed: int, count: int = 160) -> Items:
    """`count` items, always the same for a seed."""
    draw = np.random.default_rng([seed, 2])
    return Items(
        ids=tuple(f"i{number:04d}" for number in range(count)),
        category=draw.integers(0, len(CATEGORIES), count),
        price=np.round(np.exp(draw.normal(3.4, 0.22, count)), 2),
    )
