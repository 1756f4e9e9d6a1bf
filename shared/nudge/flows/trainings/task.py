"""What is to be trained, by the plan; and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from nudge.vocabulary import Goal, Micros, Plan

if TYPE_CHECKING:  # who only asks what is to be trained needs no scikit-learn
    from nudge.flows.training_rows import History
    from nudge.learn import Gate, Recipe

type Tell = Callable[[str], None]
type Present = tuple[str, Mapping[str, Any]] | None
"""Version and artefact in force; None when there is none that can be trusted."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to learn. `name` is what its models are stored under; `options` is its part of the plan's `learn`."""

    kind: str
    name: str
    plan: Plan
    options: Mapping[str, Any]
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A challenger, ready to publish: its bytes, its figures ([value, low, high] each), and what the gates say of it."""

    version: str
    kind: str
    model: bytes
    card: bytes
    metrics: Mapping[str, list[float]]
    passed: bool
    reason: str
    gates: tuple[Gate, ...] = ()


type Training = Callable[[Task, History, Present, Recipe, Tell, Micros], Made]
"""`make(task, history, present, recipe, tell, now)`. Raises NotReady with what is missing; says each step to `tell`."""


def training(kind: str) -> Training:
    """The training of a kind: `make` of the module of its name. Imported when needed: each brings its own libraries."""
    return cast(Training, import_module(f"nudge.flows.trainings.{kind}").make)


def tasks_of(plan: Plan) -> list[Task]:
    """Everything the plan wants learned, in the order in which it is trained."""
    tasks = [Task("propensity", name, plan, {}, goal) for name, goal in plan.goals.items()]
    said = plan.learn
    if "uplift" in said:
        treated = {one.goal for one in plan.activities.values()}
        tasks += [
            Task("uplift", f"uplift.{name}", plan, {}, plan.goals[name]) for name in plan.goals if name in treated
        ]
    others = {"value": "event", "recommend": "bought", "send_time": "channel", "intent": "event"}
    tasks += [Task(kind, f"{kind}.{said[kind][of]}", plan, said[kind]) for kind, of in others.items() if kind in said]
    for one in said.get("demand", ()):
        tasks.append(Task("demand", f"demand.{one['event']}.{one['of']}.{one['by']}.{one['every']}", plan, one))
    return tasks
