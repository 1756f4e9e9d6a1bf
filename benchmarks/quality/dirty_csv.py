"""How much of dirty CSV loads right: csv-spectrum (12 edge cases) and Pollock (2,290 polluted versions of one file).

Pollock's own measures (VLDB 2023): success, and precision, recall and F1 of header cells, of records and of cells against
the clean version, averaged over files; their sum is the simple score of at most 10, the weighted one counts each
pollution by how often it is seen in the wild. Ours is given nothing but the file's name and bytes. Beside it: the
published figures. What is not loaded is accounted for: every physical record is a row, a reject with a reason, or blank.

    .venv/bin/python benchmarks/quality/dirty_csv.py
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nudge.clean.delimited import read_table
from nudge.collect import records
from nudge.collect.sniff import sniff
from nudge.errors import BadInput

DATA = Path(__file__).parents[3] / "shared/data"
POLLOCK = DATA / "pollock/pollock-polluted_files.tar.xz"


@dataclass(frozen=True, slots=True)
class Read:
    """What came of one file."""

    header: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    records: int = 0
    refused: str | None = None

    @property
    def vanished(self) -> int:
        """Physical records that are neither header, row nor reject: must be none."""
        return 0 if self.refused else self.records - 1 - len(self.rows) - self.reasons.total()


def read(name: str, body: bytes) -> Read:
    """One file by Nudge's own sniffer and reader."""
    try:
        seen = sniff(name, body, whole=True)
    except BadInput as wrong:
        return Read(refused=wrong.reason)
    table = read_table(body, seen.dialect, records.grammar_of(seen.dialect).record_at, header=seen.header)
    rows = [tuple(cell or "" for cell in row) for row in table.rows.drop("line").iter_rows()]
    text = body.decode(seen.dialect.encoding, "surrogateescape").removeprefix("\ufeff")
    physical = sum(1 for one in records.records(text, seen.dialect) if not one.blank)
    return Read(table.names, rows, Counter(flaw.reason for flaw in table.flaws), physical)


def truth(body: bytes) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of a clean version."""
    rows = [tuple(row) for row in csv.reader(io.StringIO(body.decode("utf-8"), newline="")) if row]
    return (rows[0] if rows else (), rows[1:])


def overlap(found: Counter[object], wanted: Counter[object]) -> tuple[float, float, float]:
    """Precision, recall and F1 of two multisets; two empty ones agree."""
    if not found and not wanted:
        return 1.0, 1.0, 1.0
    common = (found & wanted).total()
    precision = common / found.total() if found else 0.0
    recall = common / wanted.total() if wanted else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if common else 0.0


def scores(got: Read, body: bytes) -> list[float]:
    """Pollock's ten numbers of one file."""
    header, rows = truth(body)
    header_scores = overlap(Counter(got.header), Counter(header))
    record_scores = overlap(Counter(got.rows), Counter(rows))
    cells = overlap(Counter(cell for row in got.rows for cell in row), Counter(cell for row in rows for cell in row))
    return [float(got.refused is None), *header_scores, *record_scores, *cells]


@dataclass(frozen=True, slots=True)
class Pollock:
    """(name, polluted, clean) of every file, and how often each pollution is seen."""

    files: list[tuple[str, bytes, bytes]]
    weights: dict[str, float]


def pollock() -> Pollock:
    """The benchmark's files, from its archive."""
    held: dict[str, bytes] = {}
    with tarfile.open(POLLOCK) as archive:
        for member in archive:
            if member.isfile() and (stream := archive.extractfile(member)) is not None:
                held[member.name] = stream.read()
    weights = next((json.loads(body) for name, body in held.items() if name.endswith("pollock_weights.json")), {})
    names = sorted(name for name in held if "/csv/" in name and name.replace("/csv/", "/clean/") in held)
    files = [(name.rpartition("/")[2], held[name], held[name.replace("/csv/", "/clean/")]) for name in names]
    return Pollock(files, weights)


@dataclass(slots=True)
class Sum:
    """Sums over files."""

    files: int = 0
    ten: list[float] = field(default_factory=lambda: [0.0] * 10)
    weighted: float = 0.0
    mass: float = 0.0
    vanished: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    lowest: list[tuple[float, str]] = field(default_factory=list)


def measure(given: Pollock) -> Sum:
    """Everything that is printed, over all files."""
    found = Sum()
    for name, dirty, clean in given.files:
        got = read(name, dirty)
        ten = scores(got, clean)
        weight = given.weights.get(name, 0.0)
        found.files += 1
        found.ten = [a + b for a, b in zip(found.ten, ten, strict=True)]
        found.weighted += weight * sum(ten)
        found.mass += weight
        found.vanished += got.vanished
        found.reasons.update(got.reasons)
        if got.refused:
            found.reasons[f"file refused: {got.refused}"] += 1
        found.lowest = sorted([*found.lowest, (round(sum(ten), 2), name)])[:5]
    return found


def published() -> list[tuple[str, float, float, float]]:
    """(system, share of records recalled, simple, weighted), best first."""
    with (POLLOCK.parent / "aggregate_results_polluted_files.csv").open() as file:
        rows = [
            (row["sut"], float(row["recordrecall"]), float(row["pollock_simple"]), float(row["pollock_weighted"]))
            for row in csv.DictReader(file)
        ]
    return sorted(rows, key=lambda row: -row[2])


def main() -> int:
    """Print the figures; exit 1 when anything vanished."""
    if not POLLOCK.exists():
        print(f"skipped: {POLLOCK.name} is not there (see ../shared/data/README.md)")
        return 0
    found = measure(pollock())
    mean = [value / found.files for value in found.ten]
    ours = ("nudge (ours)", mean[5], sum(mean), found.weighted / found.mass if found.mass else 0.0)
    print(f"Pollock, {found.files} files; records that vanished without a reason: {found.vanished}")
    print(f"{'system':<14} {'records':>8} {'simple':>8} {'weighted':>9}")
    for system, recall, simple, weighted in sorted([*published(), ours], key=lambda row: -row[2]):
        print(f"{system:<14} {recall:8.4f} {simple:8.4f} {weighted:9.4f}")
    print("success; header, records, cells (precision, recall, F1):", " ".join(f"{value:.4f}" for value in mean))
    print("reasons:", dict(found.reasons.most_common()))
    print("lowest:", ", ".join(f"{name} {score}" for score, name in found.lowest))
    return 1 if found.vanished else 0


if __name__ == "__main__":
    sys.exit(main())
