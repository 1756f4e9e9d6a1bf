"""How many people are where on a campaign's way, and what became of the others. In: a campaign's name. Out: counts, as plain JSON values.

Those under way are counted as they stand now; those who ended were counted as they ended, each once.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from nudge.decide import journey as journeys
from nudge.decide.journey import Journey
from nudge.ports import Journeys

BEGUN = "begun"
NOT_BEGUN = ("answered", "audience", "late", "paused")
"""Why somebody whom an event called did not begin: the other event came, not of the audience, looked at too late, paused meanwhile."""


def figures(store: Journeys, campaign: str) -> dict[str, Any] | None:
    """`begun`, `called` (not certain yet that they begin), `under_way` (by step), `ended` and `not_begun` (by reason); None where
    nobody was ever called."""
    here, tallies = list(store.under_way(campaign)), store.tallies(campaign)
    if not here and not tallies:
        return None
    told = {word: count for word, count in tallies.items() if word != BEGUN}
    steps = Counter(_step(one) for one in here if one.state == "going")
    return {
        "begun": tallies.get(BEGUN, 0),
        "called": sum(one.state == "watching" for one in here),
        "under_way": dict(sorted(steps.items())),
        "ended": {word: count for word, count in told.items() if word not in NOT_BEGUN},
        "not_begun": {word: count for word, count in told.items() if word in NOT_BEGUN},
    }


def _step(one: Journey) -> str:
    """The step that somebody is at, as `3.yes.1 wait`; `end` behind the last."""
    step = journeys.step_at(one.steps, one.stand.place)
    return "end" if step is None else f"{journeys.said(one.stand.place)} {step.kind} {step.name}".strip()
