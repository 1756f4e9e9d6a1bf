"""Uplift, from the lake to a challenger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nudge import plan as plans
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.errors import NotReady
from nudge.flows.training_rows import History
from nudge.flows.trainings import Task
from nudge.flows.trainings.uplift import make
from nudge.learn import Recipe
from nudge.score import verify
from nudge.score.uplift import load
from nudge.vocabulary import DAY
from tests.unit.learn import shop
from tests.unit.learn import uplift_world as world

NOW = world.START + 60 * DAY
RECIPE = Recipe(resamples=50)


def plan() -> dict[str, Any]:
    made: Any = shop.plan()
    made["goals"] = {"purchase": {"event": "purchase", "within_days": 7, "value": 10}}
    activity = {"goal": "purchase", "channel": "inline", "template": "banner", "cost": 0, "holdout": 0.0}
    made["activities"] = {"mail": {**activity, "holdout": 0.3}, "banner": activity}
    made["policy"] = {"holdout": 0.1}
    return made


def history(folder: Path, log: world.Log | None) -> History:
    """A lake in which everyone of the log did what its labels say, the day after the decision."""
    lake = ObjectsLake(MemoryObjects())
    views = pl.DataFrame(
        {"user_id": ["a"], "event_id": ["v"], "event_type": ["page_view"], "event_time": [NOW - DAY], "value": [0.0]}
    )
    events = [views]
    if log is not None:
        bought = log.frame.filter(pl.col("label") == 1).with_row_index("number")
        events.append(
            bought.select(
                "user_id",
                event_id=pl.format("p{}", "number"),
                event_type=pl.lit("purchase"),
                event_time=pl.col("at") + DAY,
                value=pl.lit(10.0),
            )
        )
        decided = log.decisions.with_row_index("number").select(
            pl.format("d{}", "number").alias("decision_id"),
            "user_id",
            log.frame["at"].alias("decided_at").cast(pl.Datetime("us", "UTC")),
            pl.lit("purchase").alias("goal"),
            pl.col("record").str.json_path_match("$.activity").alias("activity"),
            pl.col("record").str.json_path_match("$.propensity").cast(pl.Float64).alias("propensity"),
            "record",
        )
        lake.put("decisions", "2026-06-01", shop.parquet(decided))
    empty = [pl.lit(None, pl.String).alias(name) for name in ("event_action", "item_id", "category")]
    frame = pl.concat(events).with_columns(pl.col("event_time").cast(pl.Datetime("us", "UTC")), *empty)
    lake.put("events", "2026-06-01", shop.parquet(frame))
    return History.copy(lake, folder, NOW)


def task() -> Task:
    made = plans.load(plan())
    return Task("uplift", "uplift.purchase", made, {}, made.goals["purchase"])


@pytest.fixture(scope="module")
def log() -> world.Log:
    return world.log(400, 1, 3, average=0.4)


def test_logged_decisions_become_effects_that_are_better_than_the_plans_guess(tmp_path: Path, log: world.Log) -> None:
    steps: list[str] = []
    found = make(task(), history(tmp_path, log), None, RECIPE, steps.append, NOW)
    assert found.passed, found.reason
    assert steps == ["making rows", "fitting", "judging"]
    held = json.loads(found.model)
    verify.structure(held)
    assert (held["kind"], held["name"]) == ("uplift", "uplift.purchase")
    assert abs(load(held).effects({"x0": 0.0})["mail"] - 0.4) < 0.2
    assert json.loads(found.card)["design"]["held_out"]["mail"] == pytest.approx(0.3, abs=0.1)

    again = history_again(tmp_path, log)
    same = make(task(), again, (found.version, held), RECIPE, lambda step: None, NOW)
    assert (same.version, same.model) == (found.version, found.model)
    assert not same.passed
    wrong = held | {
        "until": 0,
        "activities": {"mail": held["activities"]["mail"] | {"average": -0.9, "terms": [], "heterogeneous": False}},
    }
    better = make(task(), again, ("20260101-wrong", wrong), RECIPE, lambda step: None, NOW)
    assert better.passed
    assert "20260101-wrong" in better.reason


def history_again(folder: Path, log: world.Log) -> History:
    (folder / "again").mkdir()
    return history(folder / "again", log)


def test_without_decisions_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="effects are learned from decisions"):
        make(task(), history(tmp_path, None), None, RECIPE, lambda step: None, NOW)
