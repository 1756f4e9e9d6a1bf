"""One training of send times: messages in; the model judged on the latest of them, its artefact and card out.

The first 60 % of the messages in time are fitted on, the next 20 % choose how strongly people are shrunk and how much
they count, the last 20 % judge. What is published has the rates of all messages; what was chosen stays.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import polars

from nudge.errors import NotReady
from nudge.learn.export import TOLERANCE, canonical
from nudge.learn.gate import ALREADY, BETTER, Answer, Gate
from nudge.learn.hours.fit import Fitted, Told, fit, log_losses, tuned
from nudge.learn.hours.shrink import Numbers, shares
from nudge.learn.recipe import Recipe
from nudge.vocabulary import Micros

FEWEST_MESSAGES, FEWEST_ANSWERS = 200, 30
PARITY_PEOPLE = 300
JUDGED = 3_000
DIGITS = 9
LIMITS = (
    "An answer is a human open or click within a day; machines are known by their timing and by what they call themselves, and not all are.",
    "A person's hours are those of everything that they do, in UTC; they are moved to local time by the offset of the moment, so that for some weeks "
    "after the clocks change half of them are an hour off.",
    "Rates by hour are of messages that were not held; where hours were never drawn, they tell who was written to at that hour, too.",
)


class Clock(Protocol):
    """What `score.hours.load` gives."""

    def shares(
        self, state: Mapping[str, Any], segment: Mapping[str, Any], *, now: Micros, zone: ZoneInfo
    ) -> list[float]: ...
    def rates(
        self, state: Mapping[str, Any], segment: Mapping[str, Any], *, now: Micros, zone: ZoneInfo
    ) -> list[float]: ...


type Load = Callable[[Mapping[str, Any]], Clock]
type At = Callable[[Micros], Told]
"""All messages, with people's activity as of a moment."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the artefact says besides what is learned."""

    name: str
    channel: str
    open_minutes: tuple[int, int]
    half_life_days: float
    total_slot: int
    channels: dict[str, dict[str, Any]]


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


def train(at: At, setting: Setting, end: Micros, *, data: Mapping[str, Any], recipe: Recipe, load: Load) -> Trained:
    """Fit, choose, judge. `load` is `score.hours.load`. Raises NotReady with too few messages or answers, or without
    parity."""
    every = at(end)
    count, answers = len(every.who), int(every.answered.sum())
    if count < FEWEST_MESSAGES or answers < FEWEST_ANSWERS:
        raise NotReady(
            f"send_time: {count} messages, {answers} answered; {FEWEST_MESSAGES} and {FEWEST_ANSWERS} are needed",
            missing={"messages": max(FEWEST_MESSAGES - count, 0), "answers": max(FEWEST_ANSWERS - answers, 0)},
        )
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
    ranks = _ranks(judged.shares(answered.counts, answered.segment)[answered.who], answered.answer)
    before = _between(until, None, last)
    usual = shares(np.bincount(before.answer[before.answered], minlength=48).astype(float))
    baseline = _ranks(np.tile(usual, (len(answered.who), 1)), answered.answer)
    metrics = _figures(judged, test, answered, ranks, baseline, recipe)
    return Trained(
        version=f"{datetime.fromtimestamp(end / 1_000_000, UTC):%Y%m%d}-{hashlib.sha256(stored).hexdigest()[:12]}",
        kind="send_time",
        model=stored,
        card=canonical(_card(final, setting, every, metrics, worst, (later, last), data=data, recipe=recipe)),
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


def _ranks(said: Numbers, answer: Numbers) -> Numbers:
    """Where among the hours of its day the hour of each answer lies: 0 first, 1 last, ties in the middle."""
    day = said.reshape(len(said), 2, 24)[np.arange(len(said)), answer // 24]
    mine = day[np.arange(len(day)), answer % 24][:, None]
    above, same = (day > mine * (1 + 1e-12)).sum(axis=1), (np.abs(day - mine) <= mine * 1e-12).sum(axis=1)
    found: Numbers = (above + (same - 1) / 2) / 23
    return found


def _figures(
    judged: Fitted, test: Told, answered: Told, ranks: Numbers, baseline: Numbers, recipe: Recipe
) -> dict[str, list[float]]:
    """[value, low, high]: mean rank of the hour in which an answer came, by the person's hours and by everyone's; how
    much nearer to the top; how much lower the log loss of whether a message is answered."""
    flat = replace(
        judged, power=0.0, segments={name: (one[0] * 0 + 1, one[1]) for name, one in judged.segments.items()}
    )
    lower = log_losses(flat, test) - log_losses(judged, test)
    values = {"rank": ranks, "rank_of_everyone": baseline, "rank_gain": baseline - ranks}
    found = {name: _interval(one, answered.who, recipe) for name, one in values.items()}
    return found | {"log_loss_gain": _interval(lower, test.who, recipe)}


def _interval(values: Numbers, who: Numbers, recipe: Recipe) -> list[float]:
    drawn = _resampled(values, who, recipe.resamples, recipe.seed)
    tail = (1 - recipe.confidence) / 2
    return [float(values.mean()), *(float(edge) for edge in np.quantile(drawn, [tail, 1 - tail]))]


def _resampled(values: Numbers, who: Numbers, number: int, seed: int) -> list[float]:
    """Means over bootstrap samples of people."""
    people, codes = np.unique(who, return_inverse=True)
    sums, counts = np.bincount(codes, values), np.bincount(codes)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(number):
        weight = rng.multinomial(len(people), np.full(len(people), 1.0 / len(people)))
        drawn.append(float(weight @ sums) / max(float(weight @ counts), 1.0))
    return drawn


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
    drawn = _resampled(gains, trained.test.who[some], max(recipe.resamples, 500), recipe.seed + 1)
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
    return _ranks(np.array(said), trained.test.answer[some])


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


def export(fitted: Fitted, setting: Setting) -> dict[str, Any]:
    """The artefact."""
    segments = {
        name: {"rates": one[0].tolist(), "activity": one[1].tolist()} for name, one in sorted(fitted.segments.items())
    }
    return {
        "format": 1,
        "kind": "send_time",
        "name": setting.name,
        "channel": setting.channel,
        "open": list(setting.open_minutes),
        "segments": segments,
        "kernel": fitted.kernel.tolist(),
        "strength": fitted.strength,
        "power": fitted.power,
        "half_life_days": setting.half_life_days,
        "total_slot": setting.total_slot,
        "channels": setting.channels,
    }


def _card(
    final: Fitted,
    setting: Setting,
    every: Told,
    metrics: Mapping[str, list[float]],
    parity: float,
    bounds: tuple[Micros, Micros],
    *,
    data: Mapping[str, Any],
    recipe: Recipe,
) -> dict[str, Any]:
    sent = np.bincount(every.sent, minlength=48)
    came = np.bincount(every.sent, every.answered.astype(float), minlength=48)
    return {
        "kind": "send_time",
        "channel": setting.channel,
        "data": dict(data),
        "messages": {"sent": len(every.who), "answered": int(every.answered.sum()), "people": len(every.counts)},
        "slices": {"boundaries": list(bounds)},
        "metrics": dict(metrics),
        "all_kinds": {"send_time": dict(metrics)},
        "chosen_by": {"slice": "the messages between the boundaries", "strength": final.strength, "power": final.power},
        "hours": [
            {
                "cell": one,
                "sent": int(sent[one]),
                "answered": int(came[one]),
                "rate": float(final.segments["*"][0][one]),
            }
            for one in range(48)
        ],
        "channels": setting.channels,
        "parity": parity,
        "reads": {
            "h": "the person's decayed activity by hour of the week, UTC",
            "timezone": "the segment, and local time",
        },
        "features": [],
        "limits": list(LIMITS),
        "recipe": asdict(recipe),
        "libraries": {"python": platform.python_version(), **{one.__name__: one.__version__ for one in (np, polars)}},
    }
