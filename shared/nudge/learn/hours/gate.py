"""May send times be published, and promoted? The stored form must say what the fitted one says; and answers must come nearer to the
top of the hours that it names.

In: a challenger, the model in force, asked through `score`. Out: an `Answer`. Knows no store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from nudge.errors import NotReady
from nudge.learn.export import TOLERANCE
from nudge.learn.gate import ALREADY, BETTER, Answer, Gate
from nudge.learn.hours.fit import Fitted, Told
from nudge.learn.hours.judge import ranks_of_answers, resampled
from nudge.learn.hours.shrink import Numbers
from nudge.learn.recipe import Recipe
from nudge.vocabulary import Micros

if TYPE_CHECKING:
    from nudge.learn.hours.train import Trained

PARITY_PEOPLE = 300
JUDGED = 3_000


class Clock(Protocol):
    """What `score.hours.load` gives."""

    def shares(
        self, state: Mapping[str, Any], segment: Mapping[str, Any], *, now: Micros, zone: ZoneInfo
    ) -> list[float]: ...
    def rates(
        self, state: Mapping[str, Any], segment: Mapping[str, Any], *, now: Micros, zone: ZoneInfo
    ) -> list[float]: ...


type Load = Callable[[Mapping[str, Any]], Clock]


def gates(trained: Trained, champion: tuple[str, Clock] | None, recipe: Recipe) -> Answer:
    """Do answers come nearer to the top of the hours that it names, by more than noise: than by the model in force,
    asked through `score` about the same answers; where there is none, than by everyone's hours?"""
    if champion is not None and champion[0] == trained.version:
        return Answer((Gate(BETTER, False, ALREADY),))
    against, present, some = "everyone's hours", trained.baseline, np.arange(len(trained.ranks))
    if champion is not None:
        against, some = champion[0], some[:: -(-len(some) // JUDGED)]
        present = _ranks_of(champion[1], trained, some)
    gains = present[slice(None) if champion is None else slice(0, len(some))] - trained.ranks[some]
    drawn = resampled(gains, trained.test.who[some], max(recipe.resamples, 500), recipe.seed + 1)
    gain, at_least = float(gains.mean()), float(np.quantile(drawn, 1 - recipe.confidence))
    sure = f"answers came {gain:.4f} nearer to the top of the day's hours (at least {at_least:.4f} with {recipe.confidence:.0%} confidence)"
    better = at_least > 0
    text = f"better than {against}: {sure}" if better else f"not better than {against} by more than noise: {sure}"
    held = Gate("parity", trained.parity <= TOLERANCE, f"differs from the fitted form by at most {trained.parity:.2g}")
    return Answer((Gate(BETTER, better, text), held))


def _ranks_of(clock: Clock, trained: Trained, some: Numbers) -> Numbers:
    """Where the model in force puts the hours of these answers. Activity is in local cells here: asked in UTC, it
    stays where it is."""
    said = []
    for place in some:
        who = trained.test.who[place]
        state, utc = _state(trained.test.counts[who], trained.test_at), ZoneInfo("UTC")
        said.append(clock.shares(state, {"timezone": str(trained.test.segment[who])}, now=trained.test_at, zone=utc))
    return ranks_of_answers(np.array(said), trained.test.answer[some])


def _state(counts: Numbers, at: Micros) -> dict[str, Any]:
    """A profile's state with this activity by cell: Monday for working days, Saturday for the weekend."""
    hours = {str(one if one < 24 else 96 + one): float(weight) for one, weight in enumerate(counts) if weight > 0}
    return {"h": [at, hours]}


def parity(stored: bytes, load: Load, fitted: Fitted, told: Told, at: Micros) -> float:
    """The largest relative difference between rates by the stored form and by the fitted one, of people and of some
    that nobody is. Raises NotReady when it exceeds 1e-9."""
    clock = load(json.loads(stored))
    strange = np.zeros((3, 48))
    strange[1, 5], strange[2] = 1e9, 1e-9
    counts = np.concatenate([told.counts[:PARITY_PEOPLE], strange])
    segment = np.concatenate([told.segment[:PARITY_PEOPLE], np.array(["*", "Mars/Olympus", "UTC"], dtype=object)])
    theirs, worst = fitted.rates(counts, segment), 0.0
    for place, row in enumerate(counts):
        said = {"timezone": str(segment[place])}
        ours = np.array(clock.rates(_state(row, at), said, now=at, zone=ZoneInfo("UTC")))
        worst = max(worst, float(np.max(np.abs(ours - theirs[place]) / np.maximum(np.abs(theirs[place]), 1.0))))
    if not worst <= TOLERANCE:
        text = f"the stored model differs from the fitted one by {worst:.3g}; it is not published"
        raise NotReady(text, missing={"parity": worst, "allowed": TOLERANCE})
    return worst
