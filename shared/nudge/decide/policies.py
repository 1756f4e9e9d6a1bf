"""How a policy shares a decision among candidates. In: candidates with their values. Out: a propensity each, exactly.

`squarecb`      inverse-gap weighting (see `explore`): every candidate has a chance, the better ones more.
`greedy`        the most valuable one, always.
`uplift_first`  the most valuable one of those whose effect was measured, where it is worth more than nothing; else nothing.
`rules`         the first that may be done, in the order of the plan; nothing where none may.
`thompson`      each with the probability that it is the best, its value being normal around the guess: one guess of p(goal) counts
                as much as the plan's `exploration` observations. Drawing from these probabilities is Thompson sampling
                (Thompson 1933; Russo et al. 2018), and the propensity is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erf, exp, pi, sqrt
from typing import NamedTuple

from nudge.decide import explore
from nudge.vocabulary import NOTHING, PolicyName

STEPS = 400
WIDTHS = 8.0
"""The integral runs over so many standard deviations around each candidate, in so many steps (Simpson's rule)."""


class Open(NamedTuple):
    """A candidate that was not removed. `measured`: its effect comes from an uplift model."""

    activity: str
    probability: float
    value: float
    measured: bool


class Setting(NamedTuple):
    """What a policy is told beside the candidates: the plan's `exploration`, and what the goal is worth."""

    exploration: float
    worth: float


type Shares = Callable[[Sequence[Open], Setting], list[float]]


def shares(name: PolicyName, candidates: Sequence[Open], setting: Setting) -> list[float]:
    """A propensity for each candidate, in their order; they sum to 1. `nothing` is among the candidates."""
    return _POLICIES[name](candidates, setting)


def _squarecb(candidates: Sequence[Open], setting: Setting) -> list[float]:
    return explore.propensities([one.value for one in candidates], setting.exploration)


def _greedy(candidates: Sequence[Open], setting: Setting) -> list[float]:
    return _only(candidates, max(range(len(candidates)), key=lambda place: candidates[place].value))


def _uplift_first(candidates: Sequence[Open], setting: Setting) -> list[float]:
    known = [place for place, one in enumerate(candidates) if one.measured or one.activity == NOTHING]
    return _only(candidates, max(known, key=lambda place: candidates[place].value))


def _rules(candidates: Sequence[Open], setting: Setting) -> list[float]:
    first = next((place for place, one in enumerate(candidates) if one.activity != NOTHING), 0)
    return _only(candidates, first)


def _only(candidates: Sequence[Open], chosen: int) -> list[float]:
    return [float(place == chosen) for place in range(len(candidates))]


def _thompson(candidates: Sequence[Open], setting: Setting) -> list[float]:
    told = max(setting.exploration, 1.0)
    spread = [abs(setting.worth) * sqrt(one.probability * (1 - one.probability) / told) for one in candidates]
    if not max(spread) > 0:
        return _greedy(candidates, setting)
    floor = max(spread) * 1e-6
    return best_of([one.value for one in candidates], [max(one, floor) for one in spread])


def best_of(means: Sequence[float], deviations: Sequence[float]) -> list[float]:
    """P(each is the largest) of independent normal numbers: ∫ φ(x; m, s) Π Φ(x; m', s') dx over the others, by Simpson's rule
    on each number's own range, and normed to sum to 1."""
    found = [_wins(place, means, deviations) for place in range(len(means))]
    whole = sum(found)
    return [one / whole for one in found]


def _wins(place: int, means: Sequence[float], deviations: Sequence[float]) -> float:
    mean, deviation = means[place], deviations[place]
    others = [pair for other, pair in enumerate(zip(means, deviations, strict=True)) if other != place]
    step, total = 2 * WIDTHS / STEPS, 0.0
    for number in range(STEPS + 1):
        z = -WIDTHS + number * step
        density = exp(-z * z / 2) / sqrt(2 * pi)
        for m, s in others:
            density *= 0.5 * (1 + erf((mean + deviation * z - m) / (s * sqrt(2))))
        total += density * (1 if number in (0, STEPS) else 4 if number % 2 else 2)
    return total * step / 3


_POLICIES: dict[PolicyName, Shares] = {
    "squarecb": _squarecb,
    "greedy": _greedy,
    "uplift_first": _uplift_first,
    "rules": _rules,
    "thompson": _thompson,
}
