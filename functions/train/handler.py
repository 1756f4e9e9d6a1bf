"""On schedule: begin a run of trainings, or look for drift. The `trainings` queue: go on with a run. By hand: {"goals": […]}."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from nudge import edge
from nudge.adapters import plans as stored_plans
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.models import StoredModels
from nudge.adapters.plans import StoredPlans
from nudge.adapters.s3 import S3Objects
from nudge.adapters.sqs import SqsQueue
from nudge.errors import BadInput, NotReady
from nudge.flows.drift import Watch
from nudge.flows.models_admin import age_hours
from nudge.flows.train import Train, Verdict, plain
from nudge.flows.training_journey import Journey
from nudge.flows.training_runs import Runs, named
from nudge.settings import TrainSettings


@cache
def flow() -> Watch:
    """Who is who, built on first use and kept while warm."""
    here = TrainSettings.read()
    bucket = S3Objects(client("s3", read_seconds=60), here.lake_bucket)
    signer = KmsSigner(client("kms"), here.model_key_id)
    train = Train(
        lake=ObjectsLake(bucket),
        plans=StoredPlans(bucket, clock=lambda: edge.now()),
        models=StoredModels(bucket, signer, clock=lambda: edge.now(), fresh_for=0),
        plan_of=partial(stored_plans.version, bucket),
        progress=lambda name, step: edge.logger.info("training", extra={"goal": name, "step": step}),
    )
    queue = SqsQueue(client("sqs"), here.trainings_queue_url)
    return Watch(Journey(train, Runs(bucket), queue, told=_tell), bucket)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "Records" in event:
        return edge.batch(event, partial(_go_on, context))
    tasks = {"train": _begin, "drift": _watch, None: _by_hand}
    if event.get("task") not in tasks:
        raise BadInput("task must be train or drift", where="task")
    try:
        return tasks[event.get("task")](event)
    except NotReady as wrong:  # no plan yet: nothing to retry
        edge.logger.info("not ready", extra={"reason": str(wrong)})
        return {"missing": wrong.missing}
    finally:
        edge.flush()


def _begin(event: dict[str, Any]) -> dict[str, Any]:
    run = flow().journey.begin(str(event.get("run") or named(edge.now())), now=edge.now(), why="schedule")
    edge.logger.info("run begun", extra={"run": run.name, "tasks": list(run.tasks)})
    return {"run": run.name, "tasks": list(run.tasks)}


def _go_on(context: Any, record: dict[str, Any]) -> None:
    said = edge.json_object(record["body"])
    run = flow().journey.go_on(str(said.get("run")), left=lambda: context.get_remaining_time_in_millis() / 1000)
    edge.logger.info("run", extra={"run": run.name, "ended": len(run.ended), "left": run.left})
    _ages(list(run.tasks))


def _watch(event: dict[str, Any]) -> dict[str, Any]:
    states, names = flow()(f"drift-{event.get('run') or named(edge.now())}", now=edge.now())
    for state in states:
        edge.logger.info("drift", extra={"goal": state.name, "version": state.version, "over": dict(state.over)})
    edge.measure("DriftOverThreshold", max((state.worst for state in states), default=0.0))
    _ages([task.name for task in flow().journey.train.tasks()])
    return {"drift": {state.name: dict(state.over) for state in states}, "trained": names}


def _by_hand(event: dict[str, Any]) -> dict[str, Any]:
    names = event.get("goals")
    if names is not None and not (isinstance(names, list) and all(isinstance(one, str) for one in names)):
        raise BadInput("goals must be a list of names of models that the plan wants", where="goals")
    verdicts = flow().journey.train(names, now=edge.now())
    for verdict in verdicts:
        _tell(verdict)
    _ages([verdict.goal for verdict in verdicts])
    return {"verdicts": [plain(verdict) for verdict in verdicts]}


def _tell(verdict: Verdict, seconds: float | None = None) -> None:
    told = {"goal": verdict.goal, "version": verdict.version, "promoted": verdict.promoted, "reason": verdict.reason}
    edge.logger.info("trained", extra=told | {"seconds": seconds and round(seconds, 1)})
    edge.count("Promotions" if verdict.promoted else "TrainingsFailed" if verdict.failed else "NotPromoted")


def _ages(names: list[str]) -> None:
    ages = [age_hours(flow().journey.train.models, name, edge.now()) for name in names]
    if known := [age for age in ages if age is not None]:
        edge.measure("ChampionAgeHours", max(known))
