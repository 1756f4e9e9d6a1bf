"""Sizes of two groups and the planned share come in; whether chance alone explains them goes out.

A sample that is not split as planned makes every comparison suspect, whatever its interval says.
"""

from __future__ import annotations

from dataclasses import dataclass

from nudge.measure import chance

ALARM = 0.001
"""Flag below this (Fabijan et al., Diagnosing Sample Ratio Mismatch, KDD 2019)."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Planned and observed share of the holdout, and the probability of a gap this wide or wider by chance."""

    planned: float
    observed: float | None
    p_value: float | None
    flagged: bool
    note: str | None = None


def sample_ratio(treated: int, held: int, planned: float) -> SampleRatio:
    """Exact binomial test of `held` among all against the planned share (0 to 1), two-sided."""
    people = treated + held
    if not people:
        return SampleRatio(planned, None, None, False, "nobody yet")
    p = chance.binomial(held, people, planned)
    flagged = p < ALARM
    note = (
        "the groups are not split as planned: do not trust the comparison until you know why "
        "(a holdout share that was changed on the way looks like this too)"
    )
    return SampleRatio(planned, held / people, p, flagged, note if flagged else None)
