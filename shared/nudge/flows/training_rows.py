"""The lake → training rows of a goal: who was asked when, and what came of it.

In: a copy of the lake. Out: frames of rows (`learn.labels`), as of several moments, without their features: what is learned from is
drawn first, and `filled` makes the features of those rows alone. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from nudge.flows.training_features import ROUND, Features
from nudge.learn import Recipe, labels, moments
from nudge.vocabulary import DAY, Goal, Micros

LATELY = 28 * DAY
DECIDED = 100
"""So many logged decisions tell more than people who were asked nothing."""


@dataclass(frozen=True)
class History(Features):
    """What happened, as rows to learn from: what all trainings of one run share."""

    def rows(self, goal: Goal, recipe: Recipe) -> tuple[list[pl.DataFrame], list[Micros]]:
        """Rows of every cut, and of every logged decision whose window is over; and the cuts, oldest first."""
        goals = labels.happened(self.events, goal)
        decided = labels.decided(self.log.decisions, goal, self.end)
        if goal.after is None:
            cuts = labels.cuts(goal, self.first, self.end, recipe.cuts)
            rounds = [self.people(cut) for cut in cuts]
        else:
            asked = moments.following(self.events, goal)
            found = list(moments.rounds(asked, self.end, labels.window_of(goal), recipe.cuts))
            rounds, cuts = [_linked(one, asked) for one in found], moments.cuts(found)
            decided = moments.linked(decided, asked)
        parts = self._undone(goal, goals, rounds)
        if decided.height:
            logged = labels.outcomes(decided, goals, goal, recipe.inverse_propensity, self.log.share)
            parts.append(_in_round(logged, None))
        members = labels.members(self.events, goal)
        return [labels.among(part, members) for part in parts], cuts

    def population(self, goal: Goal) -> pl.DataFrame:
        """Everyone as of the end of the data, if nothing were done: whom a model of the goal is for. For a goal that stands
        after an event: each person as of just after the latest such event of the last `LATELY`."""
        if goal.after is None:
            people = self.people(self.end)
        else:
            asked = moments.following(self.events, goal).filter(pl.col("at") >= self.end - LATELY)
            people = next(moments.rounds(asked, self.end, 0, 1), asked.select("user_id", "at"))
        members = labels.members(self.events, goal)
        return _in_round(labels.among(labels.undecided(people), members, self.end).sort("user_id"), 0)

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
            return _in_round(labels.outcomes(linked, goals, goal, None), None)
        if asked is not None:
            rounds = [_linked(one, asked) for one in moments.rounds(asked, self.end, window, 1)]
        else:
            rounds = [self.people(at) for at in (self.end - window,) if at >= since]
        return next(iter(self._undone(goal, goals, rounds)), pl.DataFrame(schema={"label": pl.Float64}))

    def _undone(self, goal: Goal, goals: pl.DataFrame, rounds: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
        """Rows of each round (`user_id at`, and what it was about), of those for whom nothing was done."""
        treated = labels.treated(self.log.done, goal)
        people = [one.select("user_id").unique(maintain_order=True) for one in rounds]
        made = [labels.history(who, goals, goal, one, treated) for who, one in zip(people, rounds, strict=True)]
        return [_in_round(one, number) for number, one in enumerate(made)]

    def data(self, cuts: list[Micros]) -> dict[str, Any]:
        """The snapshot, for card and manifest."""
        said = {"first_event": self.first, "end": self.end, "cuts": cuts}
        log = {"made": self.log.count, "read": self.log.decisions.height}
        return said | {"rows": self.counts, "decisions": log, "snapshot": self.snapshot}


def _linked(one: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """A round with what each moment was about."""
    return one.join(asked, on=["user_id", "at"], how="left", maintain_order="left_right")


def _in_round(rows: pl.DataFrame, number: int | None) -> pl.DataFrame:
    return rows.with_columns(pl.lit(number, pl.Int32).alias(ROUND))
