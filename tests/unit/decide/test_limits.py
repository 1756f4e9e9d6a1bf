"""What a campaign may use up: its messages a run, its money a run and in all; and which limit was met first."""

from __future__ import annotations

from copy import replace
from zoneinfo import ZoneInfo

import pytest

from nudge.decide.limits import claims
from nudge.vocabulary import Activity, Campaign, CampaignRun
from tests.acting import NOON, plan

BERLIN = ZoneInfo("Europe/Berlin")
MAIL = Activity("mail", "purchase", "email", "t", cost=2.0)
SPRING = Campaign("spring", "purchase", ("mail",), budget=100.0, budget_per_run=10.0, capacity=3)
RUN = CampaignRun(SPRING, "20261118T0900")
MESSAGES, RUN_BUDGET, ALL = (
    "campaign/spring/20261118T0900/messages",
    "campaign/spring/20261118T0900/run_budget",
    "campaign/spring/all_budget",
)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({}, None),
        ({MESSAGES: 2.0, RUN_BUDGET: 8.0, ALL: 98.0}, None),
        ({MESSAGES: 3.0}, "capacity"),
        ({RUN_BUDGET: 8.5}, "run_budget"),
        ({ALL: 98.5}, "campaign_budget"),
        ({"budget/2026-11-18": 99.0}, "budget"),
    ],
)
def test_a_campaign_has_room_until_a_limit_of_it_is_met(counts: dict[str, float], reason: str | None) -> None:
    assert claims(MAIL, plan(), "ana", NOON, BERLIN, RUN).full(counts) == reason


def test_what_costs_nothing_spends_no_budget_but_is_a_message() -> None:
    found = claims(replace(MAIL, cost=0.0), plan(), "ana", NOON, BERLIN, RUN)
    assert found.budgets == ()
    assert MESSAGES in found.caps


def test_a_campaigns_limits_bind_transactional_messages_too() -> None:
    found = claims(replace(MAIL, transactional=True), plan(), "ana", NOON, BERLIN, RUN)
    assert found.keys == [MESSAGES, RUN_BUDGET, ALL]


def test_a_campaign_without_limits_claims_nothing_more_than_an_app_does() -> None:
    free = CampaignRun(replace(SPRING, budget=None, budget_per_run=None, capacity=None), "r")
    assert claims(MAIL, plan(), "ana", NOON, BERLIN, free) == claims(MAIL, plan(), "ana", NOON, BERLIN)
