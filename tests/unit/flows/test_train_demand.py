"""Demand, from the lake to a forecast: which days count, what a series is, and how the last forecast did."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.errors import NotReady
from nudge.flows.training_rows import History
from nudge.flows.trainings import demand
from nudge.flows.trainings.task import Made, Task
from nudge.learn import Recipe
from nudge.learn.demand import Counted
from nudge.learn.demand import counted as counted_by
from nudge.score import demand as reader
from nudge.vocabulary import DAY, Plan
from tests.unit.learn import shop

UTC = ZoneInfo("UTC")
HOUR = DAY // 24
DAYS = 70
NOW = shop.START + DAYS * DAY + 10 * HOUR
OPTIONS = {"event": "purchase", "of": "count", "by": "all", "every": "day", "horizon": 7}


def plan() -> Plan:
    return Plan("v", "EUR", "UTC", {}, {}, None, {})  # type: ignore[arg-type]


def sold(days: int = DAYS, *, seed: int = 0, mean: float = 12.0) -> pl.DataFrame:
    """Purchases at noon and at 20:00 of each day, more before the weekend, in three categories of falling size."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for number in range(rng.poisson(mean * (1.6 if day % 7 in (3, 4) else 0.8))):
            at = shop.START + day * DAY + (12 if number % 2 else 20) * HOUR + number
            item = ("a", "b", "c")[min(int(rng.exponential(0.8)), 2)]
            rows.append((f"u{number}", f"{day}-{number}", "purchase", at, f"item-{item}", None, 5.0))
        rows.append(("u0", f"view-{day}", "page_view", shop.START + day * DAY + 21 * HOUR, None, None, None))
    names = ("user_id", "event_id", "event_type", "event_time", "item_id", "category", "value")
    frame = pl.DataFrame(
        rows, schema=names, orient="row", schema_overrides={"category": pl.String, "value": pl.Float64}
    )
    return frame.with_columns(
        pl.col("event_time").cast(pl.Datetime("us", "UTC")), pl.lit(None, pl.String).alias("event_action")
    )


def history(folder: Path, *parts: pl.DataFrame, items: pl.DataFrame | None = None, now: int = NOW) -> History:
    lake = ObjectsLake(MemoryObjects())
    for number, part in enumerate(parts):
        lake.put("events", f"2026-06-0{number + 1}", shop.parquet(part))
    if items is not None:
        lake.put("items", "2026-06-01", shop.parquet(items))
    folder.mkdir(exist_ok=True)
    return History.copy(lake, folder, now)


def items() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item_id": ["item-a", "item-b", "item-c"],
            "category": ["books", "toys", None],
            "effective_at": [shop.START] * 3,
        }
    ).with_columns(pl.col("effective_at").cast(pl.Datetime("us", "UTC")))


def series_of(held: History, options: dict[str, Any], zone: ZoneInfo, now: int) -> Counted:
    return counted_by.series_of(held.events, held.items, options, zone, min(held.end, now))


def made(held: History, present: Any = None, **options: Any) -> Made:
    task = Task("demand", "demand.test", plan(), OPTIONS | options)
    return demand.make(task, held, present, Recipe(), lambda step: None, NOW)


def day_of(number: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + (shop.START + number * DAY) // DAY)


def test_every_purchase_of_a_whole_day_is_counted_and_a_day_without_one_is_zero(tmp_path: Path) -> None:
    frame = sold().filter(~((pl.col("event_type") == "purchase") & pl.col("event_id").str.starts_with("30-")))
    counted = series_of(history(tmp_path / "a", frame), OPTIONS, UTC, NOW)
    assert counted.last == day_of(DAYS - 1)
    assert counted.series["all"][30] == 0
    assert counted.series["all"].sum() == (frame["event_type"] == "purchase").sum()


def test_a_day_that_is_not_over_is_left_out(tmp_path: Path) -> None:
    morning = sold(DAYS + 1).filter(pl.col("event_time").dt.epoch("us") < NOW)
    late = sold(DAYS + 1).filter(pl.col("event_time").dt.epoch("us") < shop.START + DAYS * DAY + 19 * HOUR)
    assert series_of(history(tmp_path / "a", morning), OPTIONS, UTC, NOW).last == day_of(DAYS - 1)
    cut = series_of(history(tmp_path / "b", late, now=NOW + DAY), OPTIONS, UTC, NOW + DAY)
    assert cut.last == day_of(DAYS - 1)  # the file ended at noon of its last day


def test_days_are_those_of_the_plans_time_zone(tmp_path: Path) -> None:
    held = history(tmp_path / "a", sold())
    far = series_of(held, OPTIONS, ZoneInfo("Asia/Tokyo"), NOW)  # 20:00 in London is the next morning there
    here = series_of(held, OPTIONS, UTC, NOW)
    assert far.series["all"][0] < here.series["all"][0]


def test_weeks_are_whole_and_begin_on_a_monday(tmp_path: Path) -> None:
    counted = series_of(history(tmp_path / "a", sold()), OPTIONS | {"every": "week"}, UTC, NOW)
    assert counted.last.weekday() == 0
    assert counted.last.toordinal() + 6 <= day_of(DAYS - 1).toordinal()


def test_a_category_comes_from_the_item_where_the_event_has_none_and_the_unknown_are_other(tmp_path: Path) -> None:
    held = history(tmp_path / "a", sold(), items=items())
    counted = series_of(held, OPTIONS | {"by": "category"}, UTC, NOW)
    assert set(counted.series) == {"books", "toys", "other"}
    whole = series_of(held, OPTIONS, UTC, NOW).series["all"]
    assert sum(counted.series.values()) == pytest.approx(whole)


def test_the_largest_series_stand_for_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_by, "MOST", 1)
    counted = series_of(history(tmp_path / "a", sold()), OPTIONS | {"by": "item"}, UTC, NOW)
    assert set(counted.series) == {"item-a", "other"}
    assert counted.left_out == 2


def test_what_is_sold_is_summed_where_the_plan_says_value(tmp_path: Path) -> None:
    held = history(tmp_path / "a", sold())
    money = series_of(held, OPTIONS | {"of": "value"}, UTC, NOW).series["all"]
    assert money == pytest.approx(5 * series_of(held, OPTIONS, UTC, NOW).series["all"])


def test_the_forecast_is_published_and_says_what_it_beats(tmp_path: Path) -> None:
    result = made(history(tmp_path / "a", sold(), items=items()), by="category")
    assert result.passed
    assert "beats" in result.reason
    held = reader.load(json.loads(result.model))
    assert held.series == ("books", "other", "toys")
    assert held.forecast("books")[0]["at"] == day_of(DAYS).isoformat()
    assert result.version.startswith(f"{day_of(DAYS - 1):%Y%m%d}-")
    assert json.loads(result.card)["data"]["rows"]["events"] > 0


def test_the_same_lake_in_other_parts_gives_the_same_bytes(tmp_path: Path) -> None:
    frame = sold()
    one = made(history(tmp_path / "a", frame))
    two = made(history(tmp_path / "b", frame[300:].sample(fraction=1.0, shuffle=True, seed=1), frame[:300]))
    assert one.model == two.model
    assert one.card == two.card


def test_a_fresh_forecast_says_how_the_one_in_force_did(tmp_path: Path) -> None:
    cut = pl.col("event_time").dt.epoch("us") < shop.START + 60 * DAY
    before = made(history(tmp_path / "a", sold().filter(cut), items=items()), by="category")
    present = (before.version, json.loads(before.model))
    after = made(history(tmp_path / "b", sold(), items=items()), present, by="category")
    assert 0 < after.metrics["in_force_error"][0] <= after.metrics["in_force_naive_error"][0]
    assert after.metrics["in_force_coverage"][0] >= 0.8


def test_without_a_whole_day_of_it_there_is_no_forecast(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        made(history(tmp_path / "a", sold()), event="fly_to_the_moon")
