"""A lake of very many decisions: what reporting, compacting and training take of it, in seconds and memory.

`python -m benchmarks.speed.decisions_million [--decisions 1000000] [--folder FOLDER]`, where the lake stays and is found again. Four
campaigns, two weeks apart, decide for a quarter of the people each; every message has one to four outcomes, everybody ten events. Records are real ones, those of 2,000 people of the campaign benchmark
(4.9 kB each), with other ids and other numbers. Each door's flow runs in a fresh process whose highest resident memory is told, trainings with every
gate; the doors have 3,008 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from benchmarks.speed.folder_objects import FolderObjects
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemorySigner
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.adapters.models import StoredModels
from nudge.clean import parts
from nudge.clean.kinds import COLUMNS, MOMENT
from nudge.flows.compact import Compact
from nudge.flows.report import Report
from nudge.flows.train import Train
from nudge.vocabulary import DAY, SECOND, Kind, Micros

HERE = Path(__file__).parent
NOW: Micros = 1_795_000_000_000_000
CAMPAIGNS, APART = 4, 14 * DAY
A_PART = 20_000
OUTCOMES = (("sent", 1), ("delivery", 5), ("open", 3000), ("click", 4000))
EVENTS_EACH = 10
STEPS = ("report", "compact", "propensity", "uplift", "send_time")


def main() -> None:
    """Make the lake, then each step in a process of its own."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--decisions", type=int, default=1_000_000)
    arguments.add_argument("--step", choices=("lake", *STEPS), help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help="where the lake is kept; one that lies there is taken as it is")
    chosen = arguments.parse_args()
    if chosen.step == "lake":
        make(chosen.folder, chosen.decisions)
    elif chosen.step:
        print(json.dumps(timed(chosen.step, chosen.folder)), flush=True)
    elif chosen.folder:
        every(chosen.folder, chosen.decisions)
    else:
        with tempfile.TemporaryDirectory(prefix="nudge-decisions-") as folder:
            every(Path(folder), chosen.decisions)


def every(folder: Path, count: int) -> None:
    """Each step, in a process of its own."""
    for step in STEPS if (folder / "lake").exists() else ("lake", *STEPS):
        command = [sys.executable, "-m", "benchmarks.speed.decisions_million", "--step", step]
        subprocess.run([*command, "--folder", str(folder), "--decisions", str(count)], check=True)


def timed(step: str, folder: Path) -> dict[str, Any]:
    """What a step did, its seconds on the clock and of processors, and the memory of its process by then."""
    began = time.perf_counter(), time.process_time()
    did = {"report": report, "compact": compact}.get(step, lambda one: train(one, step))(folder)
    return {
        "step": step,
        "did": did,
        "seconds": round(time.perf_counter() - began[0], 1),
        "cpu_seconds": round(time.process_time() - began[1], 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def report(folder: Path) -> str:
    objects = FolderObjects(folder)
    made = Report(ObjectsLake(objects), MemoryObjects(), MemoryPlans(_plan(objects)), MemoryArrivals())(now=NOW)
    return str(made["checksum"])


def compact(folder: Path) -> str:
    """Of a copy, so that every step finds the same lake."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder / "lake", Path(copy) / "lake")
        lake = ObjectsLake(FolderObjects(Path(copy)))
        return f"{Compact(lake)()} parts merged, {len(lake.parts('decisions'))} of decisions left"


def train(folder: Path, kind: str) -> str:
    objects = FolderObjects(folder)
    models = StoredModels(MemoryObjects(), MemorySigner(), clock=lambda: NOW)
    door = Train(ObjectsLake(objects), MemoryPlans(_plan(objects)), models)
    task = next(one for one in door.tasks() if one.kind == kind)
    verdict = door([task.name], now=NOW)[0]
    if verdict.version is None:
        return f"no model: {verdict.reason}"
    read = models.version(task.name, verdict.version)[1]["data"]["decisions"]
    said = "promoted" if verdict.promoted else "not promoted"
    return f"{said}: {verdict.reason}; {read['read']} of {read['made']} decisions read"


def make(folder: Path, count: int) -> None:
    """The lake, and the plan by which the decisions were made."""
    records, plan = _decided()
    objects, people = FolderObjects(folder), max(count // CAMPAIGNS, 1)
    objects.put("plan/plan.json", orjson.dumps(plan))
    lake, rng = ObjectsLake(objects), random.Random(0)
    for start in range(0, count, A_PART):
        made = [_another(records, number, people, rng) for number in range(start, min(start + A_PART, count))]
        _put(lake, "decisions", [_row(one) for one in made])
        _put(lake, "outcomes", [outcome for one in made if one["channel"] for outcome in _outcomes(one, rng)])
    for start in range(0, people * EVENTS_EACH, 10 * A_PART):
        numbers = range(start, min(start + 10 * A_PART, people * EVENTS_EACH))
        _put(lake, "events", [_event(number, people, rng) for number in numbers])
    _put(lake, "users", [_user(number) for number in range(people)])


def _decided() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Records of the campaign benchmark, and its plan."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "records"
        code = "from pathlib import Path; from campaign_world import make; import sys; make(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, folder], check=True, cwd=HERE)
        command = [sys.executable, "campaign_ours.py", folder, "2000", "1", f"records={made}"]
        subprocess.run(command, check=True, cwd=HERE, stderr=subprocess.DEVNULL)
        records = [orjson.loads(line) for line in made.read_bytes().splitlines()]
        return records, orjson.loads((Path(folder) / "plan.json").read_bytes())


def _another(records: list[dict[str, Any]], number: int, people: int, rng: random.Random) -> dict[str, Any]:
    one, by = records[number % len(records)], 1 + rng.random()
    vector = {name: value * by if isinstance(value, float) else value for name, value in one["vector"].items()}
    at = NOW - 5 * APART + (number // people) * APART + rng.randrange(3600 * SECOND)
    ids = {"decision_id": f"{rng.getrandbits(128):032x}", "user_id": _name(number % people)}
    due = one["due_at"] and one["due_at"] + at - one["decided_at"]
    return {**one, **ids, "decided_at": at, "due_at": due, "vector": vector}


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one.get(name) for name in COLUMNS["decisions"]} | {"record": orjson.dumps(one).decode()}


def _outcomes(one: Mapping[str, Any], rng: random.Random) -> Iterator[dict[str, Any]]:
    for name, after in OUTCOMES[: 1 + rng.randrange(len(OUTCOMES))]:
        yield {
            "event_id": f"{one['decision_id']}:{name}", "user_id": one["user_id"], "event_type": f"email_{name}",
            "event_time": one["decided_at"] + after * SECOND, "channel": "email", "decision_id": one["decision_id"],
            "properties": orjson.dumps({"activity": one["activity"], "goal": one["goal"]}).decode(),
        }  # fmt: skip


def _event(number: int, people: int, rng: random.Random) -> dict[str, Any]:
    kind = ("page_view", "purchase", "add_to_cart")[rng.randrange(3)]
    said = {"event_id": f"e{number}", "user_id": _name(number % people), "event_type": kind, "currency": "EUR"}
    return said | {"event_time": NOW - rng.randrange(90 * DAY), "value": round(rng.random() * 60, 2)}


def _user(number: int) -> dict[str, Any]:
    long_ago = NOW - 99 * DAY
    said = {"user_id": _name(number), "effective_at": long_ago, "email": f"u{number}@customer.example"}
    return said | {"timezone": "Europe/Berlin", "email_consent": True, "email_consent_at": long_ago}


def _name(number: int) -> str:
    return f"u{number:07d}"


def _put(lake: ObjectsLake, kind: Kind, rows: list[dict[str, Any]]) -> None:
    schema = COLUMNS[kind]
    plain = {name: pl.Int64() if one == MOMENT else one for name, one in schema.items()}
    frame = pl.DataFrame(rows, schema=plain).cast({name: one for name, one in schema.items() if one == MOMENT})
    moment = {"decisions": "decided_at", "users": "effective_at"}.get(kind, "event_time")
    for day, some in parts.by_day(frame.sort(moment), moment):
        lake.put(kind, day, parts.raw_parquet(some), label=parts.RAW)


def _plan(objects: FolderObjects) -> dict[str, Any]:
    return dict(json.loads(objects.get("plan/plan.json")))


if __name__ == "__main__":
    main()
