"""`make bench`: every ratio, measured side by side in this run. `make bench ARGS="decide_cold"` runs one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = ("campaign", "decide_cold", "decide_warm", "prepare_events", "profile_batch", "recommend_top")


def main(arguments: list[str]) -> int:
    """Run the named benchmarks (all by default) one after the other; options are passed on. Returns the worst exit code."""
    names = [one for one in arguments if one in ALL] or list(ALL)
    options = [one for one in arguments if one not in ALL]
    worst = 0
    for name in names:
        print(f"\n== {name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, HERE / f"{name}.py", *options], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
