"""A second process that makes challengers: `python -m nudge.flows.trainings.beside FD`.

In: a copy of the lake, then task after task, over a pipe. Out: what `make` of each task's kind makes of it, the same bytes as in the
process that asks. Trainings count on one thread each (their sums must not depend on how many there are), so that a second processor
would stand idle without it. It knows no store, no credentials and no secret.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, training
from nudge.learn import Recipe
from nudge.vocabulary import Micros

HANDED_DOWN = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Of the environment."""


class Beside:
    """A process that makes challengers, the last task first, until it is asked for one that it has not begun."""

    def __init__(self, tasks: Sequence[tuple[Task, Present]], history: History, recipe: Recipe, now: Micros) -> None:
        self._line, theirs = Pipe()
        self._process = subprocess.Popen(  # noqa: S603  a fork of a process with threads may wait for a lock for ever
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            env={"PYTHONPATH": os.pathsep.join(sys.path)} | {k: os.environ[k] for k in HANDED_DOWN if k in os.environ},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._asking.submit(self._say, (history, recipe, now))
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
        self._process.wait()
        self._asking.shutdown()
        self._line.close()

    def _ask(self, task: Task, present: Present) -> Made | None:
        if not self._say((task, present)):
            return None
        try:
            made: Made | None = self._line.recv()
        except (EOFError, OSError):  # it has died: what it was to make is made by who asks
            return None
        return made

    def _say(self, what: object) -> bool:
        try:
            self._line.send(what)
        except OSError:
            return False
        return True


def _version(present: Present) -> str | None:
    return None if present is None else present[0]


def work(line: Connection) -> None:
    """Make what is asked for, until nobody asks any more. What cannot be made is left to who asks: there the error is told."""
    try:
        history, recipe, now = line.recv()
        while True:
            task, present = line.recv()
            try:
                made = training(task.kind)(task, history, present, recipe, _silent, now)
            except Exception:
                made = None
            line.send(made)
    except (EOFError, OSError):
        return


def _silent(step: str) -> None:
    """Who asks tells."""


if __name__ == "__main__":
    work(Connection(int(sys.argv[1])))
