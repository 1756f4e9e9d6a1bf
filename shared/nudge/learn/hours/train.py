"""One training of send times: messages in; the model judged on the latest of them, its artefact and card out.

The first 60 % of the messages in time are fitted on, the next 20 % choose how strongly people are shrunk and how much
they count, the last 20 % judge. What is published has the rates of all messages; what was chosen stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from nudge.errors import NotReady
from nudge.learn.export import canonical
from nudge.learn.hours.card import Setting, card, export
from nudge.learn.hours.fit import Told, fit, tuned
from nudge.learn.hours.gate import Load, parity
from nudge.learn.hours.judge import figures, ranks_of_answers
from nudge.learn.hours.shrink import Numbers, shares
from nudge.learn.recipe import Recipe
from nudge.vocabulary import Micros

FEWEST_MESSAGES, FEWEST_ANSWERS = 200, 30
type At = Callable[[Micros], Told]
"""All messages, with people's activity as of a moment."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger; `test` are the answered messages that judge, `ranks` where their hours lay, `baseline` in
    everyone's hours."""

    version: str
    kind: str
    model: bytes
    card: bytes
    metrics: dict[str, list[float]]
    test: Told
    test_at: Micros
    ranks: Numbers
    baseline: Numbers
    parity: float


def enough(messages: int, answers: int) -> None:
    """Raises NotReady when there are too few to learn from."""
    if messages < FEWEST_MESSAGES or answers < FEWEST_ANSWERS:
        raise NotReady(
            f"send_time: {messages} messages, {answers} answered; {FEWEST_MESSAGES} and {FEWEST_ANSWERS} are needed",
            missing={"messages": max(FEWEST_MESSAGES - messages, 0), "answers": max(FEWEST_ANSWERS - answers, 0)},
        )


def train(at: At, setting: Setting, end: Micros, *, data: Mapping[str, Any], recipe: Recipe, load: Load) -> Trained:
    """Fit, choose, judge. `load` is `score.hours.load`. Raises NotReady with too few messages or answers, or without
    parity."""
    every = at(end)
    enough(len(every.who), int(every.answered.sum()))
    later, last = (int(np.quantile(every.at, share, method="lower")) for share in (0.6, 0.8))
    early, middle = _between(at(later), None, later), _between(at(later), later, last)
    chosen = tuned(fit(early), middle)
    until = at(last)
    judged = replace(fit(_between(until, None, last)), strength=chosen.strength, power=chosen.power)
    test = _between(until, last, None)
    final = replace(fit(every), strength=chosen.strength, power=chosen.power)
    stored = canonical(export(final, setting))
    worst = parity(stored, load, final, every, end)
    answered = test.some(test.answered)
    if not len(answered.who):
        raise NotReady("send_time: no message of the last fifth was answered", missing={"answers": 1})
    ranks = ranks_of_answers(judged.shares(answered.counts, answered.segment)[answered.who], answered.answer)
    before = _between(until, None, last)
    usual = shares(np.bincount(before.answer[before.answered], minlength=48).astype(float))
    baseline = ranks_of_answers(np.tile(usual, (len(answered.who), 1)), answered.answer)
    metrics = figures(judged, test, answered, ranks, baseline, recipe)
    return Trained(
        version=f"{datetime.fromtimestamp(end / 1_000_000, UTC):%Y%m%d}-{hashlib.sha256(stored).hexdigest()[:12]}",
        kind="send_time",
        model=stored,
        card=canonical(card(final, setting, every, metrics, worst, (later, last), data=data, recipe=recipe)),
        metrics=metrics,
        test=answered,
        test_at=last,
        ranks=ranks,
        baseline=baseline,
        parity=worst,
    )


def _between(told: Told, after: Micros | None, until: Micros | None) -> Told:
    held = np.ones(len(told.at), dtype=bool)
    if after is not None:
        held &= told.at > after
    if until is not None:  # an answer that came later was not known then
        held &= (told.at <= until) & (told.at + np.maximum(told.delay, 0) <= until)
    return told.some(held)
