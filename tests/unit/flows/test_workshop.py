"""Who makes challengers: this process and one beside it make the same, and what the one beside cannot make is made here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from copy import replace

import pytest

from nudge import plan as plans
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemorySigner
from nudge.adapters.models import StoredModels
from nudge.errors import NotReady
from nudge.flows import train as training
from nudge.flows.train import Train
from nudge.flows.training_rows import History
from nudge.flows.trainings.beside import Beside
from nudge.flows.trainings.task import Task, tasks_of
from nudge.flows.trainings.workshop import Workshop
from nudge.learn import Recipe
from nudge.vocabulary import DAY
from tests.unit.learn import shop

NOW = shop.START + 71 * DAY
RECIPE = Recipe(iterations=10, resamples=20, logged=200)
PURCHASE, MOON = tasks_of(plans.load(shop.plan()))
AGAIN = replace(PURCHASE, name="again")


@pytest.fixture(scope="module")
def lake() -> ObjectsLake:
    made = ObjectsLake(MemoryObjects())
    made.put("events", "2026-06-01", shop.parquet(shop.events(people=150)))
    made.put("users", "2026-06-01", shop.parquet(shop.users(people=150)))
    return made


@pytest.fixture(scope="module")
def history(lake: ObjectsLake, tmp_path_factory: pytest.TempPathFactory) -> History:
    return History.copy(lake, tmp_path_factory.mktemp("lake"), NOW)


@pytest.fixture
def beside(history: History) -> Iterator[Beside]:
    with closing(Beside([(task, None) for task in (PURCHASE, AGAIN, MOON)], history, RECIPE, NOW)) as made:
        yield made


def begun(beside: Beside, task: Task) -> None:
    """Wait until the process has begun this task."""
    future = beside._asked[task.name][1]
    while not (future.running() or future.done()):
        time.sleep(0.01)


def test_the_process_beside_makes_the_same_bytes_beside_the_same_model_in_force(
    history: History, beside: Beside
) -> None:
    begun(beside, PURCHASE)
    assert beside.made(AGAIN, ("a later version", {})) is None
    assert beside.made(PURCHASE, None) == Workshop(history, RECIPE, NOW).make(PURCHASE, None, lambda step: None)
    with pytest.raises(NotReady, match="moon"):
        Workshop(history, RECIPE, NOW, beside).make(MOON, None, lambda step: None)


def test_what_it_has_not_begun_or_died_over_is_made_here(history: History, beside: Beside) -> None:
    begun(beside, MOON)
    assert beside.made(PURCHASE, None) is None
    beside._process.kill()
    told: list[str] = []
    made = Workshop(history, RECIPE, NOW, beside).make(AGAIN, None, told.append)
    assert (made.kind, told) == ("logistic", ["making rows", "fitting", "judging"])


def test_two_processes_come_to_the_verdicts_of_one(lake: ObjectsLake, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for two in (False, True):
        monkeypatch.setattr(training, "worth_two", lambda history, tasks, two=two: two)
        models = StoredModels(MemoryObjects(), MemorySigner(), clock=lambda: NOW, fresh_for=0)
        verdicts = Train(lake, MemoryPlans(shop.plan()), models, recipe=RECIPE)(now=NOW)
        told.append((verdicts, models.champion("purchase")))
    assert told[0] == told[1]
    assert told[0][0][0].promoted
