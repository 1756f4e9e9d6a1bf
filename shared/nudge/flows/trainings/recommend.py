"""What to offer next: events with an item → neighbour tables → the gates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import polars as pl

from nudge.errors import NotReady
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Recipe, recommend
from nudge.learn.export import canonical
from nudge.learn.recommend import Rules, Settings
from nudge.profile.spec import ITEMS, OURS
from nudge.score import neighbours
from nudge.vocabulary import Micros


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """A challenger. Raises NotReady with what is missing: events that name items, or something bought in each slice."""
    events = met(history.events)
    said = task.options
    rules = Rules(said["bought"], said["events"], said["again"], said["per_category"])
    settings = Settings(history=ITEMS.keep)
    trained = recommend.train(
        events,
        lambda items: recommend.facts(items, history.items, events),
        rules,
        name=task.name,
        settings=settings,
        seed=recipe.seed,
        load=neighbours.load,
        catalogue=sorted(history.items["item_id"].to_list()),
        present=None if present is None else present[1],
        tell=tell,
    )
    day = datetime.fromtimestamp(history.end / 1_000_000, UTC).strftime("%Y%m%d")
    version = f"{day}-{hashlib.sha256(trained.stored).hexdigest()[:12]}"
    answer = recommend.gates(trained, version, None if present is None else present[0], recipe)
    card = recommend.card(trained, history.data([]), settings, recipe)
    return Made(
        version,
        "recommend",
        trained.stored,
        canonical(card),
        card["metrics"],
        answer.passed,
        answer.reason,
        answer.gates,
    )


def met(events: pl.LazyFrame) -> pl.DataFrame:
    """Events that name an item: `user_id item_id event_type at` (µs) and, where there, `category`; without those about our own
    messages. Raises NotReady when there is none."""
    here = events.collect_schema().names()
    if "item_id" not in here:
        raise NotReady("no event names an item", missing={"item_id": "a column of events"})
    wanted = [name for name in ("user_id", "item_id", "event_type", "category") if name in here]
    named = pl.col("item_id").is_not_null() & ~pl.col("event_type").is_in(OURS)
    found = events.filter(named).select(*wanted, pl.col("event_time").dt.epoch("us").alias("at")).collect()
    if found.is_empty():
        raise NotReady("no event names an item", missing={"item_id": "a value in events"})
    return found
