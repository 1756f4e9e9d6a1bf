"""What every quality benchmark shares: where the public sets lie, and the table in which figures stand side by side.

    given = data.options(__doc__)                                   # --quick, --json
    rows = read(data.path("bank-marketing/bank-full.csv.gz"))       # absent: says so, exits 0
    data.show([data.Figure("bank-full", "5-fold", "AUC", ours=0.804, spread=0.004, ...)], given.json)

It knows no set and no model.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev

ROOT = Path(__file__).parents[2]
"""The project. The sets lie beside it, in `shared/data`, or where NUDGE_DATA says."""


def root() -> Path:
    """The folder of the public sets; it need not exist."""
    return Path(os.environ.get("NUDGE_DATA") or ROOT.parent / "shared/data")


def path(name: str) -> Path:
    """The file `name` ("m3/…") of the public sets. Absent: says so and raises SystemExit(0), for nothing was wrong."""
    found = root() / name
    if not found.exists():
        print(f"data absent: {name} (looked in {root()}); nothing measured")
        raise SystemExit(0)
    return found


def options(description: str | None, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """`quick` (a sample, for a look) and `json` (a line a figure instead of the table)."""
    parser = argparse.ArgumentParser(description=(description or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a sample: minutes become seconds, figures get noisy")
    parser.add_argument("--json", action="store_true", help="a JSON line a figure instead of the table")
    return parser.parse_args(arguments)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: ours ± spread over folds or seeds, the best simple baseline of the same run, the published figure.

    `reach` is what was asked; None where nothing was. `lower` says that less is better; `upto` makes `reach … upto` a range.
    """

    set: str
    protocol: str
    figure: str
    ours: float
    spread: float | None = None
    baseline: float | None = None
    baseline_name: str = ""
    published: str = ""
    reach: float | None = None
    lower: bool = False
    upto: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Was it reached? None where nothing was asked."""
        if self.reach is None:
            return None
        if self.upto is not None:
            return self.reach <= self.ours <= self.upto
        return self.ours <= self.reach if self.lower else self.ours >= self.reach


def figure(name: str, protocol: str, metric: str, values: Sequence[float], **more: object) -> Figure:
    """A row from the values of folds or seeds: their mean ± their standard deviation."""
    spread = stdev(values) if len(values) > 1 else None
    return Figure(name, protocol, metric, fmean(values), spread, **more)  # type: ignore[arg-type]


def show(figures: Iterable[Figure], as_json: bool = False) -> None:
    """Print the common table, or a JSON line a figure (all fields and `reached`)."""
    rows = list(figures)
    if as_json:
        for one in rows:
            plain = asdict(one) | {"reached": one.reached}
            print(
                json.dumps(plain, ensure_ascii=False, default=lambda number: number.item()), flush=True
            )  # NumPy's own
        return
    head = ("set", "protocol", "figure", "ours", "baseline", "published", "to reach", "reached")
    table = [head, *(_cells(one) for one in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for number, row in enumerate(table):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    for one in rows:
        if one.note:
            print(f"  {one.set}, {one.figure}: {one.note}")
    sys.stdout.flush()


def _cells(one: Figure) -> tuple[str, ...]:
    ours = _number(one.ours) + ("" if one.spread is None else f" ± {_number(one.spread)}")
    baseline = "" if one.baseline is None else f"{_number(one.baseline)} {one.baseline_name}".rstrip()
    asked = ""
    if one.reach is not None:
        sign = "≤" if one.lower else "≥"
        asked = f"{sign} {_number(one.reach)}" if one.upto is None else f"{_number(one.reach)} … {_number(one.upto)}"
    verdict = {True: "yes", False: "no", None: ""}[one.reached]
    return (one.set, one.protocol, one.figure, ours, baseline, one.published, asked, verdict)


def _number(value: float) -> str:
    """Four decimals below 1, three below 10, two above: what these figures are quoted with."""
    size = abs(value)
    return f"{value:.4f}" if size < 1 else f"{value:.3f}" if size < 10 else f"{value:.2f}"
