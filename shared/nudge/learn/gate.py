"""May a challenger become champion? Each gate says yes or no, and why; all are kept with the verdict.

In: a challenger, what it was trained and judged on, the model in force. Out: an `Answer`. Knows no store. Other kinds of
models make their own gates (`Gate(name, passed, said)`) and answer with the same `Answer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from nudge.errors import NudgeError
from nudge.learn import judge
from nudge.learn.contest import Trained
from nudge.learn.export import TOLERANCE, Scores
from nudge.learn.features import Feature, numbers
from nudge.learn.recipe import Recipe

BETTER = "better"
ALREADY = "this version is the champion already"
LEAK = 0.98
MISCALIBRATED = 0.05
"""The largest expected calibration error beyond what noise alone gives, where the plan says nothing else."""
LARGEST_BYTES = 24 * 1024 * 1024
SLOWEST_SECONDS = 2.0
LOADS = 3
BINS = 20


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of promotion: did it hold, and what was found."""

    name: str
    passed: bool
    said: str


@dataclass(frozen=True, slots=True)
class Answer:
    """All gates of a challenger."""

    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        return all(one.passed for one in self.gates)

    @property
    def reason(self) -> str:
        """What the failed gates say; when none failed, by how much it is better."""
        failed = [one for one in self.gates if not one.passed]
        told = failed or [one for one in self.gates if one.name == BETTER] or list(self.gates)
        return "; ".join(one.said for one in told)

    def plain(self) -> list[dict[str, Any]]:
        return [asdict(one) for one in self.gates]


def gate(
    trained: Trained, champion: tuple[str, Scores] | None, recipe: Recipe, *, miscalibrated: float = MISCALIBRATED
) -> Answer:
    """What the last slice of time says: better than the champion by more than noise, calibrated; and parity. The champion is
    scored on the same rows through `score`; where there is none, the base rate of the slice before stands for it.
    `miscalibrated` is the largest calibration error beyond noise (the plan's `learn.drift.calibration`)."""
    card = json.loads(trained.card)
    against, present = _present(trained, champion)
    return Answer(
        (
            better(trained, against, present, recipe),
            calibrated(trained, against, present, miscalibrated, recipe),
            Gate("parity", card["parity"] <= TOLERANCE, f"differs from scikit-learn by at most {card['parity']:.2g}"),
        )
    )


def _present(trained: Trained, champion: tuple[str, Scores] | None) -> tuple[str, np.ndarray]:
    """Name and probabilities of what the challenger must beat."""
    if champion is None:
        return "the base rate", np.full(len(trained.probability), trained.base_rate)
    if champion[0] == trained.version:
        return champion[0], trained.probability
    rows = trained.test.iter_rows(named=True)
    return champion[0], np.array([champion[1].probability(row) for row in rows])


def better(trained: Trained, against: str, present: np.ndarray, recipe: Recipe) -> Gate:
    """Is its log loss on the last slice lower by more than noise (paired bootstrap over people)?"""
    if against == trained.version:
        return Gate(BETTER, False, ALREADY)
    found = judge.compare(
        trained.probability,
        present,
        trained.rows,
        resamples=recipe.resamples,
        confidence=recipe.confidence,
        seed=recipe.seed,
    )
    sure = f"log loss lower by {found.gain:.5f} (at least {found.at_least:.5f} with {recipe.confidence:.0%} confidence)"
    if found.is_better:
        return Gate(BETTER, True, f"better than {against}: {sure}")
    return Gate(BETTER, False, f"not better than {against} by more than noise: {sure}")


def positives(slices: Mapping[str, Any], recipe: Recipe) -> Gate:
    """Has it seen the goal often enough? A model of fewer is shrunken, and its intervals say so; of none it is nothing."""
    parts = [one for one in slices.values() if isinstance(one, Mapping) and "positives" in one]
    seen, rows = sum(one["positives"] for one in parts), sum(one["rows"] for one in parts)
    enough = min(seen, rows - seen) >= recipe.positives
    return Gate("positives", enough, f"{seen} of {rows} rows reached the goal; {recipe.positives} of each are needed")


def calibrated(trained: Trained, against: str, present: np.ndarray, most: float, recipe: Recipe) -> Gate:
    """Do its probabilities come true? Fails when its calibration error exceeds what chance gives a perfect model by more than
    `most`, and the model in force does no worse: where the world has moved, the nearer of two is still the better one."""
    error = judge.calibration_error(trained.probability, trained.rows)
    noise = judge.calibration_noise(trained.probability, trained.rows, resamples=recipe.resamples, seed=recipe.seed)
    said = f"calibration error {error:.4f}, of which chance explains up to {noise:.4f}; {most:g} more is allowed"
    if error <= noise + most:
        return Gate("calibration", True, said)
    theirs = judge.calibration_error(present, trained.rows)
    if error < theirs:
        return Gate("calibration", True, f"{said}; still nearer than {against} ({theirs:.4f})")
    return Gate("calibration", False, said)


def leak(rows: pl.DataFrame, features: Iterable[Feature]) -> Gate:
    """Does one feature alone tell who does it? Then it was probably written down afterwards. Judged on the training slice,
    where no level stands for a handful of rows."""
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    found = [(alone(rows, one, label, weight), str(one["name"])) for one in features]
    if not found:
        return Gate("leak", True, "it reads no feature")
    auc, name = max(found)
    said = f"the strongest feature alone, {name}, has AUC {auc:.3f}"
    if auc > LEAK:
        return Gate(
            "leak", False, f"leak alarm: {said}, above {LEAK}: was it known before, or written down afterwards?"
        )
    return Gate("leak", True, said)


def alone(rows: pl.DataFrame, feature: Feature, label: np.ndarray, weight: np.ndarray) -> float:
    """AUC of one feature by itself: the best of a number as it stands (either way round, what is missing at either end) and of
    the rates in its bins; of a category, of the rates of its levels."""
    if feature["type"] != "number":
        codes = _codes(rows, feature)
        return _by_rate(np.bincount(codes, weight * label), np.bincount(codes, weight))
    seen, codes, counts = np.unique(numbers(rows, feature), return_inverse=True, return_counts=True)
    positive, every = np.bincount(codes, weight * label), np.bincount(codes, weight)
    found = [judge.separation(positive, every)]
    known = len(seen) - int(np.isnan(seen[-1]))  # what is missing is the last
    if known < len(seen):
        found.append(judge.separation(np.roll(positive, 1), np.roll(every, 1)))
    bins = np.append(_bins(seen[:known], counts[:known]), known)[: len(seen)]
    found.append(_by_rate(np.bincount(bins, positive), np.bincount(bins, every)))
    return max(max(auc, 1 - auc) for auc in found)


def _bins(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The bin of each value: at most `BINS`, of equal size."""
    until = np.cumsum(counts)
    if not len(seen):
        return np.empty(0, dtype=int)
    places = np.linspace(0, until[-1] - 1, BINS + 1).astype(int)[1:-1]
    edges = np.unique(seen[np.searchsorted(until, places, side="right")])
    return np.searchsorted(edges, seen, side="left")


def _by_rate(positive: np.ndarray, every: np.ndarray) -> float:
    """AUC of groups by how often those in them did it."""
    rate = positive / np.maximum(every, 1e-300)
    order = np.argsort(rate, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(rate[order]) > 0])  # groups of the same rate are tied
    return judge.separation(np.add.reduceat(positive[order], starts), np.add.reduceat(every[order], starts))


def _codes(rows: pl.DataFrame, feature: Feature) -> np.ndarray:
    """A number for each level that the model knows; one for all others: a level of a row or two would tell its own label."""
    known = {level: code for code, level in enumerate(feature["levels"])}
    if feature["name"] not in rows.columns:
        return np.zeros(rows.height, dtype=int)
    return np.array(
        [known.get(level, len(known)) for level in rows[feature["name"]].cast(pl.String).to_list()], dtype=int
    )


def stored(model: bytes, load: Callable[[Any], object], stopwatch: Callable[[], float] = perf_counter) -> list[Gate]:
    """Of any kind: is the artefact small enough, and does it load, and fast enough? Time is measured for this alone."""
    size = Gate("size", len(model) <= LARGEST_BYTES, f"{len(model):,} bytes; {LARGEST_BYTES:,} at most")
    if not size.passed:
        return [size]
    took = []
    try:
        for _ in range(LOADS):
            began = stopwatch()
            load(json.loads(model))
            took.append(stopwatch() - began)
            if took[-1] < SLOWEST_SECONDS / 10:
                break
    except (NudgeError, ValueError, KeyError, TypeError) as wrong:
        return [size, Gate("load", False, f"does not load: {type(wrong).__name__}: {wrong}")]
    most = f"{SLOWEST_SECONDS * 1000:.0f}"
    if min(took) <= SLOWEST_SECONDS:
        return [size, Gate("load", True, f"loads within {most} ms")]  # not how fast: the same training says the same
    return [size, Gate("load", False, f"takes {min(took) * 1000:.0f} ms to load; {most} at most")]
