"""Artefacts of recommenders, by hand and at random."""

from __future__ import annotations

from typing import Any

import numpy as np


def small(**changes: Any) -> dict[str, Any]:
    """Four items in two categories: boots → socks, boots → hat; shoes are close to popular."""
    held: dict[str, Any] = {
        "format": 1,
        "kind": "recommend",
        "name": "recommend.purchase",
        "until": 100,
        "items": ["boots", "hat", "shoes", "socks"],
        "categories": ["feet", "head"],
        "category": [0, 1, 0, 0],
        "about": [{"title": "Boots", "price": 90.0}, {}, {}, {}],
        "out": [],
        "windows": [],
        "popularity": [8, 4, 2, 0],
        "popularity_scale": 0.125,
        "tables": [
            {
                "by": "item",
                "decay": 0.5,
                "scale": 0.5,
                "length": [2, 1, 0, 0],
                "item": [1, 3, 0],
                "weight": [1, 4, -2],
            },
            {"by": "category", "decay": 1.0, "scale": 1.0, "length": [1, 0], "item": [2], "weight": [1]},
        ],
        "events": {"purchase": 1.0, "page_view": 0.3},
        "bought": "purchase",
        "again": False,
        "per_category": None,
    }
    return held | changes


def drawn(seed: int) -> dict[str, Any]:
    """An artefact of random shape and numbers, some of them extreme."""
    rng = np.random.default_rng(seed)
    count, kinds = int(rng.integers(1, 30)), int(rng.integers(0, 5))
    tables = []
    for _ in range(int(rng.integers(0, 4))):
        by = "category" if kinds and rng.random() < 0.3 else "item"
        rows = [
            sorted(rng.choice(count, int(rng.integers(0, count + 1)), replace=False).tolist())
            for _ in range(count if by == "item" else kinds)
        ]
        entries = sum(map(len, rows))
        tables.append(
            {
                "by": by,
                "decay": float(rng.choice([1.0, 0.9, 1e-3])),
                "scale": float(rng.choice([0.0, 1e-12, 1.0, 1e6])),
                "length": [len(row) for row in rows],
                "item": [item for row in rows for item in row],
                "weight": rng.integers(-(2**31) + 1, 2**31, entries).tolist(),
            }
        )
    return small(
        items=[f"item {number}" for number in range(count)],
        categories=[f"kind {number}" for number in range(kinds)],
        category=rng.integers(-1, kinds, count).tolist(),
        about=[{} for _ in range(count)],
        popularity=sorted(rng.integers(0, 1000, count).tolist(), reverse=True),
        popularity_scale=float(rng.random()),
        tables=tables,
    )
