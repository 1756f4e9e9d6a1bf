"""What may be used up: messages a person gets a day and a week, money a day, and what a campaign and its run may spend.

In: an activity, a person, when it would reach them, on whose behalf. Out: the counters that it adds to, each with its limit; and
which of them is full. The Ledger adds to all of them in the transaction that records the decision, or to none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from nudge.vocabulary import SECOND, Activity, CampaignRun, Micros, Plan


class Claims(NamedTuple):
    """Counter keys. `caps`: how many messages each may hold, this one included; `budgets`: (key, cost of this, limit)."""

    caps: Mapping[str, int] = {}
    budgets: tuple[tuple[str, float, float], ...] = ()

    @property
    def keys(self) -> list[str]:
        return [*self.caps, *(key for key, _, _ in self.budgets)]

    def full(self, counts: Mapping[str, float]) -> str | None:
        """Why there is no room, by the counters as they stand: `cap_day cap_week budget capacity run_budget campaign_budget`."""
        for key, most in self.caps.items():
            if counts.get(key, 0) >= most:
                return _WORDS[_kind(key)]
        for key, cost, limit in self.budgets:
            if counts.get(key, 0.0) + cost > limit:
                return _WORDS[_kind(key)]
        return None


NONE = Claims()

_WORDS = {
    "day": "cap_day",
    "week": "cap_week",
    "budget": "budget",
    "messages": "capacity",
    "run_budget": "run_budget",
    "all_budget": "campaign_budget",
}


def _kind(key: str) -> str:
    """`cap/email/ana/day/2026-11-22` is a `day`; `campaign/spring/20261122T0900/messages` are `messages`."""
    parts = key.split("/")
    return parts[-1] if parts[0] == "campaign" else parts[0] if parts[0] == "budget" else parts[-2]


def claims(
    activity: Activity, plan: Plan, user_id: str, due_at: Micros, zone: ZoneInfo, run: CampaignRun | None = None
) -> Claims:
    """What an activity adds to. Caps go by the person's own calendar at the time the message is due, and 0 is no cap; the day's
    budget by the plan's. Transactional messages are owed: they count against none of these. A campaign's limits bind all."""
    caps = {} if activity.transactional else _caps(activity, plan, user_id, due_at, zone)
    budgets = [] if activity.transactional else _budget(activity, plan, due_at)
    if run is not None:
        caps |= _capacity(run)
        budgets += _campaign(run, activity.cost)
    return Claims(caps, tuple(budgets)) if caps or budgets else NONE


def _caps(activity: Activity, plan: Plan, user_id: str, due_at: Micros, zone: ZoneInfo) -> dict[str, int]:
    caps = plan.policy.caps.get(activity.channel)
    if caps is None:
        return {}
    day, week = _periods(due_at, zone)
    limits = {day: caps.per_day, week: caps.per_week}
    return {f"cap/{activity.channel}/{user_id}/{period}": limit for period, limit in limits.items() if limit > 0}


@lru_cache(maxsize=512)
def _periods(at: Micros, zone: ZoneInfo) -> tuple[str, str]:
    """The local day and week, as counters are named: in a campaign's run they are those of thousands."""
    local = datetime.fromtimestamp(at / SECOND, UTC).astimezone(zone)
    year, week, _ = local.isocalendar()
    return f"day/{local.date().isoformat()}", f"week/{year}-W{week:02d}"


def _budget(activity: Activity, plan: Plan, due_at: Micros) -> list[tuple[str, float, float]]:
    limit = plan.policy.budget_per_day
    if limit is None or activity.cost <= 0:
        return []
    day, _ = _periods(due_at, ZoneInfo(plan.timezone))
    return [(f"budget/{day.removeprefix('day/')}", activity.cost, float(limit))]


def _capacity(run: CampaignRun) -> dict[str, int]:
    most = run.campaign.capacity
    return {} if most is None else {f"campaign/{run.campaign.name}/{run.run}/messages": most}


def _campaign(run: CampaignRun, cost: float) -> list[tuple[str, float, float]]:
    if cost <= 0:
        return []
    one = run.campaign
    limits = {f"{one.name}/{run.run}/run_budget": one.budget_per_run, f"{one.name}/all_budget": one.budget}
    return [(f"campaign/{key}", cost, float(limit)) for key, limit in limits.items() if limit is not None]
