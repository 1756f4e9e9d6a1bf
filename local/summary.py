"""What a run tells at its end: one JSON object, and the same as tables for people.

In: what happened. Out: rows, models, decisions, messages, report, seconds. Figures are taken from what the stack itself
says (stores, cards, the report); nothing is estimated here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from local.shop.world import Truth

SHOWN = ("auc", "log_loss", "lift_at_10")


def decisions(answers: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Counts by activity and group."""
    counts: dict[str, dict[str, int]] = {}
    for one in answers:
        groups = counts.setdefault(one["activity"], {})
        groups[one["group"]] = groups.get(one["group"], 0) + 1
    return {activity: dict(sorted(groups.items())) for activity, groups in sorted(counts.items())}


def report(made: Mapping[str, Any], truth: Mapping[str, Truth] | None = None) -> dict[str, dict[str, Any]]:
    """By goal and activity: people, incremental value with its interval and with the one that may be read daily, per person too,
    return on cost; and the truth where it is known."""
    told: dict[str, dict[str, Any]] = {}
    for goal in made["goals"]:
        for one in goal["activities"]:
            value = one["incremental_value"]
            row = {
                "people": one["people"],
                "incremental_value": value["estimate"],
                "interval": [value["low"], value["high"]],
                "daily": [value["sequence"]["low"], value["sequence"]["high"]],
                "per_person": _interval(value["per_person"]),
                "incremental_conversions": _interval(one["incremental_conversions"]),
                "cost": one["cost"],
                "roi": _interval(one["roi"]),
                "sample_ratio": one["sample_ratio"],
            }
            if truth is not None:
                known = truth.get(one["activity"], Truth(0, 0.0, 0))
                row["truth"] = {
                    "incremental_value": round(known.value, 2),
                    "per_person": round(known.value_per_person, 4),
                    "incremental_conversions": known.conversions,
                    "people": known.people,
                }
            told.setdefault(goal["goal"], {})[one["activity"]] = row
    return told


def troubles(failures: Sequence[str], came_back: int) -> list[str]:
    """What a reader should know went wrong on the way, although the run ended."""
    told = [f"a scheduled function failed and was tried again: {one}" for one in failures]
    return told + (
        [f"{came_back} queue or stream records failed once and came again; see doors.jsonl"] if came_back else []
    )


def _interval(estimate: Mapping[str, Any]) -> dict[str, Any]:
    return {"estimate": estimate["estimate"], "interval": [estimate["low"], estimate["high"]]}


def show(told: Mapping[str, Any], console: Console) -> None:
    """The summary as tables."""
    _rows(told, console)
    _models(told, console)
    _done(told, console)
    _report(told, console)
    seconds = ", ".join(f"{step} {took:g}" for step, took in told["seconds"].items())
    console.print(f"[dim]seconds: {seconds}[/dim]")
    for note in told.get("notes", []):
        console.print(f"[yellow]note:[/yellow] {note}", highlight=False)


def _rows(told: Mapping[str, Any], console: Console) -> None:
    table = Table(title="Rows", title_justify="left")
    table.add_column("kind")
    for name in ("read", "accepted", "rejected", "duplicate"):
        table.add_column(name, justify="right")
    for kind, counts in told["rows"].items():
        table.add_row(kind, *(f"{counts[name]:,}" for name in ("read", "accepted", "rejected", "duplicate")))
    console.print(table)


def _models(told: Mapping[str, Any], console: Console) -> None:
    table = Table(title="Models", title_justify="left")
    for name in ("model", "kind", "version", "last slice: value (95 %)", "gate"):
        table.add_column(name, overflow="fold")
    for name, one in told["models"].items():
        metrics = one["metrics"]
        shown = [figure for figure in SHOWN if figure in metrics] or list(metrics)[: len(SHOWN)]
        figures = "\n".join(f"{figure} {_figure(metrics[figure])}" for figure in shown)
        table.add_row(name, str(one["kind"]), str(one["version"]), figures, str(one["gate"]["reason"]))
    console.print(table)


def _figure(value: Sequence[float]) -> str:
    middle, low, high = value
    return f"{middle:.3f} ({low:.3f} … {high:.3f})"


def _done(told: Mapping[str, Any], console: Console) -> None:
    table = Table(title="Decisions and messages", title_justify="left")
    for name in ("activity", "groups"):
        table.add_column(name)
    for activity, groups in told["decisions"].items():
        table.add_row(activity, ", ".join(f"{group} {count:,}" for group, count in groups.items()))
    table.add_section()
    table.add_row("messages", ", ".join(f"{state} {count:,}" for state, count in told["messages"].items()))
    console.print(table)


def _report(told: Mapping[str, Any], console: Console) -> None:
    with_truth = any("truth" in one for goal in told["report"].values() for one in goal.values())
    table = Table(title="What it changed", title_justify="left")
    for name in (
        "goal",
        "activity",
        "people",
        "incremental value",
        "95 %",
        "95 %, any day",
        *(["truth"] if with_truth else []),
    ):
        table.add_column(name, justify="right" if name not in ("goal", "activity") else "left")
    for goal, activities in told["report"].items():
        for activity, one in activities.items():
            (low, high), (lowest, highest) = one["interval"], one["daily"]
            cells = [
                goal,
                activity,
                f"{one['people']['treatment']:,} / {one['people']['holdout']:,}",
                _money(one["incremental_value"]),
                f"{_money(low)} … {_money(high)}",
                f"{_money(lowest)} … {_money(highest)}",
            ]
            if with_truth:
                cells.append(_money(one.get("truth", {}).get("incremental_value")))
            table.add_row(*cells)
    console.print(table)


def _money(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
