"""People decided per second on one core in `campaign`, beside a batch in pandas and scikit-learn; and what 1,000 decisions cost.

`python benchmarks/speed/campaign.py [people] [rounds]`. Each round starts each side once, in a new order, one thread each, in fresh processes;
what counts is processor time. Both have to decide alike: for how many they do is printed.
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
from typing import Any

from campaign_world import make

from nudge.measure import prices

HERE = Path(__file__).parent
SIDES = {"ours": ("ours",), "peer": ("peer",), "peer, from profiles": ("peer", "profiles"), "floor": ("peer", "floor")}
"""The peer is given its features ready, and once more the profiles' stored numbers: those it has to make features of, as ours does. The floor
leaves out what can be left out."""
REACH, RUNS = 3.0, 3
ANSWERS = 2
"""A look at the ledger and a transaction a person; a hundred profiles come in one answer."""


def run(side: str, folder: str, people: int) -> dict[str, Any]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    script, *options = SIDES[side]
    done = subprocess.run(
        [sys.executable, HERE / f"campaign_{script}.py", folder, str(people), str(RUNS), *options],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **threads},
    )
    return dict(json.loads(done.stderr.decode().splitlines()[-1]))


def uses(milliseconds: float) -> list[prices.Use]:
    """What one decision of a campaign uses: as one of an app's, without the API, at the memory of a whole processor."""
    door = prices.Door(milliseconds, ANSWERS, 1769, "measured by this run")
    others = [one for one in prices.decision() if one.price in ("dynamodb_read", "dynamodb_write")]
    seconds = door.milliseconds / 1000
    return [
        prices.Use("lambda_gb_second", seconds * door.megabytes / 1024, door.said),
        prices.Use("lambda_request", seconds / 900, "a call of Campaign lasts up to 900 seconds"),
        *others,
    ]


def main(people: int, rounds: int) -> None:
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    shuffle = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        for _ in range(rounds):
            for side in shuffle.sample(list(SIDES), len(SIDES)):
                told[side].append(run(side, folder, people))
    print(
        f"{people} people, 3 activities and nothing, {rounds} interleaved rounds of {RUNS} runs; medians, processor time"
    )
    rate = {}
    for side, found in told.items():
        seconds = statistics.median(second for one in found for second in one["seconds"])
        rate[side] = people / seconds
        last = found[-1]
        done = ", ".join(f"{name} {count}" for name, count in sorted(last["activities"].items()))
        print(
            f"  {side:20} {rate[side]:8.0f} people/s  {seconds / people * 1e6:6.0f} µs each; {last['record_bytes']:.0f} B a record; {done}"
        )
    done = [told[side][-1]["done"] for side in SIDES]
    same = sum(len({one[user] for one in done}) == 1 for user in done[0])
    print(f"  the same is done for {same} of {people} people")
    for peer in list(SIDES)[1:3]:
        print(
            f"  ours / {peer}: {rate['ours'] / rate[peer]:.2f} x (to reach {REACH:g}; the floor reaches {rate['floor'] / rate[peer]:.2f})"
        )
    cost = prices.thousand(uses(1000 / rate["ours"]))
    print(f"  1,000 decisions cost {cost['usd']:.5f} USD ({prices.REGION}, {prices.AS_OF}):")
    for line in cost["lines"]:
        print(
            f"    {line['units']:>12.6g} {line['what']:24} × {line['usd_per_unit']:.10f} = {line['usd']:.7f}  {line['why']}"
        )


if __name__ == "__main__":
    main(*(int(one) for one in (*sys.argv[1:], *("5000", "3")[len(sys.argv) - 1 :])))
