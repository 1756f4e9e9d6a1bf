"""Rows kept beside a model with what it says of them: wherever it is loaded later, it must say the same.

In: a scorer, vectors. Out: JSON for the card; later, by how much a scorer differs from it. Knows no store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Protocol

from nudge.errors import BadInput
from nudge.vocabulary import Vector

TOLERANCE = 1e-9
EXTREMES = (0.0, 1e9, -1e9)


class Scores(Protocol):
    """What `score.load` gives."""

    def probability(self, vector: Vector) -> float: ...


def kept(scorer: Scores, vectors: Iterable[Vector], names: Sequence[str]) -> list[dict[str, Any]]:
    """`{vector, probability}` for each vector (only what the model reads), for nobody-knows (`{}`) and for extremes."""
    known: list[Vector] = [{name: vector[name] for name in names if vector.get(name) is not None} for vector in vectors]
    strange: list[Vector] = [{}]
    strange += [{name: value for name in names} for value in EXTREMES]
    return [{"vector": one, "probability": scorer.probability(one)} for one in known + strange]


def worst(scorer: Scores, rows: Sequence[Mapping[str, Any]]) -> float:
    """The largest difference from what was kept.

    Raises
    ------
    BadInput
        When a probability is none (reason `bad_model`).
    """
    differences = [0.0]
    for number, row in enumerate(rows):
        said = scorer.probability(row["vector"])
        if not (isfinite(said) and 0 <= said <= 1):
            raise BadInput(
                f"golden row {number}: {said} is no probability", reason="bad_model", where=f"golden[{number}]"
            )
        differences.append(abs(said - row["probability"]))
    return max(differences)
