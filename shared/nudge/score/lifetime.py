"""What a customer will still be worth, from a vector, in plain Python.

In: a `value` artefact: the parameters of a model of buying (`score.buying`), a learned correction on top of it
(boosted trees that give the logarithm of a factor), and of Gamma-Gamma (what an order is worth). Out: for a vector,
`alive`, `purchases`, `spend` and `typical` over a horizon. Knows neither events nor how any of it was fitted.

Times are days; a purchase is an event of the artefact's type.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from typing import Any

from nudge.score import trees, verify
from nudge.score.buying import MODELS
from nudge.score.customer import LONGEST, Buying, History, Spend
from nudge.vocabulary import Vector

NAMES = ("total.{event}", "days_since.{event}", "days_since_first.{event}", "value.{event}.total")
"""What is read of a vector besides the features of the correction."""
TELLS_ALIVE = "pareto_nbd"
"""P(alive) is this model's: to BG/NBD everyone who bought once still buys."""
ALIVE, RATE = "lifetime.alive", "lifetime.rate"
"""Features of the correction that the model of buying gives: its two answers, purchases as a rate a day."""
FURTHEST = 2.0
"""The correction's logarithm stays within ± this."""
MOST_BENT = 2.0
SPEND = ("p", "q", "v", "everyone", "center", "scale")


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A loaded artefact."""

    event: str
    horizon_days: float
    buying: tuple[Buying, ...]
    never: float
    """Purchases a day of somebody who has not bought yet."""
    correct: Callable[[Vector], float] | None
    correct_days: float
    typical: tuple[list[float], list[float]]
    spend: Spend | None
    names: tuple[str, ...]

    def value(self, vector: Vector, days: float | None = None) -> dict[str, float]:
        """What to expect of a person over `days` (the artefact's horizon when None).

        `alive`: the probability that they still buy here (1 for somebody who has not bought yet: they cannot have
        stopped);
        `purchases`: expected number (a mean: sums over people are right); `spend`: expected money; `typical`: the
        median number of purchases over the horizon, which has the least absolute error (most people buy less than the
        mean, a few far more).
        """
        ahead = min(max(self.horizon_days if days is None else days, 0.0), LONGEST)
        past = History.of(vector, self.names)
        alive, purchases = self.bought(past, ahead)
        if self.correct is not None and ahead > 0.0:  # of what comes soon; what comes later nobody has learned
            soon = min(ahead, self.correct_days)
            near = purchases if soon == ahead else self.bought(past, soon)[1]
            purchases += near * (self.correct({**vector, ALIVE: alive, RATE: near / soon}) - 1.0)
        return {
            "alive": alive,
            "purchases": purchases,
            "spend": purchases * (0.0 if self.spend is None else self.spend.order(past)),
            "typical": _interpolated(purchases, *self.typical),
        }

    def bought(self, past: History, ahead: float) -> tuple[float, float]:
        """What the models of buying say, before the correction."""
        if past.orders < 1.0:
            return 1.0, self.never * ahead
        alive = purchases = 0.0
        worth = 0.0 if self.spend is None else self.spend.worth(past)
        for one in self.buying:
            here, bought = one.expect(past, worth, ahead)
            alive = here if one.model == TELLS_ALIVE else alive
            purchases += one.share * bought
        return alive, purchases


def load(artefact: Mapping[str, Any]) -> Lifetime:
    """A checked artefact, ready to score. Raises BadInput (reason `bad_model`) when it is not whole."""
    structure(artefact)
    spend, correction = artefact["spend"], artefact["correction"]
    return Lifetime(
        event=artefact["event"],
        horizon_days=float(artefact["horizon_days"]),
        buying=tuple(_buying(one) for one in artefact["buying"]),
        never=float(artefact["never"]),
        correct=None if correction is None else _correction(correction),
        correct_days=0.0 if correction is None else float(correction["days"]),
        typical=(artefact["typical"]["mean"], artefact["typical"]["median"]),
        spend=None if spend is None else Spend(**{name: float(spend[name]) for name in SPEND}),
        names=tuple(name.replace("{event}", artefact["event"]) for name in NAMES),
    )


def _buying(told: Mapping[str, Any]) -> Buying:
    r, alpha, third, fourth = map(float, told["parameters"])
    return Buying(told["model"], (r, alpha, third, fourth), float(told["bend"]), float(told["share"]))


def _interpolated(purchases: float, means: list[float], medians: list[float]) -> float:
    """Along the curve mean → median; beyond its end, in proportion."""
    place = bisect_right(means, purchases)
    if place == len(means):
        return purchases * (medians[-1] / means[-1]) if purchases > means[-1] > 0.0 else medians[-1]
    if place == 0:
        return medians[0]
    low, high = means[place - 1], means[place]
    return medians[place - 1] + (medians[place] - medians[place - 1]) * (purchases - low) / (high - low)


def _correction(learned: Mapping[str, Any]) -> Callable[[Vector], float]:
    weight = float(learned["weight"])
    raw = trees.raw(learned["features"], learned["model"])

    def factor(vector: Vector) -> float:
        return exp(weight * min(max(raw(vector, (None,))[0], -FURTHEST), FURTHEST))

    return factor


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an artefact completely. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    require, finite = verify.require, verify.finite
    require(artefact["format"] == verify.FORMAT, "format", f"this code reads format {verify.FORMAT}")
    require(artefact["kind"] == "value", "kind", "must be value")
    for name in ("name", "event"):
        require(isinstance(artefact[name], str) and artefact[name] != "", name, "must be text")
    _positive(artefact["horizon_days"], "horizon_days", LONGEST)
    require(isinstance(artefact["buying"], list) and artefact["buying"] != [], "buying", "must list models")
    for one in artefact["buying"]:
        _model_holds(one)
    names = [one["model"] for one in artefact["buying"]]
    require(len(set(names)) == len(names) and TELLS_ALIVE in names, "buying", f"each once, {TELLS_ALIVE} among them")
    require(abs(sum(one["share"] for one in artefact["buying"]) - 1.0) < 1e-9, "buying", "shares must add up to 1")
    require(finite(artefact["never"]) and 0 <= artefact["never"] <= 1e6, "never", "must be a number of 0 or more")
    _curve_holds(artefact["typical"])
    if artefact["spend"] is not None:
        for name in (*SPEND[:4], "scale"):
            _positive(artefact["spend"][name], f"spend.{name}", 1e15)
        require(finite(artefact["spend"]["center"]), "spend.center", "must be a number")
        require(artefact["spend"]["q"] > 1, "spend.q", "must exceed 1: else there is no mean")
    if artefact["correction"] is not None:
        _correction_holds(artefact["correction"])


def _positive(value: object, where: str, most: float) -> None:
    require = verify.require
    require(isinstance(value, int | float) and verify.finite(value) and 0 < value <= most, where, "must be above 0")


def _curve_holds(curve: Mapping[str, Any]) -> None:
    means, medians = curve["mean"], curve["median"]
    verify.require(isinstance(means, list) and means != [], "typical.mean", "must be a list of numbers")
    for name, values in curve.items():
        verify.numbers(values, len(means), f"typical.{name}")
        verify.require(min(values) >= 0, f"typical.{name}", "must not be negative")
    verify.require(all(a < b for a, b in pairwise(means)), "typical.mean", "must rise")
    verify.require(all(a <= b for a, b in pairwise(medians)), "typical.median", "must not fall")


def _model_holds(buying: Mapping[str, Any]) -> None:
    """Where a formula divides by a difference, that difference is not nothing."""
    verify.require(buying["model"] in MODELS, "buying.model", f"known models are {', '.join(MODELS)}")
    verify.numbers(buying["parameters"], 4, "buying.parameters")
    for place, value in enumerate(buying["parameters"]):
        _positive(value, f"buying.parameters[{place}]", 1e9)
    share, bend = buying["share"], buying["bend"]
    verify.require(verify.finite(bend) and abs(bend) <= MOST_BENT, "buying.bend", f"must lie within ± {MOST_BENT:g}")
    verify.require(verify.finite(share) and 0 <= share <= 1, "buying.share", "must lie between 0 and 1")
    first, second, third, fourth = buying["parameters"]
    verify.require(
        abs(third - 1.0) >= 1e-7, "buying.parameters[2]", "must not be 1: the formulas divide by the difference"
    )
    if buying["model"] == "bg_nbd":
        verify.require(abs(third + fourth - 1.0) >= 1e-7, "buying.parameters", "a + b must not be 1")
    verify.require(first > 0 and second >= 1e-3, "buying.parameters[1]", "must be 0.001 days or more")


def _correction_holds(learned: Mapping[str, Any]) -> None:
    _positive(learned["days"], "correction.days", LONGEST)
    verify.require(
        verify.finite(learned["weight"]) and 0 <= learned["weight"] <= 1,
        "correction.weight",
        "must lie between 0 and 1",
    )
    verify.structure(
        {
            "format": verify.FORMAT,
            "kind": "boosting",
            "name": "correction",
            "activities": [],
            "features": learned["features"],
            "model": learned["model"],
            "calibration": {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0},
        }
    )
