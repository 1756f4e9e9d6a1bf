"""Train intents: from labelled messages in the lake to a champion that reads new ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemorySigner
from nudge.adapters.models import StoredModels
from nudge.flows.train import Train
from nudge.learn import Recipe
from nudge.score import text
from nudge.vocabulary import DAY
from tests.unit.learn import shop

NOW = shop.START + 90 * DAY
SAYINGS = {
    "refund": ("I want my money back", "please refund the order", "钱什么时候退给我", "can I get a refund for this"),
    "delivery": ("where is my parcel", "the delivery is late", "我的包裹在哪里", "when will the package arrive"),
    "size": ("does this run small", "which size should I take", "这个尺码偏小吗", "is there a larger size"),
    "invoice": ("send me the invoice", "I need a bill for tax", "请给我开发票", "the invoice is wrong"),
}
ENDS = ("", " please", " thanks", " today", "!", " 谢谢", " asap", " again")


def messages(count: int = 600, *, seed: int = 0, secret: str = "") -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        intent = str(rng.choice(list(SAYINGS)))
        said = str(rng.choice(SAYINGS[intent])) + str(rng.choice(ENDS)) + (secret if number == 7 else "")
        rows.append(
            {
                "user_id": f"u{number % 250}",
                "event_id": f"m{number}",
                "event_type": "message",
                "event_time": shop.START + number * DAY // 10,
                "event_action": intent if number % 50 else None,
                "properties": json.dumps({"text": said, "channel": "chat"} if number % 40 else {"channel": "chat"}),
            }
        )
    empty = [pl.lit(None, pl.String).alias(name) for name in ("item_id", "category", "channel", "decision_id")]
    return pl.DataFrame(rows).with_columns(
        pl.col("event_time").cast(pl.Datetime("us", "UTC")), pl.lit(None, pl.Float64).alias("value"), *empty
    )


def trained(frame: pl.DataFrame) -> tuple[Any, StoredModels]:
    objects = MemoryObjects()
    lake = ObjectsLake(objects)
    lake.put("events", "2026-06-01", shop.parquet(frame))
    models = StoredModels(objects, MemorySigner(), clock=lambda: NOW, fresh_for=0)
    plan = shop.plan()
    plan["learn"]["intent"] = {"event": "message", "text": "text"}  # type: ignore[index]
    train = Train(lake, MemoryPlans(plan), models, recipe=Recipe(resamples=50))
    return train(["intent.message"], now=NOW)[0], models


@pytest.fixture(scope="module")
def made() -> tuple[Any, StoredModels]:
    return trained(messages(secret=" my name is Rumpelstiltskin of Zweibrücken"))


def test_labelled_messages_make_a_champion_that_reads_new_ones(made: tuple[Any, StoredModels]) -> None:
    verdict, models = made
    assert verdict.promoted, verdict.reason
    assert verdict.metrics["accuracy"][0] > 0.95
    reader = text.load(models.champion("intent.message")[1])
    assert reader.intent("hello, where is the parcel?")[0] == "delivery"
    assert reader.intent("尺码偏小吗？")[0] == "size"


def test_what_one_person_said_is_neither_in_the_model_nor_in_the_card(made: tuple[Any, StoredModels]) -> None:
    _, models = made
    version, artefact = models.champion("intent.message")
    card = models.card("intent.message", version) if hasattr(models, "card") else {}
    written = json.dumps([artefact, card], ensure_ascii=False).lower()
    assert "rumpel" not in written
    assert "zweib" not in written


def test_few_messages_say_what_is_missing() -> None:
    verdict, _ = trained(messages(20))
    assert not verdict.promoted
    assert verdict.missing["messages"] > 0


def test_labels_that_mean_nothing_make_no_champion() -> None:
    frame = messages()
    mixed = frame["event_action"].sample(fraction=1.0, shuffle=True, seed=3)
    verdict, _ = trained(frame.with_columns(event_action=mixed))
    assert not verdict.promoted
    assert "not better than the shares of before" in verdict.reason


def test_the_same_lake_gives_the_same_bytes() -> None:
    frame = messages(200)
    first, second = trained(frame), trained(frame.sample(fraction=1.0, shuffle=True, seed=1))
    assert first[0].version == second[0].version
