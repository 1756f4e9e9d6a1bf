"""A plan and the lake's frames come in; what every part of a report asks of them goes out, each computed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import polars as pl

from nudge.measure import attribution, tally
from nudge.measure.frames import each_decision_once, each_event_once, empty
from nudge.measure.records import TOLD
from nudge.vocabulary import Goal, Micros, Plan


@dataclass(frozen=True)
class Evidence:
    """What is known at `now`: the plan in force, the rows of the lake (see `frames`; rows may stand there twice), and what the records
    of the decisions tell (`records.TOLD`)."""

    plan: Plan
    decisions: pl.DataFrame
    events: pl.DataFrame
    outcomes: pl.DataFrame
    now: Micros
    told: pl.DataFrame = field(default_factory=lambda: empty(TOLD))
    happened: dict[str, pl.DataFrame] = field(init=False, default_factory=dict)
    asked: dict[str, pl.DataFrame] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        at = tally.moment(self.now)
        once = each_decision_once(self.decisions).filter(pl.col("decided_at") <= at)
        events = each_event_once(self.events).filter(pl.col("event_time") <= at)
        campaigns = self.told.select("decision_id", "campaign")
        object.__setattr__(self, "decisions", once.join(campaigns, on="decision_id", how="left", maintain_order="left"))
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "outcomes", each_event_once(self.outcomes))
        for goal in self.plan.goals.values():
            self.happened[goal.name] = tally.goal_events(events, goal, self.plan.currency)
            self.asked[goal.name] = tally.questions(events, goal)

    def followed(
        self, people: pl.DataFrame, goal: Goal, *, whole: bool = False, until: datetime | None = None
    ) -> pl.DataFrame:
        """What these people did about a goal since their decisions, until now or `until` (see `tally.followed`)."""
        happened, asked = self.happened[goal.name], self.asked[goal.name]
        return tally.followed(people, happened, goal, until=until or tally.moment(self.now), whole=whole, asked=asked)

    @cached_property
    def unmixed(self) -> pl.DataFrame:
        """The ids of decisions by which activities are compared (`tally.unmixed`)."""
        owed = [one.name for one in self.plan.activities.values() if one.transactional]
        return tally.unmixed(self.decisions, self.plan.campaigns, owed).select("decision_id")

    @cached_property
    def messages(self) -> pl.DataFrame:
        return tally.messages(self.decisions, self.outcomes)

    @cached_property
    def touches(self) -> pl.DataFrame:
        return attribution.touches(self.outcomes, self.messages)

    def credited(self, goal: Goal) -> pl.DataFrame:
        """Each goal event that a last touch is credited with (`attribution.last_touches`); of an `absent` goal there is none."""
        happened = self.happened[goal.name]
        return attribution.last_touches(self.touches, happened.clear() if goal.absent else happened, goal)
