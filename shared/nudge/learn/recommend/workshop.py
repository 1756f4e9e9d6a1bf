"""Where parts are made: each with its best options on held-back cases, then again with the same options on more events.

In: `Interactions`, facts about items, options. Out: parts. Knows neither slices of time nor what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from nudge.learn.recommend import parts, search
from nudge.learn.recommend.cases import Cases
from nudge.learn.recommend.interactions import Interactions, Numbers
from nudge.learn.recommend.ranking import Part
from nudge.learn.recommend.recipe import Settings
from nudge.learn.recommend.search import Found
from nudge.learn.recommend.tables import Facts

POPULAR = ("popular", "popular_log")
"""Popularity as it is, and its logarithm: beside neighbours, a hundredfold popularity rarely means a hundredfold chance."""
LOG_SCALE = 1000.0


class Workshop:
    """Makes parts from events until a moment (µs)."""

    def __init__(self, data: Interactions, facts: Facts, settings: Settings, until: int) -> None:
        self.data, self.facts, self.settings, self.until = data, facts, settings, until

    @cached_property
    def _steps(self) -> list[sp.csr_matrix]:
        return parts.steps(self.data)

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[Mapping[str, float]], Part]]:
        return {
            "ease": lambda o: Part("ease", parts.ease(self.data, dense=self.settings.dense, **o), 1.0, dict(o)),
            "similar": lambda o: Part("similar", self._small(parts.similar(self.data, **o)), 1.0, dict(o)),
            "sequence": lambda o: Part(
                "sequence", self._small(parts.sequence(self.data, self._steps, **o)), 1.0, dict(o)
            ),
            "category": self._category,
            "popular": self._popular,
            "popular_log": lambda o: self._log(self._popular(o)),
        }

    def first(self, name: str) -> Part:
        """A part with the first value of each of its options."""
        return self._makers[name]({option: values[0] for option, values in self.settings.grids[name].items()})

    def choose(self, cases: Cases) -> list[Found]:
        """Every part that this data can have, with the options that were best on the cases. Popularity comes first."""
        said = self.settings
        cases = cases.some(said.search_cases)
        half_life = {"half_life": said.half_lives}
        popular = search.climb(self._popular, half_life, (1.0,), cases, said.k, said.least_gain)
        found = [popular, Found(self._log(popular.part), popular.score)]
        for name, grid in said.grids.items():
            if name != "category" or (self.facts.category >= 0).any():
                found.append(search.climb(self._makers[name], grid, said.decays, cases, said.k, said.least_gain))
        return found

    def blend(self, made: Sequence[Part], cases: Cases) -> tuple[Numbers, float]:
        """Weights of the parts, and the NDCG of the blend on the cases that chose them."""
        said = self.settings
        return search.blend(made, cases, k=said.k, pool=said.pool, rounds=said.rounds, least=said.least_gain)

    def again(self, made: Sequence[Part]) -> list[Part]:
        """The same parts, with the same options, of these events."""
        return [replace(self._makers[part.name](part.options), decay=part.decay) for part in made]

    def _small(self, matrix: sp.csr_matrix) -> Numbers | sp.csr_matrix:
        """Dense where the catalogue is small: such matrices are full, and dense products are faster."""
        return np.asarray(matrix.toarray()) if matrix.shape[0] <= self.settings.dense else matrix

    def _popular(self, options: Mapping[str, float]) -> Part:
        prior = parts.popular(self.data, options["half_life"], self.until)
        return Part("popular", None, 1.0, dict(options), prior=prior)

    def _log(self, part: Part) -> Part:
        prior = np.log1p(LOG_SCALE * np.asarray(part.prior)) / np.log1p(LOG_SCALE)
        return replace(part, name="popular_log", prior=prior)

    def _category(self, options: Mapping[str, float]) -> Part:
        popularity = parts.popular(self.data, self.settings.half_lives[0], self.until)
        matrix = parts.category(popularity, self.facts.category, len(self.facts.categories))
        return Part("category", matrix, 1.0, dict(options), rows=self.facts.category)
