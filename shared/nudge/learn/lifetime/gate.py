"""May a forecast of value be published, and promoted? The stored form must say what the fitted one says; and it must be better.

In: a challenger, the model in force, asked through `score`. Out: an `Answer`. Knows no store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from nudge.errors import NotReady
from nudge.learn.export import EXTREMES, TOLERANCE
from nudge.learn.gate import ALREADY, BETTER, Answer, Gate
from nudge.learn.lifetime import judge
from nudge.learn.lifetime.correction import OUTCOMES
from nudge.learn.lifetime.forecast import Forecast
from nudge.learn.recipe import Recipe
from nudge.vocabulary import Vector

if TYPE_CHECKING:
    from nudge.learn.lifetime.train import Trained

PARITY_ROWS = 300
JUDGED = 10_000


class Values(Protocol):
    """What `score.lifetime.load` gives."""

    def value(self, vector: Vector, days: float | None = None) -> dict[str, float]: ...


type Load = Callable[[Mapping[str, Any]], Values]


def gates(trained: Trained, champion: tuple[str, Values] | None, recipe: Recipe) -> Answer:
    """Is its deviance in the last window lower by more than noise: than that of the model in force, asked through
    `score` about the same people and days; where there is none, than that of the better naive forecast?"""
    if champion is not None and champion[0] == trained.version:
        return Answer((Gate(BETTER, False, ALREADY),))
    came, said = trained.test["purchases"].to_numpy(), trained.said
    against, present = trained.naive
    if champion is not None:
        against = champion[0]
        some = trained.test.with_row_index("place")[:: -(-trained.test.height // JUDGED)]
        places = some["place"].to_numpy()
        came, said = came[places], said[places]
        vectors = some.drop("place", *OUTCOMES).iter_rows(named=True)
        present = np.array([champion[1].value(vector, trained.days)["purchases"] for vector in vectors])
    gain, at_least = judge.compare(said, present, came, recipe)
    sure = f"deviance lower by {gain:.5f} (at least {at_least:.5f} with {recipe.confidence:.0%} confidence)"
    better = at_least > 0
    text = f"better than {against}: {sure}" if better else f"not better than {against} by more than noise: {sure}"
    parity_held = Gate(
        "parity", trained.parity <= TOLERANCE, f"differs from the fitted form by at most {trained.parity:.2g}"
    )
    return Answer((Gate(BETTER, better, text), parity_held))


def parity(stored: bytes, load: Load, fitted: Forecast, rows: pl.DataFrame, days: float, seed: int) -> float:
    """The largest difference (relative above 1) between the stored form, scored as online, and the fitted one, on rows
    of now and hostile ones.

    Raises NotReady when it exceeds 1e-9: such an artefact is not published."""
    scorer = load(json.loads(stored))
    held = pl.concat([rows[:PARITY_ROWS], hostile(rows[:PARITY_ROWS], fitted, seed)], how="diagonal_relaxed")
    theirs = fitted.predict(held, days)
    worst = 0.0
    for place, vector in enumerate(held.drop("user_id").iter_rows(named=True)):
        for name, value in scorer.value(vector).items():
            said = float(theirs[name][place])
            gap = abs(value - said) / max(1.0, abs(said))
            worst = max(worst, gap if gap == gap else np.inf)
    if not worst <= TOLERANCE:
        raise NotReady(
            f"the stored model differs from the fitted one by {worst:.3g}; it is not published",
            missing={"parity": worst, "allowed": TOLERANCE},
        )
    return worst


def hostile(rows: pl.DataFrame, fitted: Forecast, seed: int, number: int = 200) -> pl.DataFrame:
    """Rows that nobody has: extremes and missing values, mixed with values that were seen."""
    rng = np.random.default_rng(seed)
    read = {name.replace("{event}", fitted.event) for name in ("total.{event}", "days_since.{event}")}
    read |= {f"days_since_first.{fitted.event}", f"value.{fitted.event}.total"}
    if fitted.correction is not None:
        read |= {str(one["name"]) for one in fitted.correction.features}
    strange: list[float | None] = [*EXTREMES, None]
    columns: dict[str, list[Any]] = {"user_id": [f"hostile {one}" for one in range(number)]}
    for name in sorted(read & set(rows.columns)):
        seen = rows[name].to_list()
        odd = rng.random(number) < rng.random(number)
        columns[name] = [
            strange[int(rng.integers(len(strange)))] if one else seen[int(rng.integers(len(seen)))] for one in odd
        ]
    kinds = {name: rows.schema[name] for name in columns if name != "user_id"}
    return pl.DataFrame(columns, schema_overrides=kinds)
