"""A full training of everything the sample shop's plan wants, on 1 million events of 100,000 people: seconds a task, and peak memory.

`python benchmarks/speed/train_million.py [--people 100000] [--events 1000000]`. The shop's own generator, with so many of its
visits (whole ones, drawn at random) that the wanted number of events is left, and its help desk's mail; files → clean → a lake
in a folder, in one process; then every task of the plan by the product's own flow, in a fresh process, whose highest
resident memory is told. What the lake lacks (decisions, mail that was answered) is said as the trainings say it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.speed.folder_objects import FolderObjects
from local.clock import moment
from local.shop import files, messages
from local.shop.people import LOCALES, ZONES
from local.shop.play import HISTORY_WEEKS
from local.shop.play import START as OPENS
from local.shop.world import World
from nudge import plan as plans
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryPlans, MemoryQueue
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.errors import NotReady
from nudge.flows.arrive import Arrive
from nudge.flows.prepare import Prepare
from nudge.flows.tasks import from_task
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import tasks_of, training
from nudge.learn import Recipe
from nudge.vocabulary import DAY

SEED = 7
START = OPENS - (HISTORY_WEEKS + 1) * 7 * DAY
"""The folder says of every file that it came in the week after `UNTIL`: what is later than that is not believed."""
UNTIL = START + HISTORY_WEEKS * 7 * DAY
PLAN = Path(files.__file__).parent / "plan.yaml"


def main() -> None:
    """Make the lake and train, each in a process of its own; print what was told as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=100_000)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--part", choices=("lake", "train"), help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.part == "lake":
        make(chosen.folder, chosen.people, chosen.events)
    elif chosen.part == "train":
        print(json.dumps(train(chosen.folder), indent=2))
    else:
        with tempfile.TemporaryDirectory(prefix="nudge-million-") as folder:
            options = ["--folder", folder, "--people", str(chosen.people), "--events", str(chosen.events)]
            for part in ("lake", "train"):
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.speed.train_million", "--part", part, *options], check=True
                )


def make(folder: Path, people: int, events: int) -> None:
    """The shop's files, and the lake that they become."""
    world = World(seed=SEED, count=people, start=START, weeks=HISTORY_WEEKS)
    said = messages.messages(world.people, START, UNTIL, seed=SEED)
    thin(world, events - len(said))
    objects = FolderObjects(folder)
    objects.put("inbox/users/people.csv", users(world))
    objects.put("inbox/events/events.csv", files.table(world, START, UNTIL).write_csv().encode())
    objects.put("inbox/events/help desk.jsonl", messages.body(said))
    prepared(objects)


def thin(world: World, events: int) -> None:
    """Whole visits are kept, as many as hold so many events."""
    sizes = world.events.group_by("person", "session", maintain_order=True).len()
    order = np.random.default_rng(SEED).permutation(sizes.height)
    kept = order[np.cumsum(sizes["len"].to_numpy()[order]) <= events]
    world.events = world.events.join(sizes[np.sort(kept)], on=["person", "session"], how="semi", maintain_order="left")


def users(world: World) -> bytes:
    """What the shop knows of each person."""
    people = world.people
    joined = [f"{moment(UNTIL - int(days) * DAY):%Y-%m-%dT%H:%M:%SZ}" for days in people.joined_days_ago]
    columns = {
        "user_id": people.ids,
        "timezone": [ZONES[country] for country in people.country],
        "locale": [LOCALES[country] for country in people.country],
        "created_at": joined,
        "country": people.country,
        "segment": people.segment,
        "device": people.device,
    }
    return pl.DataFrame({name: list(values) for name, values in columns.items()}).write_csv().encode()


def prepared(objects: FolderObjects) -> None:
    """Every file of the inbox, cleaned into the lake."""
    arrivals, queue, lake = MemoryArrivals(), MemoryQueue(), ObjectsLake(objects)
    arrive = Arrive(objects, arrivals, queue, objects.name)
    for held in list(objects.list("inbox/")):
        told = {"bucket": {"name": objects.name}, "object": {"key": held.key, "size": held.size, "eTag": held.etag}}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}
        arrive({"Records": [record]}, owner="bench", now=UNTIL)
    prepare = Prepare(objects, lake, arrivals, _nothing, _nothing, objects, MemoryPlans({}))
    for task in queue.take():
        prepare(from_task(task), now=UNTIL)


def _nothing(_: object, *, now: int) -> None:
    """Profiles are left out."""


def train(folder: Path) -> dict[str, Any]:
    """Train every task; how long each took, how it ended, and how much memory the process had had by then."""
    plan = plans.load(plans.parse(PLAN.read_text(encoding="utf-8")))
    (history := folder / "history").mkdir()
    stopwatch = Stopwatch()
    held = History.copy(ObjectsLake(FolderObjects(folder)), history, UNTIL)
    stopwatch.lap("reading the lake", "done")
    for task in tasks_of(plan):
        try:
            made = training(task.kind)(task, held, None, Recipe(), lambda _: None, UNTIL)
            ended = f"{'promoted' if made.passed else 'not promoted'}: {made.reason}"
        except NotReady as missing:
            ended = f"no model: {missing}"
        stopwatch.lap(task.name, ended)
    total = {name: round(sum(one[name] for one in stopwatch.laps.values()), 1) for name in ("seconds", "cpu_seconds")}
    return {"events": held.counts["events"], "people": held.counts["users"], **total, "tasks": stopwatch.laps}


class Stopwatch:
    """How long each step took, on the clock and of processors (others may work on this machine, too), and the memory by then."""

    def __init__(self) -> None:
        self.laps: dict[str, dict[str, Any]] = {}
        self._began = time.perf_counter(), time.process_time()

    def lap(self, name: str, ended: str) -> None:
        """A step is done."""
        now = time.perf_counter(), time.process_time()
        seconds, cpu = (round(one - other, 1) for one, other in zip(now, self._began, strict=True))
        self.laps[name] = {"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak_mb(), "ended": ended}
        print(f"{name}: {self.laps[name]}", file=sys.stderr, flush=True)
        self._began = now


def peak_mb() -> int:
    """The highest resident memory of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
