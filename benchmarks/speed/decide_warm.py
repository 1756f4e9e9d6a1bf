"""Warm decision at the handler: logs and metrics on, stores stubbed. `python benchmarks/speed/decide_warm.py [rounds]`.

Each round starts each side once, in a new order, and makes 300 decisions of which the first 50 do not count. What is measured is
processor time: on a quiet machine that is the time on the clock, and on one that others use it stays so.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from decide_world import make

HERE = Path(__file__).parent
SIDES: dict[str, tuple[str, ...]] = {
    "ours": ("decide_ours.py",),
    "ours, record written": ("decide_ours.py", "record"),
    "peer": ("decide_peer.py",),
    "peer, one thread": ("decide_peer.py",),
    "floor": ("decide_floor.py",),
}
REACH, CALLS, WARMING = 30.0, 300, 50


def run(side: str, folder: str) -> list[float]:
    """Microseconds of each call of one fresh process, after warming up. With one thread the peer does not wait for a second
    processor that others use; which of the two is faster depends on the machine, and the ratio is against that one."""
    script, *options = SIDES[side]
    done = subprocess.run(
        [sys.executable, HERE / script, folder, str(CALLS), *options],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **({"OMP_NUM_THREADS": "1"} if side.endswith("one thread") else {})},
    )
    return [one * 1e6 for one in json.loads(done.stderr.decode().splitlines()[-1])[WARMING:]]


def main(rounds: int) -> None:
    taken: dict[str, list[list[float]]] = {name: [] for name in SIDES}
    shuffle = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        for _ in range(rounds):
            for name in shuffle.sample(list(SIDES), len(SIDES)):
                taken[name].append(run(name, folder))
    print(f"warm decision, {rounds} interleaved rounds of {CALLS - WARMING} calls, medians of the rounds")
    middle = {}
    for name, found in taken.items():
        middle[name] = statistics.median(statistics.median(one) for one in found)
        high = statistics.median(statistics.quantiles(one, n=100)[98] for one in found)
        print(f"  {name:<20} p50 {middle[name]:8.0f} µs   p99 {high:8.0f} µs")
    peer = min(("peer", "peer, one thread"), key=lambda name: middle[name])
    for ours in ("ours", "ours, record written"):
        print(f"  {peer} / {ours}: {middle[peer] / middle[ours]:.1f} x (to reach {REACH:g})")
    print(f"  ours / floor: {middle['ours'] / middle['floor']:.1f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
