"""Plans: the last good plan stays in force."""

import json
from pathlib import Path

import pytest

from nudge import plan
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.plans import KEY, TEXT_KEY, StoredPlans, in_force, publish, replace, version
from nudge.errors import Conflict, NotFound, NotReady

SAMPLE = (Path(__file__).parent.parent.parent / "local" / "shop" / "plan.yaml").read_text()


def test_before_the_first_plan_it_says_what_to_do() -> None:
    with pytest.raises(NotReady, match="nudge plan apply"):
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


def test_a_plan_replaces_the_one_that_was_looked_at_and_no_other() -> None:
    objects = MemoryObjects()
    assert in_force(objects) == (None, None)
    first, second = (plan.parse(SAMPLE.replace("holdout: 0.05", f"holdout: {share}")) for share in (0.05, 0.06))
    replace(objects, SAMPLE, first, etag=None)
    with pytest.raises(Conflict):
        replace(objects, "another first", second, etag=None)
    held, etag = in_force(objects)
    assert held == first
    replace(objects, "the second", second, etag=etag)
    with pytest.raises(Conflict):
        replace(objects, SAMPLE, first, etag=etag)
    assert in_force(objects)[0] == second
    assert objects.get(TEXT_KEY) == b"the second"


def test_every_plan_that_was_in_force_is_found_by_its_version() -> None:
    objects = MemoryObjects()
    first = plan.parse(SAMPLE)
    publish(objects, SAMPLE, first)
    publish(objects, SAMPLE + "# again\n", first)
    publish(objects, SAMPLE, plan.parse(SAMPLE.replace("holdout: 0.05", "holdout: 0.06")))
    assert version(objects, first["version"]) == first
    with pytest.raises(NotFound):
        version(objects, "never")


def test_a_stored_plan_that_is_none_is_replaced_as_any_other() -> None:
    objects = MemoryObjects()
    objects.put(KEY, b"{not json")
    held, etag = in_force(objects)
    assert held == {}
    replace(objects, SAMPLE, plan.parse(SAMPLE), etag=etag)
    assert (in_force(objects)[0] or {})["version"] == plan.parse(SAMPLE)["version"]
