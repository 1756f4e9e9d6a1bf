"""Train: the lake becomes challengers; a challenger that is better by more than noise becomes champion.

In: a goal, or none for every goal of the plan. Out: a verdict for each, kept beside the model. One goal's failure stops
no other. Promotion is fenced: a training that was overtaken while it ran points nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nudge import plan as plans_of
from nudge import score
from nudge.errors import BadInput, NotFound, NotReady, Unavailable
from nudge.flows.training_rows import History
from nudge.learn import Recipe, gate, slices, train
from nudge.learn.labels import window_of
from nudge.ports import Lake, Models, Plans
from nudge.profile.spec import absent
from nudge.vocabulary import Goal, Micros

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
    """Train goals. `progress(goal, step)` is told what is being done."""

    lake: Lake
    plans: Plans
    models: Models
    recipe: Recipe = Recipe()
    progress: Callable[[str, str], None] | None = None

    def __call__(self, goal: str | None = None, *, now: Micros) -> list[Verdict]:
        """Verdicts, in the plan's order.

        Raises
        ------
        NotFound
            The plan has no such goal.
        NotReady
            There is no plan, or no event.
        Unavailable
            A store did not answer for some goal (the others are done); run again: what is stored is not stored twice.
        """
        goals = plans_of.load(self.plans.current()).goals
        if goal is not None and goal not in goals:
            raise NotFound(f"the plan has no goal {goal!r}; it has {', '.join(goals)}")
        verdicts, down = [], None
        with TemporaryDirectory(prefix="nudge-train-") as folder:
            self._tell("", "reading the lake")
            history = History.copy(self.lake, Path(folder), now)
            for one in goals.values() if goal is None else [goals[goal]]:
                try:
                    verdicts.append(self._goal(one, history))
                except Unavailable as error:
                    down = error
        if down is not None:
            raise down
        return verdicts

    def _goal(self, goal: Goal, history: History) -> Verdict:
        token = self.models.token(goal.name)
        version = NOT_READY
        try:
            verdict = self._contest(goal, history, token)
            version = verdict.version or NOT_READY
        except NotReady as wrong:
            verdict = Verdict(goal.name, False, str(wrong), missing=wrong.missing)
        except Unavailable:
            raise
        except Exception as error:  # whatever one goal's data does to it, the others are trained
            verdict = Verdict(goal.name, False, f"broke: {type(error).__name__} at {_where(error)}", failed=True)
        self.models.verdict(goal.name, version, _plain(verdict) | {"token": token})
        return verdict

    def _contest(self, goal: Goal, history: History, token: int) -> Verdict:
        self._tell(goal.name, "making rows")
        parts, cuts = history.rows(goal, self.recipe)
        cut = slices.split(parts, goal, cuts, window_of(goal), self.recipe)
        self._tell(goal.name, "fitting")
        made = train(
            cut,
            goal,
            end=history.end,
            data=history.data(cuts),
            recipe=self.recipe,
            load=score.load,
            absent=absent,
        )
        self._tell(goal.name, "judging")
        self.models.publish(goal.name, made.version, {"model.json": made.model, "card.json": made.card})
        answer = gate(made, self._champion(goal.name), self.recipe)
        promoted, reason = answer.passed, answer.reason
        if promoted and not self.models.promote(goal.name, made.version, token=token, reason=reason):
            promoted, reason = False, "a later training has pointed already"
        return Verdict(goal.name, promoted, reason, made.version, made.kind, made.metrics)

    def _champion(self, goal: str) -> tuple[str, score.Scorer] | None:
        """The model in force, or None when there is none that can be trusted and used: then any honest model is better."""
        try:
            version, artefact = self.models.champion(goal)
            return version, score.load(artefact)
        except (NotReady, BadInput):
            return None

    def _tell(self, goal: str, step: str) -> None:
        if self.progress is not None:
            self.progress(goal, step)


def _plain(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict)


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
