"""Where parts are made, by name and options.

In: `Interactions`, facts about items, options. Out: parts. Knows neither cases nor what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from nudge.learn.recommend import parts
from nudge.learn.recommend.interactions import Interactions, Numbers
from nudge.learn.recommend.ranking import Part
from nudge.learn.recommend.recipe import Settings
from nudge.learn.recommend.tables import Facts

POPULAR = ("popular", "popular_log")
"""Parts that are the same for everybody: popularity as it is, and its logarithm: beside neighbours, a hundredfold popularity rarely means a hundredfold chance."""
LOG_SCALE = 1000.0


class Workshop:
    """Makes parts from events until a moment (µs)."""

    def __init__(self, data: Interactions, facts: Facts, settings: Settings, until: int) -> None:
        self.data, self.facts, self.settings, self.until = data, facts, settings, until
        self._together: tuple[float, sp.csr_matrix] | None = None

    @cached_property
    def _steps(self) -> list[sp.csr_matrix]:
        return parts.steps(self.data)

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[Mapping[str, float]], Part]]:
        return {
            "ease": lambda o: Part("ease", parts.ease(self.data, dense=self.settings.dense, **o), 1.0, dict(o)),
            "similar": lambda o: Part("similar", self._small(self._similar(**o)), 1.0, dict(o)),
            "sequence": lambda o: Part(
                "sequence", self._small(parts.sequence(self.data, self._steps, **o)), 1.0, dict(o)
            ),
            "category": self._category,
            "popular": self._popular,
            "popular_log": lambda o: self._log(self._popular(o)),
        }

    def make(self, name: str, options: Mapping[str, float]) -> Part:
        """A part by its name, with decay 1."""
        return self._makers[name](options)

    def _small(self, matrix: sp.csr_matrix) -> Numbers | sp.csr_matrix:
        """Dense where the catalogue is small: such matrices are full, and dense products are faster."""
        return np.asarray(matrix.toarray()) if matrix.shape[0] <= self.settings.dense else matrix

    def _similar(self, *, damp: float, shrink: float, source: float, target: float) -> sp.csr_matrix:
        """The product that takes longest depends on one option alone, and the latest is kept: the others are tried at the best."""
        if self._together is None or self._together[0] != damp:
            self._together = (damp, parts.together(self.data, damp))
        return parts.similar_of(self._together[1], shrink=shrink, source=source, target=target)

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
