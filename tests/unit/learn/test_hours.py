"""Send times: hours of one's own are found, machines are not people, held messages teach nothing, and noise is not promoted."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects
from nudge.errors import NotReady
from nudge.flows.training_rows import History
from nudge.flows.trainings import send_time
from nudge.flows.trainings.task import Made, Task
from nudge.learn import Recipe
from nudge.learn.hours.evidence import messages
from nudge.learn.hours.shrink import STRONGEST, rates, strength
from nudge.profile import batch
from nudge.score import hours
from nudge.vocabulary import DAY, SECOND
from tests.unit.learn import mail_world, shop

NOW = mail_world.START + 71 * DAY
RECIPE = Recipe(resamples=50)
OPTIONS = {"channel": "email", "open_hours": {"start": "08:00", "until": "21:00"}}
NONE = pl.DataFrame(schema={"decision_id": pl.String, "record": pl.String})


def made(folder: Any, events: pl.DataFrame, present: Any = None) -> tuple[Made, History]:
    lake = ObjectsLake(MemoryObjects())
    lake.put("events", "2026-06-01", shop.parquet(events))
    folder.mkdir()
    history = History.copy(lake, folder, NOW)
    task = Task("send_time", "send_time.email", cast(Any, SimpleNamespace(timezone="UTC")), OPTIONS)
    return send_time.make(task, history, present, RECIPE, lambda step: None, NOW), history


def test_hours_of_one_s_own_are_found_and_newcomers_have_everyone_s(tmp_path: Any) -> None:
    events = mail_world.world()
    first, history = made(tmp_path / "a", events)
    assert first.passed, first.reason
    assert first.metrics["rank"][0] < 0.15 < 0.4 < first.metrics["rank_of_everyone"][0]
    assert first.metrics["log_loss_gain"][1] > 0
    card = json.loads(first.card)
    assert card["parity"] < 1e-9
    assert card["chosen_by"]["power"] > 0
    model, utc = hours.load(json.loads(first.model)), ZoneInfo("UTC")
    states = {user_id: state for user_id, state, _ in batch.states(history.events)}
    morning = NOW + 8 * 3600 * SECOND
    for number in (12, 15, 18):
        at, gain = model.best(states[f"u{number:04d}"], {}, now=morning, zone=utc)
        assert (number - at // (3600 * SECOND)) % 24 <= 3
        assert gain > 1.5
    assert model.best({}, {}, now=morning, zone=utc) == (morning, 1.0)
    again, _ = made(tmp_path / "b", events.sample(fraction=1.0, shuffle=True, seed=1), ("v0", json.loads(first.model)))
    assert again.model == first.model
    assert not again.passed


def test_where_hours_do_not_matter_nothing_is_promoted_and_nobody_waits(tmp_path: Any) -> None:
    flat, history = made(tmp_path / "a", mail_world.world(personal=False, seed=1))
    assert not flat.passed
    model = hours.load(json.loads(flat.model))
    state = next(state for _, state, _ in batch.states(history.events))
    noon = NOW + 12 * 3600 * SECOND
    gains = [model.best(state, {}, now=noon + hour * 3600 * SECOND, zone=ZoneInfo("UTC"))[1] for hour in range(8)]
    assert max(gains) < 1.15


def test_too_few_messages_are_said(tmp_path: Any) -> None:
    with pytest.raises(NotReady) as lacking:
        made(tmp_path / "a", mail_world.world(people=10))
    assert lacking.value.missing == {"messages": 100, "answers": pytest.approx(15, abs=15)}


def test_a_machine_s_open_is_no_answer() -> None:
    plain = messages(mail_world.world(people=20).lazy(), NONE, "email")
    with_machines = messages(mail_world.world(people=20, machines=True).lazy(), NONE, "email")
    assert plain["answered"].sum() > 0
    assert with_machines["answered"].to_list() == plain["answered"].to_list()


def rows(*told: tuple[str, int, str | None]) -> pl.LazyFrame:
    """Events of one message: kind, seconds after sending, properties."""
    frame = pl.DataFrame(told, schema={"event_type": pl.String, "t": pl.Int64, "properties": pl.String}, orient="row")
    moved = (pl.col("t") * SECOND + mail_world.START).cast(pl.Datetime("us", "UTC")).alias("event_time")
    return frame.with_columns(moved, user_id=pl.lit("ann"), decision_id=pl.lit("d1")).lazy()


SENT = ("email_sent", 0, None)


@pytest.mark.parametrize(
    ("told", "answered"),
    [
        ([("email_open", 600, None)], True),
        ([("email_delivery", 100, None), ("email_open", 102, None)], False),
        ([("email_open", 600, '{"ses":{"userAgent":"Barracuda Sentinel"}}')], False),
        ([("email_open", 600, '{"ses":{"userAgent":"Mozilla/5.0"}}')], False),
        ([("email_open", 600, '{"ses":{"userAgent":"Mozilla/5.0 (iPhone) via ggpht.com GoogleImageProxy"}}')], True),
        ([("email_click", 600, f'{{"link":"{one}"}}') for one in "abc"], False),
        ([("email_click", 600 + one, None) for one in range(3)], True),
        ([("email_open", 90_000, None)], False),
    ],
)
def test_an_answer_is_a_person_s_within_a_day(told: list[tuple[str, int, str | None]], answered: bool) -> None:
    assert messages(rows(SENT, *told), NONE, "email")["answered"].to_list() == [answered]


@pytest.mark.parametrize(("drawn", "left"), [(False, 0), (True, 1)])
def test_a_message_that_was_held_teaches_nothing_of_its_hour_unless_the_hour_was_drawn(drawn: bool, left: int) -> None:
    record = {"decided_at": 0, "due_at": 3_600 * SECOND, "send_time": {"drawn": drawn}}
    decisions = pl.DataFrame({"decision_id": ["d1"], "record": [json.dumps(record)]})
    assert messages(rows(SENT), decisions, "email").height == left


def test_cells_are_shrunk_as_much_as_they_are_alike() -> None:
    rng = np.random.default_rng(0)
    count = np.full(48, 400.0)
    alike, unlike = rng.binomial(400, 0.2, 48), rng.binomial(400, rng.beta(8, 32, 48))
    expected = np.full(48, 0.2)
    assert strength(count, alike, expected) > 300
    assert 15 < strength(count, unlike, expected) < 120
    assert np.ptp(rates(count, alike, expected)) < np.ptp(rates(count, unlike, expected)) < np.ptp(unlike / count)
    assert strength(np.zeros(48), np.zeros(48), expected) == STRONGEST
