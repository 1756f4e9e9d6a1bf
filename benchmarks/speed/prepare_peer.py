"""The peer: the same job as a straightforward pandas script would do it, with the same output.

Read the CSV with the bad lines kept, type it, set aside what is no row with a reason, drop repetitions, sort, write a Parquet
file a day and the rejects as JSON Lines.
"""

from __future__ import annotations

import json
import resource
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd


def main(source: Path, out: Path) -> dict[str, float]:
    """Prepare `source` into `out`; answers with the counts."""
    names = source.open(encoding="utf-8").readline().strip().split(",")
    frame = pd.read_csv(
        source,
        dtype=str,
        keep_default_na=False,
        names=[*names, "_more"],
        header=None,
        skiprows=1,
        index_col=False,
    )
    frame["line"] = range(2, len(frame) + 2)
    rejects = []

    def set_aside(bad: pd.Series, reason: str) -> None:
        nonlocal frame
        some = frame[bad]
        for line, *cells in some[["line", *names]].itertuples(index=False):
            raw = ",".join("" if pd.isna(cell) else str(cell) for cell in cells)
            rejects.append({"file": source.name, "line": line, "reason": reason, "raw": raw})
        frame = frame[~bad]

    set_aside(frame["_more"].notna() & (frame["_more"] != ""), "too_many_fields")
    set_aside(frame["channel"] == "", "too_few_fields")  # the C reader fills short rows up and says nothing
    set_aside(frame["user_id"] == "", "no_user_id")
    set_aside(frame["event_type"] == "", "no_event_type")
    frame["event_time"] = pd.to_datetime(frame["event_time"], format="ISO8601", utc=True, errors="coerce")
    set_aside(frame["event_time"].isna(), "bad_time")
    value = pd.to_numeric(frame["value"], errors="coerce")
    set_aside(value.isna() & (frame["value"] != ""), "bad_value")
    frame["value"] = pd.to_numeric(frame["value"], errors="coerce")
    before = len(frame)
    key = ["user_id", "event_id"] if "event_id" in names else names
    frame = frame.sort_values(["event_time", *key] if "event_id" in names else ["event_time", "user_id", "event_type"])
    frame = frame.drop_duplicates(key, keep="first")
    counts = {"accepted": len(frame), "rejected": len(rejects), "duplicate": before - len(frame)}
    for day, some in frame.groupby(frame["event_time"].dt.strftime("%Y-%m-%d")):
        folder = out / f"dt={day}"
        folder.mkdir(parents=True, exist_ok=True)
        _write(some.drop(columns=["_more", "line"]), folder / "part.parquet")
    with (out / "rejects.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in rejects)
    return counts | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _write(some: pd.DataFrame, path: Path) -> None:
    """pandas itself where it has pyarrow; else Polars writes the columns, which costs it less than pyarrow would."""
    if find_spec("pyarrow"):
        some.to_parquet(path, index=False, compression="zstd")
        return
    import polars as pl

    columns = {
        str(name): pl.Series(
            str(name), column.to_numpy(dtype=object).tolist() if column.dtype == "str" else column.to_numpy()
        )
        for name, column in some.items()
        if name != "event_time"
    }
    times = pl.Series("event_time", some["event_time"].dt.tz_localize(None).to_numpy())
    pl.DataFrame([*columns.values(), times]).write_parquet(path, compression="zstd", compression_level=1)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
