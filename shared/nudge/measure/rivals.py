"""Evidence and the activities of a goal come in; which does better than which goes out (see `contrasts`)."""

from __future__ import annotations

from typing import Any

import polars as pl

from nudge.measure import contrasts, tally
from nudge.measure.activities import planned_holdout
from nudge.measure.evidence import Evidence
from nudge.vocabulary import NOTHING, Goal


def compared(evidence: Evidence, goal: Goal, names: list[str], among: pl.DataFrame | None = None) -> dict[str, Any]:
    """Which activity of a goal does better than which (see `contrasts`), by people's first decisions for it."""
    asked = (evidence.decisions if among is None else among).filter(pl.col("goal") == goal.name)
    first = tally.first_choices(asked).join(
        asked.select("decision_id", "chosen", "propensity", "cost"), on="decision_id", how="left", maintain_order="left"
    )
    first = first.with_columns(pl.Series("kept", _kept(evidence, first), dtype=pl.Float64))
    seen = set(first["chosen"].to_list())
    told = evidence.told.join(first.select("decision_id"), on="decision_id", how="semi")
    named = [name for name in (*names, NOTHING) if name in seen]
    return contrasts.pairs(evidence.followed(first, goal), told, named)


def _kept(evidence: Evidence, first: pl.DataFrame) -> list[float]:
    """Of each decision, the share of people who were not to be held out from what was drawn."""
    activities = evidence.plan.activities
    return [
        1.0 - planned_holdout(evidence.plan, activities.get(chosen), campaign)
        for chosen, campaign in first.select("chosen", "campaign").iter_rows()
    ]
