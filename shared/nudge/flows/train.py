"""Train: the lake becomes challengers; a challenger that is better by more than noise becomes champion.

In: the name of a model, or none for all that the plan wants. Out: a verdict for each, kept beside the model. One failure
stops no other. Promotion is fenced: a training that was overtaken while it ran points nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nudge import plan as plans_of
from nudge.errors import BadInput, NotFound, NotReady, Unavailable
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Present, Task, tasks_of, training
from nudge.learn import Recipe
from nudge.ports import Lake, Models, Plans
from nudge.vocabulary import Micros

NOT_READY = "not-ready"
"""Where the verdict is kept when there is no version to keep it beside."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one goal's training ended. `missing` says what it lacks when there is no model; `failed` that it broke."""

    goal: str
    promoted: bool
    reason: str
    version: str | None = None
    kind: str | None = None
    metrics: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, object] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Train:
    """Train models. `progress(name, step)` is told what is being done."""

    lake: Lake
    plans: Plans
    models: Models
    recipe: Recipe = Recipe()
    progress: Callable[[str, str], None] | None = None

    def __call__(self, name: str | None = None, *, now: Micros) -> list[Verdict]:
        """Verdicts, in the order of `tasks_of`.

        Raises
        ------
        NotFound
            The plan wants no such model.
        NotReady
            There is no plan, or no event.
        Unavailable
            A store did not answer for some model (the others are done); run again: what is stored is not stored twice.
        """
        tasks = tasks_of(plans_of.load(self.plans.current()))
        chosen = [task for task in tasks if name in (None, task.name)]
        if not chosen:
            raise NotFound(f"the plan wants no model {name!r}; it wants {', '.join(task.name for task in tasks)}")
        verdicts, down = [], None
        with TemporaryDirectory(prefix="nudge-train-") as folder:
            self._tell("", "reading the lake")
            history = History.copy(self.lake, Path(folder), now)
            for task in chosen:
                try:
                    verdicts.append(self._task(task, history, now))
                except Unavailable as error:
                    down = error
        if down is not None:
            raise down
        return verdicts

    def _task(self, task: Task, history: History, now: Micros) -> Verdict:
        token = self.models.token(task.name)
        version = NOT_READY
        try:
            verdict = self._contest(task, history, token, now)
            version = verdict.version or NOT_READY
        except NotReady as wrong:
            verdict = Verdict(task.name, False, str(wrong), missing=wrong.missing)
        except Unavailable:
            raise
        except Exception as error:  # whatever the data does to one of them, the others are trained
            verdict = Verdict(task.name, False, f"broke: {type(error).__name__} at {_where(error)}", failed=True)
        self.models.verdict(task.name, version, _plain(verdict) | {"token": token})
        return verdict

    def _contest(self, task: Task, history: History, token: int, now: Micros) -> Verdict:
        make = training(task.kind)
        made = make(task, history, self._present(task.name), self.recipe, lambda step: self._tell(task.name, step), now)
        self.models.publish(task.name, made.version, {"model.json": made.model, "card.json": made.card})
        promoted, reason = made.passed, made.reason
        if promoted and not self.models.promote(task.name, made.version, token=token, reason=reason):
            promoted, reason = False, "a later training has pointed already"
        return Verdict(task.name, promoted, reason, made.version, made.kind, dict(made.metrics))

    def _present(self, name: str) -> Present:
        """The model in force, or None when there is none that can be trusted: then any honest model is better."""
        try:
            return self.models.champion(name)
        except (NotReady, BadInput):
            return None

    def _tell(self, name: str, step: str) -> None:
        if self.progress is not None:
            self.progress(name, step)


def _plain(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict)


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
