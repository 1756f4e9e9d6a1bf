"""One recommender's training: events in, the blend of all parts out, chosen on a held-back slice and judged on a later one.

Each part's options, and how much of each is blended, are found on the middle slice (fitted on what lies before it). The stored form is
fitted on both, and judged on the last slice, which nothing has seen: against popularity alone, against each part alone, and against the
model in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nudge.errors import NotReady
from nudge.learn.export import FORMAT, canonical
from nudge.learn.recommend import cases as asked
from nudge.learn.recommend import tables
from nudge.learn.recommend.cases import Cases
from nudge.learn.recommend.interactions import Interactions, Numbers
from nudge.learn.recommend.parity import Load, parity
from nudge.learn.recommend.ranking import Part, ndcg
from nudge.learn.recommend.recipe import Rules, Settings
from nudge.learn.recommend.search import Fold, Found, Search
from nudge.learn.recommend.tables import Facts
from nudge.learn.recommend.workshop import POPULAR, Workshop

KIND = "recommend"
NO_FACTS = Facts([], np.zeros(0, dtype=int), [], [], [])


type Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Slices:
    """What may be learned from while choosing, with the cases that choose, fold by fold; what may be learned from in the end, and the
    cases that judge (None: somebody else does)."""

    first: Sequence[tuple[Interactions, Cases]]
    both: Interactions
    last: Cases | None
    until: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger: its artefact, its weights by part, NDCG by part on the middle slice, and on the last one NDCG of each case."""

    artefact: dict[str, Any]
    stored: bytes
    weights: dict[str, float]
    options: dict[str, dict[str, float]]
    chosen_by: dict[str, float]
    parity: float
    judged: dict[str, Numbers]
    people: Numbers
    counts: dict[str, int]


def train(
    events: pl.DataFrame,
    facts: Callable[[list[str]], Facts],
    rules: Rules,
    *,
    name: str,
    settings: Settings,
    seed: int,
    load: Load,
    catalogue: Sequence[str] = (),
    present: Mapping[str, Any] | None = None,
    tell: Told = lambda step: None,
) -> Trained:
    """Train a recommender.

    Parameters
    ----------
    events
        `user_id item_id event_type at` (µs), in order of time as far as it is known.
    facts
        What is known of items, by their ids.
    catalogue
        Items that may not have been met yet: they have a category, and no neighbours.
    present
        The artefact in force, to be judged on the same cases.

    Raises NotReady with what is missing: too few cases in a slice, or a stored form that scores differently.
    """
    with threadpool_limits(1):  # sums made in parallel depend on the number of threads; the bytes must not
        data = Interactions.of(events, rules.bought, most=settings.items, also=catalogue)
        data, strengths = _strengths(data, rules, settings, seed)
        known = facts(data.items)
        tell("choosing")
        slices = _slices(data, rules, settings, seed)
        folds = [Fold(Workshop(one, known, settings, slices.until[0]), cases) for one, cases in slices.first]
        found, weights, score = _choose(Search(folds, settings), settings, categories=bool((known.category >= 0).any()))
        tell("fitting")
        shop = Workshop(slices.both, known, settings, slices.until[1])
        final = [replace(shop.make(one.name, one.options), decay=one.decay) for one in found]
        artefact = _artefact(final, weights, data, known, rules, strengths, name, settings, slices.until[1])
        stored = canonical(artefact)
        tell("judging")
        worst = parity(artefact, load, data.items, slices.last or folds[0].cases, seed)
        judged = {} if slices.last is None else _judged(artefact, final, data, slices.last, present, settings.k)
    return Trained(
        artefact,
        stored,
        {part.name: float(weight) for part, weight in zip(final, weights.tolist(), strict=True)},
        {one.name: {**one.options, "decay": one.decay} for one in found},
        {one.name: one.score for one in found} | {"blend": score},
        worst,
        judged,
        np.zeros(0, dtype=int) if slices.last is None else slices.last.people,
        {"events": len(data), "people": len(data.people), "items": len(data.items)}
        | {
            "cases_choose": sum(fold.cases.count for fold in folds),
            "cases_judge": slices.last.count if slices.last else 0,
        },
    )


def _strengths(
    data: Interactions, rules: Rules, settings: Settings, seed: int
) -> tuple[Interactions, dict[str, float]]:
    """Events with strengths: those of the plan; the event that counts as buying has 1; one value for all others is chosen by what the
    simplest neighbours make of it on the middle slice."""
    said = {rules.bought: 1.0, **rules.events}
    others = [kind for kind in data.kinds if kind not in said]
    if not others:
        return data.weighted(said), {kind: said[kind] for kind in data.kinds}
    tried: list[tuple[float, int, Interactions, dict[str, float]]] = []
    grid = {option: values[:1] for option, values in settings.grids["similar"].items()}
    for value in settings.strengths:
        events = {kind: said.get(kind, value) for kind in data.kinds}
        weighted = data.weighted(events)
        slices = _slices(weighted, rules, replace(settings, cases=settings.search_cases, folds=1), seed)
        folds = [Fold(Workshop(one, NO_FACTS, settings, slices.until[0]), cases) for one, cases in slices.first]
        score = Search(folds, settings).climb("similar", grid, settings.decays[:1]).score
        tried.append((score, -len(tried), weighted, events))
    _, _, weighted, events = max(tried, key=lambda one: one[:2])
    return weighted, events


def _choose(search: Search, settings: Settings, *, categories: bool) -> tuple[list[Found], Numbers, float]:
    """Every part that this data can have, with its best options; the weights of the blend, and its NDCG. Popularity comes first."""
    popular = search.climb(POPULAR[0], {"half_life": settings.half_lives}, (1.0,))
    found = [popular, replace(popular, name=POPULAR[1])]
    for name, grid in settings.grids.items():
        if name != "category" or categories:
            found.append(search.climb(name, grid, settings.decays))
    weights, score = search.blend(found)
    return found, weights, score


def _slices(data: Interactions, rules: Rules, settings: Settings, seed: int) -> Slices:
    if settings.scheme == "time":
        return _by_time(data, rules, settings, seed)
    first = []
    for fold in range(settings.folds if settings.scheme == "random" else 1):
        if settings.scheme == "last":
            # few people are asked more than once; of many, as few steps as may be are kept from what is fitted
            steps = min(settings.steps, max(1, settings.cases // max(len(data.people), 1)))
            kept, questions = asked.by_last(data, steps, settings.cases, seed)
        else:
            kept, questions = asked.by_chance(data, settings.left_out, settings.cases, seed + fold)
        first.append((data.only(kept), asked.collect(data, questions, again=rules.again, settings=settings)))
        _enough(first[-1][1], settings, "held back")
    end = int(data.time.max()) + 1
    return Slices(first, data, None, (end, end))


def _by_time(data: Interactions, rules: Rules, settings: Settings, seed: int) -> Slices:
    """The last share of what was bought judges, the share before it chooses; of what is left the parts are fitted first."""
    bought = np.sort(data.time[data.bought])
    if len(bought) < settings.fewest_cases:
        raise NotReady(
            f"too little was bought to recommend from: {len(bought)} events",
            missing={"bought": len(bought), "needed": settings.fewest_cases},
        )
    share = settings.slice_share
    first, second = (int(bought[int(len(bought) * (1 - number * share))]) for number in (2, 1))
    end = int(data.time.max()) + 1
    slices = []
    for number, (since, until) in enumerate(((first, second), (second, end))):
        questions = asked.by_time(data, since, until, settings.cases, seed + number)
        slices.append(asked.collect(data, questions, again=rules.again, settings=settings))
        _enough(slices[-1], settings, ("middle", "last")[number])
    before = data.only(data.time < first), data.only(data.time < second)
    return Slices([(before[0], slices[0])], before[1], slices[1], (first, second))


def _enough(cases: Cases, settings: Settings, which: str) -> None:
    if cases.count < settings.fewest_cases:
        raise NotReady(
            f"too few people bought something new in the {which} slice: {cases.count}",
            missing={"cases": cases.count, "needed": settings.fewest_cases},
        )


def _artefact(
    parts: Sequence[Part],
    weights: Numbers,
    data: Interactions,
    facts: Facts,
    rules: Rules,
    strengths: Mapping[str, float],
    name: str,
    settings: Settings,
    until: int,
) -> dict[str, Any]:
    counts, scale = tables.popularity(parts, weights, len(data.items))
    made = {
        "format": FORMAT,
        "kind": KIND,
        "name": name,
        "until": until,
        "items": data.items,
        "categories": facts.categories,
        "category": facts.category.tolist(),
        "about": facts.about,
        "out": facts.out,
        "windows": [list(one) for one in facts.windows],
        "popularity": counts,
        "popularity_scale": scale,
        "tables": tables.tables(parts, weights, len(data.items), most=settings.neighbours, entries=settings.entries),
        "events": dict(strengths),
        "bought": rules.bought,
        "again": rules.again,
        "per_category": rules.per_category,
    }
    return tables.ordered(made)


def _judged(
    artefact: Mapping[str, Any],
    parts: Sequence[Part],
    data: Interactions,
    cases: Cases,
    present: Mapping[str, Any] | None,
    k: int,
) -> dict[str, Numbers]:
    """NDCG of each case of the last slice: the stored form, each part alone, and the model in force."""
    found = {"blend": ndcg(tables.placed(artefact, data.items), cases, k)}
    found |= {part.name: ndcg([part], cases, k) for part in parts if part.name != "popular_log"}
    if present is not None:
        found["present"] = ndcg(tables.placed(present, data.items), cases, k)
    return found
