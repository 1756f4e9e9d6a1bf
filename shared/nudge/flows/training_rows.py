"""The lake → training rows of a goal. Here the batch executor of profile and the labels of learn meet.

In: a copy of the lake. Out: frames of rows (`learn.labels`), as of several moments. Events of each person count once; only
those strictly before a moment become features. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from nudge.flows.lake_copy import LakeCopy
from nudge.learn import Recipe, labels, moments, traits
from nudge.profile import batch
from nudge.vocabulary import DAY, Goal, Micros

LATELY = 28 * DAY
DECIDED = 100
"""So many logged decisions tell more than people who were asked nothing."""


@dataclass(frozen=True)
class History(LakeCopy):
    """What happened, as rows to learn from: what all trainings of one run share."""

    def rows(self, goal: Goal, recipe: Recipe) -> tuple[list[pl.DataFrame], list[Micros]]:
        """Rows of every cut, and of every logged decision whose window is over; and the cuts, oldest first."""
        goals = labels.happened(self.events, goal)
        decided = labels.decided(self.log.decisions, goal, self.end)
        treated = labels.treated(self.log.done, goal)
        parts: list[pl.DataFrame] = []
        if goal.after is None:
            cuts = labels.cuts(goal, self.first, self.end, recipe.cuts)
            parts += [labels.history(self._known(as_of), goals, goal, as_of, treated) for as_of in cuts]
        else:
            asked = moments.following(self.events, goal)
            rounds = list(moments.rounds(asked, self.end, labels.window_of(goal), recipe.cuts))
            cuts = moments.cuts(rounds)
            for one in rounds:
                links = one.join(asked, on=["user_id", "at"], how="left", maintain_order="left_right")
                parts.append(labels.history(self._known(one), goals, goal, links, treated))
            decided = moments.linked(decided, asked)
        if decided.height:
            parts.append(
                labels.logged(self.log.recorded(decided), goals, goal, recipe.inverse_propensity, self.log.share)
            )
        members = labels.members(self.events, goal)
        return [labels.among(part, members) for part in parts], cuts

    def population(self, goal: Goal) -> pl.DataFrame:
        """Everyone as of the end of the data, if nothing were done: whom a model of the goal is for. For a goal that stands
        after an event: each person as of just after the latest such event of the last `LATELY`."""
        if goal.after is None:
            known = self._everyone
        else:
            asked = moments.following(self.events, goal).filter(pl.col("at") >= self.end - LATELY)
            known = self._known(next(moments.rounds(asked, self.end, 0, 1), asked.select("user_id", "at")))
        members = labels.members(self.events, goal)
        return labels.among(labels.undecided(known), members, self.end).sort("user_id")

    @cached_property
    def _everyone(self) -> pl.DataFrame:
        """What is known of everyone at the end: every goal asks for it."""
        return self._known(self.end)

    def matured(self, goal: Goal, since: Micros) -> pl.DataFrame:
        """What came of it since: labelled rows whose windows reach beyond `since` and are over. Logged decisions where there
        are `DECIDED` of them; else everyone, as of one window before the end, when that is not before `since`."""
        found = self._matured(goal, since)
        return labels.among(found, labels.members(self.events, goal)) if found.height else found

    def _matured(self, goal: Goal, since: Micros) -> pl.DataFrame:
        goals, window = labels.happened(self.events, goal), labels.window_of(goal)
        decided = labels.decided(self.log.decisions, goal, self.end).filter(pl.col("at") + window > since)
        asked = moments.following(self.events, goal).filter(pl.col("at") >= since) if goal.after is not None else None
        if decided.height >= DECIDED:
            linked = decided if asked is None else moments.linked(decided, asked)
            return labels.logged(self.log.recorded(linked), goals, goal, None)
        treated = labels.treated(self.log.done, goal)
        if asked is not None:
            for one in moments.rounds(asked, self.end, window, 1):
                links = one.join(asked, on=["user_id", "at"], how="left", maintain_order="left_right")
                return labels.history(self._known(one), goals, goal, links, treated)
        elif self.end - window >= since:
            return labels.history(self._known(self.end - window), goals, goal, self.end - window, treated)
        return pl.DataFrame(schema={"label": pl.Float64})

    def _known(self, as_of: Micros | pl.DataFrame) -> pl.DataFrame:
        """What was known of everyone at a moment, or of each person of a frame `user_id at` at the person's own."""
        moment = as_of if isinstance(as_of, int) else as_of.rename({"at": "as_of"})
        return traits.known(self.traits, batch.vectors(self.events, moment), as_of)

    def data(self, cuts: list[Micros]) -> dict[str, Any]:
        """The snapshot, for card and manifest."""
        said = {"first_event": self.first, "end": self.end, "cuts": cuts}
        log = {"made": self.log.count, "read": self.log.decisions.height}
        return said | {"rows": self.counts, "decisions": log, "snapshot": self.snapshot}
