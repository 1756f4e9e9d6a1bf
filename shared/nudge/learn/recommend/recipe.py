"""How a recommender is trained: every bound, and the values that the search tries, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

type Scheme = Literal["time", "last", "random"]
"""What is asked of a held-back part. `time`: what each person buys on a day of the last slice, from what was known at its midnight
(UTC): what a mail or a front page asks. `last`: each person's last steps, from the ones before. `random`: a random share of each
person's items, from the rest."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds of one training.

    `items` caps the catalogue (the most popular are kept), `dense` the items that EASE takes, `history` how many items a person
    brings along (what a profile holds; None: all). `cases` questions at most are asked of each held-back part (`search_cases` while a
    single part is searched); `slice_share` of what was bought lies in each slice of the end; `steps` of each person are held back at
    most; a random share `left_out` of each person, `folds` times (a small one: what is then fitted is nearly what is fitted in the end).
    An option replaces another when NDCG is better by the share `least_gain`, a weight of the blend another by `blend_gain`: few
    weights, asked of all cases, may be told apart more finely than many options, asked of some. An item keeps `neighbours` in each
    table on average, within `entries` for all tables.
    """

    scheme: Scheme = "time"
    k: int = 10
    items: int = 20_000
    dense: int = 2_500
    history: int | None = 40
    cases: int = 24_000
    search_cases: int = 8_000
    fewest_cases: int = 30
    slice_share: float = 0.15
    steps: int = 3
    left_out: float = 0.1
    folds: int = 4
    neighbours: int = 200
    entries: int = 1_000_000
    pool: int = 60
    rounds: int = 4
    least_gain: float = 2e-3
    blend_gain: float = 5e-4
    decays: tuple[float, ...] = (1.0, 0.97, 0.9, 0.8, 0.65, 0.4)
    strengths: tuple[float, ...] = (1.0, 0.3, 0.1)
    half_lives: tuple[float, ...] = (1e6, 365.0, 90.0, 30.0, 7.0)
    grids: Mapping[str, Mapping[str, tuple[float, ...]]] = field(
        default_factory=lambda: {
            "ease": {
                "damp": (0.25, 0.0, 0.5),
                "l2": (300.0, 30.0, 100.0, 500.0, 1000.0, 3000.0),
                "dropout": (0.3, 0.0, 0.6),
            },
            "similar": {
                "damp": (0.25, 0.0, 0.5, 0.75),
                "source": (0.5, 0.7, 0.3),
                "target": (0.5, 0.3),
                "shrink": (5.0, 0.0, 20.0),
            },
            "sequence": {
                "skip": (0.8, 0.0, 0.5, 0.9),
                "source": (1.0, 0.75, 0.5),
                "target": (0.0, 0.25, 0.4),
                "shrink": (0.0, 5.0),
                "repeat": (1.0, 0.0),
            },
            "category": {},
        }
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """What the plan says of recommending: the event that counts as buying, weights of event types (those not named are found by the
    search), whether what was bought may be named again, and how many of one category at most."""

    bought: str
    events: Mapping[str, float] = field(default_factory=dict)
    again: bool = False
    per_category: int | None = None
