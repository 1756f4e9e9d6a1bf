"""`nudge`: the command line. In: arguments. Out: what the run tells: tables for people, one JSON object for machines.

`run` plays the sample shop, or takes your own files the whole way. `serve` keeps the API, the outbox and the report page
up on this machine. `plan`, `audience`, `models`, `people` and `rebuild` work on a deployed stack's bucket and tables (environment as the
doors have it), or with `--help` say what they need.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local import acting, campaigns, models, people, plans, policies
from nudge.errors import NudgeError

SEED = 7
SHOP_PEOPLE = 2_000
OUT = Path("build") / "local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = chosen.command
    try:
        return command(chosen)
    except (NudgeError, LookupError, ValueError, OSError) as wrong:
        print(f"nudge: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nudge", description="Intelligent marketing automation, on this machine.")
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="the whole loop: sample shop, or your own files")
    run.add_argument("--json", action="store_true", help="one JSON object on standard output, and nothing else")
    for name in ("users", "events", "items"):
        run.add_argument(f"--{name}", nargs="+", type=Path, default=[], metavar="FILE", help=f"your {name}")
    run.add_argument(
        "--plan", type=Path, metavar="FILE", help="your plan; one is made from the data when there is none"
    )
    run.add_argument("--templates", type=Path, metavar="FOLDER", help="your templates, <name>.json each")
    run.add_argument("--people", type=int, metavar="N", help="sample shop: its size; own files: decide for at most N")
    run.add_argument("--seed", type=int, default=SEED, help="of the sample shop")
    run.add_argument("--out", type=Path, default=OUT, metavar="FOLDER", help="outbox, logs and report go here")
    run.set_defaults(command=_run)
    serve = commands.add_parser("serve", help="the API, the outbox and the report page on localhost")
    serve.add_argument("--port", type=int, default=8765)
    serve.add_argument("--empty", action="store_true", help="start with nothing, not with a small sample shop")
    serve.add_argument("--out", type=Path, default=OUT, metavar="FOLDER")
    serve.set_defaults(command=_serve)
    _admin(commands)
    return parser


def _admin(commands: Any) -> None:
    """Commands on a deployed stack."""
    plans.add(commands)
    models.add(commands)
    acting.add(commands)
    people.add(commands)
    decisions = commands.add_parser("decisions", help="the log of decisions: why, again, and for other tools")
    of_decisions = decisions.add_subparsers(required=True, metavar="command")
    policies.add(commands, of_decisions)
    campaigns.add(commands, of_decisions)
    rebuild = commands.add_parser("rebuild", help="make Profiles anew from the lake")
    rebuild.set_defaults(command=_rebuild)


# ── run ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _run(chosen: argparse.Namespace) -> int:
    if (chosen.users or chosen.items or chosen.plan) and not chosen.events:
        print("nudge run: your own files need --events (and may have --users, --items, --plan)", file=sys.stderr)
        return 2
    missing = [path for path in [*chosen.users, *chosen.events, *chosen.items] if not path.is_file()]
    if missing:
        print(f"nudge run: no such file: {', '.join(map(str, missing))}", file=sys.stderr)
        return 2
    quiet = chosen.json or not sys.stderr.isatty()
    with _progress(quiet) as progress, _standard_output_kept():
        told = _files_told(chosen, progress) if chosen.events else _shop_told(chosen, progress)
    if chosen.json:
        json.dump(told, sys.stdout, allow_nan=False, ensure_ascii=False)
        sys.stdout.write("\n")
        return 0
    from rich.console import Console

    from local import summary

    summary.show(told, Console())
    print(f"outbox, logs and report: {chosen.out}")
    return 0


def _shop_told(chosen: argparse.Namespace, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    progress("world", 0, 1)
    from local import runs

    return runs.shop(seed=chosen.seed, people=chosen.people or SHOP_PEOPLE, out=chosen.out, progress=progress)


def _files_told(chosen: argparse.Namespace, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    progress("read", 0, 1)
    from local import own, runs

    run = own.OwnRun(
        users=chosen.users,
        events=chosen.events,
        items=chosen.items,
        plan=chosen.plan,
        templates=chosen.templates,
        people=chosen.people or own.PEOPLE,
        progress=progress,
    )
    return runs.files(run, out=chosen.out)


@contextmanager
def _standard_output_kept() -> Iterator[None]:
    """Nothing but the summary may reach standard output, whatever a library prints."""
    import contextlib

    import nudge.edge  # noqa: F401  its logger takes the standard output that it finds

    with tempfile.TemporaryFile("w+") as elsewhere, contextlib.redirect_stdout(elsewhere):
        yield


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars on standard error; none where nobody looks."""
    if quiet:
        yield lambda step, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield tell


# ── serve ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _serve(chosen: argparse.Namespace) -> int:
    from local.serve import serve

    serve(port=chosen.port, out=chosen.out, with_shop=not chosen.empty, say=print)
    return 0


# ── a deployed stack ─────────────────────────────────────────────────────────────────────────────────────────────────
def _rebuild(chosen: argparse.Namespace) -> int:
    from local import stack

    print(f"rebuilt: {stack.rebuild()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
