"""The training of recommendations, from a history of the lake to a challenger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import polars as pl
import pytest

from nudge import plan as plans
from nudge.errors import NotReady
from nudge.flows.lake_log import LakeLog
from nudge.flows.training_rows import History
from nudge.flows.trainings import recommend
from nudge.flows.trainings.task import Made, Task
from nudge.learn import Recipe
from nudge.score import neighbours
from nudge.vocabulary import DAY
from tests.acting import plan_data
from tests.unit.learn.test_recommend import START, shop

END = START + 80 * DAY


def history(events: pl.DataFrame) -> History:
    """A history with these events and a small catalogue."""
    rows = events.with_row_index("event_id").with_columns(
        pl.col("event_id").cast(pl.String), pl.col("at").cast(pl.Datetime("us", "UTC")).alias("event_time")
    )
    catalogue = pl.DataFrame(
        {
            "item_id": ["item-0-0", "item-1-1", "new"],
            "category": ["group 0", "group 1", "group 1"],
            "title": ["First", None, "New"],
            "attributes": [None, '{"stock": 0}', None],
        }
    )
    none = pl.DataFrame()
    counts = {"events": len(rows)}
    lazy = rows.drop("at").sort("user_id", "event_time", "event_id").lazy()
    return History(lazy, none, LakeLog(none, none), START, END, counts, lazy, catalogue, "snapshot")


def make(events: pl.DataFrame, present: Any = None, **said: Any) -> Made:
    plan = plans.load(plan_data() | {"learn": {"recommend": said}})
    task = Task("recommend", "recommend.purchase", plan, plan.learn["recommend"])
    return recommend.make(task, history(events), present, Recipe(), lambda step: None, END)


@pytest.fixture(scope="module")
def made() -> Made:
    return make(shop(), per_category=3)


def test_a_challenger_is_whole_better_than_popularity_and_says_how_it_did(made: Made) -> None:
    assert made.passed, made.reason
    assert made.version == f"{datetime.fromtimestamp(END / 1e6, UTC):%Y%m%d}-{sha256(made.model).hexdigest()[:12]}"
    assert set(made.metrics) == {"ndcg", "hit_rate"}
    card = json.loads(made.card)
    assert card["data"]["snapshot"] == "snapshot"
    assert card["events"].keys() == {"page_view", "purchase"}


def test_rules_of_the_plan_and_facts_of_the_catalogue_are_in_the_artefact(made: Made) -> None:
    scorer = neighbours.load(json.loads(made.model))
    found = [item for item, _ in scorer.top({"item-1-0": END - DAY}, 10, now=END)]
    assert "item-1-1" not in found  # out of stock
    groups = [scorer.about(item)["category"] for item in found]
    assert max(groups.count(group) for group in groups) <= 3
    assert scorer.about("item-0-0")["title"] == "First"
    assert scorer.about("new") == {"item_id": "new", "title": "New", "category": "group 1"}


def test_an_item_that_nobody_met_yet_leads_to_its_category(made: Made) -> None:
    scorer = neighbours.load(json.loads(made.model))
    if any(table["by"] == "category" for table in json.loads(made.model)["tables"]):
        assert scorer.about(scorer.similar("new", 1)[0][0])["category"] == "group 1"


def test_the_same_history_gives_the_same_version_which_is_no_news(made: Made) -> None:
    again = make(shop(), present=(made.version, json.loads(made.model)), per_category=3)
    assert (again.version, again.model) == (made.version, made.model)
    assert (again.passed, again.reason) == (False, "this version is the champion already")


def test_events_about_our_own_messages_are_not_what_people_met() -> None:
    events = shop(people=20).with_columns(pl.lit("email_sent").alias("event_type"))
    with pytest.raises(NotReady, match="no event names an item"):
        make(events)


def test_without_items_it_says_what_is_missing() -> None:
    with pytest.raises(NotReady) as wrong:
        make(shop(people=20).drop("item_id"))
    assert wrong.value.missing == {"item_id": "a column of events"}
