"""Cold start of `decide`: fresh process, import, load a boosting model, first decision. Ours beside the peer and a floor.

`python benchmarks/speed/decide_cold.py [rounds]`. Every round starts each side once, in a new order; medians of wall time and of
processor time (which other work on the machine disturbs less). Bytecode is warm on both sides.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from decide_world import make

HERE = Path(__file__).parent
SIDES = {
    "ours": ("decide_ours.py", "1"),
    "ours, client built": ("decide_ours.py", "1", "client"),
    "peer": ("decide_peer.py", "1"),
    "peer, one thread": ("decide_peer.py", "1"),
    "peer, client built": ("decide_peer.py", "1", "client"),
    "peer without boto3": ("decide_peer.py", "1", "bare"),
    "floor": ("decide_floor.py", "1"),
}
RATIOS = (
    ("peer", "ours", 12.0),
    ("peer, one thread", "ours", 12.0),
    ("peer, client built", "ours, client built", 5.0),
    ("peer without boto3", "ours", None),
)


def run(side: str, folder: str) -> tuple[float, float]:
    """Wall and processor seconds of one fresh process."""
    script, *options = SIDES[side]
    threads = {"OMP_NUM_THREADS": "1"} if side.endswith("one thread") else {}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, HERE / script, folder, *options],
        check=True,
        capture_output=True,
        env={**os.environ, **threads},
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int) -> None:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
    shuffle = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        for name in SIDES:
            run(name, folder)  # bytecode and page cache
        for _ in range(rounds):
            for name in shuffle.sample(list(SIDES), len(SIDES)):
                taken[name].append(run(name, folder))
    middle = {
        name: [statistics.median(one[k] for one in found) * 1000 for k in (0, 1)] for name, found in taken.items()
    }
    print(f"cold start of decide, medians of {rounds} interleaved rounds")
    for name, (wall, cpu) in middle.items():
        print(f"  {name:<20} {wall:8.0f} ms wall {cpu:8.0f} ms processor")
    for peer, ours, reach in RATIOS:
        wall, cpu = (middle[peer][k] / middle[ours][k] for k in (0, 1))
        said = f"to reach {reach:g}" if reach else "for comparison"
        print(f"  {peer} / {ours}: {wall:.1f} x wall, {cpu:.1f} x processor ({said})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
