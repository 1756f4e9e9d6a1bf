"""What a comparison could show, before it is made. In: a rate, two group sizes. Out: the smallest change that would be seen."""

from __future__ import annotations

from math import sqrt

Z, POWER_Z = 1.959963984540054, 0.8416212335729143
"""97.5 % and 80 % quantiles of the standard normal distribution: a two-sided test at 5 %, with a power of 80 %."""


def smallest_change(rate: float, treated: int, held: int) -> float | None:
    """Smallest change of a rate that groups of these sizes would show: (z₀.₉₇₅ + z₀.₈) × standard error, both groups near `rate`
    (J. Cohen, Statistical Power Analysis, 1988, ch. 2), as `lift.smallest_detectable` says it afterwards. None where a group
    has fewer than two people, or the rate leaves nothing to see."""
    if treated < 2 or held < 2 or not 0 < rate < 1:
        return None
    return (Z + POWER_Z) * sqrt(rate * (1 - rate) * (1 / treated + 1 / held))
