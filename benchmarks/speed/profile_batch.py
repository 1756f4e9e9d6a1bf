"""Point-in-time profiles of many people: the batch executor beside pandas, on the same Parquet file, in fresh processes.

`python benchmarks/speed/profile_batch.py --events 20000000` (default 2 million; 20 events a person, 8 event types; each
person has a moment of their own, and only events before it count). Runs are interleaved; medians and their ratios are
printed as JSON. Both sides make the same columns: decayed counts and values by half-life, recency, first, total.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).parent
START, DAY = 1_700_000_000_000_000, 86_400_000_000
KINDS = ("page_view", "search", "add_to_cart", "purchase", "email_open", "email_click", "review", "wishlist")
SHARES = (0.4, 0.15, 0.1, 0.05, 0.15, 0.05, 0.04, 0.06)


def generate(folder: Path, count: int, *, block: int = 2_000_000) -> None:
    """Events of count / 20 people over 180 days, in order of time as in the lake, and a moment for each person."""
    random = np.random.default_rng(7)
    people = count // 20
    ids = "u" + pl.Series(np.arange(people)).cast(pl.String).str.zfill(8)
    moments = START + random.integers(120, 180, people) * DAY
    pl.DataFrame({"user_id": ids, "as_of": moments}).write_parquet(folder / "as_of.parquet")
    (folder / "kinds.json").write_text(json.dumps(sorted(KINDS)))
    parts = []
    for start in range(0, count, block):
        size = min(block, count - start)
        low, high = (START + 180 * DAY * edge // count for edge in (start, start + size))
        part = pl.DataFrame(
            {
                "user_id": ids.gather(random.integers(0, people, size)),
                "event_type": pl.Series(np.array(KINDS)[random.choice(8, size, p=SHARES)]),
                "event_time": pl.Series(np.sort(random.integers(low, high, size))).cast(pl.Datetime("us", "UTC")),
                "value": np.round(random.gamma(2, 20, size), 2),
            }
        )
        parts.append(folder / f"part{start}.parquet")
        part.write_parquet(parts[-1])
    pl.scan_parquet(parts).sink_parquet(folder / "events.parquet", row_group_size=500_000, maintain_order=True)
    for part in parts:
        part.unlink()


def measure(side: str, folder: Path) -> dict:
    done = subprocess.run(
        [sys.executable, str(HERE / f"profile_{side}.py"), str(folder)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=2_000_000)
    arguments.add_argument("--repeats", type=int, default=3)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, chosen.events)
        runs: dict[str, list[dict]] = {"peer": [], "ours": []}
        for repeat in range(chosen.repeats):
            for side in ("peer", "ours") if repeat % 2 == 0 else ("ours", "peer"):
                runs[side].append(measure(side, folder))
    peer, ours = (
        {key: statistics.median(run[key] for run in of) for key in ("seconds", "peak_mb")} for of in runs.values()
    )
    one, other = runs["peer"][0], runs["ours"][0]
    if one["shape"] != other["shape"] or abs(one["check"] - other["check"]) > 1e-9 * abs(one["check"]):
        raise SystemExit(f"the two sides computed different things: {one} {other}")
    result = {
        "events": chosen.events,
        "pandas": peer,
        "ours": ours,
        "times_faster": round(peer["seconds"] / ours["seconds"], 2),
        "share_of_memory": round(ours["peak_mb"] / peer["peak_mb"], 2),
        "wanted": {"times_faster": 2.5, "share_of_memory": 0.6},
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
