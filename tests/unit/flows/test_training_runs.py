"""A run of trainings as it is written down: begun once, changed under condition, ended once a task."""

from __future__ import annotations

import pytest

from nudge.adapters.memory import MemoryObjects
from nudge.errors import BadInput, NotFound
from nudge.flows.training_runs import Runs


@pytest.fixture
def runs() -> Runs:
    return Runs(MemoryObjects())


def test_a_run_is_begun_once(runs: Runs) -> None:
    runs.begin("r", ["a", "b"], at=7, why="schedule")
    again = runs.begin("r", ["c"], at=9, why="hand")
    assert (again.tasks, again.at, again.why, again.left) == (("a", "b"), 7, "schedule", ["a", "b"])


def test_a_task_keeps_its_token_however_often_it_is_taken_up_and_comes_last(runs: Runs) -> None:
    runs.begin("r", ["a", "b"], at=7, why="schedule")
    tokens = iter((41, 42))
    runs.take_up("r", "a", lambda: next(tokens))
    run = runs.take_up("r", "a", lambda: next(tokens))
    assert (run.begun["a"].times, run.begun["a"].token) == (2, 41)
    assert run.left == ["b", "a"]


def test_the_first_verdict_stays(runs: Runs) -> None:
    runs.begin("r", ["a", "b"], at=7, why="schedule")
    runs.end("r", "b", {"promoted": False, "seconds": 3.5})
    runs.end("r", "a", {"promoted": True, "seconds": 1.0})
    run = runs.end("r", "a", {"promoted": False, "seconds": 9.0})
    assert (run.ended["a"]["promoted"], run.left, run.longest) == (True, [], 3.5)
    assert list(runs.get("r").ended) == ["a", "b"]
    assert runs.get("r").plain()["left"] == []


def test_the_newest_run_is_found_and_none_is_said(runs: Runs) -> None:
    with pytest.raises(NotFound):
        runs.newest()
    with pytest.raises(NotFound):
        runs.get("r")
    runs.begin("r1", ["a"], at=1, why="schedule")
    runs.begin("r2", ["a"], at=2, why="schedule")
    assert runs.newest().name == "r2"


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65, "None\n"])
def test_a_name_that_would_leave_its_folder_is_refused(runs: Runs, name: str) -> None:
    with pytest.raises(BadInput):
        runs.begin(name, ["a"], at=1, why="hand")
