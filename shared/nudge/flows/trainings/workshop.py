"""Where the challengers of one run are made: here, and, from lakes that are worth it, in one more process beside.

In: tasks, one copy of the lake, the models in force. Out: what `make` of each task's kind makes of it, the same wherever it was made:
the process beside begins with the last task, this one with the first, and they meet. Knows no store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from nudge.flows.training_rows import History
from nudge.flows.trainings.beside import Beside
from nudge.flows.trainings.task import Made, Present, Task, Tell, training
from nudge.learn import Recipe
from nudge.vocabulary import Micros

SMALLEST, LARGEST = 50_000, 500_000
"""Events of a lake for which a second process is worth it: below, all is done before it has come up; above, two trainings may want more
memory than one function has."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Make challengers from one copy of the lake. `beside` is the second process, where there is one."""

    history: History
    recipe: Recipe
    now: Micros
    beside: Beside | None = None

    @classmethod
    @contextmanager
    def with_two(
        cls, tasks: Sequence[tuple[Task, Present]], history: History, recipe: Recipe, now: Micros
    ) -> Iterator[Workshop]:
        """A workshop with a second process, gone at the end. `tasks` are in the order in which they will be asked for."""
        with closing(Beside(tasks, history, recipe, now)) as beside:
            yield cls(history, recipe, now, beside)

    def make(self, task: Task, present: Present, tell: Tell) -> Made:
        """A challenger. Raises what `make` of its kind raises: NotReady with what is missing."""
        made = None if self.beside is None else self.beside.made(task, present)
        if made is not None:
            return made
        return training(task.kind)(task, self.history, present, self.recipe, tell, self.now)


def worth_two(history: History, tasks: Sequence[Task]) -> bool:
    """Whether a second process is worth it: for two tasks, on two processors, for a lake of such a size."""
    return len(tasks) > 1 and (os.process_cpu_count() or 1) > 1 and SMALLEST <= history.counts["events"] <= LARGEST
