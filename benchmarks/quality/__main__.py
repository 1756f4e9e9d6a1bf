"""`make quality`: figures on public data, beside the published ones. Where the data is absent, it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = (
    "dirty_csv",
    "tabular",
    "lifetime",
    "demand",
    "off_policy",
    "intent",
    "journey",
    "uplift",
    "recommend",
    "campaigns",
)


def main(arguments: list[str]) -> int:
    """Run the named figures (all by default) one after the other. Returns the worst exit code."""
    names = [one for one in arguments if one in ALL] or list(ALL)
    options = [one for one in arguments if one not in ALL]
    worst = 0
    for name in names:
        print(f"\n== {name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, HERE / f"{name}.py", *options], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
