"""Which activities may be done for a person now. In: what is known of the person. Out: for each activity None, or why not.

Knows nothing of probabilities and money, except that a budget is spent. The reasons are words that reports count by:
`not_started ended audience transactional no_address suppressed no_consent cap_day cap_week budget`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from nudge.vocabulary import SECOND, Activity, Condition, Micros, Plan, Profile

INLINE = "inline"
STOPS_EVERYTHING = frozenset({"bounce", "complaint"})
"""Suppressions that stop transactional messages too: the address is dead, or its owner called us spam."""


class Situation(NamedTuple):
    """What eligibility is judged by: the person, their vector, when each activity would reach
    them, and what was already spent."""

    profile: Profile
    vector: Mapping[str, float | str | None]
    plan: Plan
    now: Micros
    due_at: Mapping[str, Micros]
    zone: ZoneInfo
    counts: Mapping[str, float]
    named: frozenset[str] = frozenset()


def obstacle(activity: Activity, situation: Situation) -> str | None:
    """Why an activity may not be done, or None. The first obstacle in this order is the one that is told:
    the activity's own window, its audience, the law (address, suppression, consent), then caps and budget."""
    return (
        _out_of_season(activity, situation)
        or _wrong_audience(activity, situation)
        or unreachable(activity, situation.profile)
        or _used_up(activity, situation)
    )


def _out_of_season(activity: Activity, situation: Situation) -> str | None:
    if activity.starts_at is not None and situation.now < activity.starts_at:
        return "not_started"
    due = situation.due_at.get(activity.name, situation.now)
    if activity.ends_at is not None and due >= activity.ends_at:
        return "ended"
    return None


def _wrong_audience(activity: Activity, situation: Situation) -> str | None:
    if activity.transactional and activity.name not in situation.named:
        return "transactional"
    held = all(meets(one, situation.profile, situation.vector) for one in activity.audience)
    return None if held else "audience"


def unreachable(activity: Activity, profile: Profile) -> str | None:
    """Why the law, or the absence of an address, forbids this activity for this person; None when it does not.

    Marketing needs a granted consent on the channel and no suppression; a transactional message needs only an address that
    neither bounced nor complained. A consent given after an unsubscription lifts it. Inline needs nothing: the person is here.
    """
    if activity.channel == INLINE:
        return None
    if not profile.trait(activity.channel):
        return "no_address"
    suppression = profile.suppressions.get(activity.channel)
    consent = profile.consents.get(activity.channel)
    if suppression is not None and suppression.reason in STOPS_EVERYTHING:
        return "suppressed"
    if activity.transactional:
        return None
    if suppression is not None and not (consent is not None and consent.granted and consent.at > suppression.at):
        return "suppressed"
    return None if consent is not None and consent.granted else "no_consent"


def meets(condition: Condition, profile: Profile, vector: Mapping[str, float | str | None]) -> bool:
    """Whether a person meets one audience condition. Its name is a trait, else a feature of the vector.

    What is not known is neither `is`, `in`, `at_least` nor `at_most` anything; it `is_not` everything.
    """
    value = profile.trait(condition.name)
    if value is None:
        value = vector.get(condition.name)
    match condition.op:
        case "known":
            return (value is not None) == bool(condition.value)
        case "is":
            return value is not None and _same(value, condition.value)
        case "is_not":
            return value is None or not _same(value, condition.value)
        case "in":
            options = condition.value if isinstance(condition.value, list | tuple) else [condition.value]
            return value is not None and any(_same(value, one) for one in options)
        case "at_least" | "at_most":
            return _compares(value, condition.op, condition.value)


def _same(a: Any, b: Any) -> bool:
    left, right = _number(a), _number(b)
    return left == right if left is not None and right is not None else str(a) == str(b)


def _compares(value: Any, op: str, bound: Any) -> bool:
    left, right = _number(value), _number(bound)
    if left is None or right is None:
        return False
    return left >= right if op == "at_least" else left <= right


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


# ── what may be used up ──────────────────────────────────────────────────────────────────────────────────────────────
def cap_limits(activity: Activity, plan: Plan, user_id: str, due_at: Micros, zone: ZoneInfo) -> dict[str, int]:
    """Counter key → how many messages it may hold, this one included, by the person's own calendar at the time the
    message is due. A cap of 0 is no cap; transactional messages count against none."""
    caps = plan.policy.caps.get(activity.channel)
    if caps is None or activity.transactional:
        return {}
    local = datetime.fromtimestamp(due_at / SECOND, UTC).astimezone(zone)
    year, week, _ = local.isocalendar()
    limits = {f"day/{local.date().isoformat()}": caps.per_day, f"week/{year}-W{week:02d}": caps.per_week}
    return {f"cap/{activity.channel}/{user_id}/{period}": limit for period, limit in limits.items() if limit > 0}


def budget_key(plan: Plan, due_at: Micros) -> str:
    """The counter of money spent on the plan's local day."""
    local = datetime.fromtimestamp(due_at / SECOND, UTC).astimezone(ZoneInfo(plan.timezone))
    return f"budget/{local.date().isoformat()}"


def budget_claim(activity: Activity, plan: Plan, due_at: Micros) -> tuple[str, float, float] | None:
    """(counter key, cost of this activity, the day's limit), or None where no budget binds it."""
    limit = plan.policy.budget_per_day
    if limit is None or activity.cost <= 0 or activity.transactional:
        return None
    return budget_key(plan, due_at), activity.cost, float(limit)


def _used_up(activity: Activity, situation: Situation) -> str | None:
    due = situation.due_at.get(activity.name, situation.now)
    limits = cap_limits(activity, situation.plan, situation.profile.user_id, due, situation.zone)
    for key, limit in limits.items():
        if situation.counts.get(key, 0) >= limit:
            return "cap_day" if "/day/" in key else "cap_week"
    claim = budget_claim(activity, situation.plan, due)
    if claim is not None and situation.counts.get(claim[0], 0.0) + claim[1] > claim[2]:
        return "budget"
    return None
