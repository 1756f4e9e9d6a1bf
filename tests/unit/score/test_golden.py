"""Golden rows: what a model said when it was trained, it says wherever it is loaded."""

from __future__ import annotations

import pytest

from nudge.errors import BadInput
from nudge.score import golden
from nudge.vocabulary import Vector


class Model:
    """Says a number for a count."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def probability(self, vector: Vector) -> float:
        count = vector.get("count") or 0.0
        return min(max(0.5 + self.slope * float(count), 0.0), 1.0) if self.slope == self.slope else float("nan")


def test_what_is_kept_holds_only_what_the_model_reads_and_strange_rows_too() -> None:
    kept = golden.kept(Model(0.1), [{"count": 1.0, "name": "Ada"}, {"count": None}], ["count"])
    assert [row["vector"] for row in kept] == [
        {"count": 1.0},
        {},
        {},
        {"count": 0.0},
        {"count": 1e9},
        {"count": -1e9},
    ]
    assert kept[0]["probability"] == 0.6


def test_the_same_model_says_the_same_and_another_does_not() -> None:
    kept = golden.kept(Model(0.1), [{"count": 1.0}], ["count"])
    assert golden.worst(Model(0.1), kept) == 0.0
    assert golden.worst(Model(0.11), kept) == pytest.approx(0.01)
    assert golden.worst(Model(0.1), []) == 0.0


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(BadInput, match="golden row 0"):
        golden.worst(Model(float("nan")), golden.kept(Model(0.1), [{"count": 1.0}], ["count"]))
