"""Formats that can explode are opened in a child process with limits. Bytes come in; an Arrow file's frame or lines go out.

The child (`child.py`) may use so much memory, time and disk, knows no credentials and has no other input than one file.
When it dies, the file was too large for what it may be (`too_large`); the parent lives on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import polars as pl

from nudge.errors import BadInput
from nudge.vocabulary import SECOND, Micros

PREFIX: Final = "nudge-sandbox-"
LEFT_AFTER_SECONDS: Final = 1_200
MEMORY: Final = 2 << 30
SECONDS: Final = 120
MOST_ROWS: Final = 5_000_000
MOST_COLUMNS: Final = 2_000
LARGEST_TABLE: Final = 1 << 30


def parquet_cells(body: bytes, rows: tuple[int, int] | None) -> pl.DataFrame:
    """Rows [first, last) of a Parquet file as text; a column whose text is JSON has a name that ends in NUL.

    Raises
    ------
    BadInput
        `too_large` (rows, columns, bytes or memory beyond the limits), `bad_parquet`.
    """
    first, last = rows or (0, -1)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        out = _run(
            "parquet", body, Path(folder), LARGEST_TABLE, str(first), str(last), str(MOST_ROWS), str(MOST_COLUMNS)
        )
        return pl.read_ipc(out.read_bytes())


def zstd_lines(body: bytes, *, most_bytes: int) -> bytes:
    """The lines inside zstd data, joined by LF. Raises BadInput: `too_large`, `bad_zstd`."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        return _run("zstd", body, Path(folder), most_bytes, str(most_bytes)).read_bytes()


def sweep(now: Micros) -> None:
    """Remove what processes that were killed left in the temporary folder: Lambda keeps it for the next invocation."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if left.stat().st_mtime < now / SECOND - LEFT_AFTER_SECONDS:
                shutil.rmtree(left)


def _run(task: str, body: bytes, folder: Path, most_bytes: int, *limits: str) -> Path:
    given, out = folder / "in", folder / "out"
    given.write_bytes(body)
    command = [
        sys.executable,
        "-m",
        "nudge.clean.child",
        task,
        str(given),
        str(out),
        str(MEMORY),
        str(most_bytes),
        *limits,
    ]
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "POLARS_MAX_THREADS": "1",
        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
        "PATH": os.environ.get("PATH", ""),
    }
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise BadInput(f"not read within {SECONDS} seconds", reason="too_large") from None
    if done.returncode == 0 and out.exists():
        return out
    said = done.stdout.decode("ascii", "replace").strip()
    reason = said if said in ("too_large", f"bad_{task}") else "too_large"
    raise BadInput(f"the {task} data cannot be read ({reason})", reason=reason)
