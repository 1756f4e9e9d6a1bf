"""One training of value: rows as of several cuts in; the better forecast out of time, its artefact and card out.

Each step knows only what was known then. As of the two cuts before the last, every model is fitted on what lay before and
forecasts the window after it: the one with the lowest deviance is chosen there. It is fitted again as of the last cut,
and the last window judges. What is published has the parameters of the models of buying as of the end of the data;
what was learned beside them stays as it was judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nudge.errors import NotReady
from nudge.learn.export import canonical
from nudge.learn.lifetime import judge
from nudge.learn.lifetime.card import card
from nudge.learn.lifetime.correction import Correction
from nudge.learn.lifetime.customers import Numbers, Past
from nudge.learn.lifetime.forecast import TELLS_ALIVE, Buying, Forecast, fit_models
from nudge.learn.lifetime.gate import Load, parity
from nudge.learn.lifetime.models import Fit
from nudge.learn.lifetime.spend import Spend
from nudge.learn.recipe import Absent, Recipe
from nudge.vocabulary import Micros

MODELS = ("mbg_nbd", "pareto_nbd", "bg_nbd")
SHARES = ((0.5, 0.5, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
"""The first stands for itself: one of two that let everybody stop, by the purchase and by the day."""
WEIGHTS = (0.0, 0.5, 1.0)
"""Of the correction's logarithm: 0 is the model of buying alone, 1 the learned model (with the other as its
exposure)."""
CHOOSING = 2
"""Windows that choose."""
NOISE = 1.645
"""Standard errors by which another kind must be better than the one that stands: of several that are compared, the best seems one
standard error better by chance."""
FEWEST_BUYERS = 10


@dataclass(frozen=True, slots=True)
class Rows:
    """`followed` has a frame a cut, oldest first, with the outcomes of `days` after it; `now` the vectors as of the
    end."""

    event: str
    days: int
    cuts: tuple[Micros, ...]
    followed: tuple[pl.DataFrame, ...]
    now: pl.DataFrame
    end: Micros


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger; `said` is what it forecast of the rows `test` of the last window, `naive` what the baseline did."""

    version: str
    kind: str
    model: bytes
    card: bytes
    metrics: dict[str, list[float]]
    said: Numbers
    naive: tuple[str, Numbers]
    test: pl.DataFrame
    days: int
    parity: float


@dataclass(frozen=True, slots=True)
class _Trainer:
    """Fits forecasts as of any of the cuts; the end of the data is the cut after the last."""

    rows: Rows
    recipe: Recipe
    absent: Absent
    spends: dict[int, Spend | None] = field(default_factory=dict)
    fits: dict[int, dict[str, Fit]] = field(default_factory=dict)
    corrections: dict[tuple[int, str], Correction | None] = field(default_factory=dict)

    def models(self, place: int) -> dict[str, Fit]:
        """The models of buying as of a cut, each from where it was as of the nearest cut that was fitted before."""
        if place not in self.fits:
            past = Past.of(self.frame(place), self.rows.event)
            if (has := int(past.bought.sum())) < FEWEST_BUYERS:
                text = f"value: {has} people had bought by a cut; {FEWEST_BUYERS} are needed"
                raise NotReady(text, missing={"has": has, "needs": FEWEST_BUYERS})
            nearest = self.fits.get(max(self.fits, default=0), {})
            spend = self.spends[place] = Spend.of(past, self.recipe.seed)
            customers = past.customers(None if spend is None else spend.worth(past))
            self.fits[place] = fit_models(customers, {name: nearest.get(name) for name in MODELS}, self.recipe.seed)
        return self.fits[place]

    def frame(self, place: int) -> pl.DataFrame:
        return self.rows.followed[place] if place < len(self.rows.followed) else self.rows.now

    def bases(self, place: int) -> list[Forecast]:
        """The models of buying as of a cut: half and half, and each alone."""
        never, fits = self._never(place), self.models(place)
        found = []
        for shares in SHARES:
            named = zip(MODELS, shares, strict=True)
            buying = [Buying(name, fits[name], share) for name, share in named if share or name == TELLS_ALIVE]
            found.append(Forecast(self.rows.event, tuple(buying), never, self.spends[place]))
        return found

    def _never(self, place: int) -> float:
        """Purchases a day of those who had not bought, in the window that ended last by then."""
        before = self.rows.followed[max(place - 1, 0)]
        held = ~Past.of(before, self.rows.event).bought
        return float(before["purchases"].to_numpy()[held].sum() / max(held.sum(), 1) / self.rows.days)

    def learned(self, base: Forecast, place: int) -> Forecast:
        """The same with a correction learned on every earlier cut."""
        key = (place, base.kind)
        if key not in self.corrections:
            days = self.rows.days
            rows = pl.concat(self.rows.followed[:place], how="diagonal_relaxed")
            alive, expected = base.base(Past.of(rows, base.event), days)
            self.corrections[key] = Correction.learned(rows, alive, expected, days, self.recipe, self.absent)
        return replace(base, correction=self.corrections[key])

    def again(self, chosen: Forecast, place: int) -> Forecast:
        """The chosen kind, fitted as of a later cut."""
        base = next(one for one in self.bases(place) if one.shares == chosen.shares)
        if not chosen.weight:
            return base
        fresh = self.learned(base, place)
        return replace(fresh, weight=chosen.weight if fresh.correction is not None else 0.0)

    def now(self, judged: Forecast) -> Forecast:
        """The judged forecast with its models of buying as of the end; its correction stays, so that no window it will
        be judged in again has taught it."""
        base = self.again(replace(judged, weight=0.0), len(self.rows.followed))
        return replace(base, correction=judged.correction, weight=judged.weight)


def train(
    rows: Rows, name: str, horizon_days: float, *, data: Mapping[str, Any], recipe: Recipe, load: Load, absent: Absent
) -> Trained:
    """Choose, judge, fit for good. `load` is `score.lifetime.load`. Raises NotReady with too few buyers, or when the
    stored form does not say the same as the fitted one (parity)."""
    last = len(rows.followed) - 1
    test = rows.followed[last]
    with threadpool_limits(1):
        trainer = _Trainer(rows, recipe, absent)
        chosen, told = _choose(trainer, range(max(1, last - CHOOSING), last))
        judged = trainer.again(chosen, last).with_typical(test, rows.days, recipe.seed)
        others = _others(trainer, chosen, last)
        final = trainer.now(judged).with_typical(rows.now, horizon_days, recipe.seed)
    stored = canonical(final.export(name, horizon_days))
    worst = parity(stored, load, final, rows.now, horizon_days, recipe.seed)
    came, worth = test["purchases"].to_numpy(), test["worth"].to_numpy()
    said, naive = judged.predict(test, rows.days), _naive(rows, rows.followed[last - 1], test)
    seen = judge.Seen(came, worth, Past.of(test, rows.event).bought)
    figures = {chosen.kind: judge.figures(said, seen, recipe)}
    rough = replace(recipe, resamples=recipe.resamples // 4)  # intervals of what is only shown beside it
    figures |= {one.kind: judge.figures(one.predict(test, rows.days), seen, rough) for one in others}
    figures |= {kind: judge.figures({"purchases": values}, seen, rough) for kind, values in naive.items()}
    told_of = {
        "kinds": figures,
        "chosen": chosen.kind,
        "chosen_by": told,
        "deciles": judge.deciles(said["spend"] if worth.any() else said["purchases"], came, worth),
        "parity": worst,
    }
    text = canonical(card(rows, final, trainer.models(last + 1), horizon_days, data=data, said=told_of, recipe=recipe))
    day = datetime.fromtimestamp(rows.end / 1_000_000, UTC).strftime("%Y%m%d")
    best = _better_naive(rows)
    return Trained(
        version=f"{day}-{hashlib.sha256(stored).hexdigest()[:12]}",
        kind=chosen.kind,
        model=stored,
        card=text,
        metrics=figures[chosen.kind],
        said=said["purchases"],
        naive=(best, naive[best]),
        test=test,
        days=rows.days,
        parity=worst,
    )


def _choose(trainer: _Trainer, places: range) -> tuple[Forecast, dict[str, Any]]:
    """The forecast with the lowest deviance over the windows after the cuts `places`. Both models of buying together,
    without a correction, stand unless another gains by more than noise (`NOISE`; the same people in several windows are one draw):
    combinations seldom lose."""
    if not any(trainer.rows.followed[place]["purchases"].sum() > 0 for place in places):
        raise NotReady("value: nobody bought in the windows before the last", missing={"purchases": 0})
    losses: dict[str, list[Numbers]] = {}
    kinds: dict[str, Forecast] = {}
    for place in places:
        rows = trainer.rows.followed[place]
        both, *alone = trainer.bases(place)
        learned = trainer.learned(both, place)
        weights = WEIGHTS if learned.correction is not None else WEIGHTS[:1]
        for one in (*(replace(learned, weight=weight) for weight in weights), *alone):
            said = one.predict(rows, trainer.rows.days)["purchases"]
            losses.setdefault(one.kind, []).append(judge.deviances(said, rows["purchases"].to_numpy()))
            kinds[one.kind] = one
    every = {kind: np.concatenate(found) for kind, found in losses.items() if len(found) == len(places)}
    people = np.concatenate([trainer.rows.followed[place]["user_id"].to_numpy() for place in places])
    standard = next(iter(every))
    best = min(every, key=lambda kind: round(float(every[kind].mean()), 9))
    gains = every[standard] - every[best]
    of = np.unique(people, return_inverse=True)[1]
    gain, error = float(gains.mean()), float(np.sqrt((np.bincount(of, gains - gains.mean()) ** 2).sum()) / len(gains))
    chosen = best if gain > NOISE * error else standard
    told = {"windows": len(places), "deviance": {kind: float(one.mean()) for kind, one in every.items()}}
    return kinds[chosen], told | {"standard": standard, "lowest": best, "gain": gain, "standard_error": error}


def _others(trainer: _Trainer, chosen: Forecast, place: int) -> list[Forecast]:
    """Other kinds as of a cut, to be shown beside the chosen one: models of buying alone, and the learned one in
    full."""
    bases = trainer.bases(place)
    mine = next(one for one in bases if one.shares == chosen.shares)
    full = [] if chosen.weight == 1.0 else [replace(trainer.learned(mine, place), weight=1.0)]
    return [one for one in (*bases, *full) if one.kind != chosen.kind]


def _naive(rows: Rows, before: pl.DataFrame, test: pl.DataFrame) -> dict[str, Numbers]:
    """What needs no model: everyone buys what the mean person bought in the window before; or each goes on at their
    own rate."""
    past = Past.of(test, rows.event)
    mean = float(before["purchases"].mean() or 0.0)  # type: ignore[arg-type]  # a float column
    return {
        "naive mean": np.full(test.height, mean),
        "naive own rate": np.where(past.bought, past.orders / np.maximum(past.age, rows.days) * rows.days, mean),
    }


def _better_naive(rows: Rows) -> str:
    """Which of them was the better one in the window before the last."""
    middle = rows.followed[-2]
    came = middle["purchases"].to_numpy()
    said = _naive(rows, rows.followed[-3], middle)
    return min(said, key=lambda name: float(judge.deviances(said[name], came).mean()))
