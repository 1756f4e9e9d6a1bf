"""The journey of a run: begun by a schedule, a drift or a hand, gone on with by whoever takes its message, ended task by task.

A run is written down (`training_runs`), and a message names it. Who takes the message trains what is left, one task after
the other, while the function has the time; then another message goes out. Killed anywhere, the message comes again and the
run goes on: ended tasks stay ended, a task that kills its worker is tried last and given up after `MOST_TIMES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from nudge.errors import NotReady, Unavailable
from nudge.flows.train import Train, Verdict, plain
from nudge.flows.training_runs import Run, Runs
from nudge.flows.trainings.task import Task
from nudge.flows.trainings.workshop import Workshop
from nudge.ports import Queue
from nudge.vocabulary import Micros

MOST_TIMES = 3
MARGIN = 1.5
"""A task is begun only when what is left of the time is this much more than the longest one took …"""
RESERVE_SECONDS = 30.0
"""… and this: to publish, and to hand on."""
WHY = "out of time or memory, or a store did not answer"


@dataclass(frozen=True, slots=True)
class Journey:
    """Runs of trainings. `stopwatch` tells seconds from any start; `told` hears of each verdict and how long it took."""

    train: Train
    runs: Runs
    queue: Queue
    told: Callable[[Verdict, float], None] | None = None
    stopwatch: Callable[[], float] = monotonic

    def begin(self, run: str, names: Sequence[str] | None = None, *, now: Micros, why: str) -> Run:
        """Write a run down for these tasks (None: all that the plan wants), and send its message. The same run again is the
        same run.

        Raises
        ------
        NotReady, NotFound
            There is no plan; the plan does not want that.
        """
        tasks = self.train.tasks(names)
        held = self.runs.begin(run, [task.name for task in tasks], at=now, why=why)
        if held.left:
            self.queue.send([{"run": run}])
        return held

    def go_on(self, run: str, *, left: Callable[[], float]) -> Run:
        """Train what is left of a run while `left()` seconds allow; hand on what they do not.

        Raises
        ------
        NotFound
            There is no such run.
        Unavailable
            A store did not answer for some task (the others have ended): the message must come again.
        """
        held = self.runs.get(run)
        if not held.left:
            return held
        wanted, down, began = {task.name: task for task in self.train.tasks()}, None, self.stopwatch()
        with self.train.workshop([wanted[name] for name in held.left if name in wanted], held.at) as workshop:
            for number, name in enumerate(held.left):
                if number and left() < held.longest * MARGIN + RESERVE_SECONDS:
                    self.queue.send([{"run": run}])
                    break
                try:
                    verdict = self._one(run, name, wanted.get(name), workshop)
                    held = self._end(run, verdict, self.stopwatch() - began)
                except Unavailable as error:
                    down = error
                began = self.stopwatch()
        if down is not None:
            raise down
        return held

    def _one(self, run: str, name: str, task: Task | None, workshop: Workshop | NotReady) -> Verdict:
        if task is None:
            return Verdict(name, False, "the plan does not want it any more")
        begun = self.runs.take_up(run, name, lambda: self.train.models.token(name)).begun[name]
        if begun.times > MOST_TIMES:
            return Verdict(name, False, f"begun {MOST_TIMES} times and never ended: {WHY}", failed=True)
        return self.train.one(task, workshop, begun.token)

    def _end(self, run: str, verdict: Verdict, seconds: float) -> Run:
        held = self.runs.end(run, verdict.goal, plain(verdict) | {"seconds": round(seconds, 1)})
        if self.told is not None:
            self.told(verdict, seconds)
        return held
