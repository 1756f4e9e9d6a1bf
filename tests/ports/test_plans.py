"""Plans: the last good plan stays in force."""

import json
from pathlib import Path

import pytest

from nudge import plan
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.plans import KEY, StoredPlans, publish
from nudge.errors import NotReady

SAMPLE = (Path(__file__).parent.parent.parent / "local" / "shop" / "plan.yaml").read_text()


def test_before_the_first_plan_it_says_what_to_do() -> None:
    with pytest.raises(NotReady, match="nudge plan publish"):
        StoredPlans(MemoryObjects(), clock=lambda: 0).current()


def test_a_newer_plan_is_seen_when_the_held_one_is_stale() -> None:
    objects, now = MemoryObjects(), [0]
    plans = StoredPlans(objects, clock=lambda: now[0], fresh_for=10)
    publish(objects, SAMPLE, plan.parse(SAMPLE))
    first = plans.current()["version"]
    changed = SAMPLE.replace("holdout: 0.05", "holdout: 0.06")
    publish(objects, changed, plan.parse(changed))
    assert plans.current()["version"] == first
    now[0] = 11
    assert plans.current()["version"] != first


@pytest.mark.parametrize("bad", [b"{not json", b"{}", json.dumps({"goals": 1}).encode()])
def test_the_last_good_plan_stays_in_force(bad: bytes) -> None:
    objects, now = MemoryObjects(), [0]
    plans = StoredPlans(objects, clock=lambda: now[0], fresh_for=10)
    publish(objects, SAMPLE, plan.parse(SAMPLE))
    good = plans.current()
    objects.put(KEY, bad)
    now[0] = 100
    assert plans.current() == good
