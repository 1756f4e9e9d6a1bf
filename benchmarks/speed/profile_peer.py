"""The peer of `profile_batch`: point-in-time decayed sums as one writes them with pandas.

In: events.parquet and as_of.parquet in a folder. Out: one JSON line (seconds, peak memory, shape, a check sum). pandas
has no Parquet reader of its own without pyarrow, so Polars reads the columns for it: faster than pandas could.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

DAY = 86_400_000_000
COUNTS, VALUES = (1, 7, 30, 90), (7, 30, 90)


def read(path: Path) -> pd.DataFrame:
    columns = pl.read_parquet_schema(path)
    return pd.DataFrame({name: pl.read_parquet(path, columns=[name])[name].to_numpy() for name in columns})


def profiles(events: pd.DataFrame, moments: pd.DataFrame) -> pd.DataFrame:
    events["event_time"] = events["event_time"].to_numpy().astype("datetime64[us]").astype("int64")
    events = events.merge(moments, on="user_id")
    events = events[events["event_time"] < events["as_of"]]
    age = (events["as_of"] - events["event_time"]) / DAY
    sums = {}
    for days in COUNTS:
        weight = np.exp2(-age / days)
        sums[f"count.{days}d"] = weight
        if days in VALUES:
            sums[f"value.{days}d"] = weight * events["value"]
    sums["value.total"] = events["value"]
    keys = [events["user_id"], events["event_type"]]
    grouped = pd.DataFrame(sums).groupby(keys).sum()
    ages = age.groupby(keys).agg(["min", "max", "size"])
    grouped["days_since"], grouped["days_since_first"], grouped["total"] = ages["min"], ages["max"], ages["size"]
    wide = grouped.unstack("event_type")
    wide.columns = [f"{name}.{kind}" for name, kind in wide.columns]
    wide = wide.reindex(moments["user_id"])
    sums_only = [name for name in wide.columns if not name.startswith("days_since")]
    wide[sums_only] = wide[sums_only].fillna(0.0)
    return wide


def main() -> None:
    folder = Path(sys.argv[1])
    started = time.perf_counter()
    wide = profiles(read(folder / "events.parquet"), read(folder / "as_of.parquet"))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    check = float(np.nansum(wide.to_numpy(dtype="float64")))
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "shape": list(wide.shape), "check": check}))


if __name__ == "__main__":
    main()
