"""Two groups with what each person did before come in; the change they show, with less noise where the past tells, goes out.

CUPED (Deng, Xu, Kohavi and Walker, WSDM 2013): y − θ (x − mean x), where x is what the person was worth in an equally long
window before the first decision. Chance made the groups, so x differs between them by chance alone: taking it out moves no
truth and only removes noise. Knows no plan.
"""

from __future__ import annotations

from copy import replace
from dataclasses import dataclass

from nudge.measure.lift import FEW_PEOPLE, Arm, Estimate, means


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An estimate, never wider than the plain one; `removed` is the share of the variance that is gone (0: it *is* the plain one)."""

    estimate: Estimate
    removed: float


def adjusted(treated: Arm, held: Arm, plain: Estimate) -> Adjusted:
    """Change of value per person without what people's own past explains; `plain` where that does not help."""
    reason = _unfit(treated, held, plain)
    if reason is not None:
        return Adjusted(replace(plain, note=plain.note or reason), 0.0)
    slope = theta(treated, held)
    reduced = means(treated.values - slope * treated.before, held.values - slope * held.before)
    before, after = _width(plain), _width(reduced)
    if not 0 < after < before:
        return Adjusted(replace(plain, note="their past does not make it narrower, so it is left out"), 0.0)
    return Adjusted(reduced, 1 - (after / before) ** 2)


def theta(treated: Arm, held: Arm) -> float:
    """cov(y, x) / var(x), pooled within the groups: the effect itself must not tell the slope."""
    around = sum(float(((arm.before - arm.before.mean()) ** 2).sum()) for arm in (treated, held))
    if not around:
        return 0.0
    together = sum(
        float(((arm.before - arm.before.mean()) * (arm.values - arm.values.mean())).sum()) for arm in (treated, held)
    )
    return together / around


def _unfit(treated: Arm, held: Arm, plain: Estimate) -> str | None:
    if min(treated.size, held.size) < FEW_PEOPLE:
        return f"needs at least {FEW_PEOPLE} people in each group"
    if plain.low is None or plain.note is not None:
        return "too few conversions to lean on people's past"
    if not any((arm.before != 0).any() for arm in (treated, held)):
        return "nothing is known of these people from before"
    return None


def _width(one: Estimate) -> float:
    return 0.0 if one.low is None or one.high is None else one.high - one.low
