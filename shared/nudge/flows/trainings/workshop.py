"""Where the challengers of one run are made: here, and, of lakes that are worth it, in one more process beside.

In: tasks, one copy of the lake, the models in force. Out: what `make` of each task's kind makes of it, the same bytes wherever it was
made. Trainings count on one thread each (their sums must not depend on how many there are), so a second processor would stand idle:
the process beside begins with the last task, this one with the first, and they meet. Knows no store.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell, training
from nudge.learn import Recipe
from nudge.vocabulary import Micros

SMALLEST, LARGEST = 50_000, 500_000
"""Events of a lake for which a second process is worth it: below, all is done before it has come up; above, two trainings may want more
memory than one function has."""
SPAWN: Final = multiprocessing.get_context("spawn")
"""A forked child of a process with threads (Polars has some) may wait for a lock for ever."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Make challengers from one copy of the lake. `beside` is the second process, where there is one."""

    history: History
    recipe: Recipe
    now: Micros
    beside: Beside | None = None

    def make(self, task: Task, present: Present, tell: Tell) -> Made:
        """A challenger. Raises what `make` of its kind raises: NotReady with what is missing."""
        made = None if self.beside is None else self.beside.made(task, present)
        if made is not None:
            return made
        return training(task.kind)(task, self.history, present, self.recipe, tell, self.now)

    @classmethod
    @contextmanager
    def opened(
        cls, tasks: Sequence[tuple[Task, Present]], history: History, recipe: Recipe, now: Micros
    ) -> Iterator[Workshop]:
        """A workshop with a second process, closed at the end. `tasks` are in the order in which they will be asked for."""
        with closing(Beside(tasks, history, recipe, now)) as beside:
            yield cls(history, recipe, now, beside)


class Beside:
    """A process that makes challengers, the last task first, until it is asked for one that it has not begun."""

    def __init__(self, tasks: Sequence[tuple[Task, Present]], history: History, recipe: Recipe, now: Micros) -> None:
        self._line, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_work, args=(theirs, history, recipe, now), daemon=True)
        self._process.start()
        theirs.close()
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._asked: dict[str, tuple[str | None, Future[Made | None]]] = {
            task.name: (_version(present), self._asking.submit(self._ask, task, present))
            for task, present in reversed(tasks)
        }

    def made(self, task: Task, present: Present) -> Made | None:
        """What the process has made of this task, waited for if it has begun; None: it has not, or could not, or judged it beside
        another model in force."""
        version, future = self._asked.pop(task.name, (None, None))
        if future is None or future.cancel() or version != _version(present):
            return None
        return future.result()

    def close(self) -> None:
        self._asking.shutdown(wait=False, cancel_futures=True)
        self._process.kill()
        self._process.join()
        self._line.close()

    def _ask(self, task: Task, present: Present) -> Made | None:
        try:
            self._line.send((task, present))
            made: Made | None = self._line.recv()
        except (EOFError, OSError):  # it has died: what it was to make is made here
            return None
        return made


def worth_it(history: History, tasks: Sequence[Task]) -> bool:
    """Whether a second process is worth it: for two tasks, on two processors, for a lake of such a size."""
    return len(tasks) > 1 and (os.process_cpu_count() or 1) > 1 and SMALLEST <= history.counts["events"] <= LARGEST


def _version(present: Present) -> str | None:
    return None if present is None else present[0]


def _work(line: Connection, history: History, recipe: Recipe, now: Micros) -> None:
    """Make what is asked for, until nobody asks any more. What cannot be made is left to who asked: there the error is told."""
    while True:
        try:
            task, present = line.recv()
        except EOFError:
            return
        try:
            line.send(training(task.kind)(task, history, present, recipe, _silent, now))
        except Exception:
            line.send(None)


def _silent(step: str) -> None:
    """Who asked tells."""
