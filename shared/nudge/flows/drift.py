"""The daily look: has the world moved away from a champion? Then it is trained again before its schedule.

In: the lake, the champions and their cards. Out: how far each has drifted, kept as `models/<name>/drift.json` (for show: not
signed), and a run for those that crossed the plan's threshold and those that have no champion yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nudge import score
from nudge.errors import BadInput, NotFound, NotReady
from nudge.flows.training_journey import Journey
from nudge.flows.training_rows import History
from nudge.flows.trainings.portrait import sample, scores
from nudge.flows.trainings.task import Task
from nudge.learn import Recipe, drift
from nudge.learn.contest import judged
from nudge.ports import Models, Objects
from nudge.vocabulary import Goal, Micros

STANDARD = {"stability": 0.25, "calibration": 0.05}


@dataclass(frozen=True, slots=True)
class State:
    """How far a champion has drifted: figures, and `over`: each as a share of its threshold (above 1 it has crossed it)."""

    name: str
    version: str
    figures: Mapping[str, Any]
    over: Mapping[str, float]

    @property
    def worst(self) -> float:
        return max(self.over.values(), default=0.0)

    def plain(self) -> dict[str, Any]:
        return {"version": self.version, **self.figures, "over": dict(self.over), "drifted": self.worst > 1}


@dataclass(frozen=True, slots=True)
class Watch:
    """Look at every propensity in force, and begin a run for what needs one. Other kinds wait for their schedule: nothing that
    they predict is logged with a probability."""

    journey: Journey
    objects: Objects
    recipe: Recipe = Recipe()

    def __call__(self, run: str, *, now: Micros) -> tuple[list[State], list[str]]:
        """How each stands, and the names that are trained now. Raises NotReady when there is no plan."""
        train = self.journey.train
        tasks = train.tasks()
        missing = [task.name for task in tasks if not self._has_champion(train.models, task.name)]
        with train.history(now) as history:
            if isinstance(history, NotReady):
                return [], []
            states = [state for task in tasks if (state := self._state(task, history)) is not None]
        for state in states:
            body = json.dumps(state.plain() | {"looked_at": now}, allow_nan=False).encode()
            self.objects.put(f"models/{state.name}/drift.json", body, content_type="application/json")
        drifted = [state.name for state in states if state.worst > 1]
        names = [task.name for task in tasks if task.name in {*drifted, *missing}]
        if names:
            why = f"drift: {', '.join(drifted) or 'none'}; no champion: {', '.join(missing) or 'none'}"
            self.journey.begin(run, names, now=now, why=why)
        return states, names

    def _state(self, task: Task, history: History) -> State | None:
        """None for what is not watched: another kind, no champion, or one of before cards kept a reference."""
        if task.goal is None or task.kind != "propensity":
            return None
        models = self.journey.train.models
        try:
            version, artefact = models.champion(task.name)
            card, scorer = models.version(task.name, version)[1], score.load(artefact)
        except (NotReady, NotFound, BadInput):
            return None
        if "reference" not in card:
            return None
        features = artefact["features"]
        weights = {one["name"]: one["share"] for one in card.get("importances") or []}
        people = history.filled(sample(history.population(task.goal), self.recipe.seed))
        said = scores(scorer, people, features)
        found = drift.stability(card["reference"], people, features, said, weights)
        found["calibration"] = self._calibration(task.goal, history, scorer, features, int(card["data"]["end"]))
        return State(task.name, version, found, drift.over(found, STANDARD | dict(task.plan.learn.get("drift", {}))))

    def _calibration(
        self, goal: Goal, history: History, scorer: score.Scorer, features: list[dict[str, Any]], since: Micros
    ) -> dict[str, Any] | None:
        rows = history.matured(goal, since)
        if not rows.height:
            return None
        rows = history.filled(sample(rows, self.recipe.seed))
        said = scores(scorer, rows, features)
        return drift.calibration(said, judged(rows), resamples=self.recipe.resamples, seed=self.recipe.seed)

    def _has_champion(self, models: Models, name: str) -> bool:
        try:
            return bool(models.champion(name))
        except NotReady:
            return False
