"""Our side: arrive's sniff and cut, then prepare chunk by chunk, then compaction, over a folder in place of a bucket.

Chunks go to two workers, each a process with one thread, as the queue gives them to Lambda environments; memory is the sum
of all. Profiles are left out (the peer has none): the flow's two steps for them are given nothing to do.

    python -m benchmarks.speed.prepare_ours FOLDER [NUMBER OF ONE CHUNK]
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.speed.folder_objects import FolderObjects
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryPlans, MemoryQueue
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.flows.arrive import Arrive
from nudge.flows.compact import Compact
from nudge.flows.prepare import Prepare
from nudge.flows.tasks import from_task
from nudge.vocabulary import Chunk, Counts

KEY = "inbox/events/events.csv"
WORKERS, CHUNK = 2, 32 << 20
NOW = 1_772_000_000_000_000


def nothing(_: Any, *, now: int) -> None:
    """Profiles, left out."""


def notification(size: int) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-02-25T06:13:20.000Z",
                "s3": {"bucket": {"name": "lake"}, "object": {"key": KEY, "size": size, "eTag": str(size), "sequencer": "00"}},
            }
        ]
    }  # fmt: skip


def arrive(folder: Path) -> list[Chunk]:
    """The chunks of the file."""
    objects, queue = FolderObjects(folder), MemoryQueue()
    Arrive(objects, MemoryArrivals(), queue, "lake", chunk_bytes=CHUNK)(
        notification(objects.head(KEY).size), owner="bench", now=NOW
    )
    return [from_task(task) for task in queue.take()]


def prepare(folder: Path, chunk: Chunk) -> tuple[Counts, int, float]:
    """Counts of one chunk; which process did it, and how much memory it has had at most."""
    objects = FolderObjects(folder)
    flow = Prepare(objects, ObjectsLake(objects), MemoryArrivals(), nothing, nothing, objects, MemoryPlans({}))  # type: ignore[arg-type]
    return flow(chunk, now=NOW), os.getpid(), peak_mb()


def main(folder: Path) -> dict[str, Any]:
    """Prepare `folder/inbox/events/events.csv` into `folder/lake`."""
    began = time.perf_counter()
    os.environ["POLARS_MAX_THREADS"] = "1"  # of the workers: this process has Polars loaded
    chunks = arrive(folder)
    arrived = time.perf_counter()
    counts, peaks = Counts(), dict[int, float]()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        for one, worker, peak in pool.map(partial(prepare, folder), chunks):
            counts += one
            peaks[worker] = max(peak, peaks.get(worker, 0.0))
    prepared = time.perf_counter()
    objects = FolderObjects(folder)
    lake = ObjectsLake(objects)
    Compact(lake)()
    done = time.perf_counter()
    return {
        "arrive": arrived - began, "prepare": prepared - arrived, "compact": done - prepared, "chunks": len(chunks),
        "peak_mb": max(sum(peaks.values()), peak_mb()), "workers_mb": sorted(map(round, peaks.values())), "own_mb": round(peak_mb()),
        "accepted": rows(objects, lake), "rejected": counts.rejected, "read": counts.read,
    }  # fmt: skip


def one_chunk(folder: Path, number: int) -> dict[str, Any]:
    """Memory of one chunk in a process of its own: at most, and before it began."""
    chunk = arrive_elsewhere(folder)[number]
    before = peak_mb()
    counts, _, peak = prepare(folder, chunk)
    return {"peak_mb": peak, "before_mb": before, "read": counts.read}


def arrive_elsewhere(folder: Path) -> list[Chunk]:
    """The chunks, cut in another process so that its memory is not ours."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(arrive, folder).result()


def rows(objects: FolderObjects, lake: ObjectsLake) -> int:
    """Rows in the lake, after compaction."""
    import polars as pl

    return int(
        sum(pl.scan_parquet(objects.get(part.key)).select(pl.len()).collect().item() for part in lake.parts("events"))
    )


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    where = Path(sys.argv[1])
    print(json.dumps(one_chunk(where, int(sys.argv[2])) if len(sys.argv) > 2 else main(where)))
