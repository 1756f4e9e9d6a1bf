"""One run of our batch executor on the folder of `profile_batch`: one JSON line, as the peer prints."""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from nudge.profile import batch

FAMILIES = ("count.", "value.", "days_since.", "days_since_first.", "total.")


def main() -> None:
    folder = Path(sys.argv[1])
    started = time.perf_counter()
    moments = pl.read_parquet(folder / "as_of.parquet")
    kinds = json.loads((folder / "kinds.json").read_text())
    wide = batch.vectors(pl.scan_parquet(folder / "events.parquet"), moments, only=batch.names_of(kinds, FAMILIES))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    check = sum(float(np.nansum(wide[name].to_numpy())) for name in wide.columns if name != "user_id")
    shape = [wide.height, wide.width - 1]
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "shape": shape, "check": check}))


if __name__ == "__main__":
    main()
