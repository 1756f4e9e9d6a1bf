"""The child process of `sandbox`: limits itself, reads one file, writes one file, says a reason code if it cannot.

`python -m nudge.clean.child parquet|zstd IN OUT MEMORY MOST_BYTES …`; exit 0 and OUT, or exit 3 and the code.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Do the task within the limits; answers with the exit code."""
    task, given, out, memory, most_bytes, *limits = arguments
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes) + (1 << 20),) * 2)
    import polars as pl

    held = _virtual_bytes()
    resource.setrlimit(resource.RLIMIT_AS, (held + int(memory),) * 2)
    try:
        if task == "parquet":
            from nudge.clean.cells import write_cells

            write_cells(Path(given).read_bytes(), Path(out), *map(int, [*limits, most_bytes]))
        else:
            lines = pl.read_lines(Path(given).read_bytes()).to_series()
            if int(lines.str.len_bytes().sum()) + len(lines) > int(most_bytes):
                return _failed("too_large")
            with Path(out).open("wb") as file:
                for some in range(0, len(lines), 65_536):
                    file.write("".join(f"{line}\n" for line in lines.slice(some, 65_536).to_list()).encode())
    except OverflowError:
        return _failed("too_large")
    except MemoryError:
        return _failed("too_large")
    except Exception as error:
        return _failed("too_large" if "alloc" in str(error).lower() else f"bad_{task}")
    return 0


def _failed(reason: str) -> int:
    sys.stdout.write(reason)
    return 3


def _virtual_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
