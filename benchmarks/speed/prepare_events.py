"""`prepare` beside pandas: the same dirty events CSV into typed, deduplicated daily Parquet and rejects, side by side.

Each side in fresh processes, imports included, interleaved; medians and ratios. The two must agree on every count.

    .venv/bin/python benchmarks/speed/prepare_events.py [--rows 10000000] [--repeats 1] [--no-ids] [--shuffled] [--level]

`--no-ids` leaves the event ids out of the file, so that ours derives one for each row (SHA-256 of what the row says; the
peer then drops rows that are equal). `--shuffled` takes the rows out of the order of time, the worst case. `--level` measures instead the memory of one chunk of files of 1, 10 and 40 M rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.speed import prepare_data  # noqa: E402

TIMES_FASTER, MEMORY_SHARE = 6.0, 1 / 5


def run(side: str, folder: Path) -> dict[str, Any]:
    """One side once, in a process of its own: seconds from start to end, and memory at most."""
    for name in ("lake", "quarantine", "reports", "peer"):
        shutil.rmtree(folder / name, ignore_errors=True)
    source = folder / "inbox/events/events.csv"
    arguments = [str(folder)] if side == "ours" else [str(source), str(folder / "peer")]
    (folder / "peer").mkdir(exist_ok=True)
    command = [sys.executable, "-m", f"benchmarks.speed.prepare_{side}", *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**json.loads(done.stdout.splitlines()[-1]), "seconds": seconds, "cpu": cpu}


def compare(rows: int, repeats: int, *, event_ids: bool, shuffled: bool) -> int:
    """Print both sides and their ratios; 1 when they disagree or a ratio is missed."""
    with tempfile.TemporaryDirectory(prefix="nudge-bench-") as name:
        folder = Path(name)
        (folder / "inbox/events").mkdir(parents=True)
        prepare_data.write(folder / "inbox/events/events.csv", rows, event_ids=event_ids, shuffled=shuffled)
        runs: dict[str, list[dict[str, Any]]] = {"ours": [], "peer": []}
        for _ in range(repeats):
            for side in runs:
                runs[side].append(run(side, folder))
                print(side, json.dumps(runs[side][-1]), flush=True)
    ours, peer = (
        {key: statistics.median(one[key] for one in of) for key in ("seconds", "cpu", "peak_mb")}
        for of in runs.values()
    )
    agree = all(runs["ours"][0][key] == runs["peer"][0][key] for key in ("accepted", "rejected"))
    faster, memory = peer["seconds"] / ours["seconds"], ours["peak_mb"] / peer["peak_mb"]
    print(
        f"{rows:,} rows, {repeats} run(s) a side, event ids {'given' if event_ids else 'derived'}{', shuffled' if shuffled else ''}; counts agree: {agree}"
    )
    print(
        f"time    {ours['seconds']:8.1f} s  beside pandas {peer['seconds']:8.1f} s   {faster:5.1f} x   (goal ≥ {TIMES_FASTER:g} x)"
    )
    print(f"cpu     {ours['cpu']:8.1f} s  beside pandas {peer['cpu']:8.1f} s   {peer['cpu'] / ours['cpu']:5.1f} x")
    print(
        f"memory  {ours['peak_mb']:8.0f} MB beside pandas {peer['peak_mb']:8.0f} MB  1/{1 / memory:4.1f}     (goal ≤ 1/5, at 10 M rows)"
    )
    return 0 if agree else 1


def level(most: int) -> None:
    """Print the memory of one chunk (the first, the middle, the last) of files of growing size."""
    with tempfile.TemporaryDirectory(prefix="nudge-bench-") as name:
        folder = Path(name)
        (folder / "inbox/events").mkdir(parents=True)
        source, base = folder / "inbox/events/events.csv", folder / "base.csv"
        prepare_data.write(base, min(1_000_000, most))
        head, _, body = base.read_bytes().partition(b"\n")
        for millions in (1, 10, 40):
            if millions * 1_000_000 > most:
                break
            with source.open("wb") as file:
                file.write(head + b"\n")
                for _ in range(millions):
                    file.write(body)
            for chunk in (0, -1 if millions == 1 else millions // 2):
                command = [sys.executable, "-m", "benchmarks.speed.prepare_ours", str(folder), str(chunk)]
                done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
                print(f"{millions:3} M rows, chunk {chunk:3}: {done.stdout.strip()}", flush=True)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=10_000_000)
    asked.add_argument("--repeats", type=int, default=1)
    asked.add_argument("--no-ids", action="store_true")
    asked.add_argument("--shuffled", action="store_true")
    asked.add_argument("--level", action="store_true")
    given = asked.parse_args()
    if given.level:
        level(max(given.rows, 40_000_000))
        return 0
    return compare(given.rows, given.repeats, event_ids=not given.no_ids, shuffled=given.shuffled)


if __name__ == "__main__":
    sys.exit(main())
