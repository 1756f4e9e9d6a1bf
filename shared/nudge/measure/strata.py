"""Compared people of one activity come in, from one campaign or several; one estimate over all of them goes out.

Campaigns hold out shares of their own. Were people of two of them thrown together, the treated would hold more of the campaign that
holds out less, and the difference of the groups would be one of campaigns. So each stratum (all whose planned holdout is the same)
is compared within itself, and the totals are added; people stand in one stratum only (by their first decision), so errors add up as
squares. Knows no plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import polars as pl

from nudge.measure import chance, tally
from nudge.measure.lift import Arm, Estimate, Z

STRATUM = "planned"
"""Column of compared people: the share that was to be held out, where they were drawn."""
type Compare = Callable[[Arm, Arm], Estimate]
"""Treated and held people → the change a person."""


def arms(judged: pl.DataFrame) -> list[tuple[Arm, Arm]]:
    """Treated and held people of each stratum; of the only one, everybody. `judged` as of `tally.followed`."""
    if STRATUM not in judged.columns or judged[STRATUM].n_unique() < 2:
        return [(tally.arm(judged, "treatment"), tally.arm(judged, "holdout"))]
    parts = judged.sort(STRATUM, "user_id").partition_by(STRATUM, maintain_order=True)
    return [(tally.arm(part, "treatment"), tally.arm(part, "holdout")) for part in parts]


def total(pairs: Sequence[tuple[Arm, Arm]], compare: Compare) -> tuple[Estimate, int]:
    """The change of all treated people together, and how many treated people it speaks of."""
    each = [(compare(treated, held), treated.size) for treated, held in pairs]
    if len(each) == 1:
        return each[0][0].times(each[0][1]), each[0][1]
    known = [(one, size) for one, size in each if one.estimate is not None and one.low is not None]
    if not known:
        return Estimate(None, note=each[0][0].note if each else None), 0
    counted = sum(size for _, size in known)
    return summed([one.times(size) for one, size in known], of=len(each)), counted


def each_of(gain: Estimate, size: int) -> Estimate:
    """The change a person."""
    return gain.times(1 / size) if size else gain


def summed(parts: Sequence[Estimate], *, of: int) -> Estimate:
    """The sum of independent estimates that have intervals; `of` so many, where some could not be judged."""
    estimate = sum(one.estimate or 0.0 for one in parts)
    down = sqrt(sum(((one.estimate or 0.0) - (one.low or 0.0)) ** 2 for one in parts))
    up = sqrt(sum(((one.high or 0.0) - (one.estimate or 0.0)) ** 2 for one in parts))
    reach = down if estimate > 0 else up
    p = chance.z_test(Z * estimate / reach) if reach else None
    missing = of - len(parts)
    note = f"{missing} of {of} groups of campaigns cannot be judged yet and are not in it" if missing else _note(parts)
    return Estimate(estimate, estimate - down, estimate + up, p, note)


def _note(parts: Sequence[Estimate]) -> str | None:
    return next((one.note for one in parts if one.note), None)
