"""Figures by segment: those that are large enough, and what is said of them is what is counted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from nudge.learn import judge
from nudge.learn.segments import FEWEST_ROWS, by_segment

FEATURES = [{"name": "trait.plan", "type": "category", "levels": ["gold", "free"], "absent": None}]


def rows(number: int = 3000) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 300, number)
    return pl.DataFrame(
        {
            "days_since_first.visit": first,
            "days_since_first.order": np.where(rng.random(number) < 0.5, np.nan, first / 2),
            "days_since.visit": np.where(rng.random(number) < 0.1, np.nan, rng.uniform(0, 90, number)),
            "trait.plan": rng.choice(["gold", "free", "odd"], number, p=[0.4, 0.59, 0.01]),
            "activity": np.full(number, "nothing"),
        }
    )


def test_each_segment_says_what_was_said_and_what_came() -> None:
    held = rows()
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.6, held.height)
    label = (rng.random(held.height) < p).astype(float)
    judged = judge.Rows(label, np.ones(held.height), np.arange(held.height))
    found = {one["segment"]: one for one in by_segment(held, FEATURES, p, judged, confidence=0.95, seed=0)}
    gold = (held["trait.plan"] == "gold").to_numpy()
    assert found["plan = gold"]["rows"] == gold.sum()
    assert found["plan = gold"]["was"][0] == pytest.approx(label[gold].mean())
    assert found["plan = gold"]["said"] == pytest.approx(p[gold].mean())
    assert found["plan = gold"]["auc"][1] < found["plan = gold"]["auc"][0] < found["plan = gold"]["auc"][2]
    assert "plan = odd" not in found, "too few rows to say anything"
    new = (held["days_since_first.visit"] < 30).to_numpy()
    assert found["newcomers (first seen within 30 days)"]["rows"] == new.sum()
    quiet = ~(held["days_since.visit"].fill_nan(1e9) < 30).to_numpy()
    assert found["quiet for 30 days or more"]["rows"] == quiet.sum()
    assert found["activity = nothing"]["rows"] == held.height


def test_a_segment_in_which_nobody_did_it_is_left_out() -> None:
    held = rows(FEWEST_ROWS * 2)
    judged = judge.Rows(np.zeros(held.height), np.ones(held.height), np.arange(held.height))
    assert by_segment(held, FEATURES, np.full(held.height, 0.1), judged, confidence=0.95, seed=0) == []
