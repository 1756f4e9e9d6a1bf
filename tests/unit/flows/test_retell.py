"""A decision can be made again from its record, and told in words."""

from __future__ import annotations

from copy import replace
from typing import Any

import pytest

from nudge import plan as plans
from nudge.errors import NotFound, NotReady
from nudge.flows.retell import Retell
from tests.unit.flows.test_decide import World


class NoModels:
    def version(self, goal: str, version: str) -> Any:
        raise NotFound("gone")

    def champion(self, goal: str) -> Any:
        raise NotReady("none")


@pytest.fixture
def world() -> World:
    return World()


def retell(world: World) -> Retell:
    return Retell(world.ledger, NoModels(), lambda version: {world.data["version"]: world.data}[version])  # type: ignore[arg-type]


def test_a_decision_made_again_from_its_record_is_the_same(world: World) -> None:
    answer = world.ask()
    assert retell(world).replay(answer["decision_id"]) == {
        "decision_id": answer["decision_id"],
        "same": True,
        "differs": [],
    }


def test_a_record_that_was_changed_does_not_come_out_the_same(world: World) -> None:
    name = world.ask()["decision_id"]
    found = world.ledger.find(name)
    assert found is not None
    from nudge.decide import record

    kept = world.ledger.decisions[name]
    world.ledger.decisions[name] = replace(kept, text=record.dumps(found[0]._replace(propensity=0.5, draw=0.9)))
    told = retell(world).replay(name)
    assert not told["same"]
    assert {"propensity", "draw"} <= set(told["differs"])


def test_a_decision_is_told_with_each_candidate_and_its_reason(world: World) -> None:
    answer = world.ask()
    again = world.ask(key="second")  # the cap of a day is full now
    lines = list(retell(world).explain(again["decision_id"]))
    assert lines[0].startswith("banner for ana, towards purchase, on 2026-11-18T")
    assert "    discount_mail: out: the person had the most messages of a day" in lines
    assert any(line.startswith("    banner: worth") and line.endswith("(drawn, done)") for line in lines)
    assert f"plan {plans.load(world.data).version}" in lines[-1]
    assert answer["activity"] == "discount_mail"


def test_what_the_ledger_does_not_have_is_not_told(world: World) -> None:
    with pytest.raises(NotFound, match="180 days"):
        retell(world).replay("00")
