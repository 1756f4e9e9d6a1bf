"""Rows of docs/reliability.md that no other test shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from nudge import plan as plans
from nudge.adapters.memory import MemoryPlans
from nudge.flows.campaign_runs import Runs
from tests.acting import PLAN
from tests.unit.flows.test_campaigns import CAMPAIGNS, MORNING, World, numbers

RUN = "20261118T0900"


def test_two_schedulers_at_once_begin_one_run_and_reach_everybody_once() -> None:
    world = World()
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: world.tick(), range(8)))
    assert begun == [[RUN]] * 8
    assert [run.run for run in Runs(world.objects).all("spring")] == [RUN]
    world.work()
    assert world.mailed() == numbers("DE", "AT")


NEWS = """activities:
  news_mail: {goal: purchase, channel: email, template: discount, cost: 0.01, expected_lift: 0.1, holdout: 0}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("country in [DE, AT]", "country in [DE, AT, FR]"),
        ("activities: [discount_mail]", "activities: [discount_mail, news_mail]"),
        ("policy: greedy", "policy: rules"),
        ("holdout: 0\n    policy", "holdout: 0.5\n    policy"),
    ],
)
def test_a_plan_that_is_edited_half_way_through_a_run_writes_to_nobody_twice(old: str, new: str) -> None:
    world = World()
    world.tick()
    while not Runs(world.objects).is_frozen(Runs(world.objects).get("spring", RUN)):
        task, _ = world.tasks.sent.pop(0)
        world.campaigns().go_on(task, now=MORNING, left=lambda: 900.0)
    half = world.tasks.sent[: len(world.tasks.sent) // 2]
    for task, _ in half:
        world.campaigns().go_on(task, now=MORNING, left=lambda: 900.0)
    before = world.mailed()
    world.plans = MemoryPlans(
        plans.parse(
            PLAN.replace("per_day: 1, per_week: 3", "per_day: 0").replace("activities:\n", NEWS)
            + CAMPAIGNS.replace(old, new)
        )
    )
    world.tick()
    world.work()
    mailed = world.mailed()
    assert len(mailed) == len(set(mailed))
    assert set(before) <= set(mailed) <= set(numbers("DE", "AT"))
