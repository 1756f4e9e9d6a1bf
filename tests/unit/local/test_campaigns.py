"""What `nudge campaign` says of runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.campaign import handler as door
from local import campaigns, cli
from nudge import edge
from nudge.adapters.ledger import DynamoLedger
from nudge.flows.campaign_runs import Runs
from nudge.vocabulary import Event
from tests.acting import aws
from tests.functions.test_campaign import MORNING, Context, Journeys, World
from tests.unit.flows import test_campaigns as memory


def test_a_run_is_told_with_its_stage_and_what_was_decided() -> None:
    world = memory.World(memory.CAMPAIGNS + "    capacity: 5\n")
    world.tick()
    runs = Runs(world.objects)
    run = runs.get("spring", "20261118T0900")
    assert campaigns.figures(runs, run)["stage"] == "freezing"
    world.work()
    told = campaigns.figures(runs, run)
    assert (told["stage"], told["members"], told["left_out"]) == ("ended", 20, 15)
    assert told["activities"] == {"discount_mail": 5}
    lines = list(campaigns.shown("spring", [told], None))
    assert lines[1] == "  20261118T0900  ended: 20 of 20 members; discount_mail 5"
    assert "15 left out" in lines[2]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with aws() as here:
        made = World(here)
        for name, value in {**here.environment, "CAMPAIGNS_QUEUE_URL": made.tasks}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(edge, "now", lambda: MORNING)
        monkeypatch.setattr(campaigns, "_now", lambda: MORNING)
        door.flow.cache_clear()
        yield made
        door.flow.cache_clear()


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert cli.main(list(arguments)) == 0
    return capsys.readouterr().out


def test_a_run_by_hand_is_begun_paused_and_resumed_and_its_decisions_explained(
    stack: World, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "spring/by-hand-20261118T080000Z: 16 segments" in said(capsys, "campaign", "run", "spring")
    assert "paused" in said(capsys, "campaign", "pause", "spring", "--why", "a typo")
    while bodies := stack.take():
        assert stack.give(load_event("campaign.segment"), *bodies) == []
    assert stack.messages() == []
    assert "a typo" in said(capsys, "campaign", "status", "spring")
    assert "1 runs had not ended" in said(capsys, "campaign", "resume", "spring")
    stack.finish(load_event("campaign.segment"))
    assert len(stack.messages()) == 4
    told = json.loads(said(capsys, "campaign", "status", "spring", "--json"))
    assert told["paused"] is None
    assert told["runs"][0]["activities"]["discount_mail"] == 4
    rows = stack.aws.dynamodb.scan(TableName="ledger")["Items"]
    name = next(row["decision_id"]["S"] for row in rows if row["id"]["S"].startswith("message#"))
    explained = said(capsys, "decisions", "explain", name)
    assert "for the run by-hand-20261118T080000Z of the campaign spring" in explained
    assert "discount_mail: worth" in explained


def test_what_failed_is_sent_again_by_hand_and_the_rest_is_told_with_its_reason(
    stack: World, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "campaign", "run", "spring")
    stack.finish(load_event("campaign.segment"))
    rows = stack.aws.dynamodb.scan(TableName="ledger")["Items"]
    names = sorted(row["decision_id"]["S"] for row in rows if row["id"]["S"].startswith("message#"))
    ledger = DynamoLedger(stack.aws.dynamodb, "ledger")
    for name, state in zip(names, ("failed", "failed", "unknown", "sent"), strict=True):
        assert ledger.claim(name, owner="a", now=MORNING)
        assert ledger.finish(name, owner="a", state=state, now=MORNING, reason="bad_address")
    told = json.loads(said(capsys, "campaign", "resend", "spring", "--only", "failed", "--json", "--by", "ana"))
    assert told == {"again": {"bad_address": 2}, "left": {"unknown": 1}, "other_runs": {}}
    assert sorted(ledger.due(now=MORNING)) == names[:2]
    held = ledger.message(names[0])
    assert held is not None
    assert (held.attempt, held.resent_by) == (2, "ana")
    lines = said(capsys, "campaign", "resend", "spring", "--only", "failed").splitlines()
    assert lines == [
        "spring: 0 messages go again; the sweep takes them up within a minute",
        "  1 stay: nobody knows whether they arrived, so nobody sends them again",
    ]
    assert cli.main(["campaign", "resend", "autumn", "--only", "failed"]) == 1
    assert "none ever ran" in capsys.readouterr().err


def test_a_campaign_that_never_ran_is_said_to_have_never_run(stack: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["campaign", "status", "autumn"]) == 1
    assert "never ran" in capsys.readouterr().err


def test_people_on_their_way_are_told_by_step_and_by_what_became_of_them(
    stack: World, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    journeys = Journeys(stack, load_event("campaign.walk"))
    door.handler(load_event("campaign.tick"), Context())
    stack.finish(journeys.event)
    journeys.happen(Event("late", "user 5", "add_to_cart", MORNING))
    journeys.happen(Event("buy", "user 2", "purchase", MORNING))
    door.handler(load_event("campaign.tick"), Context())
    stack.finish(journeys.event)
    told = json.loads(said(capsys, "campaign", "status", "cart", "--json"))
    assert told["journeys"] == {
        "begun": 3,
        "called": 1,
        "under_way": {"3 branch opened": 2},
        "ended": {"goal": 1},
        "not_begun": {},
    }
    assert said(capsys, "campaign", "status", "cart").splitlines() == [
        "cart",
        "  journeys: 3 begun, 2 under way",
        "    2 at step 3 branch opened",
        "    1 called, and not begun yet",
        "    1 ended: reached the goal that stops it",
    ]
