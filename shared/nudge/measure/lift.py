"""Two groups that chance made come in; what the treatment changed, and how sure we are, goes out.

Every interval is a 95 % interval. People are the unit, intention to treat: who was to be treated counts as treated.
Knows no plan, no frame of the lake and no currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass
from math import inf, isfinite, sqrt

import numpy as np
import numpy.typing as npt
import polars as pl

from nudge.measure import chance

type Numbers = npt.NDArray[np.float64]

Z = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""
POWER_Z = 0.8416212335729143
"""80 % quantile: the power at which a smallest detectable effect is stated."""
FEW = 5
"""Below this many people on either side of a yes or no, a normal approximation is not trusted."""
FEW_PEOPLE = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where the data cannot say, and then `note` says why."""

    estimate: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    note: str | None = None

    def times(self, factor: float) -> Estimate:
        """The same in another unit; of a loss (`factor` < 0) the ends change places."""
        low, high = (self.low, self.high) if factor >= 0 else (self.high, self.low)
        return replace(self, estimate=_times(self.estimate, factor), low=_times(low, factor), high=_times(high, factor))


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


@dataclass(frozen=True, slots=True)
class Arm:
    """The people of one group: what each was worth in the window, who did it, and what each was worth before it."""

    values: Numbers
    converted: npt.NDArray[np.bool_]
    before: Numbers
    people: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def conversions(self) -> int:
        return int(self.converted.sum())


def wilson(successes: int, size: int) -> tuple[float, float]:
    """95 % score interval of a rate (E. B. Wilson, JASA 22, 1927)."""
    if size == 0:
        return 0.0, 1.0
    rate, z2 = successes / size, Z * Z
    middle = (rate + z2 / (2 * size)) / (1 + z2 / size)
    half = Z / (1 + z2 / size) * sqrt(rate * (1 - rate) / size + z2 / (4 * size * size))
    return max(0.0, middle - half), min(1.0, middle + half)


def rates(treated: Arm, held: Arm) -> Estimate:
    """Difference of conversion rates, per person.

    Interval: Newcombe's hybrid score (Statistics in Medicine 17, 1998, method 10), which stays sensible with few or no
    conversions. p: Fisher's exact test where a cell is below 5, else the pooled z test.
    """
    if not treated.size or not held.size:
        return Estimate(None, note=_missing(treated, held))
    p1, p2 = treated.conversions / treated.size, held.conversions / held.size
    low1, high1 = wilson(treated.conversions, treated.size)
    low2, high2 = wilson(held.conversions, held.size)
    change = p1 - p2
    return Estimate(
        change,
        change - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2),
        change + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2),
        _p_of_rates(treated, held),
        _few(treated, held),
    )


def _p_of_rates(treated: Arm, held: Arm) -> float:
    if _smallest_cell(treated, held) < FEW:
        return chance.fisher(treated.conversions, treated.size, held.conversions, held.size)
    pooled = (treated.conversions + held.conversions) / (treated.size + held.size)
    error = sqrt(pooled * (1 - pooled) * (1 / treated.size + 1 / held.size))
    return chance.z_test((treated.conversions / treated.size - held.conversions / held.size) / error)


def _smallest_cell(treated: Arm, held: Arm) -> int:
    return min(count for arm in (treated, held) for count in (arm.conversions, arm.size - arm.conversions))


def means(treated: Numbers, held: Numbers) -> Estimate:
    """Difference of means, per person, with Welch's interval and test (B. L. Welch, Biometrika 34, 1947).

    Two people a group at least; no spread at all gives no interval, because none would be honest.
    """
    if len(treated) < 2 or len(held) < 2:
        return Estimate(None, note="needs at least two people in each group")
    change = float(treated.mean() - held.mean())
    error, freedom = _welch(treated, held)
    if error == 0:
        return Estimate(change, note="no spread within the groups, so no interval can be computed from it")
    half = chance.t_quantile(0.975, freedom) * error
    return Estimate(change, change - half, change + half, chance.t_test(change / error, freedom))


def _welch(treated: Numbers, held: Numbers) -> tuple[float, float]:
    """Standard error of the difference, and Welch–Satterthwaite degrees of freedom."""
    one, two = treated.var(ddof=1) / len(treated), held.var(ddof=1) / len(held)
    if not one + two > 0:
        return 0.0, inf
    share = float(one / (one + two))
    freedom = 1 / (share**2 / (len(treated) - 1) + (1 - share) ** 2 / (len(held) - 1))
    return sqrt(one + two), freedom


def value(treated: Arm, held: Arm, worth: float | None = None) -> Estimate:
    """Change of value per person. `worth` is what one conversion is worth where the plan fixes it.

    Welch's interval, and where few converted (or all) also the interval of the rates times the value of one conversion:
    the wider end of the two on each side, because a variance seen on a handful of buyers is not to be trusted.
    """
    plain = means(treated.values, held.values)
    note = _few(treated, held)
    if plain.estimate is None or note is None:
        return plain
    buyers = treated.conversions + held.conversions
    if worth is None and buyers == 0:
        return Estimate(plain.estimate, note="nobody has converted yet, so nobody knows what a conversion is worth")
    each = worth if worth is not None else max(float(treated.values.sum() + held.values.sum()) / buyers, 0.0)
    wide = rates(treated, held).times(each)
    lows = [
        low for low in (plain.low, wide.low, plain.estimate) if low is not None
    ]  # amounts may differ where rates do not
    highs = [high for high in (plain.high, wide.high, plain.estimate) if high is not None]
    p = plain.p_value if plain.p_value is not None else wide.p_value
    return Estimate(plain.estimate, min(lows), max(highs), max(p or 0.0, wide.p_value or 0.0), note)


def roi(gain: Estimate, cost: float) -> Estimate:
    """(incremental value − cost) / cost, the cost taken as known. None when it costs nothing."""
    if not isfinite(cost) or cost <= 0:
        return Estimate(None, note="it cost nothing, so there is no ratio")
    if gain.estimate is None:
        return Estimate(None, note=gain.note)
    ends = [None if end is None else (end - cost) / cost for end in (gain.estimate, gain.low, gain.high)]
    return Estimate(ends[0], ends[1], ends[2], None, gain.note)


def smallest_detectable(treated: Arm, held: Arm) -> tuple[float | None, float | None]:
    """Smallest change (of value per person, of the rate) that these groups would show with 80 % power at 5 %, two-sided:
    (z₀.₉₇₅ + z₀.₈) × standard error (J. Cohen, Statistical Power Analysis, 1988, ch. 2). None where unknown."""
    if treated.size < 2 or held.size < 2:
        return None, None
    error, _ = _welch(treated.values, held.values)
    pooled = (treated.conversions + held.conversions) / (treated.size + held.size)
    of_rate = sqrt(pooled * (1 - pooled) * (1 / treated.size + 1 / held.size))
    reach = Z + POWER_Z
    return (reach * error if error else None), (reach * of_rate if of_rate else None)


def together(parts: Sequence[tuple[Arm, Arm, Estimate]]) -> Estimate:
    """The sum of the totals of several comparisons (treated, held, its total), in which the same person may stand.

    Error: cluster-robust by person (Liang and Zeger, Biometrika 73, 1986): what each person contributes to the sum is added up over
    the comparisons before it is squared. Never narrower than the parts' own intervals, taken as independent, would be.
    """
    known = [(t, h, e) for t, h, e in parts if e.estimate is not None and e.low is not None and e.high is not None]
    if not known:
        return Estimate(None, note="no activity can be judged yet")
    total = sum(e.estimate or 0.0 for _, _, e in known)
    pieces = [
        _contributions(arm, sign * treated.size / arm.size)
        for treated, held, _ in known
        for arm, sign in ((treated, 1.0), (held, -1.0))
    ]
    person = pl.concat(pieces).group_by("person").agg(pl.col("part").sum())
    half = Z * sqrt(float((person["part"] ** 2).sum()))
    down = max(half, sqrt(sum(((e.estimate or 0.0) - (e.low or 0.0)) ** 2 for _, _, e in known)))
    up = max(half, sqrt(sum(((e.high or 0.0) - (e.estimate or 0.0)) ** 2 for _, _, e in known)))
    note = (
        None
        if len(known) == len(parts)
        else f"{len(parts) - len(known)} of {len(parts)} cannot be judged yet and are not in it"
    )
    return Estimate(total, total - down, total + up, None, note)


def _contributions(arm: Arm, factor: float) -> pl.DataFrame:
    """Each person's part of the error of `factor` × n × mean; the small-sample factor n/(n−1) makes it Welch's."""
    own = (arm.values - arm.values.mean()) * factor * sqrt(arm.size / max(arm.size - 1, 1))
    return pl.DataFrame({"person": list(arm.people), "part": own}, schema={"person": pl.String, "part": pl.Float64})


def _missing(treated: Arm, held: Arm) -> str:
    if not treated.size and not held.size:
        return "nobody's window has ended yet"
    return "nobody is held out, so there is nothing to compare with" if not held.size else "nobody was treated yet"


def _few(treated: Arm, held: Arm) -> str | None:
    """A warning when the groups are too small for the usual arithmetic."""
    smallest = min(treated.size, held.size)
    if smallest < FEW_PEOPLE:
        return f"only {smallest} people in the smaller group: read this as a range, not as a number"
    if _smallest_cell(treated, held) < FEW:
        return "very few conversions (or very few without): the interval is widened"
    return None
