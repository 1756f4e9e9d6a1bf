"""Estimates, groups and counts come in; the plain JSON values of a report go out."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import Any

import polars as pl

from nudge.measure import lift, sequence, tally
from nudge.measure.lift import Arm, Estimate
from nudge.measure.ratio import SampleRatio
from nudge.vocabulary import FINAL_STATES

TOP_REASONS = 5


def number(value: float | None) -> float | None:
    """A figure as it is written down: six decimals, so that the order of additions leaves no trace; None if not finite."""
    return None if value is None or not isfinite(value) else round(float(value), 6) + 0.0


def estimate(one: Estimate, people: int | None = None) -> dict[str, Any]:
    """An estimate as JSON; with `sequence`, the interval that may be read every day, where it rests on so many people."""
    said = {
        "estimate": number(one.estimate),
        "low": number(one.low),
        "high": number(one.high),
        "p_value": number(one.p_value),
        "note": one.note,
    }
    if people is None:
        return said
    daily = sequence.anytime(one, people)
    return {
        **said,
        "sequence": {
            "low": number(daily.low),
            "high": number(daily.high),
            "p_value": number(sequence.p_value(one, people)),
        },
    }


def reading(ended: bool) -> dict[str, str]:
    """Which of the two intervals is to be read now, and why."""
    if ended:
        return {"interval": "fixed", "why": "it has ended, on the day the plan said, and every window is over"}
    return {"interval": "sequence", "why": "it still runs, and may be read every day"}


def by_name(values: list[Any], names: tuple[str, ...]) -> dict[str, int]:
    counted = Counter(values)
    return {name: counted[name] for name in names}


def group(arm: Arm) -> dict[str, Any]:
    low, high = lift.wilson(arm.conversions, arm.size)
    rate = arm.conversions / arm.size if arm.size else None
    return {
        "people": arm.size,
        "converted": arm.conversions,
        "rate": number(rate),
        "rate_low": number(low) if arm.size else None,
        "rate_high": number(high) if arm.size else None,
        "value": number(float(arm.values.sum())),
        "value_per_person": number(float(arm.values.mean())) if arm.size else None,
    }


def messages(sent: pl.DataFrame) -> dict[str, Any]:
    states = Counter(sent["state"].to_list())
    why = Counter(
        (state, reason)
        for state, reason in sent.select("state", "why").rows()
        if state in ("skipped", "failed", "unknown") and reason
    )
    return {
        **{state: states[state] for state in FINAL_STATES},
        "not_final": states[None],
        **{name: int(sent[name].sum()) for name in (*tally.REACTIONS, *tally.MACHINES)},
        "reasons": [
            {"state": state, "reason": reason, "count": count}
            for (state, reason), count in sorted(why.items(), key=lambda one: (-one[1], one[0]))[:TOP_REASONS]
        ],
    }


def split(ratio: SampleRatio, people: pl.DataFrame) -> dict[str, Any]:
    return {
        "planned_holdout": number(ratio.planned),
        "observed_holdout": number(ratio.observed),
        "p_value": number(ratio.p_value),
        "flagged": ratio.flagged,
        "plan_versions": people["plan_version"].n_unique(),
        "note": ratio.note,
    }


def detectable(treated: Arm, held: Arm) -> dict[str, Any]:
    worth, rate = lift.smallest_detectable(treated, held)
    unknown = worth is None
    return {
        "value": number(None if worth is None else worth * treated.size),
        "value_per_person": number(worth),
        "rate": number(rate),
        "note": "needs at least two people in each group, and some spread" if unknown else None,
    }


def credited_to(credited: pl.DataFrame, activity: str) -> dict[str, Any]:
    own = credited.filter(pl.col("activity") == activity)
    return {
        "kind": "last_touch",
        "conversions": int(own["conversions"].sum()),
        "value": number(float(own["value"].sum())),
    }
