"""Train: the lake becomes challengers; a challenger that passes every gate becomes champion.

In: tasks of the plan. Out: a verdict for each, kept beside the model. One failure stops no other. Promotion is fenced: a
training that was overtaken while it ran points nowhere, and one that died after it had pointed knows its own when it is
run again under the same token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nudge import plan as plans_of
from nudge.errors import BadInput, NotFound, NotReady, Unavailable
from nudge.flows import log_gate, policy_log
from nudge.flows.champions import Champions
from nudge.flows.models_admin import load
from nudge.flows.policy_log import PlanOf
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, tasks_of
from nudge.flows.trainings.workshop import Workshop, worth_two
from nudge.learn import Recipe
from nudge.learn.gate import Answer, Gate, stored
from nudge.measure import frames
from nudge.ports import Lake, Models, Plans
from nudge.vocabulary import Micros

DECIDES = ("propensity", "uplift")
"""Kinds whose models say what a decision is worth: of these the log of decisions is asked before they decide."""

NOT_READY = "not-ready"
"""Where the verdict is kept when there is no version to keep it beside."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one task's training ended. `missing` says what it lacks when there is no model; `failed` that it broke."""

    goal: str
    promoted: bool
    reason: str
    version: str | None = None
    kind: str | None = None
    metrics: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, object] = field(default_factory=dict)
    failed: bool = False
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True)
class Train:
    """Train models. `progress(name, step)` is told what is being done; `plan_of` gives plans of before, by their version."""

    lake: Lake
    plans: Plans
    models: Models
    recipe: Recipe = Recipe()
    progress: Callable[[str, str], None] | None = None
    plan_of: PlanOf | None = None

    def __call__(self, names: Sequence[str] | None = None, *, now: Micros) -> list[Verdict]:
        """By hand, these or all in one go: verdicts in the order of `tasks_of`.

        Raises
        ------
        NotFound
            The plan wants no model of such a name.
        NotReady
            There is no plan.
        Unavailable
            A store did not answer for some model (the others are done); run again: what is stored is not stored twice.
        """
        tasks, verdicts, down = self.tasks(names), [], None
        with self.workshop(tasks, now) as workshop:
            for task in tasks:
                try:
                    verdicts.append(self.one(task, workshop, self.models.token(task.name)))
                except Unavailable as error:
                    down = error
        if down is not None:
            raise down
        return verdicts

    def tasks(self, names: Sequence[str] | None = None) -> list[Task]:
        """What the plan in force wants learned: all, or those of these names. Raises NotFound, NotReady (see above)."""
        wanted = tasks_of(plans_of.load(self.plans.current()))
        unknown = set(names or ()) - {task.name for task in wanted}
        if unknown:
            listed = ", ".join(task.name for task in wanted)
            raise NotFound(f"the plan wants no model {', '.join(sorted(unknown))}; it wants {listed}")
        return [task for task in wanted if names is None or task.name in names]

    @contextmanager
    def history(self, now: Micros) -> Iterator[History | NotReady]:
        """One copy of the lake for several tasks, until `now`; NotReady (not raised) when there is nothing to learn from."""
        with TemporaryDirectory(prefix="nudge-train-") as folder:
            self._tell("", "reading the lake")
            try:
                held: History | NotReady = History.copy(self.lake, Path(folder), now)
            except NotReady as empty:
                held = empty
            yield held

    @contextmanager
    def workshop(self, tasks: Sequence[Task], now: Micros) -> Iterator[Workshop | NotReady]:
        """Where the challengers of these tasks are made, from one copy of the lake until `now`; NotReady as above."""
        with self.history(now) as history:
            if isinstance(history, NotReady):
                yield history
            elif not worth_two(history, tasks):
                yield Workshop(history, self.recipe, now)
            else:
                with Workshop.with_two([*self._beside_champions(tasks)], history, self.recipe, now) as workshop:
                    yield workshop

    def one(self, task: Task, workshop: Workshop | NotReady, token: int) -> Verdict:
        """Train one task and keep its verdict. Raises Unavailable when a store does not answer."""
        try:
            if isinstance(workshop, NotReady):
                raise workshop
            verdict, new = self._contest(task, workshop, token)
        except NotReady as wrong:
            verdict, new = Verdict(task.name, False, str(wrong), missing=wrong.missing), True
        except Unavailable:
            raise
        except Exception as error:  # whatever the data does to one of them, the others are trained
            broke = f"broke: {type(error).__name__} at {_where(error)}"
            verdict, new = Verdict(task.name, False, broke, failed=True), True
        if new:
            self.models.verdict(task.name, verdict.version or NOT_READY, plain(verdict) | {"token": token})
        return verdict

    def _contest(self, task: Task, workshop: Workshop, token: int) -> tuple[Verdict, bool]:
        """The verdict, and whether it is a new one (not that on a version which was in force already)."""
        present = self._present(task.name)
        made = workshop.make(task, present, lambda step: self._tell(task.name, step))
        answer = Answer((*_gates(made), *stored(made.model, load), *self._by_log(task, made, workshop.history)))
        self.models.publish(task.name, made.version, {"model.json": made.model, "card.json": made.card})
        promoted, reason, new = answer.passed, answer.reason, True
        if present is not None and present[0] == made.version:
            pointer = self.models.pointer(task.name)
            promoted = new = pointer.get("token") == token  # we have pointed to it ourselves, and died before we told
            reason = str(pointer["reason"]) if promoted else "this version is the champion already"
        elif promoted and not self.models.promote(task.name, made.version, token=token, reason=reason):
            promoted, reason = False, "a later training has pointed already"
        metrics = {name: list(figure) for name, figure in made.metrics.items()}
        verdict = Verdict(task.name, promoted, reason, made.version, made.kind, metrics=metrics, gates=answer.gates)
        return verdict, new

    def _by_log(self, task: Task, made: Made, history: History) -> tuple[Gate, ...]:
        """What the decisions of this goal say of deciding by the challenger. Raises Unavailable."""
        goal = task.goal
        if goal is None or task.kind not in DECIDES:
            return ()
        try:
            scorer = load(json.loads(made.model))
        except BadInput:
            return ()  # another gate says so
        self._tell(task.name, "asking the log")
        panel = log_gate.with_challenger(goal, task.plan, task.name, scorer, Champions(self.models))
        versions = policy_log.Versions(task.plan, self.plan_of)
        decisions = history.log.recorded(history.log.of_goal(goal.name))
        events = frames.fit(history.everything, frames.EVENTS)
        judged = log_gate.judge(
            lambda: policy_log.read(decisions, events, goal, versions, now=history.end, newest=log_gate.NEWEST),
            panel=panel,
        )
        return (Gate("log", judged.passed, judged.said),)

    def _present(self, name: str) -> Present:
        """The model in force, or None when there is none that can be trusted: then any honest model is better."""
        try:
            return self.models.champion(name)
        except (NotReady, BadInput):
            return None

    def _beside_champions(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Present]]:
        for task in tasks:
            with suppress(Unavailable):  # it is asked again, and told, when its turn comes
                yield task, self._present(task.name)

    def _tell(self, name: str, step: str) -> None:
        if self.progress is not None:
            self.progress(name, step)


def plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON."""
    held: dict[str, Any] = json.loads(json.dumps(asdict(verdict)))
    return held


def _gates(made: Made) -> tuple[Gate, ...]:
    """A kind's own gates; of a kind that only says yes or no, that."""
    return made.gates or (Gate("better", made.passed, made.reason),)


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
