"""How near to the top of the day's hours did answers come? In: what was said of each hour, when answers came. Out: ranks, figures with
intervals (people are resampled, not messages)."""

from __future__ import annotations

from copy import replace

import numpy as np

from nudge.learn.hours.fit import Fitted, Told, log_losses
from nudge.learn.hours.shrink import Numbers
from nudge.learn.recipe import Recipe


def ranks_of_answers(said: Numbers, answer: Numbers) -> Numbers:
    """Where among the hours of its day the hour of each answer lies: 0 first, 1 last, ties in the middle."""
    day = said.reshape(len(said), 2, 24)[np.arange(len(said)), answer // 24]
    mine = day[np.arange(len(day)), answer % 24][:, None]
    above, same = (day > mine * (1 + 1e-12)).sum(axis=1), (np.abs(day - mine) <= mine * 1e-12).sum(axis=1)
    found: Numbers = (above + (same - 1) / 2) / 23
    return found


def figures(
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
    drawn = resampled(values, who, recipe.resamples, recipe.seed)
    tail = (1 - recipe.confidence) / 2
    return [float(values.mean()), *(float(edge) for edge in np.quantile(drawn, [tail, 1 - tail]))]


def resampled(values: Numbers, who: Numbers, number: int, seed: int) -> list[float]:
    """Means over bootstrap samples of people."""
    people, codes = np.unique(who, return_inverse=True)
    sums, counts = np.bincount(codes, values), np.bincount(codes)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(number):
        weight = rng.multinomial(len(people), np.full(len(people), 1.0 / len(people)))
        drawn.append(float(weight @ sums) / max(float(weight @ counts), 1.0))
    return drawn
